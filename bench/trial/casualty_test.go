package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// anywhere is a fault at a moment, whatever its worker is doing then.
func anywhere(f profile.Fault) profile.Fault {
	f.When, f.At = profile.PointAnywhere, profile.Moment{Share: 0.4}
	return f
}

// Wherever a worker is struck, its strategy keeps its promise.
func TestStruckAnywhere(t *testing.T) {
	t.Parallel()
	faults := map[string]profile.Fault{
		"kill":   anywhere(profile.Fault{Kill: profile.ConsumerRole, Restart: profile.Duration(100 * time.Millisecond)}),
		"freeze": anywhere(profile.Fault{Freeze: profile.RelayRole, For: profile.Duration(300 * time.Millisecond)}),
	}
	onEach(t, func(t *testing.T, b *bench) {
		for _, c := range strategies() {
			if c.When == profile.Automatic {
				continue // it promises nothing
			}
			for what, fault := range faults {
				b.sample(t, name(c.When, c.Mode, what), func(t *testing.T) {
					s := calm(profile.RelayTo, c)
					s.Load.Duration = profile.Duration(time.Second)
					s.Faults = []profile.Fault{fault}
					r := b.complete(t, s)
					require.Equal(t, result.Held, r.Promise)
					require.GreaterOrEqual(t, *r.Faults[0].Fired, 0.4)
					if what == "freeze" {
						requireFlawless(t, r)
						return
					}
					require.Nil(t, r.Faults[0].Predicted)
					require.Len(t, r.Workers, workers(s)+1)
				})
			}
		}
	})
}

// A producer that stands still keeps its schedule: what fell due meanwhile is
// sent late, and nothing is lost.
func TestAFrozenProducerIsLate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, point := range []profile.Point{profile.PointSent, profile.PointAnywhere} {
		t.Run(name(point), func(t *testing.T) {
			t.Parallel()
			s := calm(profile.Consume, profile.Commit{When: profile.AfterProcessing, Every: batch, Mode: profile.Sync})
			s.Faults = []profile.Fault{{Freeze: profile.ProducerRole, When: point, At: profile.Moment{Share: 0.5}, For: profile.Duration(time.Second)}}
			r := b.complete(t, s)
			requireFlawless(t, r)
			require.Equal(t, []string{"producer-0.0 frozen", "producer-0.0 thawed"}, steps(r.Faults[0]))
			require.GreaterOrEqual(t, r.Latency[result.Ack].Max, 900_000.0, "µs: what was due right after the freeze began")
		})
	}
}

// Two freezes of one worker that overlap end with the later one.
func TestFreezesOfAWorkerThatOverlap(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := calm(profile.Consume, profile.Commit{When: profile.AfterProcessing, Every: batch, Mode: profile.Sync})
	s.Consumer.Count = 1
	s.Faults = []profile.Fault{
		anywhere(profile.Fault{Freeze: profile.ConsumerRole, For: profile.Duration(100 * time.Millisecond)}),
		anywhere(profile.Fault{Freeze: profile.ConsumerRole, For: profile.Duration(600 * time.Millisecond)}),
	}
	r := b.complete(t, s)
	requireFlawless(t, r)
	for _, f := range r.Faults {
		require.GreaterOrEqual(t, *f.Recovered, *f.Fired)
	}
	require.GreaterOrEqual(t, *r.Faults[1].Recovered-*r.Faults[1].Fired, 0.6)
	require.GreaterOrEqual(t, *r.Faults[0].Recovered-*r.Faults[0].Fired, 0.6, "its own thaw came while the other one held")
}

// A consumer that closes in good order has settled or dropped what it had in
// hand: it costs nothing, and its successor goes on where it stopped.
func TestAConsumerThatCloses(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		for _, c := range strategies() {
			for _, membership := range []profile.Membership{profile.Static, profile.Dynamic} {
				if c.Mode == profile.Async && membership == profile.Dynamic {
					continue
				}
				b.sample(t, name(c.When, c.Mode, membership), func(t *testing.T) {
					s := calm(profile.RelayTo, c)
					s.Load.Duration = profile.Duration(time.Second)
					s.Consumer.Membership = membership
					s.Faults = []profile.Fault{{Stop: profile.ConsumerRole, At: profile.Moment{Share: 0.4}, Restart: profile.Duration(200 * time.Millisecond)}}
					if c.When == profile.Automatic {
						s.Guarantee = profile.NoGuarantee
					}
					r := b.complete(t, s)
					require.Len(t, r.Workers, workers(s)+1)
					if c.When == profile.Automatic {
						require.Nil(t, r.Faults[0].Predicted)
						t.Log(r.Verdict.Lost, r.Verdict.Duplicates)
						return // the client commits what the application never saw
					}
					requireFlawless(t, r)
					if c.When == profile.AutomaticStored {
						return
					}
					require.Equal(t, &result.Predicted{Lost: new(int64), Duplicates: new(int64), Exact: true}, r.Faults[0].Predicted)
				})
			}
		}
	})
}
