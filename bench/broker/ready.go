package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
)

// probe is what readiness is tried with. A topic of this name that is left
// behind bears our tag.
const probe = "deliverybench-probe"

// retryEvery is the pause between two questions to a cluster that is not ready.
const retryEvery = 50 * time.Millisecond

// AwaitReady waits until a cluster that was just started has all its nodes,
// makes and deletes topics, and has its internal topics, which the first group
// and the first transaction would else wait for. The context bounds it.
func AwaitReady(ctx context.Context, e client.Endpoint, nodes int) error {
	v, err := NewView(e)
	if err != nil {
		return err
	}
	defer v.Close()
	if err := v.AwaitWhole(ctx, nodes); err != nil {
		return err
	}
	if err := tryTopic(ctx, e, nodes); err != nil {
		return err
	}
	for _, kind := range []coordinator{groupCoordinator, transactionCoordinator} {
		if err := v.awaitCoordinator(ctx, kind, probe); err != nil {
			return err
		}
	}
	return v.AwaitWhole(ctx, nodes)
}

// tryTopic makes a topic with a replica on every node, and deletes it.
func tryTopic(ctx context.Context, e client.Endpoint, nodes int) error {
	admin, err := client.NewAdmin(e)
	if err != nil {
		return err
	}
	defer admin.Close()
	err = admin.CreateTopic(ctx, probe, profile.Topic{Partitions: 1, Replication: nodes, MinInsyncReplicas: 1})
	if err != nil {
		return err
	}
	return admin.DeleteTopics(ctx, probe)
}

// coordinator is a kind of one, in the protocol's numbers (FindCoordinator).
type coordinator int8

const (
	groupCoordinator       coordinator = 0
	transactionCoordinator coordinator = 1
)

func (c coordinator) String() string {
	if c == groupCoordinator {
		return "group"
	}
	return "transaction"
}

// awaitCoordinator waits until the cluster names the key's coordinator; asking
// makes it create the internal topic.
func (v *View) awaitCoordinator(ctx context.Context, kind coordinator, key string) error {
	for {
		_, err := v.coordinatorOf(ctx, kind, key)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for a %s coordinator, and the last answer was %q: %w", kind, err, context.Cause(ctx))
		case <-time.After(retryEvery):
		}
	}
}

// coordinatorOf asks the cluster for the key's coordinator.
func (v *View) coordinatorOf(ctx context.Context, kind coordinator, key string) (node int32, err error) {
	request := func() kmsg.Request {
		r := kmsg.NewPtrFindCoordinatorRequest()
		r.CoordinatorType = int8(kind)
		r.CoordinatorKey, r.CoordinatorKeys = key, []string{key} // up to version 3, and since
		return r
	}
	_, err = ask(ctx, v, request, func(r *kmsg.FindCoordinatorResponse) error {
		code := r.ErrorCode
		node = r.NodeID
		if r.Version >= 4 {
			if len(r.Coordinators) != 1 {
				return errors.New("the answer names no coordinator")
			}
			code, node = r.Coordinators[0].ErrorCode, r.Coordinators[0].NodeID
		}
		return kerr.ErrorForCode(code)
	})
	return node, err
}
