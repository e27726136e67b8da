package broker

import (
	"context"
	"fmt"
	"path/filepath"

	"deliverybench/bench/client"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
)

// Options are what brokers of every kind are opened with.
type Options struct {
	Spawner *process.Spawner
	// Getenv is the program's environment: JAVA_HOME, KAFKA_HOME, PATH.
	Getenv func(string) string
	// Folder is where the search for what was fetched begins, upwards.
	Folder string
	// Scratch are the folders in which a broker's data may lie.
	Scratch []string
	// Logs is the folder of the brokers' logs. They stay.
	Logs string
	// Clients is what clients of somebody else's cluster need to be let in;
	// Bootstrap is left to the name.
	Clients client.Endpoint
}

// Open starts the broker of this name (profile.BrokerUsage), or connects to it,
// and returns when it is ready for trials.
func Open(ctx context.Context, name string, o Options) (Broker, error) {
	cluster, err := profile.ClusterOf(name)
	if err != nil {
		return nil, err
	}
	switch name {
	case "embedded":
		return StartEmbedded(ctx, o.Spawner, filepath.Join(o.Logs, "broker.log"))
	case "local", "local3":
		return StartLocal(ctx, o.Spawner, LocalOptions{Nodes: cluster.Nodes, Getenv: o.Getenv, Folder: o.Folder, Scratch: o.Scratch, Logs: o.Logs})
	case "compose", "compose3":
		return StartCompose(ctx, o.Spawner, ComposeOptions{Nodes: cluster.Nodes, Folder: o.Folder, Logs: o.Logs})
	}
	if !cluster.Foreign {
		return nil, fmt.Errorf("-broker %s cannot be started", name)
	}
	o.Clients.Bootstrap = name
	return OpenExternal(ctx, o.Clients)
}
