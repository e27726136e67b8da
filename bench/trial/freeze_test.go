package trial_test

import (
	"strings"
	"testing"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// zombie is a trial in which a consuming worker is frozen at a point until after
// its session ended, and another one has its partitions.
func zombie(when profile.CommitWhen, point profile.Point) profile.Settings {
	s := killed(profile.RelayTo, crash{when: when}, 2)
	s.Topic.Partitions = 2
	s.Load.Duration = profile.Duration(10 * time.Second) // it goes on after the thaw
	s.Load.Rate = 400
	s.Consumer.Membership = profile.Dynamic
	s.Consumer.SessionTimeout = shortSession
	s.Faults = []profile.Fault{{
		Freeze: profile.ConsumerRole, When: point, At: profile.Moment{Share: 0.1}, For: 2 * shortSession,
	}}
	return s
}

// longer and shorter are times of a transaction: than a zombie's freeze.
const (
	longer  = 30 * time.Second
	shorter = 6 * time.Second
)

// A worker that is frozen past its session is a zombie when it wakes: another one
// has its partitions. What its strategy promises holds all the same.
func TestZombies(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *bench) {
		for _, c := range []struct {
			when        profile.CommitWhen
			point       profile.Point
			transaction time.Duration
			duplicates  int64
			fenced      bool
			static      bool
		}{
			{profile.BeforeProcessing, profile.PointPolled, longer, 0, true, false},
			{profile.BeforeProcessing, profile.PointMidBatch, longer, 0, false, false},
			{profile.AfterProcessing, profile.PointPolled, longer, batch, true, false},
			{profile.AfterProcessing, profile.PointProduced, longer, batch, true, false},
			{profile.AfterProcessing, profile.PointCommitted, longer, 0, false, false},
			{profile.InTransaction, profile.PointPolled, longer, 0, true, false},
			{profile.InTransaction, profile.PointBegun, longer, 0, true, false},
			{profile.InTransaction, profile.PointProduced, longer, 0, true, false},
			{profile.InTransaction, profile.PointOffsetsSent, longer, 0, false, false}, // it still commits
			{profile.InTransaction, profile.PointCommitRequested, longer, 0, false, false},
			{profile.InTransaction, profile.PointProduced, shorter, 0, true, false},
			{profile.InTransaction, profile.PointOffsetsSent, shorter, 0, true, false},
			{profile.BeforeProcessing, profile.PointMidBatch, longer, 0, false, true},
			{profile.AfterProcessing, profile.PointProduced, longer, batch, true, true},
			{profile.InTransaction, profile.PointProduced, longer, 0, true, true},
		} {
			t.Run(name(c.when, c.point, c.transaction, "static", c.static), func(t *testing.T) {
				t.Parallel()
				s := zombie(c.when, c.point)
				if c.static {
					s.Consumer.Membership = profile.Static
				}
				s.Relay.TransactionTimeout = profile.Duration(c.transaction)
				s.Producer.MessageTimeout = min(s.Producer.MessageTimeout, s.Relay.TransactionTimeout)
				out := b.run(t, s)
				r := &out.Result
				require.Equal(t, result.Completed, r.Status, r.Reason)
				v := r.Verdict
				require.Equal(t, ledger.Lost{}, v.Lost)
				require.Equal(t, ledger.Dups{Total: c.duplicates, Redelivered: c.duplicates}, v.Duplicates)
				require.Equal(t, result.Held, r.Promise)
				f := r.Faults[0]
				requireStages(t, f)
				require.Equal(t, []string{"consumer-0.0 frozen", "consumer-0.0 thawed"}, steps(f)[:2])
				require.GreaterOrEqual(t, when(t, f, "consumer-0.0 thawed")-when(t, f, "consumer-0.0 frozen"), time.Duration(s.Faults[0].For).Seconds())
				require.Equal(t, c.transaction == shorter, len(r.Workers) > workers(s), "a fenced relay ends, and is started again")
				var fenced []string
				for _, w := range r.Workers {
					if w.Fenced != "" {
						fenced = append(fenced, w.Name)
					}
				}
				// One whose batch was done may poll another before it hears that it was
				// thrown out, and is fenced with that.
				if c.fenced || len(fenced) > 0 {
					require.Equal(t, []string{"consumer-0.0"}, fenced, "%v", r.Workers)
				}
				require.Equal(t, len(fenced) > 0, strings.Contains(strings.Join(steps(f), "; "), "zombie fenced: "), "%s %v", steps(f), r.Workers)
			})
		}
	})
}
