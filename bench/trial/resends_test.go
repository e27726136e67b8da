package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// givenUp is a trial whose producer loses an answer and gives up on what was in the
// request: at once, without retries, or when the time of each message is over.
func givenUp(retries, resends int, rate profile.Rate) profile.Settings {
	s := producing(retries > 0, 5, profile.Fault{LoseResponse: "produce", Of: profile.ProducerRole, At: struckAt})
	s.Producer.Retries, s.Producer.Resends, s.Load.Rate = retries, resends, rate
	if retries > 0 {
		s.Producer.Librdkafka, s.Producer.MessageTimeout = nil, profile.Duration(4*time.Second)
	}
	if rate == profile.RateMax {
		s.Producer.Outstanding = 2000
	}
	return s
}

// A message that the client gave up on the application sends again, as a new one,
// to the record: the broker has both.
func TestTheApplicationResends(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		for _, resends := range []int{0, 2} {
			for _, rate := range []profile.Rate{3000, profile.RateMax} {
				t.Run(name("resends", resends, rate), func(t *testing.T) {
					t.Parallel()
					r := b.complete(t, givenUp(0, resends, rate))
					v := r.Verdict
					require.Equal(t, ledger.Lost{}, v.Lost)
					require.True(t, r.Faults[0].Predicted.Exact)
					duplicates := *r.Faults[0].Predicted.Duplicates
					require.Equal(t, ledger.Dups{Total: duplicates, Resent: duplicates}, v.Duplicates)
					if resends == 0 {
						require.Zero(t, duplicates)
						require.Positive(t, v.Unknown)
						require.Zero(t, v.UnknownAbsent, "only the answer was lost")
						return
					}
					require.Positive(t, duplicates)
					require.Equal(t, v.Due, v.Acked, "an attempt that was acknowledged settles its message")
				})
			}
		}
	})
}

// Idempotence does not help against that: it knows the copies of the client.
func TestTheApplicationOfAnIdempotentClientResends(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		for _, resends := range []int{0, 2} {
			t.Run(name("resends", resends), func(t *testing.T) {
				t.Parallel()
				v := b.complete(t, givenUp(5, resends, 3000)).Verdict
				require.Equal(t, ledger.Lost{}, v.Lost)
				require.Equal(t, resends > 0, v.Duplicates.Resent > 0, "%+v", v.Duplicates)
				require.Equal(t, resends > 0, v.Acked == v.Due)
			})
		}
	})
}

// Attempts end: a message that never arrives is sent once and again as often as
// the profile says, and is unknown after that.
func TestResendsEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := producing(false, 1, profile.Fault{LoseRequest: "produce", Of: profile.ProducerRole, At: profile.Moment{Share: 0.8}, Count: 1_000_000})
	s.Producer.Librdkafka = nil
	s.Producer.MessageTimeout = profile.Duration(time.Second)
	s.Producer.Resends = 2
	r := b.run(t, s).Result // nobody is to recover from a fault that does not end
	require.Equal(t, result.Completed, r.Status, r.Reason)
	v := r.Verdict
	require.Positive(t, v.UnknownAbsent)
	require.Equal(t, v.Unknown, v.UnknownAbsent)
	require.Equal(t, ledger.Lost{}, v.Lost)
	require.Equal(t, ledger.Dups{}, v.Duplicates)
}
