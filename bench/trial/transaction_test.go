package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// aborting is a short trial whose producer aborts a share of its transactions.
func aborting(pipeline profile.Pipeline, isolation profile.Isolation, flush bool) profile.Settings {
	s := short()
	s.Pipeline = pipeline
	s.Guarantee = profile.ExactlyOnce
	s.Load.Duration = profile.Duration(900 * time.Millisecond)
	s.Consumer.Isolation = isolation
	s.Producer.Transaction = profile.Transaction{Every: 50, Abort: 0.4, FlushBeforeAbort: flush}
	return s
}

// Aborted messages are in the log, when they were flushed before the abort, and
// no read_committed reader sees one. A read_uncommitted one sees them all.
func TestAbortedTransactions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, pipeline := range []profile.Pipeline{profile.Produce, profile.Consume, profile.RelayTo} {
		for _, isolation := range []profile.Isolation{profile.ReadCommitted, profile.ReadUncommitted} {
			for _, flush := range []bool{true, false} {
				if pipeline == profile.Produce && isolation == profile.ReadUncommitted {
					continue // nobody reads
				}
				t.Run(name(pipeline, isolation, "flush", flush), func(t *testing.T) {
					t.Parallel()
					r := b.complete(t, aborting(pipeline, isolation, flush))
					requireAborted(t, r, pipeline, isolation, flush)
				})
			}
		}
	}
}

func requireAborted(t *testing.T, r *result.Trial, pipeline profile.Pipeline, isolation profile.Isolation, flush bool) {
	t.Helper()
	v := r.Verdict
	require.Equal(t, v.Due, v.Acked+v.Aborted)
	require.Positive(t, v.Aborted)
	require.Positive(t, v.Acked)
	require.Zero(t, v.Aborted%50, "whole transactions of 50: the 3000 messages have no other")
	require.Equal(t, ledger.Lost{}, v.Lost)
	require.Equal(t, ledger.Dups{}, v.Duplicates)
	inLog := v.Table["aborted/present_but_aborted/processed"] + v.Table["aborted/present_but_aborted/unprocessed"]
	require.Zero(t, v.Table["aborted/present/processed"]+v.Table["aborted/present/unprocessed"])
	if flush {
		require.Equal(t, v.Aborted, inLog, "every flushed message is in the log")
	} else {
		require.Less(t, inLog, v.Aborted, "the client drops what it has queued")
	}
	if pipeline != profile.Produce && isolation == profile.ReadUncommitted {
		require.Equal(t, inLog, v.AbortedDelivered, "a read_uncommitted reader sees exactly those in the log")
		if flush || inLog > 0 { // unflushed, whether any is sent before its abort is a draw
			require.Equal(t, result.Violated, r.Promise)
			return
		}
	}
	require.Zero(t, v.AbortedDelivered)
	require.Equal(t, result.Held, r.Promise)
}

// A transaction that has no number of messages ends by its time: with the first
// message that is due when it is over.
func TestATransactionEndsByItsTime(t *testing.T) {
	t.Parallel()
	const interval = 50 * time.Millisecond
	b := newBench(t)
	s := short()
	s.Pipeline, s.Guarantee = profile.Produce, profile.ExactlyOnce // consumers commit too
	s.Producer.Transaction = profile.Transaction{Interval: profile.Duration(interval)}
	r := b.complete(t, s)
	requireFlawless(t, r)
	commits, visible := r.Latency[result.CommitLatency], r.Latency[result.TransactionVisible]
	require.GreaterOrEqual(t, commits.Count, int64(2), "one transaction holds not everything")
	require.LessOrEqual(t, commits.Count, int64(time.Duration(s.Load.Length())/interval), "and none ends before its time")
	measured := int64(float64(s.Load.Rate) * time.Duration(s.Load.Duration).Seconds())
	require.Equal(t, measured, visible.Count)
	require.GreaterOrEqual(t, visible.Max, micros(interval), "a transaction's first message waits for its end")
}

// A producer killed inside a transaction leaves it open; its successor's
// registration ends it, and nobody sees what it held.
func TestAProducerKilledInsideATransaction(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := short()
	s.Guarantee = profile.ExactlyOnce
	s.Producer.Transaction = profile.Transaction{Every: 100}
	s.Faults = []profile.Fault{kill(profile.ProducerRole, profile.PointSent, 0.3)}
	r := b.complete(t, s)
	v := r.Verdict
	require.Equal(t, v.Due, v.Acked+v.Unknown)
	require.Positive(t, v.Unknown)
	require.LessOrEqual(t, v.Unknown, int64(100), "one transaction's messages")
	require.Equal(t, v.Unknown, v.Table["unknown/absent/unprocessed"]+v.Table["unknown/present_but_aborted/unprocessed"])
	require.Equal(t, ledger.Lost{}, v.Lost)
	require.Equal(t, ledger.Dups{}, v.Duplicates)
	require.Equal(t, result.Held, r.Promise)
}

// A message that times out takes its transaction with it, not the load: the
// producer aborts and goes on, and nothing of it reaches a reader.
func TestATransactionThatCannotBeCommittedIsAborted(t *testing.T) {
	t.Parallel()
	b := newBench(t) // of its own: a freeze strikes whatever runs on it
	s := short()
	s.Guarantee = profile.ExactlyOnce
	s.Load.Rate = 2000
	s.Load.Warmup, s.Load.Duration = profile.Duration(300*time.Millisecond), profile.Duration(time.Second)
	// 500 messages are 250 ms: the freeze at 600 ms is amid the third transaction.
	s.Producer.Transaction = profile.Transaction{Every: 500}
	s.Producer.MessageTimeout = profile.Duration(300 * time.Millisecond)
	// The client looks for messages that timed out once a second only.
	s.Faults = []profile.Fault{{
		Freeze: profile.BrokerRole, At: profile.Moment{Share: 0.3}, For: profile.Duration(2500 * time.Millisecond),
	}}
	r := b.complete(t, s)
	v := r.Verdict
	require.Equal(t, v.Due, v.Acked+v.Unknown+v.Rejected)
	require.Positive(t, v.Acked)
	require.Positive(t, v.Unknown)
	require.Zero(t, v.Table["unknown/present/processed"]+v.Table["unknown/present/unprocessed"])
	require.Equal(t, ledger.Lost{}, v.Lost)
	require.Equal(t, ledger.Dups{}, v.Duplicates)
	require.Equal(t, result.Held, r.Promise)
}

// At rate: max the measured window mostly ends while a transaction does. What
// would be sent after that is not sent: it is in no latency.
func TestAWindowThatEndsWhileATransactionDoes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := short()
	s.Guarantee = profile.ExactlyOnce
	s.Load.Rate, s.Load.Duration = profile.RateMax, profile.Duration(500*time.Millisecond)
	s.Producer.Transaction = profile.Transaction{Every: 100}
	r := b.complete(t, s)
	requireFlawless(t, r)
	require.Zero(t, r.Unrecorded)
}
