package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

// noticing has the clients give up on an answer after a second.
func noticing(s *profile.Settings) {
	s.Producer.Librdkafka = map[string]string{"socket.timeout.ms": "1000"}
}

func producer(set func(*profile.Producer)) func(*profile.Settings) {
	return func(s *profile.Settings) { set(&s.Producer) }
}

func also(f profile.Fault) func(*profile.Settings) {
	return func(s *profile.Settings) { s.Faults = append(s.Faults, f) }
}

// about is a prediction of duplicates that is not exact.
func about(duplicates int64) *Prediction {
	p := exactly(0, duplicates)
	p.Exact = false
	return p
}

// What a producer sends again is what was appended and not heard of, unless it
// may have given up before, or nobody can say what was appended.
func TestWhatALostAnswerCosts(t *testing.T) {
	lost := profile.Fault{LoseResponse: "produce", Of: profile.ProducerRole}
	times := func(n int) profile.Fault { f := lost; f.Count = n; return f }
	long := func(d profile.Duration) profile.Fault { f := lost; f.For = d; return f }
	retries := func(n int) func(*profile.Settings) {
		return producer(func(p *profile.Producer) { p.Retries = n })
	}
	resends := func(n int) func(*profile.Settings) {
		return producer(func(p *profile.Producer) { p.Resends = n })
	}
	kill := profile.Fault{Kill: profile.ProducerRole, When: profile.PointSent}
	for _, c := range []struct {
		name     string
		settings profile.Settings
		fault    profile.Fault
		seen     Seen
		want     *Prediction
	}{
		{"once", on(1, noticing), lost, Seen{Appended: 7}, exactly(0, 7)},
		{"idempotent", on(1, noticing, idempotent), lost, Seen{Appended: 7}, exactly(0, 0)},
		{"as often as it tries again", on(1, noticing, retries(2)), times(2), Seen{Appended: 7}, exactly(0, 7)},
		{"oftener", on(1, noticing, retries(2)), times(3), Seen{Appended: 7}, lossless()},
		{"until the messages are over", on(1, noticing), times(30), Seen{Appended: 7}, lossless()},
		{"for long", on(1, noticing), long(28 * second), Seen{Appended: 7}, exactly(0, 7)},
		{"for longer than a message lives", on(1, noticing), long(29 * second), Seen{Appended: 7}, lossless()},
		{"the same, idempotent", on(1, noticing, idempotent), long(29 * second), Seen{Appended: 7}, lossless()},
		{"for longer than it tries again", on(1, noticing, retries(3)), long(3 * second), Seen{Appended: 7}, lossless()},
		{"as often as the application tries again", on(1, noticing, retries(0), resends(2)), times(2), Seen{Appended: 7}, exactly(0, 7)},
		{"oftener than the application", on(1, noticing, retries(0), resends(2)), times(3), Seen{Appended: 7}, about(7)},
		{"nobody tries again", on(1, noticing, retries(0)), lost, Seen{Appended: 7}, exactly(0, 0)},
		{"so often that the product overflows", on(1, noticing), times(1 << 40), Seen{Appended: 7}, lossless()},
		{"the broker did not say of some", on(1, noticing), lost, Seen{Appended: 7, Doubtful: 1}, about(7)},
		{"the same, idempotent", on(1, noticing, idempotent), lost, Seen{Appended: 7, Doubtful: 1}, exactly(0, 0)},
		{"the producer may be killed first", on(1, noticing, also(kill)), lost, Seen{Appended: 7}, about(7)},
	} {
		require.Equal(t, c.want, FromWire(c.settings, c.fault, c.seen), c.name)
	}
}

// A relay waits for answers as long as it is told, not as long as the load's
// producer is; what it gives up it does again or never.
func TestARelayThatGivesUpIsNotPredicted(t *testing.T) {
	relay := func(s *profile.Settings) { s.Pipeline = profile.RelayTo }
	patient := func(s *profile.Settings) { s.Relay.Librdkafka = map[string]string{"socket.timeout.ms": "40000"} }
	lost := profile.Fault{LoseResponse: "produce", Of: profile.RelayRole}
	require.Equal(t, exactly(0, 7), FromWire(on(1, relay, noticing), lost, Seen{Appended: 7}))
	require.Nil(t, FromWire(on(1, relay, noticing, patient), lost, Seen{Appended: 7}))
	everybody := profile.Fault{LoseResponse: "produce", For: 30 * second}
	require.Nil(t, FromWire(on(1, commit(profile.InTransaction), idempotent, noticing), everybody, Seen{Appended: 7}))
}

// A fault on consumers' requests is about consumers, also if it does not say so.
func TestAFaultIsAboutThoseWhoSendSuchRequests(t *testing.T) {
	for api, want := range map[profile.API]*Prediction{
		"fetch": nil, "heartbeat": nil, "join-group": nil, "offset-commit": nil, "produce": exactly(0, 0), "init-producer-id": exactly(0, 0),
	} {
		f := profile.Fault{LoseRequest: api}
		require.Equal(t, want, FromWire(on(1, idempotent, noticing, commit(profile.Automatic)), f, Seen{}), api)
	}
	require.Equal(t, exactly(0, 0), FromWire(on(1, idempotent, noticing, produce), profile.Fault{LoseRequest: "metadata"}, Seen{}))
}

// What ends a transaction may end another one if it comes late, however it was
// held up, unless a new producer has fenced it off.
func TestALateEndIsNotPredicted(t *testing.T) {
	exactlyOnce := []func(*profile.Settings){commit(profile.InTransaction), idempotent, noticing}
	renewing := append(exactlyOnce[:3:3], func(s *profile.Settings) { s.Relay.RenewProducer = profile.AfterUnknownEnd })
	loaded := []func(*profile.Settings){produce, idempotent, noticing, producer(func(p *profile.Producer) { p.Transaction.Every = 10 })}
	for _, c := range []struct {
		name     string
		settings profile.Settings
		fault    profile.Fault
		want     *Prediction
	}{
		{"delayed", on(1, exactlyOnce...), profile.Fault{DelayRequest: "end-txn", Of: profile.RelayRole, For: second}, nil},
		{"delayed, renewed", on(1, renewing...), profile.Fault{DelayRequest: "end-txn", Of: profile.RelayRole, For: second}, exactly(0, 0)},
		{"delayed, of a producer", on(1, loaded...), profile.Fault{DelayRequest: "end-txn", Of: profile.ProducerRole, For: second}, nil},
		{"delayed, of everybody", on(1, loaded...), profile.Fault{DelayRequest: "end-txn", For: second}, nil},
		{"a long hole", on(1, exactlyOnce...), profile.Fault{Blackhole: profile.RelayRole, For: second}, nil},
		{"a long hole for answers", on(1, exactlyOnce...), profile.Fault{Blackhole: profile.RelayRole, Direction: profile.ToClient, For: second}, exactly(0, 0)},
		{"a short hole", on(1, exactlyOnce...), profile.Fault{Blackhole: profile.RelayRole, For: second / 2}, exactly(0, 0)},
		{"a hole for its reading client", on(1, exactlyOnce...), profile.Fault{Blackhole: profile.ConsumerRole, For: second}, exactly(0, 0)},
		{"a long way", on(1, exactlyOnce...), profile.Fault{Slow: profile.RelayRole, Latency: second, For: second}, nil},
	} {
		require.Equal(t, c.want, FromWire(c.settings, c.fault, Seen{}), c.name)
	}
}

// Commits that never arrive cost what they covered, if it is known and the
// consumer does not live to commit again.
func TestWhatLostCommitsCost(t *testing.T) {
	seven := int64(7)
	kill := also(profile.Fault{Kill: profile.ConsumerRole, When: profile.PointAnywhere})
	stop := also(profile.Fault{Stop: profile.ConsumerRole})
	freeze := also(profile.Fault{Freeze: profile.ConsumerRole, When: profile.PointChecked, For: second})
	after := commit(profile.AfterProcessing)
	into := func(write profile.SinkWrite) func(*profile.Settings) {
		return func(s *profile.Settings) { s.Sink.Database, s.Sink.Write = profile.SQLite, write }
	}
	dynamic := func(s *profile.Settings) { s.Consumer.Membership = profile.Dynamic }
	for _, c := range []struct {
		name     string
		settings profile.Settings
		fault    profile.Fault
		seen     *int64
		want     *Prediction
	}{
		{"committed again", on(1, after), profile.Fault{LoseRequest: "offset-commit"}, nil, exactly(0, 0)},
		{"killed before", on(1, after, kill), profile.Fault{LoseRequest: "offset-commit"}, &seven, exactly(0, 7)},
		{"killed, before or not", on(1, after, kill), profile.Fault{LoseRequest: "offset-commit"}, nil, nil},
		{"stopped", on(1, after, stop), profile.Fault{LoseRequest: "offset-commit"}, nil, nil},
		{"arrived, killed", on(1, after, kill), profile.Fault{LoseResponse: "offset-commit"}, nil, exactly(0, 0)},
		{"killed, inserted", on(1, after, kill, into(profile.Insert)), profile.Fault{LoseRequest: "offset-commit"}, &seven, exactly(0, 7)},
		{"killed, refused twice", on(1, after, kill, into(profile.UniqueKey)), profile.Fault{LoseRequest: "offset-commit"}, &seven, exactly(0, 0)},
		{"killed, found", on(1, after, kill, into(profile.CheckThenAct)), profile.Fault{LoseRequest: "offset-commit"}, &seven, exactly(0, 0)},
		{"killed among dynamic members", on(1, after, kill, dynamic, into(profile.CheckThenAct)), profile.Fault{LoseRequest: "offset-commit"}, &seven, lossless()},
		{"asleep between check and act", on(1, after, freeze, into(profile.CheckThenAct)), profile.Fault{LoseRequest: "offset-commit"}, &seven, lossless()},
		{"late, killed", on(1, after, kill), profile.Fault{DelayRequest: "offset-commit", For: second}, nil, nil},
	} {
		require.Equal(t, c.want, FromWire(c.settings, c.fault, Seen{Uncommitted: c.seen}), c.name)
	}
}
