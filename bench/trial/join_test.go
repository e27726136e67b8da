package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// A group that is new when messages are there already, or whose offsets are of
// messages that the broker deleted, begins where consumer.offset_reset says: from the earliest nothing is lost, from the latest
// what came before it.
func TestAGroupThatComesLate(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		for _, c := range strategies() {
			for _, from := range []struct {
				reset   profile.OffsetReset
				expired bool
			}{{profile.Earliest, false}, {profile.Latest, false}, {profile.Earliest, true}, {profile.Latest, true}} {
				reset := from.reset
				if c.Mode == profile.Async || from.expired && c.When != profile.AfterProcessing {
					continue
				}
				b.sample(t, name(c.When, reset, "expired", from.expired), func(t *testing.T) {
					s := calm(profile.RelayTo, c)
					s.Consumer.ExpiredOffsets = from.expired
					s.Load.Rate, s.Load.Duration = 1000, profile.Duration(3*time.Second)
					s.Consumer.OffsetReset, s.Consumer.JoinAfter = reset, profile.Duration(time.Second)
					if c.When == profile.Automatic {
						s.Guarantee = profile.NoGuarantee
					}
					r := b.complete(t, s)
					v := r.Verdict
					require.Equal(t, v.Due, v.Acked)
					require.Zero(t, v.Lost.Log)
					require.Zero(t, v.Duplicates.Total)
					if reset == profile.Earliest {
						require.Zero(t, v.Lost.Skipped)
						return
					}
					require.GreaterOrEqual(t, v.Lost.Skipped, int64(900), "1000 were due before the group was there")
					require.Equal(t, s.Guarantee != profile.AtMostOnce && s.Guarantee != profile.NoGuarantee, r.Promise == result.Violated)
				})
			}
		}
	})
}

// Partitions of which the group had read nothing when it ended are lost too, and
// not left to be read.
func TestAGroupThatComesTooLateForSomePartitions(t *testing.T) {
	t.Parallel()
	for _, expired := range []bool{false, true} {
		t.Run(name("expired", expired), func(t *testing.T) { tooLate(t, expired) })
	}
}

func tooLate(t *testing.T, expired bool) {
	t.Helper()
	b := newBench(t)
	s := calm(profile.Consume, profile.Commit{When: profile.AfterProcessing, Every: batch, Mode: profile.Sync})
	s.Load.Rate, s.Load.Duration, s.Load.Cooldown = 100, profile.Duration(2*time.Second), 0
	s.Topic.Partitions = 3
	s.Load.Message.Key, s.Load.Message.Keys = profile.UniformKey, 1 // one partition has everything
	s.Consumer.OffsetReset, s.Consumer.JoinAfter = profile.Latest, s.Load.Warmup+s.Load.Duration-profile.Duration(10*time.Millisecond)
	s.Consumer.ExpiredOffsets = expired
	v := b.complete(t, s).Verdict
	require.Equal(t, v.Due, v.Lost.Skipped+v.Effects)
	require.Zero(t, v.Undrained)
}
