package trial_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"deliverybench/bench/broker"
	"deliverybench/bench/process"

	"github.com/stretchr/testify/require"
)

// kafka is one node of Apache Kafka, which takes seconds to start: the tests of
// this package share it, and TestMain closes it.
var kafka sharedKafka

type sharedKafka struct {
	starting sync.Mutex
	spawner  *process.Spawner
	broker   *broker.Local
	folder   string
}

// bench starts the node for the first test that asks.
func (k *sharedKafka) bench(t *testing.T) *bench {
	t.Helper()
	k.starting.Lock()
	defer k.starting.Unlock()
	if k.broker == nil {
		k.start(t)
	}
	b := benchOn(t, k.spawner, k.broker)
	b.kafka = true
	return b
}

func (k *sharedKafka) start(t *testing.T) {
	t.Helper()
	var err error
	k.folder, err = os.MkdirTemp("", "trial-kafka")
	require.NoError(t, err)
	if k.spawner == nil {
		k.spawner = process.NewSpawner(executable(t))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	k.broker, err = broker.StartLocal(ctx, k.spawner, broker.LocalOptions{
		Nodes: 1, Getenv: os.Getenv, Folder: ".", Scratch: []string{k.folder}, Logs: k.folder,
	})
	require.NoError(t, err)
}

func (k *sharedKafka) close() {
	if k.broker != nil {
		k.broker.Close()
	}
	if k.spawner != nil {
		k.spawner.Close()
	}
	if k.folder != "" {
		_ = os.RemoveAll(k.folder)
	}
}
