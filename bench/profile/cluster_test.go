package profile

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clusterOf is what a broker's name stands for.
func clusterOf(t *testing.T, name string) Cluster {
	t.Helper()
	c, err := ClusterOf(name)
	require.NoError(t, err)
	return c
}

// foreign is somebody else's cluster whose number of nodes is known.
func foreign(nodes int) Cluster { return Cluster{Kind: "host:9092", Nodes: nodes, Foreign: true} }

// tls is such a cluster behind TLS.
func tls(nodes int) Cluster {
	c := foreign(nodes)
	c.Encrypted = true
	return c
}

func TestClusterOf(t *testing.T) {
	for name, want := range map[string]Cluster{
		"embedded":            {Kind: "embedded", Nodes: 1, OneLog: true, Forgets: true},
		"local":               {Kind: "local", Nodes: 1},
		"local3":              {Kind: "local3", Nodes: 3},
		"compose":             {Kind: "compose", Nodes: 1},
		"compose3":            {Kind: "compose3", Nodes: 3},
		"host:9092":           {Kind: "host:9092", Foreign: true},
		"a:9092,b:9092":       {Kind: "a:9092,b:9092", Foreign: true},
		"[::1]:9092":          {Kind: "[::1]:9092", Foreign: true},
		"SASL_SSL://host:443": {Kind: "SASL_SSL://host:443", Foreign: true},
	} {
		require.Equal(t, want, clusterOf(t, name), name)
	}
	for _, name := range []string{"", "lokal", "Local", "localhost"} {
		_, err := ClusterOf(name)
		require.EqualError(t, err, "there is no broker "+name+"; use embedded, local, local3, compose, compose3 or HOST:PORT")
	}
	require.Equal(t, DefaultBroker, clusterOf(t, DefaultBroker).Kind)
}

// What a profile leaves to the cluster is 3 copies or as many as there are
// brokers, and one in-sync copy less than that; what it states stands.
func TestFit(t *testing.T) {
	for _, c := range []struct{ replication, minInsync, nodes, wantReplication, wantMinInsync int }{
		{0, 0, 0, 1, 1}, // nobody knows how many
		{0, 0, 1, 1, 1},
		{0, 0, 2, 2, 1},
		{0, 0, 3, 3, 2},
		{0, 0, 9, 3, 2},
		{1, 0, 3, 1, 1},
		{2, 0, 3, 2, 1},
		{3, 0, 1, 3, 2},
		{0, 1, 3, 3, 1},
		{0, 3, 3, 3, 3},
		{0, 2, 1, 1, 2},
		{5, 4, 3, 5, 4},
	} {
		s := Defaults()
		s.Topic.Replication, s.Topic.MinInsyncReplicas = c.replication, c.minInsync
		s.Fit(Cluster{Nodes: c.nodes})
		require.Equal(t, []int{c.wantReplication, c.wantMinInsync}, []int{s.Topic.Replication, s.Topic.MinInsyncReplicas}, "%+v", c)
		fitted := s
		s.Fit(Cluster{Nodes: 7})
		require.Equal(t, fitted, s, "what is stated stands")
	}
}

// A cell and its trials are planned with the numbers of the cluster.
func TestPlansFitTheirCluster(t *testing.T) {
	p := parse(t, "name: t\nmatrix: {topic.min_insync_replicas: [0, 1]}")
	for _, c := range []struct {
		cluster                Cluster
		replication, minInsync int
	}{
		{Cluster{}, 1, 1}, {clusterOf(t, "embedded"), 1, 1}, {clusterOf(t, "local"), 1, 1}, {clusterOf(t, "local3"), 3, 2}, {foreign(2), 2, 1}, {foreign(0), 1, 1},
	} {
		made := plan(t, p, Options{Cluster: c.cluster})
		require.Len(t, made.Trials, 2)
		for i, minInsync := range []int{c.minInsync, 1} {
			cell := made.Cells[i]
			require.Equal(t, []int{c.replication, minInsync}, []int{cell.Settings.Topic.Replication, cell.Settings.Topic.MinInsyncReplicas}, c.cluster.Kind)
			for _, trial := range made.Trials {
				require.True(t, trial.Cell != cell.Name || trial.Settings.Topic == cell.Settings.Topic, c.cluster.Kind)
			}
		}
	}
}

// What a cluster cannot show in any scenario omits the whole cell.
func TestCellsThatAClusterCannotShow(t *testing.T) {
	for _, c := range []struct {
		settings string
		cluster  Cluster
		want     string
	}{
		{"producer.acks: 1", clusterOf(t, "embedded"), "the embedded broker has one log per partition, so acks=1 and acks=all are the same to it; try -broker local3"},
		{"producer.acks: 0", clusterOf(t, "embedded"), ""},
		{"producer.acks: all", clusterOf(t, "embedded"), ""},
		{"producer.acks: 1", clusterOf(t, "local"), ""},
		{"producer.acks: 1", clusterOf(t, "local3"), ""},
		{"producer.acks: 1", foreign(3), ""},
		{"producer.acks: 1", Cluster{}, ""},
		{"topic.replication: 1", clusterOf(t, "embedded"), ""},
		{"topic.replication: 2", clusterOf(t, "embedded"), "topic.replication: 2 needs as many brokers, and -broker embedded has 1"},
		{"topic.replication: 3", clusterOf(t, "local"), "topic.replication: 3 needs as many brokers, and -broker local has 1"},
		{"topic.replication: 3", clusterOf(t, "local3"), ""},
		{"topic.replication: 4", clusterOf(t, "local3"), "topic.replication: 4 needs as many brokers, and -broker local3 has 3"},
		{"topic.replication: 3", foreign(2), "topic.replication: 3 needs as many brokers, and -broker host:9092 has 2"},
		{"topic.replication: 3", foreign(0), ""},
		{"topic.min_insync_replicas: 2", clusterOf(t, "embedded"), "topic.min_insync_replicas: 2 needs as many copies, and on -broker embedded there are 1"},
		{"topic.min_insync_replicas: 2", clusterOf(t, "local"), "topic.min_insync_replicas: 2 needs as many copies, and on -broker local there are 1"},
		{"topic.min_insync_replicas: 3", clusterOf(t, "local3"), ""},
		{"topic.min_insync_replicas: 4", clusterOf(t, "local3"), "topic.min_insync_replicas: 4 needs as many copies, and on -broker local3 there are 3"},
		{"topic: {replication: 2, min_insync_replicas: 2}", foreign(1), "topic.replication: 2 needs as many brokers, and -broker host:9092 has 1"},
		{"proxy: true", tls(3), "proxy: true: clients speak TLS with this cluster, which a proxy cannot read; use a plaintext listener"},
		{"proxy: true", foreign(3), ""},
		{"proxy: false", tls(3), ""},
		// What no client can do comes first: no other broker would help.
		{"producer: {acks: 1, idempotence: true}", clusterOf(t, "embedded"), "producer.idempotence needs acks: all, not 1"},
	} {
		p := parse(t, "name: t\nscenarios: {calm: {}, crash: {faults: [{kill: consumer, when: polled}]}}\narms: {t: {"+c.settings+"}}")
		made := plan(t, p, Options{Cluster: c.cluster})
		require.Len(t, made.Cells, 1)
		if c.want == "" {
			require.Empty(t, made.Omissions, "%s on %s", c.settings, c.cluster.Kind)
			require.Len(t, made.Trials, 2)
			continue
		}
		require.Equal(t, []Omission{{Cell: "t", Reason: c.want}}, made.Omissions, "%s on %s", c.settings, c.cluster.Kind)
		require.Empty(t, made.Trials)
	}
}

// Behind a proxy nothing of a TLS cluster can be read: faults on the wire are
// omitted there with that reason, and others strike.
func TestFaultsOnTheWireOfATLSCluster(t *testing.T) {
	for fault, want := range map[string]string{
		"{lose_response: produce}":                  "lose the response to produce: ",
		"{lose_request: offset-commit}":             "lose the request offset-commit: ",
		"{cut: producer}":                           "cut producer: ",
		"{blackhole: consumer, for: 1s}":            "blackhole consumer for 1s: ",
		"{kill: consumer, when: polled}":            "",
		"{freeze: consumer, for: 1s, when: polled}": "",
	} {
		p := parse(t, "name: t\nscenarios: {calm: {}, struck: {faults: ["+fault+"]}}")
		require.Empty(t, plan(t, p, Options{Cluster: foreign(3)}).Omissions, fault)
		made := plan(t, p, Options{Cluster: tls(3)})
		if want == "" {
			require.Empty(t, made.Omissions, fault)
			continue
		}
		require.Equal(t, []Omission{{"t", "struck", want + "clients speak TLS with this cluster, which a proxy cannot read; use a plaintext listener"}}, made.Omissions)
		require.Len(t, made.Trials, 1)
	}
}

// A fault that cannot strike there omits its scenario, and leaves the others.
func TestFaultsThatCannotStrike(t *testing.T) {
	const (
		foreigners = "the brokers of an external cluster are not this program's to strike; try -broker local3"
		inMemory   = "the embedded broker keeps its log in memory, so nothing would survive; try -broker local"
		alone      = "topic.replication: 1 leaves no followers; try -broker local3"
	)
	one := "topic.replication: 1"
	for _, c := range []struct {
		settings, fault, broker, want string
	}{
		{"", "{kill: broker}", "embedded", "kill broker: " + inMemory},
		{"", "{stop: leader, partition: 0}", "embedded", "stop leader: " + inMemory},
		{"", "{kill: group-coordinator}", "embedded", "kill group-coordinator: " + inMemory},
		{"", "{isolate: leader, for: 1s}", "embedded", "isolate leader for 1s: " + inMemory},
		{"", "{freeze: broker, for: 1s}", "embedded", ""},
		{"", "{freeze: leader, for: 1s}", "embedded", ""},
		{"", "{freeze: controller, for: 1s}", "embedded", ""},
		{"", "{freeze: followers, for: 1s}", "embedded", "freeze followers for 1s: " + alone},
		{"", "{kill: broker}", "local", ""},
		{"", "{stop: leader}", "local", ""},
		{"", "{kill: controller}", "local", ""},
		{"", "{freeze: follower, for: 1s}", "local", "freeze follower for 1s: " + alone},
		{"", "{kill: follower}", "local", "kill follower: " + alone},
		{"", "{isolate: leader, for: 1s}", "local", "isolate leader for 1s: " + alone},
		{"", "{kill: followers}", "local3", ""},
		{"", "{isolate: leader, for: 1s}", "local3", ""},
		{"topic.replication: 2", "{isolate: leader, for: 1s}", "local3", ""},
		{one, "{kill: followers}", "local3", "kill followers: " + alone},
		{one, "{isolate: leader, for: 1s}", "local3", "isolate leader for 1s: " + alone},
		{one, "{kill: leader}", "local3", ""},
		{"", "{kill: broker}", "host:9092", "kill broker: " + foreigners},
		{"", "{freeze: leader, for: 1s}", "host:9092", "freeze leader for 1s: " + foreigners},
		{"", "{isolate: leader, for: 1s}", "host:9092", "isolate leader for 1s: " + foreigners},
		{"", "{kill: consumer, when: polled}", "host:9092", ""},
		{"", "{join: consumer}", "host:9092", ""},
		// The first of several that cannot is named.
		{"", "{freeze: broker, for: 1s}, {kill: broker}, {stop: broker}", "embedded", "kill broker: " + inMemory},
		// What nobody can reach comes first: no other broker would help.
		{"pipeline: produce", "{kill: group-coordinator}", "embedded", "kill group-coordinator: pipeline: produce has no group"},
	} {
		p := parse(t, "name: t\n"+c.settings+"\nscenarios: {calm: {}, struck: {faults: ["+c.fault+"]}}")
		made := plan(t, p, Options{Cluster: clusterOf(t, c.broker)})
		if c.want == "" {
			require.Empty(t, made.Omissions, "%s on %s", c.fault, c.broker)
			require.Len(t, made.Trials, 2)
			continue
		}
		require.Equal(t, []Omission{{"t", "struck", c.want}}, made.Omissions, "%s on %s", c.fault, c.broker)
		require.Len(t, made.Trials, 1)
	}
}

// A fault omits its scenario also where it is the only one; a cell is omitted
// as a whole only for what it is itself, and for one reason.
func TestWholeCellsAndScenarios(t *testing.T) {
	embedded := clusterOf(t, "embedded")
	oneLog := "the embedded broker has one log per partition, so acks=1 and acks=all are the same to it; try -broker local3"
	for _, c := range []struct {
		scenarios string
		want      []Omission
	}{
		{"{struck: {faults: [{kill: broker}]}}", []Omission{
			{"t", "struck", "kill broker: the embedded broker keeps its log in memory, so nothing would survive; try -broker local"}}},
		{"{a: {producer.acks: 1}, b: {}}", []Omission{{"t", "a", oneLog}}},
		{"{a: {producer.acks: 1}, b: {producer.acks: 1}}", []Omission{{"t", "", oneLog}}},
		{"{a: {producer.acks: 1}, b: {topic.replication: 3}}", []Omission{
			{"t", "a", oneLog}, {"t", "b", "topic.replication: 3 needs as many brokers, and -broker embedded has 1"}}},
	} {
		made := plan(t, parse(t, "name: t\nscenarios: "+c.scenarios), Options{Cluster: embedded})
		require.Equal(t, c.want, made.Omissions, c.scenarios)
	}
}

// Where a broker has no such role, whatever the cluster.
func TestRolesThatNobodyHas(t *testing.T) {
	transactional := "producer: {idempotence: true, transaction.every: 10}"
	for _, c := range []struct{ settings, fault, want string }{
		{"pipeline: produce", "{kill: group-coordinator}", "kill group-coordinator: pipeline: produce has no group"},
		{"pipeline: consume", "{kill: group-coordinator}", ""},
		{"pipeline: relay", "{stop: transaction-coordinator}", "stop transaction-coordinator: nothing here uses transactions"},
		{"pipeline: produce\n" + transactional, "{stop: transaction-coordinator}", ""},
		{"pipeline: relay\nproducer.idempotence: true\nconsumer.commit.when: in-transaction", "{stop: transaction-coordinator}", ""},
		// A producer alone has no consumer that could commit in a transaction.
		{"pipeline: produce\nconsumer.commit.when: in-transaction", "{stop: transaction-coordinator}", "stop transaction-coordinator: nothing here uses transactions"},
		{"topic.partitions: 3", "{kill: leader, partition: 2}", ""},
		{"topic.partitions: 3", "{kill: leader, partition: 3}", "kill leader of partition 3: the topic has partitions 0 to 2"},
		{"topic.partitions: 3", "{isolate: leader, partition: 7, for: 2s}", "isolate leader of partition 7 for 2s: the topic has partitions 0 to 2"},
	} {
		p := parse(t, "name: t\n"+c.settings+"\nscenarios: {calm: {}, struck: {faults: ["+c.fault+"]}}")
		made := plan(t, p, Options{Cluster: clusterOf(t, "local3")})
		if c.want == "" {
			require.Empty(t, made.Omissions, "%s, %s", c.settings, c.fault)
			continue
		}
		require.Equal(t, []Omission{{"t", "struck", c.want}}, made.Omissions)
	}
}

// A fault of a broker that ends adds what its end costs to the plan's time.
func TestBrokerFaultsTakeTheirTime(t *testing.T) {
	calm := plan(t, parse(t, "name: t"), Options{}).Estimate()
	for fault, more := range map[string]time.Duration{
		"{kill: leader, restart: 2s}":            2*time.Second + brokerOverhead,
		"{stop: broker}":                         brokerOverhead,
		"{isolate: leader, for: 2s}":             2*time.Second + brokerOverhead,
		"{freeze: leader, for: 2s}":              2 * time.Second,
		"{kill: consumer, when: polled}":         0,
		"{kill: leader}, {kill: leader, at: 1s}": 2 * brokerOverhead,
	} {
		p := parse(t, "name: t\nfaults: ["+fault+"]")
		require.Equal(t, calm+more, plan(t, p, Options{Cluster: Cluster{Nodes: 3}}).Estimate(), fault)
	}
}
