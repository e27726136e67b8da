package broker

import (
	"context"
	"time"
)

// WithPorts makes StartLocal take its ports from choose.
func (o LocalOptions) WithPorts(choose func(n int) ([]int, error)) LocalOptions {
	o.choosePorts = choose
	return o
}

// ServerProperties are the settings of a node whose cluster has as many nodes,
// with ports from 1 on.
func ServerProperties(folder string, id, nodes int) string {
	var all []ports
	for i := range nodes {
		all = append(all, ports{clients: 2*i + 1, quorum: 2*i + 2})
	}
	return serverProperties(folder, id, all)
}

// GroupCoordinator and TransactionCoordinator are what the cluster itself says.
func (v *View) GroupCoordinator(ctx context.Context, group string) (int32, error) {
	return v.coordinatorOf(ctx, groupCoordinator, group)
}

func (v *View) TransactionCoordinator(ctx context.Context, id string) (int32, error) {
	return v.coordinatorOf(ctx, transactionCoordinator, id)
}

// Left is the time that opening left for Permit, and SetLeft sets it.
func (x *External) Left() time.Duration     { return x.left }
func (x *External) SetLeft(d time.Duration) { x.left = d }

// OpenWithin is the bound of both together.
const OpenWithin = openWithin
