package profile

import (
	"fmt"
	"strings"
)

// Cluster is what a kind of broker is, as far as it decides what can be shown
// on it honestly. What cannot is omitted with the reason, never run for a pretty
// number. The zero value is one broker that shows everything.
type Cluster struct {
	// Kind is its name in -broker.
	Kind string
	// Nodes is the number of brokers; 0 is not known.
	Nodes int
	// OneLog says that it keeps one log per partition, whatever replication says.
	OneLog bool
	// Forgets says that a broker which ends takes its log along.
	Forgets bool
	// Foreign says that its processes are not this program's to strike.
	Foreign bool
	// ForeignDatabase says that the PostgreSQL of sinks is not this program's to strike.
	ForeignDatabase bool
	// NoPostgres is why there is none for sinks; "" when there is.
	NoPostgres string
	// Encrypted says that its clients speak TLS, which no proxy can read.
	Encrypted bool
}

// DefaultBroker is the one that needs nothing installed.
const DefaultBroker = "embedded"

// BrokerUsage is what -broker takes.
const BrokerUsage = "embedded, local, local3, compose, compose3 or HOST:PORT"

// clusters are the brokers that this program starts.
var clusters = []Cluster{
	{Kind: DefaultBroker, Nodes: 1, OneLog: true, Forgets: true},
	{Kind: "local", Nodes: 1},
	{Kind: "local3", Nodes: 3},
	{Kind: "compose", Nodes: 1},
	{Kind: "compose3", Nodes: 3},
}

// ClusterOf returns what the name of a broker stands for. Everything else with
// a port is somebody else's cluster, whose number of nodes only asking it tells.
func ClusterOf(name string) (Cluster, error) {
	for _, c := range clusters {
		if c.Kind == name {
			return c, nil
		}
	}
	if strings.Contains(name, ":") {
		return Cluster{Kind: name, Foreign: true}, nil
	}
	return Cluster{}, fmt.Errorf("there is no broker %s; use %s", name, BrokerUsage)
}

// mostCopies is what topic.replication: 0 stands for where there are enough brokers.
const mostCopies = 3

// Fit puts the cluster's own numbers where the profile left them to it.
func (s *Settings) Fit(c Cluster) {
	if s.Topic.Existing != "" {
		return // it has them already, whatever they are
	}
	if s.Topic.Replication == 0 {
		s.Topic.Replication = max(1, min(mostCopies, c.Nodes))
	}
	if s.Topic.MinInsyncReplicas == 0 {
		s.Topic.MinInsyncReplicas = max(1, s.Topic.Replication-1)
	}
}

// unreadable is why no proxy stands before a cluster that speaks TLS.
const unreadable = "clients speak TLS with this cluster, which a proxy cannot read; use a plaintext listener"

// unfaithful says why the cluster cannot show these settings honestly; "" when
// it can, faults aside.
func (c Cluster) unfaithful(s Settings) string {
	switch t := s.Topic; {
	case c.NoPostgres != "" && s.Sink.Database == Postgres:
		return "sink.database: postgres: " + c.NoPostgres
	case c.Encrypted && s.Proxy:
		return "proxy: true: " + unreadable
	case c.Nodes > 0 && t.Replication > c.Nodes:
		return fmt.Sprintf("topic.replication: %d needs as many brokers, and -broker %s has %d", t.Replication, c.Kind, c.Nodes)
	case t.MinInsyncReplicas > t.Replication:
		return fmt.Sprintf("topic.min_insync_replicas: %d needs as many copies, and on -broker %s there are %d", t.MinInsyncReplicas, c.Kind, t.Replication)
	case c.OneLog && s.Producer.Acks == AcksLeader:
		return fmt.Sprintf("the %s broker has one log per partition, so acks=1 and acks=all are the same to it; try -broker local3", c.Kind)
	}
	return ""
}

// unfaithfulFaults says why one of the faults cannot strike there; "" when all can.
func (c Cluster) unfaithfulFaults(s Settings) string {
	for _, f := range s.Faults {
		if reason := c.unfaithfulFault(f, s.Topic); reason != "" {
			return f.Name() + ": " + reason
		}
	}
	return ""
}

func (c Cluster) unfaithfulFault(f Fault, t Topic) string {
	role := f.Broker()
	following := role == FollowerRole || role == FollowersRole || f.Isolate != ""
	switch {
	case c.Encrypted && f.Wire():
		return unreadable
	case f.Database() && c.ForeignDatabase:
		return "the database of -database is not this program's to strike; leave -database out, and it starts one"
	case role == "":
		return ""
	case c.Foreign:
		return "the brokers of an external cluster are not this program's to strike; try -broker local3"
	case c.Forgets && f.Freeze == "":
		return fmt.Sprintf("the %s broker keeps its log in memory, so nothing would survive; try -broker local", c.Kind)
	case following && t.Replication < 2:
		return fmt.Sprintf("topic.replication: %d leaves no followers; try -broker local3", t.Replication)
	}
	return ""
}
