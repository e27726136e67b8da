package broker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"deliverybench/bench/client"
	"deliverybench/bench/process"
	"deliverybench/bench/result"
)

// EmbeddedVerb is the hidden verb under which the program is the broker.
const EmbeddedVerb = "embedded-broker"

// readyWithin bounds the wait for the broker's first answer.
const readyWithin = 15 * time.Second

// Embedded is franz-go's kfake in a process of its own on loopback. It keeps
// its log in memory. Group, transaction and idempotence semantics are real; it
// has one log per partition, so replication is not, and its speed is no
// cluster's.
type Embedded struct {
	process *process.Process
	address string
	cpu     cpuReader
}

type embeddedSpec struct {
	MinSessionMillis int `json:"min_session_ms"`
}

type embeddedReady struct {
	Address string `json:"address"`
}

// StartEmbedded starts the broker and waits until it answers.
func StartEmbedded(ctx context.Context, spawner *process.Spawner, logPath string) (*Embedded, error) {
	p, err := spawner.Start("embedded broker", EmbeddedVerb, embeddedSpec{MinSessionMillis: 100}, logPath)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	b := &Embedded{process: p, cpu: cpuReader{pid: p.PID()}}
	if err := b.awaitReady(ctx); err != nil {
		p.Kill()
		return nil, fmt.Errorf("%w; %s", err, b.lastLines())
	}
	return b, nil
}

// lastLines are the end of the broker's log, for an error message.
func (b *Embedded) lastLines() string {
	if tail := b.process.LogTail(20); tail != "" {
		return "the last lines of its log:\n" + tail
	}
	return "its log is empty"
}

func (b *Embedded) awaitReady(ctx context.Context) error {
	select {
	case line, ok := <-b.process.Lines():
		if !ok {
			return fmt.Errorf("the embedded broker ended before it was ready (%s)", b.ending())
		}
		var ready embeddedReady
		if err := json.Unmarshal(line, &ready); err != nil {
			return fmt.Errorf("the embedded broker said %q instead of its address", line)
		}
		b.address = ready.Address
	case <-ctx.Done():
		return fmt.Errorf("waited %s for the embedded broker to open its port: %w", readyWithin, context.Cause(ctx))
	}
	admin, err := client.NewAdmin(b.Endpoint())
	if err != nil {
		return err
	}
	defer admin.Close()
	for {
		nodes, err := admin.Nodes(time.Second)
		if err == nil && nodes == 1 {
			return nil
		}
		if err := b.Failed(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("waited %s for the embedded broker at %s to answer: %v", readyWithin, b.address, err)
		}
	}
}

// Endpoint is the broker's loopback address.
func (b *Embedded) Endpoint() client.Endpoint { return client.Endpoint{Bootstrap: b.address} }

// Describe names the broker and the version of kfake that it is.
func (b *Embedded) Describe() result.Broker {
	version := "kfake"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == "github.com/twmb/franz-go/pkg/kfake" {
				version = "kfake " + dependency.Version
			}
		}
	}
	return result.Broker{Kind: "embedded", Version: version, Nodes: 1, SharesHost: true}
}

// Failed returns why the broker is gone.
func (b *Embedded) Failed() error {
	select {
	case <-b.process.Done():
		return fmt.Errorf("the embedded broker ended (%s); %s", b.ending(), b.lastLines())
	default:
		return nil
	}
}

// ending is how the broker's process ended; valid once it has.
func (b *Embedded) ending() string {
	if err := b.process.Exit().Err; err != nil {
		return err.Error()
	}
	return "exit status 0"
}

// Nodes is the broker's one process.
func (b *Embedded) Nodes() []Node { return []Node{embeddedNode{b}} }

// embeddedNode can be frozen only: it keeps its log in memory.
type embeddedNode struct{ *Embedded }

func (n embeddedNode) ID() int32     { return 0 }
func (n embeddedNode) Running() bool { return n.Failed() == nil }
func (n embeddedNode) Freeze() error { return n.process.Signal(syscall.SIGSTOP) }
func (n embeddedNode) Thaw() error   { return n.process.Signal(syscall.SIGCONT) }

func (n embeddedNode) Kill(context.Context) error  { return errInMemory }
func (n embeddedNode) Stop(context.Context) error  { return errInMemory }
func (n embeddedNode) Start(context.Context) error { return errInMemory }

var errInMemory = errors.New("the embedded broker keeps its log in memory: it cannot end and come back")

// CPUSeconds is the processor time that the broker has used so far.
func (b *Embedded) CPUSeconds() float64 { return b.cpu.seconds() }

// PID is the broker's process id.
func (b *Embedded) PID() int { return b.process.PID() }

// Close ends the broker.
func (b *Embedded) Close() {
	_ = b.process.Signal(syscall.SIGCONT)
	b.process.Close(3 * time.Second)
}

// ServeEmbedded is the broker's own process: it serves until its input ends.
func ServeEmbedded(stdin io.Reader, stdout, log io.Writer) error {
	input := bufio.NewReader(stdin)
	var spec embeddedSpec
	if err := json.NewDecoder(input).Decode(&spec); err != nil {
		return fmt.Errorf("embedded broker: specification: %w", err)
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.GroupMinSessionTimeout(time.Duration(spec.MinSessionMillis)*time.Millisecond),
		kfake.WithLogger(kfake.BasicLogger(log, kfake.LogLevelWarn)),
		kfake.BrokerConfigs(map[string]string{
			// KIP-848 members learn of a rebalance by a heartbeat whose
			// interval the broker sets: short, as trials are.
			"group.consumer.heartbeat.interval.ms": "500",
			"group.consumer.session.timeout.ms":    "10000",
		}),
	)
	if err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	defer cluster.Close()
	address := cluster.ListenAddrs()[0]
	note(log, "serves on "+address)
	if err := json.NewEncoder(stdout).Encode(embeddedReady{Address: address}); err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	_, err = io.Copy(io.Discard, input) // ends with the program that started us
	note(log, "ends with its input")
	return err
}

// note says in the log when the broker came and went: one that was killed has
// no last line.
func note(log io.Writer, what string) {
	fmt.Fprintf(log, "%s embedded broker, process %d, %s\n", time.Now().UTC().Format(time.RFC3339Nano), os.Getpid(), what)
}
