package broker

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// KIP-848 members learn of a rebalance by a heartbeat whose interval the broker
// sets, as it sets their session: short, as trials are.
const (
	consumerHeartbeatMillis = "500"
	consumerSessionMillis   = "10000"
	minSessionMillis        = 100
)

// What lies in a node's folder.
func propertiesIn(folder string) string { return filepath.Join(folder, "server.properties") }
func loggingIn(folder string) string    { return filepath.Join(folder, "log4j2.properties") }
func dataIn(folder string) string       { return filepath.Join(folder, "data") }

// ports are a node's, on loopback: for clients, and for the metadata quorum.
type ports struct{ clients, quorum int }

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// configure makes a node's folder and writes what the node is told in it.
func configure(folder string, id int, all []ports, further string) error {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(propertiesIn(folder), []byte(serverProperties(folder, id, all)+further), 0o600); err != nil {
		return err
	}
	return os.WriteFile(loggingIn(folder), []byte(logging), 0o600)
}

// logging sends the broker's log to its output, in Kafka's own format and at its
// own level.
const logging = `status = warn
appender.output.type = Console
appender.output.name = output
appender.output.layout.type = PatternLayout
appender.output.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.output.ref = output
`

// serverProperties are the settings of node id, from 1, of a cluster with these
// ports. What is not here is Kafka's default, on purpose so for
// unclean.leader.election.enable (false), broker.session.timeout.ms (9000) and
// broker.heartbeat.interval.ms (2000): how long a cluster takes to notice and to
// recover is measured as it ships.
func serverProperties(folder string, id int, all []ports) string {
	var text strings.Builder
	set := func(name string, value any) { fmt.Fprintf(&text, "%s=%v\n", name, value) }

	var voters []string
	for i, p := range all {
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, loopback(p.quorum)))
	}
	clients, quorum := loopback(all[id-1].clients), loopback(all[id-1].quorum)
	set("process.roles", "broker,controller")
	set("node.id", id)
	set("controller.quorum.voters", strings.Join(voters, ","))
	set("listeners", "PLAINTEXT://"+clients+",CONTROLLER://"+quorum)
	set("advertised.listeners", "PLAINTEXT://"+clients)
	set("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT")
	set("inter.broker.listener.name", "PLAINTEXT")
	set("controller.listener.names", "CONTROLLER")
	set("log.dirs", dataIn(folder))

	// Internal topics have a replica on every node, and survive the loss of one
	// node of three. __consumer_offsets has no setting of its own for the
	// second; trials set it for each of their topics.
	nodes, minInSync := len(all), max(1, len(all)-1)
	set("min.insync.replicas", minInSync)
	set("offsets.topic.replication.factor", nodes)
	set("transaction.state.log.replication.factor", nodes)
	set("transaction.state.log.min.isr", minInSync)
	set("share.coordinator.state.topic.replication.factor", nodes)
	set("share.coordinator.state.topic.min.isr", minInSync)
	// One coordinator for each node of three. The default is 50: after each kill
	// as many partitions would need a leader and be read again.
	set("offsets.topic.num.partitions", 3)
	set("transaction.state.log.num.partitions", 3)
	set("share.coordinator.state.topic.num.partitions", 3)

	// Groups assemble at once, and sessions may be as short as trials are.
	set("group.initial.rebalance.delay.ms", 0)
	set("group.min.session.timeout.ms", minSessionMillis)
	set("group.consumer.min.session.timeout.ms", minSessionMillis)
	set("group.consumer.session.timeout.ms", consumerSessionMillis)
	set("group.consumer.min.heartbeat.interval.ms", minSessionMillis)
	set("group.consumer.heartbeat.interval.ms", consumerHeartbeatMillis)
	// How often expired transactions are looked for. The default is 10 s, which
	// is on top of each timeout.
	set("transaction.abort.timed.out.transaction.cleanup.interval.ms", 1000)

	// Every topic is made on purpose. A deleted one gives its room back at once
	// (default: 60 s), else trials at full speed would fill the disk.
	set("auto.create.topics.enable", false)
	set("log.segment.delete.delay.ms", 1000)
	// A leader changes when a fault strikes, not when five minutes are over.
	set("auto.leader.rebalance.enable", false)
	return text.String()
}

// Listener is a further one of a node, on loopback.
type Listener struct {
	Name     string
	Protocol string // PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL
}

// further are the settings beside a node's own; of two for one name Kafka takes
// the later.
func (l *Local) further(o LocalOptions) string {
	var text strings.Builder
	p := l.ports[0]
	if len(o.Listeners) > 0 {
		clients := "PLAINTEXT://" + loopback(p.clients)
		protocols := "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
		for _, listener := range o.Listeners {
			clients += fmt.Sprintf(",%s://%s", listener.Name, l.Listener(listener.Name))
			protocols += fmt.Sprintf(",%s:%s", listener.Name, listener.Protocol)
		}
		fmt.Fprintf(&text, "listeners=%s,CONTROLLER://%s\n", clients, loopback(p.quorum))
		fmt.Fprintf(&text, "advertised.listeners=%s\nlistener.security.protocol.map=%s\n", clients, protocols)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Properties)) {
		fmt.Fprintf(&text, "%s=%s\n", name, o.Properties[name])
	}
	return text.String()
}

// newClusterID is a random UUID in Kafka's writing of it.
func newClusterID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	id[0] &= 0x7f           // does not begin with "-", which would look like a flag
	return base64.RawURLEncoding.EncodeToString(id[:])
}
