package fault

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

const second = profile.Duration(time.Second)

// on are the defaults (1000/s, acks all, one partition, B = 500) on a cluster
// of so many brokers: 3 copies and 2 in sync, or 1 and 1.
func on(nodes int, set ...func(*profile.Settings)) profile.Settings {
	s := profile.Defaults()
	for _, one := range set {
		one(&s)
	}
	s.Fit(profile.Cluster{Nodes: nodes})
	return s
}

func acks(a profile.Acks) func(*profile.Settings) {
	return func(s *profile.Settings) { s.Producer.Acks = a }
}

func rate(r profile.Rate) func(*profile.Settings) {
	return func(s *profile.Settings) { s.Load.Rate = r }
}

func produce(s *profile.Settings)    { s.Pipeline = profile.Produce }
func relay(s *profile.Settings)      { s.Pipeline = profile.RelayTo }
func idempotent(s *profile.Settings) { s.Producer.Idempotence = true }

func commit(when profile.CommitWhen) func(*profile.Settings) {
	return func(s *profile.Settings) {
		s.Consumer.Commit.When = when
		if when == profile.InTransaction {
			s.Pipeline = profile.RelayTo
		}
	}
}

// roughly is a prediction of losses that is not exact, and none of duplicates.
func roughly(lost int64) *Prediction { return &Prediction{Lost: &lost} }

// lossless is nothing lost, whatever else; safely nothing lost and nothing twice.
func lossless() *Prediction {
	var none int64
	return &Prediction{Lost: &none, Exact: true}
}

func safely() *Prediction {
	var none int64
	return &Prediction{Lost: &none, Duplicates: &none, Exact: true}
}

func predicted(s profile.Settings, f profile.Fault) *Prediction {
	s.Faults = []profile.Fault{f}
	return Schedule(s)[0].Predicted
}

// An isolated leader alone has rate × freeze messages; under acks all it does
// not acknowledge what nobody else has.
func TestAnIsolatedLeaderCostsRateTimesFreeze(t *testing.T) {
	isolate := func(d profile.Duration) profile.Fault { return profile.Fault{Isolate: profile.LeaderRole, For: d} }
	for _, c := range []struct {
		name     string
		settings profile.Settings
		fault    profile.Fault
		want     *Prediction
	}{
		{"acks 1: 5000/s × 2 s", on(3, acks("1"), rate(5000)), isolate(2 * second), roughly(10_000)},
		{"acks 0: 5000/s × 2 s", on(3, acks("0"), rate(5000)), isolate(2 * second), roughly(10_000)},
		{"1000/s × 0.25 s", on(3, acks("1")), isolate(second / 4), roughly(250)},
		{"0.3/s × 5 s, whole messages", on(3, acks("1"), rate(0.3)), isolate(5 * second), roughly(1)},
		{"1000/s × 8.999 s", on(3, acks("1")), isolate(9*second - second/1000), roughly(8999)},
		{"followers that are gone by then", on(3, acks("1")), isolate(9 * second), nil},
		{"no rate", on(3, acks("1"), rate(profile.RateMax)), isolate(second), nil},
		{"other partitions, led by the followers", on(3, acks("1"), func(s *profile.Settings) { s.Topic.Partitions = 2 }), isolate(second), nil},
		{"acks all", on(3), isolate(2 * second), lossless()},
		{"acks all, idempotent, consumers may repeat", on(3, idempotent), isolate(2 * second), lossless()},
		{"acks all, idempotent, nobody consumes", on(3, idempotent, produce), isolate(2 * second), safely()},
		{"acks all and one is enough", on(2), isolate(2 * second), nil},
	} {
		require.Equal(t, c.want, predicted(c.settings, c.fault), c.name)
	}
}

// What ends loses what nobody else had: nothing under acks all with a copy that
// is certain, nothing from the log of a single broker (its pages are the
// kernel's), and else what the followers had not fetched.
func TestWhatABrokersEndCosts(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings profile.Settings
		want     *Prediction
	}{
		{"acks all, 3 copies", on(3), lossless()},
		{"acks all, 3 copies, idempotent, nobody consumes", on(3, idempotent, produce), safely()},
		{"acks all, 2 copies of which 1 is enough", on(2), nil},
		{"acks all, 3 copies of which 1 is enough", on(3, func(s *profile.Settings) { s.Topic.MinInsyncReplicas = 1 }), nil},
		{"acks 1, 3 copies", on(3, acks("1")), nil},
		{"acks 0, 3 copies", on(3, acks("0")), nil},
		{"acks all, 1 copy", on(1), lossless()},
		{"acks 1, 1 copy", on(1, acks("1")), lossless()},
		{"acks 1, 1 copy of 3 brokers", on(3, acks("1"), func(s *profile.Settings) { s.Topic.Replication = 1 }), lossless()},
		{"acks 0, 1 copy: its socket's contents are gone", on(1, acks("0")), nil},
	} {
		for _, f := range []profile.Fault{
			{Kill: profile.LeaderRole, Restart: second}, {Stop: profile.LeaderRole}, {Kill: profile.BrokerRole}, {Kill: profile.ControllerRole},
		} {
			require.Equal(t, c.want, predicted(c.settings, f), "%s: %s", c.name, f.Name())
		}
	}
}

// An idempotent producer may write copies when a broker is gone for longer than its
// messages live: 9 s until another one leads, and the fault's own time.
func TestABrokerThatIsGoneForLongerThanAMessageLives(t *testing.T) {
	for restart, want := range map[profile.Duration]*Prediction{20 * second: safely(), 21 * second: lossless()} {
		require.Equal(t, want, predicted(on(3, produce, idempotent), profile.Fault{Kill: profile.LeaderRole, Restart: restart}), restart)
	}
}

// A broker that stands still costs nothing while nobody gives it up: the
// client's requests (30 s), a message (30 s), a member (10 s), a transaction
// (30 s), and where there are others, the cluster (9 s).
func TestAFreezeCostsNothingUntilATimeout(t *testing.T) {
	timeout := func(set func(*profile.Settings, profile.Duration), d profile.Duration) func(*profile.Settings) {
		return func(s *profile.Settings) { set(s, d) }
	}
	message := func(s *profile.Settings, d profile.Duration) { s.Producer.MessageTimeout = d }
	session := func(s *profile.Settings, d profile.Duration) { s.Consumer.SessionTimeout = d }
	transaction := func(s *profile.Settings, d profile.Duration) { s.Relay.TransactionTimeout = d }
	inAHurry := map[string]string{"socket.timeout.ms": "2000"}
	for _, c := range []struct {
		name     string
		settings profile.Settings
		limit    profile.Duration
	}{
		{"a producer's request", on(1, produce, func(s *profile.Settings) { s.Producer.Librdkafka = inAHurry }), 2 * second},
		{"a relay's request", on(1, relay, func(s *profile.Settings) { s.Relay.Librdkafka = inAHurry }), 2 * second},
		{"a consumer's request", on(1, func(s *profile.Settings) { s.Consumer.Librdkafka = inAHurry }), 2 * second},
		{"nobody's request", on(1, func(s *profile.Settings) { s.Relay.Librdkafka = inAHurry }), 10 * second},
		{"a request", on(1, produce, timeout(message, 60*second)), 30 * second},
		{"a message", on(1, timeout(message, 2*second)), 2 * second},
		{"a member", on(1), 10 * second},
		{"a member of its own session", on(1, timeout(session, 6*second)), 6 * second},
		{"nobody's membership", on(1, produce, timeout(session, second)), 30 * second},
		{"a transaction", on(1, commit(profile.InTransaction), timeout(transaction, 5*second)), 5 * second},
		{"the cluster", on(3), 9 * second},
		{"the cluster, nobody consumes", on(3, produce), 9 * second},
		{"one copy of 3 brokers", on(3, func(s *profile.Settings) { s.Topic.Replication = 1 }), 10 * second},
	} {
		for _, role := range []profile.Role{profile.BrokerRole, profile.LeaderRole} {
			require.Nil(t, predicted(c.settings, profile.Fault{Freeze: role, For: c.limit}), c.name)
			require.Equal(t, exactly(0, 0), predicted(c.settings, profile.Fault{Freeze: role, For: c.limit - 1}), c.name)
		}
	}
	require.Nil(t, predicted(on(1, acks("0")), profile.Fault{Freeze: profile.BrokerRole, For: second}), "with acks 0 its full socket is a loss")
}

// One batch of B = 500 lies between the commit and its effects: lost when the
// commit came first, repeated when the effects did.
func TestWhatAWorkersEndCosts(t *testing.T) {
	none, lost, twice := exactly(0, 0), exactly(500, 0), exactly(0, 500)
	for when, points := range map[profile.CommitWhen]map[profile.Point]*Prediction{
		profile.BeforeProcessing: {profile.PointPolled: none, profile.PointCommitted: lost, profile.PointMidBatch: lost, profile.PointProcessed: none, profile.PointProduced: none},
		profile.AfterProcessing:  {profile.PointPolled: none, profile.PointProduced: twice, profile.PointProcessed: twice, profile.PointMidBatch: twice, profile.PointCommitted: none},
		profile.InTransaction:    {profile.PointBegun: none, profile.PointOffsetsSent: none, profile.PointMidBatch: none, profile.PointCommitRequested: none, profile.PointCommitted: none},
		profile.Automatic:        {profile.PointPolled: nil, profile.PointProcessed: nil},
		profile.AutomaticStored:  {profile.PointPolled: nil, profile.PointProcessed: nil},
	} {
		for point, want := range points {
			for _, role := range []profile.Role{profile.ConsumerRole, profile.RelayRole} {
				require.Equal(t, want, predicted(on(1, commit(when)), profile.Fault{Kill: role, When: point}), "%s at %s", when, point)
			}
		}
	}
	sent := profile.Fault{Kill: profile.ProducerRole, When: profile.PointSent}
	require.Equal(t, none, predicted(on(1), sent), "what had no report is unknown")
	require.Nil(t, predicted(on(1, acks("0")), sent))
}

// The same number, but no longer to the message.
func TestWhatMakesAPredictionInexact(t *testing.T) {
	kill := profile.Fault{Kill: profile.ConsumerRole, When: profile.PointMidBatch}
	for name, c := range map[string]struct {
		set func(*profile.Settings)
		b   int64
	}{
		"a partial batch":               {func(s *profile.Settings) { s.Consumer.Commit.Interval = second }, 500},
		"batches by time only":          {func(s *profile.Settings) { s.Consumer.Commit.Interval, s.Consumer.Commit.Every = second, 0 }, 0},
		"a rebalance of dynamic ones":   {func(s *profile.Settings) { s.Consumer.Membership = profile.Dynamic }, 500},
		"a rebalance that is ignored":   {func(s *profile.Settings) { s.Consumer.RebalanceCallback = false }, 500},
		"commits that are on their way": {func(s *profile.Settings) { s.Consumer.Commit.Mode = profile.Async }, 500},
	} {
		var none int64
		require.Equal(t, &Prediction{Lost: &none, Duplicates: &c.b}, predicted(on(1, c.set), kill), name)
	}
}

// A member that joins costs nothing where the others settle what they have in hand.
func TestWhatAJoinCosts(t *testing.T) {
	join := profile.Fault{Join: profile.ConsumerRole}
	require.Equal(t, exactly(0, 0), predicted(on(1), join))
	require.Nil(t, predicted(on(1, func(s *profile.Settings) { s.Consumer.RebalanceCallback = false }), join))
	require.Nil(t, predicted(on(1, commit(profile.Automatic)), join), "a timer decides")
}

// What a killed broker loses is not a killed consumer's batch.
func TestABrokersKillIsNotPredictedAsAConsumers(t *testing.T) {
	s := on(1, acks("0"))
	s.Faults = []profile.Fault{{Kill: profile.BrokerRole}, {Kill: profile.ConsumerRole, When: profile.PointProcessed}}
	scheduled := Schedule(s)
	require.Nil(t, scheduled[0].Predicted)
	require.Equal(t, exactly(0, 500), scheduled[1].Predicted)
}

// A fault is armed at a share of the measured window or a time into it.
func TestWhenFaultsAreArmed(t *testing.T) {
	s := on(3)
	s.Load.Warmup, s.Load.Duration = 3*second, 8*second
	s.Faults = []profile.Fault{
		{Kill: profile.LeaderRole, At: profile.Moment{Share: 0.25}},
		{Stop: profile.LeaderRole, At: profile.Moment{Offset: 5 * second}},
		{Kill: profile.BrokerRole},
	}
	var at []time.Duration
	for i, f := range Schedule(s) {
		require.Equal(t, s.Faults[i], f.Fault, "in the profile's order")
		at = append(at, f.ArmAt)
	}
	require.Equal(t, []time.Duration{2 * time.Second, 5 * time.Second, 0}, at)
	require.Empty(t, Schedule(on(1)))
}
