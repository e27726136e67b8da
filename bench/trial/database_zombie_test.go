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

// A consumer that is frozen before it writes, and wakes when another has written
// its batch, writes it again: what it asked the database before it slept is not
// true any more. A unique key refuses the rows, and an offset that has moved
// refuses the batch.
func TestZombiesOfADatabase(t *testing.T) {
	t.Parallel()
	for _, kind := range []profile.Database{profile.SQLite, profile.Postgres} {
		for _, c := range []struct {
			when  profile.CommitWhen
			point profile.Point
			write profile.SinkWrite
			twice int64
			// fence is how the zombie learns of it: from its group, or from the database.
			fence string
		}{
			{profile.AfterProcessing, profile.PointChecked, profile.CheckThenAct, batch, "zombie fenced: "},
			{profile.AfterProcessing, profile.PointPolled, profile.UniqueKey, 0, "zombie fenced: "},
			{profile.WithEffect, profile.PointMidBatch, profile.Insert, 0, "another consumer has moved the partition's offset"},
		} {
			t.Run(name(kind, c.write, c.when), func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				if kind == profile.Postgres {
					b = database.with(t, b)
				}
				s := zombie(c.when, c.point)
				s.Pipeline = profile.Consume
				s.Sink.Database, s.Sink.Write = kind, c.write
				out := b.run(t, s)
				r := &out.Result
				require.Equal(t, result.Completed, r.Status, r.Reason)
				v := r.Verdict
				require.Equal(t, ledger.Lost{}, v.Lost)
				require.Equal(t, ledger.Dups{Total: c.twice, Redelivered: c.twice}, v.Duplicates)
				require.Equal(t, v.Due+batch, v.Executions, "the batch was processed twice, whatever the database made of it")
				require.Equal(t, result.Held, r.Promise)
				requireBooks(t, s, r.Database, v, 0, c.twice)
				f := r.Faults[0]
				requireStages(t, f)
				require.Equal(t, []string{"consumer-0.0 frozen", "consumer-0.0 thawed"}, steps(f)[:2])
				require.GreaterOrEqual(t, when(t, f, "consumer-0.0 thawed")-when(t, f, "consumer-0.0 frozen"), time.Duration(s.Faults[0].For).Seconds())
				require.Contains(t, strings.Join(steps(f), "; "), c.fence)
			})
		}
	}
}
