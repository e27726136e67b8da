package trial_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/trial"

	"github.com/stretchr/testify/require"
)

// An interrupted trial ends in order whatever goes on: no worker, topic or
// folder stays behind (newBench looks), and the broker is not left frozen.
func TestAnInterruptedTrialLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		faults []profile.Fault
		when   func(trial.Snapshot) bool
	}{
		"under load": {nil, func(s trial.Snapshot) bool { return s.Produced > 0 }},
		"broker frozen": {
			[]profile.Fault{{Freeze: profile.BrokerRole, For: profile.Duration(time.Minute)}},
			func(s trial.Snapshot) bool { return len(s.Faults) > 0 && strings.HasSuffix(s.Faults[0], "fired") },
		},
		"worker gone": {
			[]profile.Fault{{Kill: profile.ConsumerRole, When: profile.PointPolled, Restart: profile.Duration(9 * time.Second)}},
			func(s trial.Snapshot) bool { return len(s.Faults) > 0 && strings.HasSuffix(s.Faults[0], "fired") },
		},
		"starting": {nil, func(s trial.Snapshot) bool { return s.Phase == "starting workers" }},
		"draining": {nil, func(s trial.Snapshot) bool { return s.Phase == "draining" }},
		"auditing": {nil, func(s trial.Snapshot) bool { return s.Phase == "auditing" }},
	} {
		b := newBench(t) // of its own: one is frozen
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			env := b.env
			env.Observe = func(s trial.Snapshot) {
				if test.when(s) {
					interrupt()
				}
			}
			s := short()
			s.Consumer.Count = 2
			s.Faults = test.faults
			out := trial.Run(ctx, env, profile.Trial{ID: "interrupted", Seed: anySeed, Settings: s})
			require.Equal(t, result.Stopped, out.Result.Status, out.Result.Reason)
			require.Equal(t, "interrupted", out.Result.Reason)
			require.Equal(t, result.PromiseInconclusive, out.Result.Promise)
			require.Nil(t, out.Result.Verdict)
		})
	}
}

// A worker that cannot do its part fails the trial, which says in one line who
// and why, and keeps the log.
func TestAFailingWorkerIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for role, set := range map[string]func(*profile.Settings){
		"producer-0.0": func(s *profile.Settings) { s.Producer.Librdkafka = map[string]string{"no.such.property": "1"} },
		"consumer-0.0": func(s *profile.Settings) { s.Consumer.Librdkafka = map[string]string{"no.such.property": "1"} },
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			s := short()
			set(&s)
			env := b.env
			env.KeepLogs = t.TempDir()
			out := trial.Run(t.Context(), env, profile.Trial{ID: role, Seed: anySeed, Settings: s})
			require.Equal(t, result.Failed, out.Result.Status)
			require.Contains(t, out.Result.Reason, role+": ")
			require.Contains(t, out.Result.Reason, "no.such.property")
			require.NotContains(t, out.Result.Reason, "\n")
			logs, err := filepath.Glob(filepath.Join(env.KeepLogs, role, role+".log"))
			require.NoError(t, err)
			require.Len(t, logs, 1)
		})
	}
}

// A freeze longer than messages may wait: their sender gives them up, and does
// not know whether the broker, which had some in its socket, appends them after
// all. Nothing acknowledged is lost, and nothing is there twice.
func TestAFreezeLongerThanTheMessageTimeout(t *testing.T) {
	t.Parallel()
	for name, idempotence := range map[string]bool{"idempotent": true, "plain": false} {
		b := newBench(t)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := short()
			s.Guarantee = profile.ExactlyOnce
			s.Producer.Idempotence = idempotence
			s.Producer.MessageTimeout = profile.Duration(300 * time.Millisecond)
			s.Faults = []profile.Fault{{
				Freeze: profile.BrokerRole, At: profile.Moment{Share: 0.3}, For: profile.Duration(time.Second),
			}}
			r := b.complete(t, s)
			v := r.Verdict
			require.Equal(t, v.Due, v.Acked+v.Unknown)
			require.Positive(t, v.Unknown)
			require.Positive(t, v.UnknownAbsent)
			require.Equal(t, ledger.Lost{}, v.Lost)
			require.Equal(t, ledger.Dups{}, v.Duplicates)
			require.Equal(t, result.Held, r.Promise)
		})
	}
}

// What was proven stays proven: consumers that do not come to their end cannot
// take back that a message had two effects.
func TestAnUndrainedTrialKeepsWhatIsProven(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.env.DrainWithin = 200 * time.Millisecond
	s := short()
	s.Guarantee = profile.AtMostOnce // which committing late does not keep
	s.Consumer.Commit.When = profile.AfterProcessing
	s.Consumer.ProcessingTime = profile.Duration(2 * time.Millisecond)
	s.Faults = []profile.Fault{{Kill: profile.ConsumerRole, When: profile.PointProcessed}}
	out := b.run(t, s)
	require.Equal(t, result.Inconclusive, out.Result.Status, out.Result.Reason)
	require.Contains(t, out.Result.Reason, "waited 200ms for every partition to be drained: ")
	v := out.Result.Verdict
	require.NotNil(t, v)
	require.Positive(t, v.Undrained)
	require.Zero(t, v.Lost)
	require.Positive(t, v.Duplicates.Redelivered) // as far as the successor came with the batch
	require.LessOrEqual(t, v.Duplicates.Redelivered, int64(batch))
	require.Equal(t, result.Violated, out.Result.Promise)
}

// What is to be known of a trial is told however it ends.
func TestAnInterruptedTrialWarns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	env := b.env
	env.Observe = func(s trial.Snapshot) {
		if s.Produced > 0 {
			interrupt()
		}
	}
	s := short()
	s.Producer.MessageTimeout = profile.Duration(5 * time.Second)
	s.Faults = []profile.Fault{{LoseResponse: "produce", At: profile.Moment{Share: 0.9}}}
	r := trial.Run(ctx, env, profile.Trial{ID: "interrupted", Seed: anySeed, Settings: s}).Result
	require.Equal(t, result.Stopped, r.Status, r.Reason)
	require.Equal(t, s.Warnings(profile.SocketTimeout), r.Warnings)
	require.Len(t, r.Warnings, 1)
}
