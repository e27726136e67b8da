package broker_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// healsWithin bounds the wait for a cluster to notice and to recover: a broker's
// session is 9 s, and a node is up again in 3 s on an idle machine.
const healsWithin = 90 * time.Second

// cluster is a local one that tests share, in turn.
type cluster struct {
	*broker.Local
	options broker.LocalOptions
	view    *broker.View
	admin   *client.Admin
	ctx     context.Context
}

func startCluster(t *testing.T, o broker.LocalOptions) *cluster {
	t.Helper()
	l, err := broker.StartLocal(t.Context(), spawner(t), o)
	require.NoError(t, err)
	t.Cleanup(l.Close)
	c := &cluster{Local: l, options: o, ctx: t.Context()}
	c.view, err = broker.NewView(l.Endpoint())
	require.NoError(t, err)
	t.Cleanup(c.view.Close)
	c.admin, err = client.NewAdmin(l.Endpoint())
	require.NoError(t, err)
	t.Cleanup(c.admin.Close)
	return c
}

// awaitWhole waits until the cluster is whole.
func (c *cluster) awaitWhole(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, healsWithin)
	defer cancel()
	require.NoError(t, c.view.AwaitWhole(ctx, len(c.Nodes())))
}

// topic makes one with as many partitions and replicas as there are nodes.
func (c *cluster) topic(t *testing.T, name string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, within)
	defer cancel()
	n := len(c.Nodes())
	require.NoError(t, c.admin.CreateTopic(ctx, name, profile.Topic{Partitions: n, Replication: n, MinInsyncReplicas: max(1, n-1)}))
	return name
}

func (c *cluster) leadership(t *testing.T, s broker.Seat) broker.Leadership {
	t.Helper()
	found, err := c.view.Leadership(c.ctx, s)
	require.NoError(t, err)
	return found
}

// pid is a node's process id, as the folder of the cluster notes it.
func (c *cluster) pid(t *testing.T, id int32) int {
	t.Helper()
	notes, err := filepath.Glob(filepath.Join(c.options.Scratch[0], "deliverybench-*", fmt.Sprintf("node-%d.pid", id)))
	require.NoError(t, err)
	require.Len(t, notes, 1)
	text, err := os.ReadFile(notes[0])
	require.NoError(t, err)
	pid, err := strconv.Atoi(string(text))
	require.NoError(t, err)
	return pid
}

// write produces records to a topic's partition 0, acknowledged by all replicas.
func (c *cluster) write(t *testing.T, topic string, values ...string) {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(c.Endpoint().Bootstrap, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer k.Close()
	ctx, cancel := context.WithTimeout(c.ctx, within)
	defer cancel()
	for _, value := range values {
		require.NoError(t, k.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr())
	}
}

// read returns the first n records of a topic's partition 0.
func (c *cluster) read(t *testing.T, topic string, n int) (values []string) {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(c.Endpoint().Bootstrap, ",")...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	require.NoError(t, err)
	defer k.Close()
	ctx, cancel := context.WithTimeout(c.ctx, within)
	defer cancel()
	for len(values) < n {
		fetched := k.PollFetches(ctx)
		require.NoError(t, fetched.Err(), "read %d of %d records", len(values), n)
		fetched.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

// awaitSilence waits until a broker that was frozen does not answer: the signal
// reaches its process a moment after the call.
func awaitSilence(t *testing.T, admin *client.Admin) {
	t.Helper()
	for deadline := time.Now().Add(within); ; {
		if _, err := admin.Nodes(100 * time.Millisecond); err != nil {
			return
		}
		require.True(t, time.Now().Before(deadline), "waited %s for a frozen broker not to answer", within)
	}
}

// requireGone: the process has ended and was collected.
func requireGone(t *testing.T, pid int) {
	t.Helper()
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
}

// One node of real Kafka, whose first choice of ports was taken meanwhile.
func TestLocal(t *testing.T) {
	o, tries := options(t, 1), 0
	c := startCluster(t, o.WithPorts(func(n int) ([]int, error) {
		tries++
		chosen, err := process.FreePorts(n)
		if tries == 1 {
			chosen[0] = taken(t)
		}
		return chosen, err
	}))
	require.Equal(t, 2, tries)
	t.Run("is ready", c.isReady)
	t.Run("freezes and thaws", c.freezesAndThaws)
	t.Run("is killed and comes back", c.isKilledAndComesBack)
	t.Run("is stopped and comes back", c.isStoppedAndComesBack)
	t.Run("ends an expired transaction", c.endsAnExpiredTransaction)
	t.Run("is missed when it dies", c.isMissedWhenItDies)
	t.Run("leaves nothing", c.leavesNothing)
}

func (c *cluster) isReady(t *testing.T) {
	require.Equal(t, result.Broker{Kind: "local", Version: "Apache Kafka 4.3.1", Nodes: 1, SharesHost: true}, c.Describe())
	require.NoError(t, c.Failed())
	require.Len(t, c.Nodes(), 1)
	require.EqualValues(t, 1, c.Nodes()[0].ID())
	require.Positive(t, c.CPUSeconds())
	for _, topic := range []string{"__consumer_offsets", "__transaction_state"} {
		for p := range int32(3) {
			require.EqualValues(t, 1, c.leadership(t, broker.Seat{Topic: topic, Partition: p}).Leader, topic)
		}
	}
	require.Equal(t, broker.Leadership{Leader: 1, Epoch: 1, Replicas: []int32{1}}, c.leadership(t, broker.ControllerSeat))
	names, err := c.admin.Topics("deliverybench", within)
	require.NoError(t, err)
	require.Empty(t, names, "the probe")
	require.ErrorContains(t, c.Nodes()[0].Start(t.Context()), "start node 1: it runs")
}

func (c *cluster) freezesAndThaws(t *testing.T) {
	n := c.Nodes()[0]
	require.NoError(t, n.Freeze())
	awaitSilence(t, c.admin)
	require.True(t, n.Running())
	require.NoError(t, c.Failed(), "a frozen node is not gone")
	require.NoError(t, n.Thaw())
	c.awaitWhole(t)
}

func (c *cluster) isKilledAndComesBack(t *testing.T) {
	topic := c.topic(t, "killed")
	c.write(t, topic, "a", "b")
	n, used, pid := c.Nodes()[0], c.CPUSeconds(), c.pid(t, 1)
	require.NoError(t, n.Kill(t.Context()))
	requireGone(t, pid)
	require.False(t, n.Running())
	require.NoError(t, c.Failed(), "it was asked to end")
	require.GreaterOrEqual(t, c.CPUSeconds(), used)
	require.NoError(t, n.Freeze(), "nothing is left to be frozen")
	require.NoError(t, n.Start(t.Context()))
	c.awaitWhole(t)
	require.NotEqual(t, pid, c.pid(t, 1))
	require.Greater(t, c.CPUSeconds(), used, "what ended is counted too")
	c.write(t, topic, "c")
	require.Equal(t, []string{"a", "b", "c"}, c.read(t, topic, 3))
}

func (c *cluster) isStoppedAndComesBack(t *testing.T) {
	topic := c.topic(t, "stopped")
	c.write(t, topic, "a")
	n, epoch := c.Nodes()[0], c.leadership(t, broker.Seat{Topic: topic}).Epoch
	require.NoError(t, n.Stop(t.Context()))
	require.False(t, n.Running())
	require.NoError(t, c.Failed())
	require.NoError(t, broker.Restore(t.Context(), c))
	// Asked by the view from before, whose connection ended with the node.
	require.Greater(t, c.leadership(t, broker.Seat{Topic: topic}).Epoch, epoch)
	require.Equal(t, []string{"a"}, c.read(t, topic, 1))
	log, err := os.ReadFile(filepath.Join(c.options.Logs, "node-1.log"))
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(log), "Terminating process due to signal SIGTERM"))
	// One had no ports, one was stopped in good order.
	require.Equal(t, 2, strings.Count(string(log), "[BrokerServer id=1] shut down completed"))
	require.Equal(t, 3, strings.Count(string(log), "Kafka Server started"), "the log goes on")
}

// A transaction that nobody ends is aborted once its time is up: readers of
// what is committed wait no longer than that.
func (c *cluster) endsAnExpiredTransaction(t *testing.T) {
	topic := c.topic(t, "expired")
	k, err := kgo.NewClient(kgo.SeedBrokers(c.Endpoint().Bootstrap), kgo.TransactionalID("expiring"), kgo.TransactionTimeout(time.Second))
	require.NoError(t, err)
	defer k.Close()
	require.NoError(t, k.BeginTransaction())
	require.NoError(t, k.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("never")}).FirstErr())
	for deadline := time.Now().Add(within); ; {
		stable, err := c.admin.EndOffsets(t.Context(), topic, 1, profile.ReadCommitted)
		require.NoError(t, err)
		if stable[0] == 2 { // the record and the abort marker
			break
		}
		require.True(t, time.Now().Before(deadline), "waited %s for the transaction to expire", within)
	}
}

func (c *cluster) isMissedWhenItDies(t *testing.T) {
	require.NoError(t, syscall.Kill(c.pid(t, 1), syscall.SIGKILL))
	err := failed(t, c)
	require.ErrorContains(t, err, "the local broker: node 1 ended (signal: killed); the last lines of its log:\n[2")
	require.ErrorContains(t, err, " INFO ")
	require.False(t, c.Nodes()[0].Running())
	require.NoError(t, c.Nodes()[0].Start(t.Context()))
	require.NoError(t, c.Failed())
}

// Nothing is left of a node that is starting, and frozen at that, but its log.
func (c *cluster) leavesNothing(t *testing.T) {
	pid := c.pid(t, 1)
	require.NoError(t, c.Nodes()[0].Freeze())
	c.Close()
	requireGone(t, pid)
	requireEmpty(t, c.options.Scratch[0])
	require.NoError(t, c.Failed())
	require.EqualError(t, c.Nodes()[0].Start(t.Context()), "start node 1: its cluster was closed")
	require.FileExists(t, filepath.Join(c.options.Logs, "node-1.log"))
	c.Close() // again: nothing
}

// localOwner is the verb under which the test binary is a program that starts
// a local cluster, says so, and waits to be killed.
const localOwner = "local-owner"

func ownLocal(folder, logs string) int {
	s := process.NewSpawner(os.Args[0])
	defer s.Close()
	l, err := broker.StartLocal(context.Background(), s, broker.LocalOptions{Nodes: 1, Getenv: os.Getenv, Folder: folder, Scratch: []string{folder}, Logs: logs})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer l.Close()
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}
