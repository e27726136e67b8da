package sink_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
	"deliverybench/bench/sink/postgres"
)

// place gives each test targets of its own in one database.
type place struct {
	database profile.Database
	target   func(t testing.TB) sink.Target
}

var schemas atomic.Int64

// started is a PostgreSQL of the test's own.
func started(t testing.TB, settings ...string) *postgres.Server {
	t.Helper()
	spawner := process.NewSpawner(os.Args[0])
	t.Cleanup(spawner.Close)
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711))
	s, err := postgres.Start(t.Context(), postgres.Options{Spawner: spawner, Getenv: os.Getenv, Scratch: []string{dir}, Logs: t.TempDir(), Settings: settings})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func inServer(s *postgres.Server) place {
	return place{profile.Postgres, func(testing.TB) sink.Target {
		return sink.Target{Database: profile.Postgres, Address: s.Address(), Password: s.Password(), Schema: fmt.Sprintf(`trial "%d"`, schemas.Add(1))}
	}}
}

func inFile() place {
	return place{profile.SQLite, func(t testing.TB) sink.Target {
		return sink.Target{Database: profile.SQLite, Address: filepath.Join(t.TempDir(), "a trial?#%.db")}
	}}
}

// places are both databases.
func places(t testing.TB) []place {
	t.Helper()
	return []place{inFile(), inServer(started(t))}
}

const accounts = 10

// made is a target whose tables are there, and are dropped in the end.
func (p place) made(t testing.TB, write profile.SinkWrite, effect profile.SinkEffect) sink.Target {
	t.Helper()
	target := p.target(t)
	target.Write, target.Effect, target.Accounts = write, effect, accounts
	require.NoError(t, sink.Create(t.Context(), target))
	// A server counts the connections that were just closed for a moment yet.
	t.Cleanup(func() {
		require.EventuallyWithT(t, func(c *assert.CollectT) { assert.NoError(c, sink.Drop(context.Background(), target)) }, time.Minute, 100*time.Millisecond)
	})
	return target
}

func opened(t testing.TB, target sink.Target) *sink.Writer {
	t.Helper()
	w, err := sink.Open(t.Context(), target)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// messages are the effects of n messages from a sequence on, all of producer 3
// and partition 1.
func messages(from, n int) []sink.Effect {
	batch := make([]sink.Effect, n)
	for i := range batch {
		sequence := int64(from + i)
		batch[i] = sink.Effect{Producer: 3, Sequence: sequence, Incarnation: 1, Account: sink.Account(nil, 3, sequence, accounts),
			Amount: sink.Amount(3, sequence), Partition: 1, Offset: sequence}
	}
	return batch
}

// audited are the copies of each sequence, and the books.
func audited(t testing.TB, target sink.Target) ([]int64, sink.Books) {
	t.Helper()
	var copies []int64
	books, err := sink.Audit(t.Context(), target, func(producer int, sequence int64, n int64) error {
		require.Equal(t, 3, producer)
		require.EqualValues(t, len(copies), sequence, "in order, none left out")
		copies = append(copies, n)
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, books.Version)
	return copies, books
}

// requireBooks expects every message of the batch to have so many rows, and the
// accounts to say the same.
func requireBooks(t testing.TB, target sink.Target, batch []sink.Effect, copies int64) {
	t.Helper()
	got, books := audited(t, target)
	want := make([]sink.AccountState, accounts)
	for i := range want {
		want[i].Status = sink.StatusOpen
	}
	require.Len(t, got, len(batch))
	for i, e := range batch {
		require.Equal(t, copies, got[i], "message %d", i)
		if target.Effect == profile.SetStatus {
			want[e.Account].Status = sink.StatusActive
		} else {
			want[e.Account].BalanceCents += copies * e.Amount
		}
	}
	require.Equal(t, want, books.Accounts)
	require.Equal(t, copies*int64(len(batch)), books.Rows)
}

// What a batch that is applied twice has cost by each way of writing.
func TestTwice(t *testing.T) {
	for _, p := range places(t) {
		for _, test := range []struct {
			write  profile.SinkWrite
			effect profile.SinkEffect
			copies int64
		}{
			{profile.Insert, profile.AddToBalance, 2},
			{profile.Insert, profile.SetStatus, 2},
			{profile.UniqueKey, profile.AddToBalance, 1},
			{profile.UniqueKey, profile.SetStatus, 1},
			{profile.CheckThenAct, profile.AddToBalance, 1},
			{profile.CheckThenAct, profile.SetStatus, 1},
		} {
			t.Run(fmt.Sprintf("%s/%s/%s", p.database, test.write, test.effect), func(t *testing.T) {
				target := p.made(t, test.write, test.effect)
				first, second := opened(t, target), opened(t, target)
				batch := messages(0, 7) // not all accounts
				require.NoError(t, first.Apply(t.Context(), batch))
				requireBooks(t, target, batch, 1)
				require.NoError(t, second.Apply(t.Context(), batch))
				requireBooks(t, target, batch, test.copies)
				require.NoError(t, first.Apply(t.Context(), nil))
			})
		}
	}
}

// The same message twice in one batch.
func TestTwiceInOneBatch(t *testing.T) {
	for _, p := range places(t) {
		for write, copies := range map[profile.SinkWrite]int64{profile.Insert: 2, profile.UniqueKey: 1, profile.CheckThenAct: 1} {
			t.Run(fmt.Sprintf("%s/%s", p.database, write), func(t *testing.T) {
				target := p.made(t, write, profile.AddToBalance)
				batch := messages(0, 100)
				require.NoError(t, opened(t, target).Apply(t.Context(), append(messages(0, 100), batch...)))
				requireBooks(t, target, batch, copies)
			})
		}
	}
}

// Two writers that both checked before either acted have both acted. With a
// unique key they could not.
func TestTheRaceOfCheckThenAct(t *testing.T) {
	for _, p := range places(t) {
		for write, copies := range map[profile.SinkWrite]int64{profile.CheckThenAct: 2, profile.UniqueKey: 1} {
			t.Run(fmt.Sprintf("%s/%s", p.database, write), func(t *testing.T) {
				target := p.made(t, write, profile.AddToBalance)
				batch := messages(0, 50)
				writers := []*sink.Writer{opened(t, target), opened(t, target)}
				fresh := make([][]sink.Effect, len(writers))
				for i, w := range writers {
					var err error
					fresh[i], err = w.Check(t.Context(), batch)
					require.NoError(t, err)
					require.Equal(t, batch, fresh[i])
				}
				for i, w := range writers {
					require.NoError(t, w.Act(t.Context(), fresh[i]))
				}
				requireBooks(t, target, batch, copies)
				left, err := writers[0].Check(t.Context(), messages(40, 20))
				require.NoError(t, err)
				require.Equal(t, messages(50, 10), left)
			})
		}
	}
}

// A consumer that does not know that it was replaced is refused, whole.
func TestOffsetsWithEffects(t *testing.T) {
	for _, p := range places(t) {
		t.Run(string(p.database), func(t *testing.T) {
			target := p.made(t, profile.Insert, profile.AddToBalance)
			first, second := opened(t, target), opened(t, target)
			at := func(next int64) map[int32]int64 { return map[int32]int64{1: next, 2: 2 * next} }
			none, err := first.Offsets(t.Context(), []int32{1, 2})
			require.NoError(t, err)
			require.Empty(t, none)
			require.NoError(t, first.ApplyAt(t.Context(), messages(0, 100), at(0), at(100)))

			next, err := second.Offsets(t.Context(), []int32{1, 2, 3})
			require.NoError(t, err)
			require.Equal(t, at(100), next)
			require.NoError(t, second.ApplyAt(t.Context(), messages(100, 50), map[int32]int64{1: 100}, map[int32]int64{1: 150}))

			for name, from := range map[string]map[int32]int64{
				"the same again":            at(0),
				"one of two partitions":     at(100),
				"a partition set elsewhere": {1: 150, 2: 199},
			} {
				err := first.ApplyAt(t.Context(), messages(100, 50), from, at(150))
				require.ErrorIs(t, err, sink.ErrFenced, name)
			}
			next, err = first.Offsets(t.Context(), []int32{1, 2})
			require.NoError(t, err)
			require.Equal(t, map[int32]int64{1: 150, 2: 200}, next, "nothing of a refused batch")
			requireBooks(t, target, messages(0, 150), 1)
			require.NoError(t, first.ApplyAt(t.Context(), nil, map[int32]int64{2: 200}, map[int32]int64{2: 201}), "filtered messages move offsets too")
			require.ErrorContains(t, first.ApplyAt(t.Context(), nil, nil, nil), "no offsets")
			require.ErrorContains(t, first.ApplyAt(t.Context(), nil, nil, at(1)), "from nowhere")
		})
	}
}

func TestOffsetsDoNotGoWithCheckThenAct(t *testing.T) {
	target := inFile().made(t, profile.CheckThenAct, profile.AddToBalance)
	err := opened(t, target).ApplyAt(t.Context(), messages(0, 1), map[int32]int64{1: 0}, map[int32]int64{1: 1})
	require.EqualError(t, err, "sink: check-then-act takes two transactions, and offsets with effects are written in one: use insert or unique-key")
}

// Writers of many batches at once, on the same accounts and in opposite order,
// neither deadlock nor lose a cent.
func TestManyWriters(t *testing.T) {
	for _, p := range places(t) {
		for write, copies := range map[profile.SinkWrite]int64{profile.Insert: 4, profile.UniqueKey: 1} {
			t.Run(fmt.Sprintf("%s/%s", p.database, write), func(t *testing.T) {
				target := p.made(t, write, profile.AddToBalance)
				const batches, size = 20, 50
				done := make(chan error)
				for i := range 4 {
					w := opened(t, target)
					go func() {
						for n := range batches {
							if i%2 == 1 {
								n = batches - 1 - n
							}
							if err := w.Apply(t.Context(), messages(n*size, size)); err != nil {
								done <- err
								return
							}
						}
						done <- nil
					}()
				}
				for range 4 {
					require.NoError(t, <-done)
				}
				requireBooks(t, target, messages(0, batches*size), copies)
			})
		}
	}
}

// An effect whose account is not there is refused with its batch.
func TestAnUnknownAccount(t *testing.T) {
	for _, p := range places(t) {
		t.Run(string(p.database), func(t *testing.T) {
			target := p.made(t, profile.Insert, profile.AddToBalance)
			batch := messages(0, 3)
			batch[1].Account = accounts
			require.ErrorContains(t, opened(t, target).Apply(t.Context(), batch), "1 of a batch's ")
			requireBooks(t, target, nil, 0)
		})
	}
}

// The error of the audit's caller is passed on; books with another's rows are refused.
func TestAuditRefuses(t *testing.T) {
	for _, p := range places(t) {
		t.Run(string(p.database), func(t *testing.T) {
			target := p.made(t, profile.Insert, profile.AddToBalance)
			require.NoError(t, opened(t, target).Apply(t.Context(), messages(0, 3)))
			_, err := sink.Audit(t.Context(), target, func(int, int64, int64) error { return os.ErrInvalid })
			require.ErrorIs(t, err, os.ErrInvalid)
			target.Accounts++
			_, err = sink.Audit(t.Context(), target, func(int, int64, int64) error { return nil })
			require.ErrorContains(t, err, "the database has 10 accounts and should have 11")
		})
	}
}
