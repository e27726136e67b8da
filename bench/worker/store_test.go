package worker

import (
	"context"
	"io"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// A worker tries for as long as a fault may keep its database away, and not for
// longer: an attempt that is under way by then is called off.
func TestAWorkerWaitsForItsDatabaseWithinItsBound(t *testing.T) {
	for name, lasts := range map[string]time.Duration{"short attempts": time.Second, "long attempts": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &store{env: &environment{log: io.Discard}}
				begun := time.Now()
				err := s.insist(func(ctx context.Context) error {
					select {
					case <-ctx.Done():
					case <-time.After(lasts):
					}
					return sink.ErrLost
				})
				require.Equal(t, 90*time.Second, time.Since(begun))
				require.ErrorIs(t, err, sink.ErrLost)
				require.ErrorContains(t, err, "no batch came into the database within 1m30s")
			})
		})
	}
}

// forgetful is a database of which the first answer to a batch with its offsets
// does not come.
type forgetful struct {
	database
	first func(context.Context, []sink.Effect, map[int32]int64, map[int32]int64) error
}

func (f *forgetful) ApplyAt(ctx context.Context, batch []sink.Effect, from, next map[int32]int64) error {
	if first := f.first; first != nil {
		f.first = nil
		return first(ctx, batch, from, next)
	}
	return f.database.ApplyAt(ctx, batch, from, next)
}

// A batch that is fenced after a commit of unknown outcome may be fenced by
// itself: it is where the database stands that tells, and it is there once.
func TestFencedAfterAnUnknownCommit(t *testing.T) {
	from, next, others := client.Offsets{0: 0}, client.Offsets{0: 5}, client.Offsets{0: 3}
	for name, c := range map[string]struct {
		committed client.Offsets // by the first attempt, or by somebody else meanwhile
		answer    error
		rows      int64
		want      error
	}{
		"it was committed":           {next, sink.ErrUnknown, 5, nil},
		"it was not committed":       {nil, sink.ErrUnknown, 5, nil},
		"another moved the offset":   {others, sink.ErrUnknown, 3, sink.ErrFenced},
		"another has the same batch": {next, sink.ErrLost, 5, sink.ErrFenced},
	} {
		t.Run(name, func(t *testing.T) {
			target := sink.Target{Database: profile.SQLite, Address: filepath.Join(t.TempDir(), "effects.sqlite"),
				Write: profile.Insert, Effect: profile.AddToBalance, Accounts: 1}
			require.NoError(t, sink.Create(t.Context(), target))
			writer, err := sink.Open(t.Context(), target)
			require.NoError(t, err)
			s := &store{env: &environment{log: io.Discard}}
			s.writer = &forgetful{writer, func(ctx context.Context, batch []sink.Effect, from, _ map[int32]int64) error {
				if c.committed != nil {
					require.NoError(t, writer.ApplyAt(ctx, batch[:c.rows], from, c.committed))
				}
				return c.answer
			}}
			for n := range 5 {
				s.batch = append(s.batch, sink.Effect{Sequence: int64(n), Amount: 1})
			}
			require.ErrorIs(t, s.applyAt(from, next), c.want)
			require.NoError(t, s.close())
			rows := map[int64]int64{}
			books, err := sink.Audit(t.Context(), target, func(_ int, sequence, copies int64) error { rows[sequence] = copies; return nil })
			require.NoError(t, err)
			require.Equal(t, c.rows, books.Rows)
			require.Len(t, rows, int(c.rows), "each once")
			require.Equal(t, c.rows, books.Accounts[0].BalanceCents)
		})
	}
}
