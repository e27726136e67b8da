package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/process"
	"deliverybench/bench/result"
	"deliverybench/bench/scratch"
)

// localWithin bounds the start of a local cluster, from its first process to
// its last internal topic. Three nodes use 20 s of processor time for it, and
// the machine may be busy.
const localWithin = 4 * time.Minute

// heapMiB is each node's: Kafka's own of 1 GiB, and half of that where three
// share a machine.
func heapMiB(nodes int) int {
	if nodes > 1 {
		return 512
	}
	return 1024
}

// leastRoom is what a node must have on its disk at least: for its log, and for
// what trials write before they are noticed to be too large.
const leastRoom = 1 << 30

// LocalOptions are what a local cluster is started with.
type LocalOptions struct {
	// Nodes is 1 or 3.
	Nodes int
	// Getenv tells JAVA_HOME, PATH and KAFKA_HOME.
	Getenv func(string) string
	// Folder is where the search for .cache/kafka begins, upwards.
	Folder string
	// Scratch are the folders in which its data may lie; those in memory come last.
	Scratch []string
	// Room is what each node needs on its disk, in bytes, if that is more than
	// the least.
	Room int64
	// Logs is the folder in which node N's log is node-N.log. It stays.
	Logs string
	// Listeners are further ones of a single node, for clients that have to be
	// let in; Properties are further settings and win; Format are further
	// arguments of the storage tool, which makes users.
	Listeners  []Listener
	Properties map[string]string
	Format     []string

	choosePorts func(n int) ([]int, error)
}

// Local is a cluster of Apache Kafka in processes of this machine, which this
// program owns: KRaft, every node a broker and a controller. It is faithful to
// everything but the network between machines and their disks' power.
type Local struct {
	version string
	nodes   []*localNode
	ports   []ports
	// listeners are the addresses of those that the options name.
	listeners map[string]string
	remove    func() error
	closing   sync.Once
}

// StartLocal starts a cluster and waits until it is ready for trials.
func StartLocal(ctx context.Context, spawner *process.Spawner, o LocalOptions) (*Local, error) {
	if o.Nodes != 1 && o.Nodes != 3 {
		return nil, fmt.Errorf("a local cluster has 1 or 3 nodes, not %d", o.Nodes)
	}
	k, err := findKafka(ctx, o.Getenv, o.Folder)
	if err != nil {
		return nil, err
	}
	if o.choosePorts == nil {
		o.choosePorts = process.FreePorts
	}
	l, err := startLocal(ctx, spawner, k, o)
	// Between their choice and their use another program may take a port.
	if errors.As(err, &portTaken{}) {
		l, err = startLocal(ctx, spawner, k, o)
	}
	if err != nil {
		return nil, fmt.Errorf("start Apache Kafka %s: %w", k.version, err)
	}
	return l, nil
}

// startLocal tries it once. Nothing of a failure is left but its logs.
func startLocal(ctx context.Context, spawner *process.Spawner, k kafka, o LocalOptions) (*Local, error) {
	l, err := layOut(spawner, k, o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, localWithin, fmt.Errorf("%s are over", localWithin))
	defer cancel()
	if err := l.format(ctx); err != nil {
		l.Close()
		return nil, err
	}
	if err := l.run(ctx); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// layOut chooses ports and makes the folders of a cluster that does not run yet.
func layOut(spawner *process.Spawner, k kafka, o LocalOptions) (*Local, error) {
	chosen, err := o.choosePorts(2*o.Nodes + len(o.Listeners))
	if err != nil {
		return nil, err
	}
	dir, remove, err := scratch.New(scratch.OnDisk(o.Scratch), int64(o.Nodes)*max(leastRoom, o.Room))
	if err != nil {
		return nil, fmt.Errorf("brokers' data: %w: free some, or name another folder with -scratch", err)
	}
	l := &Local{version: k.version, remove: remove, listeners: map[string]string{}}
	for i, listener := range o.Listeners {
		l.listeners[listener.Name] = loopback(chosen[2*o.Nodes+i])
	}
	for pair := range slices.Chunk(chosen[:2*o.Nodes], 2) {
		l.ports = append(l.ports, ports{clients: pair[0], quorum: pair[1]})
	}
	err = os.MkdirAll(o.Logs, 0o755)
	for id := 1; id <= o.Nodes && err == nil; id++ {
		name := fmt.Sprintf("node-%d", id)
		n := &localNode{
			id: id, kafka: k, spawner: spawner, heapMiB: heapMiB(o.Nodes), parent: dir,
			folder: filepath.Join(dir, name), logPath: filepath.Join(o.Logs, name+".log"), users: o.Format,
		}
		l.nodes = append(l.nodes, n)
		err = configure(n.folder, id, l.ports, l.further(o))
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// format makes every node's storage, all at a time.
func (l *Local) format(ctx context.Context) error {
	clusterID := newClusterID()
	formatted := make(chan error, len(l.nodes))
	for _, n := range l.nodes {
		go func() { formatted <- n.format(ctx, clusterID) }()
	}
	var failed error
	for range l.nodes {
		failed = errors.Join(failed, <-formatted)
	}
	return failed
}

func (n *localNode) format(ctx context.Context, clusterID string) error {
	p, err := n.spawner.StartProgram("storage tool of "+n.name(), n.kafka.format(n.folder, clusterID, n.users), n.logPath)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("waited for the storage of %s to be formatted: %w", n.name(), context.Cause(ctx))
	}
	if err := p.Exit().Err; err != nil {
		return fmt.Errorf("format the storage of %s: %w; %s", n.name(), err, p.LastLines())
	}
	return nil
}

// run starts every node and waits until the cluster is ready.
func (l *Local) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, n := range l.nodes {
		if err := n.Start(ctx); err != nil {
			return err
		}
		p := n.program
		go func() {
			select {
			case <-p.Done(): // it ends the wait for the others too
				cancel(n.failure())
			case <-ctx.Done():
			}
		}()
	}
	err := AwaitReady(ctx, l.Endpoint(), len(l.nodes))
	if err == nil {
		return nil
	}
	for _, n := range l.nodes {
		if failed := n.failure(); failed != nil {
			return l.named(n, failed)
		}
	}
	return fmt.Errorf("%w; %s", err, l.slowest())
}

// portTaken is a node's failure to listen on the port that was chosen for it.
type portTaken struct{ error }

// named tells a port that was taken from other failures.
func (l *Local) named(n *localNode, failed error) error {
	if !strings.Contains(n.program.LogTail(200), "Address already in use") {
		return failed
	}
	p := l.ports[n.id-1]
	return portTaken{fmt.Errorf("%s could not listen on %s and %s: another program took one of them, try again; %w", n.name(), loopback(p.clients), loopback(p.quorum), failed)}
}

// slowest quotes the logs of nodes that are there, but not ready.
func (l *Local) slowest() string {
	var text []string
	for _, n := range l.nodes {
		text = append(text, "the last lines of the log of "+n.name()+":\n"+n.program.LogTail(5))
	}
	return strings.Join(text, "\n")
}

// Endpoint is every node's loopback address.
func (l *Local) Endpoint() client.Endpoint {
	var all []string
	for _, p := range l.ports {
		all = append(all, loopback(p.clients))
	}
	return client.Endpoint{Bootstrap: strings.Join(all, ",")}
}

// Listener is the address of one that the options name.
func (l *Local) Listener(name string) string { return l.listeners[name] }

// Describe names the kind and Kafka's version.
func (l *Local) Describe() result.Broker {
	kind := "local"
	if len(l.nodes) > 1 {
		kind = fmt.Sprintf("local%d", len(l.nodes))
	}
	return result.Broker{Kind: kind, Version: "Apache Kafka " + l.version, Nodes: len(l.nodes), SharesHost: true}
}

// Failed returns why a node is gone that no fault struck.
func (l *Local) Failed() error {
	for _, n := range l.nodes {
		if err := n.failure(); err != nil {
			return fmt.Errorf("the %s broker: %w", l.Describe().Kind, err)
		}
	}
	return nil
}

// Nodes are the cluster's processes.
func (l *Local) Nodes() []Node {
	var all []Node
	for _, n := range l.nodes {
		all = append(all, n)
	}
	return all
}

// CPUSeconds is the processor time that all nodes have used so far.
func (l *Local) CPUSeconds() (total float64) {
	for _, n := range l.nodes {
		total += n.cpuSeconds()
	}
	return total
}

// Close kills the nodes, in whatever state they are, and removes their data.
func (l *Local) Close() {
	l.closing.Do(func() {
		var all sync.WaitGroup
		for _, n := range l.nodes {
			all.Go(n.close)
		}
		all.Wait()
		_ = l.remove() // what is left, a later run removes
	})
}
