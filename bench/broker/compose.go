package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/process"
	"deliverybench/bench/result"
)

// composeFile is what Compose is given.
const composeFile = "docker-compose.yml"

// Bounds of bringing a project up.
const (
	upWithin           = 10 * time.Minute // the image may have to be downloaded
	upEndsWithin       = 10 * time.Second // Compose, once it was interrupted
	composeReadyWithin = 4 * time.Minute  // the cluster, once its nodes run
)

// composeProfiles are the file's profiles by their number of nodes.
var composeProfiles = map[int]string{1: "single", 3: "cluster"}

// ComposeOptions say what StartCompose brings up.
type ComposeOptions struct {
	// Nodes is 1 or 3.
	Nodes int
	// Folder is where the search for docker-compose.yml begins, upwards.
	Folder string
	// Logs is the folder in which node N's log is node-N.log, and Compose's own
	// compose.log. They stay.
	Logs string
}

// Compose is Apache Kafka in Docker's containers, a project of its own that
// Compose brings up from docker-compose.yml. What passes through its published
// ports passes through a process of Docker's as well, whose processor time is
// nobody's here.
type Compose struct {
	engine  *engine
	spawner *process.Spawner
	project string
	image   string
	logs    string
	nodes   []*composeNode

	closing chan struct{}
	once    sync.Once
}

// StartCompose brings a project up and waits until the cluster is ready. It
// removes what killed programs left of theirs.
func StartCompose(ctx context.Context, spawner *process.Spawner, o ComposeOptions) (*Compose, error) {
	b, err := startCompose(ctx, spawner, o)
	if err != nil {
		return nil, fmt.Errorf("start Kafka with Docker: %w", err)
	}
	return b, nil
}

func startCompose(ctx context.Context, spawner *process.Spawner, o ComposeOptions) (*Compose, error) {
	if composeProfiles[o.Nodes] == "" {
		return nil, fmt.Errorf("a cluster of %s has 1 or 3 nodes, not %d", composeFile, o.Nodes)
	}
	file, err := findComposeFile(o.Folder)
	if err != nil {
		return nil, err
	}
	e, err := findEngine(ctx)
	if err != nil {
		return nil, err
	}
	if err := e.removeAbandoned(ctx); err != nil {
		return nil, fmt.Errorf("remove what a killed program left: %w", err)
	}
	ports, err := process.FreePorts(o.Nodes)
	if err == nil {
		err = os.MkdirAll(o.Logs, 0o755)
	}
	if err != nil {
		return nil, err
	}
	b := &Compose{engine: e, spawner: spawner, project: newProject(), logs: o.Logs, closing: make(chan struct{})}
	err = b.up(ctx, file, ports)
	if err == nil {
		err = b.findNodes(ctx, ports)
	}
	if err == nil {
		err = b.awaitReady(ctx)
	}
	if err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// findComposeFile looks for the file in a folder and those above it.
func findComposeFile(folder string) (string, error) {
	from, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	for above := from; ; above = filepath.Dir(above) {
		file := filepath.Join(above, composeFile)
		// Another project's file takes no ports from our variables.
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte("${"+portVariable(1))) {
			return file, nil
		}
		if above == filepath.Dir(above) {
			return "", fmt.Errorf("there is no %s of deliverybench in %s or above it: run in deliverybench's own folder", composeFile, from)
		}
	}
}

// portVariable names the variable from which the file takes a node's port.
func portVariable(id int) string { return fmt.Sprintf("DELIVERYBENCH_PORT_%d", id) }

// up has Compose create and start the nodes.
func (b *Compose) up(ctx context.Context, file string, ports []int) error {
	words := slices.Concat(b.engine.compose, []string{"--file", file, "--project-name", b.project, "up", "--detach"})
	command := exec.Command(words[0], words[1:]...)
	// By a variable, so that profiles that the user's environment names are none.
	command.Env = append(command.Environ(), "COMPOSE_PROFILES="+composeProfiles[len(ports)], "DELIVERYBENCH_HEALTH_INTERVAL=24h")
	for i, port := range ports {
		command.Env = append(command.Env, fmt.Sprintf("%s=%d", portVariable(i+1), port))
	}
	name := strings.Join(b.engine.compose, " ") + " up"
	log := filepath.Join(b.logs, "compose.log")
	_ = os.Remove(log) // what an earlier start says is not why this one fails
	p, err := b.spawner.StartProgram(name, command, log)
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeoutCause(ctx, upWithin, fmt.Errorf("waited %s for %s to end", upWithin, name))
	defer cancel()
	select {
	case <-p.Done():
	case <-within.Done():
		// Interrupted, it does not leave containers half made. All of its group,
		// for docker does not pass signals on to its plugins.
		_ = syscall.Kill(-p.PID(), syscall.SIGINT)
		defer time.AfterFunc(upEndsWithin, func() { _ = syscall.Kill(-p.PID(), syscall.SIGKILL) }).Stop()
		<-p.Done()
		return context.Cause(within)
	}
	if err := p.Exit().Err; err != nil {
		return complaint(name, p.LogTail(200), err)
	}
	return nil
}

// findNodes makes a node of each container of the project.
func (b *Compose) findNodes(ctx context.Context, ports []int) error {
	said, err := b.engine.docker(ctx, "ps", "--all", "--quiet", "--no-trunc", "--filter", "label="+projectLabel+"="+b.project)
	if err != nil {
		return err
	}
	ids := strings.Fields(said)
	if len(ids) != len(ports) {
		return fmt.Errorf("profile %s brought up %d containers instead of %d", composeProfiles[len(ports)], len(ids), len(ports))
	}
	found, err := b.engine.inspect(ctx, ids...)
	if err != nil {
		return err
	}
	for _, c := range found {
		id, err := c.nodeID(len(ports))
		if err != nil {
			return err
		}
		b.image = c.Config.Image
		b.nodes = append(b.nodes, &composeNode{
			broker: b, id: id, container: c.ID, address: loopback(ports[id-1]),
			logPath: filepath.Join(b.logs, fmt.Sprintf("node-%d.log", id)),
		})
	}
	slices.SortFunc(b.nodes, func(a, b *composeNode) int { return int(a.id - b.id) })
	for _, n := range b.nodes {
		if err := n.watch(ctx); err != nil {
			return err
		}
	}
	return nil
}

// nodeID is the number that a container's environment gives to its node.
func (c container) nodeID(nodes int) (int32, error) {
	for _, setting := range c.Config.Env {
		if value, is := strings.CutPrefix(setting, "KAFKA_NODE_ID="); is {
			if id, err := strconv.Atoi(value); err == nil && id >= 1 && id <= nodes {
				return int32(id), nil
			}
		}
	}
	return 0, fmt.Errorf("container %.12s has no KAFKA_NODE_ID from 1 to %d", c.ID, nodes)
}

// awaitReady waits until the cluster is; a node that ends ends the wait.
func (b *Compose) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, composeReadyWithin, fmt.Errorf("%s passed", composeReadyWithin))
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	for _, n := range b.nodes {
		go func() {
			select {
			case <-n.gone():
				end(b.Failed())
			case <-ctx.Done():
			}
		}()
	}
	err := AwaitReady(ctx, b.Endpoint(), len(b.nodes))
	if failed := b.Failed(); failed != nil {
		return failed // it says more
	}
	return err
}

// Endpoint is the published ports of its nodes.
func (b *Compose) Endpoint() client.Endpoint {
	var addresses []string
	for _, n := range b.nodes {
		addresses = append(addresses, n.address)
	}
	return client.Endpoint{Bootstrap: strings.Join(addresses, ",")}
}

// Describe names Kafka's version by the image's tag.
func (b *Compose) Describe() result.Broker {
	kind := "compose"
	if len(b.nodes) > 1 {
		kind = fmt.Sprintf("compose%d", len(b.nodes))
	}
	version := strings.Replace(b.image, "apache/kafka:", "Apache Kafka ", 1) + " (docker)"
	return result.Broker{Kind: kind, Version: version, Nodes: len(b.nodes), SharesHost: true}
}

// Failed returns why nodes have ended that no fault struck.
func (b *Compose) Failed() error {
	var failed error
	for _, n := range b.nodes {
		failed = errors.Join(failed, n.failed())
	}
	return failed
}

// Nodes are its containers.
func (b *Compose) Nodes() []Node {
	var nodes []Node
	for _, n := range b.nodes {
		nodes = append(nodes, n)
	}
	return nodes
}

// CPUSeconds is the processor time of the nodes' processes, 0 where they are
// not to be seen from here: in Docker's virtual machine, in another's namespace.
func (b *Compose) CPUSeconds() float64 {
	total := 0.0
	for _, n := range b.nodes {
		seconds, seen := n.cpuSeconds()
		if !seen {
			return 0
		}
		total += seconds
	}
	return total
}

// Project is the name by which Compose knows its containers.
func (b *Compose) Project() string { return b.project }

func (b *Compose) closed() bool {
	select {
	case <-b.closing:
		return true
	default:
		return false
	}
}

// Close removes the project. What it cannot remove, the next start does.
func (b *Compose) Close() {
	b.once.Do(func() {
		close(b.closing)
		_ = b.engine.remove(context.Background(), b.project)
		for _, n := range b.nodes {
			n.unwatch()
		}
	})
}
