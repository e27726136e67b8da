package broker

import (
	"context"
	"fmt"
	"path/filepath"

	"deliverybench/bench/process"
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
}

// Open starts the broker of this name (profile.BrokerUsage), or connects to it,
// and returns when it is ready for trials.
func Open(ctx context.Context, name string, o Options) (Broker, error) {
	switch name {
	case "embedded":
		return StartEmbedded(ctx, o.Spawner, filepath.Join(o.Logs, "broker.log"))
	case "local", "local3":
		nodes := 1
		if name == "local3" {
			nodes = 3
		}
		return StartLocal(ctx, o.Spawner, LocalOptions{Nodes: nodes, Getenv: o.Getenv, Folder: o.Folder, Scratch: o.Scratch, Logs: o.Logs})
	default:
		return nil, fmt.Errorf("-broker %s is not known", name)
	}
}
