package profiles_test

import (
	"bytes"
	"cmp"
	"io/fs"
	"maps"
	"testing"
	"time"

	"deliverybench/bench/capacity"
	"deliverybench/bench/catalogue"
	"deliverybench/bench/profile"
	"deliverybench/profiles"

	"github.com/stretchr/testify/require"
)

// Every shipped profile parses, plans some trials, names its schema for
// editors, is called like its file and says what it shows.
func TestShippedProfiles(t *testing.T) {
	names := profiles.List()
	require.Contains(t, names, "semantics")
	for _, name := range names {
		source, err := profiles.Find(name)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(source, []byte("# yaml-language-server: $schema=profile.schema.json\n")), name)
		p, _, err := profile.Open(name, profiles.FS)
		require.NoError(t, err)
		require.Equal(t, name, p.Name)
		require.NotEmpty(t, p.About, name)
		require.NotEmpty(t, p.Claims, name)
		plan, err := p.Plan(profile.Options{Cluster: cluster(t, cmp.Or(p.Broker, profile.DefaultBroker))})
		require.NoError(t, err)
		require.NotEmpty(t, plan.Trials, name)
		for _, trial := range plan.Trials {
			// Where a timer decides, nothing is promised and a crash's cost is a draw.
			drawn := trial.Settings.Guarantee == profile.NoGuarantee && len(trial.Settings.Faults) > 0
			require.True(t, drawn || len(plan.ClaimsOn(trial)) > 0, "%s: nothing is claimed of %s", name, trial.ID)
		}
	}
}

// The first profiles that people run are short.
func TestShippedProfilesAreShort(t *testing.T) {
	for name, limit := range map[string]time.Duration{
		"at-most-once": time.Minute, "at-least-once": time.Minute, "exactly-once": time.Minute,
		"semantics": 150 * time.Second, "matrix": 5 * time.Minute,
		"coordinated-omission": time.Minute, "naive-rebalance": time.Minute, "backlog": time.Minute,
		"acks-failover": 9 * time.Minute,
		"commit-order":  time.Minute, "transactions": time.Minute, "lost-acknowledgement": time.Minute, "retries": time.Minute,
		"application-resend": time.Minute, "isolation-level": time.Minute, "ordering": time.Minute, "failed-commit": time.Minute,
		"processing-error": time.Minute, "offset-reset": time.Minute, "late-commit": 150 * time.Second, "slow-consumer": 90 * time.Second,
		"guarantee-cost": 5 * time.Minute, "client-defaults": 2 * time.Minute, "zombie": 150 * time.Second, "auto-commit": 150 * time.Second,
		"rebalance":         4 * time.Minute,
		"metrics-dashboard": time.Minute, "payments": time.Minute, "financial-ledger": time.Minute, "notifications": time.Minute,
		"database": time.Minute, "balance": time.Minute, "deduplication": 150 * time.Second,
	} {
		p, _, err := profile.Open(name, profiles.FS)
		require.NoError(t, err)
		plan, err := p.Plan(profile.Options{})
		require.NoError(t, err)
		require.LessOrEqual(t, plan.Estimate(), limit, name)
	}
}

// What the verb capacity does with a shipped profile takes some minutes: how many
// decides where the knee is.
func TestShippedCapacityIsShort(t *testing.T) {
	sized := 0
	for _, name := range profiles.List() {
		p, _, err := profile.Open(name, profiles.FS)
		require.NoError(t, err)
		if p.Capacity == nil {
			continue
		}
		sized++
		base, err := p.CapacityPlan(profile.Options{})
		require.NoError(t, err)
		study, err := capacity.NewStudy(base)
		require.NoError(t, err)
		least, most := study.Estimate()
		require.LessOrEqual(t, least, 5*time.Minute, name)
		require.LessOrEqual(t, most, 12*time.Minute, name)
	}
	require.Equal(t, 1, sized)
}

// Every shipped suite is called like its file, and is short enough to be run.
func TestShippedSuites(t *testing.T) {
	require.Equal(t, []string{"claims"}, profiles.Suites())
	for _, name := range profiles.Suites() {
		require.NotContains(t, profiles.List(), name)
		s, _, err := catalogue.Open(name, profiles.FS)
		require.NoError(t, err)
		require.Equal(t, name, s.Name)
		require.NotEmpty(t, s.About)
		var total time.Duration
		for _, p := range s.Profiles {
			plan, err := p.Plan(profile.Options{Cluster: cluster(t, catalogue.BrokerOf(p))})
			require.NoError(t, err)
			total += plan.Estimate()
		}
		require.Less(t, total, 40*time.Minute)
	}
}

// cluster is what a broker's name stands for; somebody else's has three nodes.
func cluster(t *testing.T, broker string) profile.Cluster {
	t.Helper()
	c, err := profile.ClusterOf(broker)
	require.NoError(t, err)
	if c.Foreign {
		c.Nodes = 3
	}
	return c
}

// Every shipped profile can be planned on every kind of broker. What one cannot
// show there is omitted: how many trials are left, and how many cells or
// scenarios are not.
func TestShippedProfilesOnEveryBroker(t *testing.T) {
	type counts struct{ trials, omissions int }
	everywhere := func(trials int) [4]counts {
		c := counts{trials, 0}
		return [4]counts{c, c, c, c}
	}
	for name, want := range map[string][4]counts{ // embedded, local, local3, external
		"at-most-once":         everywhere(6),
		"at-least-once":        everywhere(7),
		"exactly-once":         everywhere(8),
		"semantics":            everywhere(30),
		"naive-rebalance":      everywhere(6),
		"backlog":              everywhere(3),
		"coordinated-omission": {{2, 0}, {2, 0}, {2, 0}, {0, 2}}, // a freeze of the broker
		"metrics-dashboard":    everywhere(9),
		"payments":             everywhere(10),
		"financial-ledger":     everywhere(15),
		"notifications":        everywhere(12),
		"deduplication":        {{9, 3}, {9, 3}, {9, 3}, {9, 3}}, // only check-then-act can be frozen in between
		"matrix":               {{42, 39}, {58, 31}, {58, 31}, {58, 31}},
		// Their faults need three nodes of ours.
		"acks-failover":             {{0, 5}, {0, 5}, {15, 0}, {0, 10}},
		"min-insync-replicas":       {{0, 2}, {0, 2}, {2, 0}, {0, 2}},
		"broker-faults":             {{0, 2}, {0, 2}, {17, 1}, {0, 18}}, // at-least-once has no transaction coordinator
		"replication-does-not-help": {{6, 2}, {6, 2}, {12, 0}, {12, 0}},
	} {
		p, _, err := profile.Open(name, profiles.FS)
		require.NoError(t, err)
		for i, broker := range []string{"embedded", "local", "local3", "host:9092"} {
			plan, err := p.Plan(profile.Options{Cluster: cluster(t, broker)})
			require.NoError(t, err)
			require.Equal(t, want[i], counts{len(plan.Trials), len(plan.Omissions)}, "%s on %s", name, broker)
		}
	}
}

// Three copies wherever there are three brokers, in every trial of semantics.
func TestSemanticsIsReplicatedWhereItCanBe(t *testing.T) {
	p, _, err := profile.Open("semantics", profiles.FS)
	require.NoError(t, err)
	for broker, want := range map[string][2]int{"embedded": {1, 1}, "local": {1, 1}, "local3": {3, 2}, "host:9092": {3, 2}} {
		plan, err := p.Plan(profile.Options{Cluster: cluster(t, broker)})
		require.NoError(t, err)
		for _, trial := range plan.Trials {
			require.Equal(t, want, [2]int{trial.Settings.Topic.Replication, trial.Settings.Topic.MinInsyncReplicas}, broker)
		}
	}
}

// The matrix tries every combination, and omits only what the client refuses
// or the broker cannot tell apart.
func TestMatrixProfile(t *testing.T) {
	p, _, err := profile.Open("matrix", profiles.FS)
	require.NoError(t, err)
	// 5 strategies × 3 acks × 2 retries × 2 idempotence are 60. Idempotence needs
	// acks all and a retry, a transaction needs idempotence.
	refused := map[string]int{
		"producer.idempotence needs acks: all, not 0":                  5 * 2,
		"producer.idempotence needs acks: all, not 1":                  5 * 2,
		"producer.idempotence needs at least 1 retry, not 0":           5,
		"commit.when: in-transaction needs producer.idempotence: true": 3 * 2,
	}
	// Left are 29, of which 4 strategies × 2 retries have acks 1.
	const oneLog = "the embedded broker has one log per partition, so acks=1 and acks=all are the same to it; try -broker local3"
	for _, broker := range []string{"embedded", "local", "local3", "host:9092"} {
		plan, err := p.Plan(profile.Options{Cluster: cluster(t, broker)})
		require.NoError(t, err)
		require.Len(t, plan.Cells, 60)
		want := maps.Clone(refused)
		if broker == "embedded" {
			want[oneLog] = 4 * 2
		}
		reasons := map[string]int{}
		for _, o := range plan.Omissions {
			require.Empty(t, o.Scenario, "the whole cell")
			reasons[o.Reason]++
		}
		require.Equal(t, want, reasons, broker)
		require.Len(t, plan.Trials, 2*(60-len(plan.Omissions)))
	}
}

func TestFind(t *testing.T) {
	with, err := profiles.Find("semantics.yaml")
	require.NoError(t, err)
	without, err := profiles.Find("semantics")
	require.NoError(t, err)
	require.Equal(t, with, without)
	_, err = profiles.Find("nothing")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
