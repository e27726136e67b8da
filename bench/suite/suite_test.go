package suite_test

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/suite"
	"deliverybench/bench/trial"
)

// small is a run of 2 cells, each run twice, in about 3 s.
const small = `
name: small
guarantee: at-least-once
pipeline: consume
load: {rate: 1000/s, warmup: 50ms, duration: 200ms, message: {size: 64B}}
consumer: {commit: {every: 50}}
arms: {a: {}, b: {}}
scenarios: {paced: {repeats: 2}}
claims: {"*/*": [lost == 0, duplicates == 0]}
`

// statuses are every saved trial's, in the order of the run.
func statuses(t *testing.T, dir string) (ids []string, status map[string]result.Status) {
	t.Helper()
	run, err := result.Load(dir)
	require.NoError(t, err)
	status = map[string]result.Status{}
	for _, c := range run.Cells {
		for _, r := range c.Trials {
			ids = append(ids, r.ID)
			status[r.ID] = r.Status
		}
	}
	return ids, status
}

// inOrder are the plan's trials as a whole run saves them: by cell.
func inOrder(plan *profile.Plan) (ids []string) {
	for _, c := range plan.Cells {
		for _, t := range plan.Trials {
			if t.Cell == c.Name {
				ids = append(ids, t.ID)
			}
		}
	}
	return ids
}

// A run that is interrupted in each of its trials and resumed each time has
// every trial exactly once, in the order of the plan.
func TestInterruptedAndResumed(t *testing.T) {
	b, plan := newBench(t), planned(t, small)
	o := b.begin(plan)
	ran := map[string]int{}
	for index := range plan.Trials {
		ctx, cancel := context.WithCancel(b.context())
		o.Progress = watched{
			trial:   func(i int) { ran[plan.Trials[i].ID]++ },
			observe: func(s trial.Snapshot) { stopAt(s, o.Run, plan, index, cancel) },
		}
		require.NoError(t, suite.Run(ctx, o))
		cancel()
		require.True(t, o.Run.Run.Interrupted)
		_, status := statuses(t, o.Store.Dir())
		require.Equal(t, result.Stopped, status[plan.Trials[index].ID])
		require.Len(t, status, index+1)
		require.Equal(t, len(plan.Trials)-index, suite.Left(o.Run, plan))
		b.requireNothingLeft()
		o = b.resume(plan, o.Store.Dir())
		// Let it get as far as the next trial.
		ctx, cancel = context.WithCancel(b.context())
		o.Progress = watched{
			trial: func(i int) { ran[plan.Trials[i].ID]++ },
			done:  func(int, result.Trial) { cancel() },
		}
		require.NoError(t, suite.Run(ctx, o))
		cancel()
		o = b.resume(plan, o.Store.Dir())
	}
	ids, status := statuses(t, o.Store.Dir())
	require.Equal(t, inOrder(plan), ids)
	for id, s := range status {
		require.Equal(t, result.Completed, s, id)
		require.Equal(t, 2, ran[id], "interrupted once, completed once: %s", id)
	}
	require.False(t, o.Run.Run.Interrupted)
	require.Zero(t, suite.Left(o.Run, plan))
	o.Trials = trial.Environment{} // nothing is left that needed a broker
	require.NoError(t, suite.Run(b.context(), o))
	require.Len(t, o.Run.Claims, 4)
	for _, c := range o.Run.Claims {
		require.Equal(t, result.Met, c.Status, c.Expression)
	}
}

// stopAt interrupts the trial of this index while its load runs.
func stopAt(s trial.Snapshot, run *result.Run, plan *profile.Plan, index int, cancel func()) {
	if s.Phase == "load" && suite.Left(run, plan) == len(plan.Trials)-index {
		cancel()
	}
}

func TestAKilledBrokerEndsTheRunAndKeepsWhatItHas(t *testing.T) {
	b, plan := newBench(t), planned(t, small)
	o := b.begin(plan)
	current := 0
	o.Progress = watched{
		trial: func(i int) { current = i },
		observe: func(s trial.Snapshot) {
			if current == 1 && s.Phase == "load" {
				_ = syscall.Kill(b.broker.PID(), syscall.SIGKILL)
			}
		},
	}
	err := suite.Run(b.context(), o)
	require.ErrorContains(t, err, "the run cannot go on: the embedded broker ended (signal: killed); the last lines of its log:\n")
	require.ErrorContains(t, err, "serves on "+b.broker.Endpoint().Bootstrap)
	require.False(t, o.Run.Run.Interrupted)
	_, status := statuses(t, o.Store.Dir())
	require.Equal(t, map[string]result.Status{plan.Trials[0].ID: result.Completed, plan.Trials[1].ID: result.Failed}, status)

	// What never ran is claimed all the same, and the claims say why it did not.
	const why = "the run cannot go on: the embedded broker ended (signal: killed)"
	require.Equal(t, why, o.Run.Run.Unfinished)
	require.Len(t, o.Run.Claims, 4)
	missed := 0
	for _, c := range o.Run.Claims {
		require.Equal(t, result.ClaimInconclusive, c.Status, c.Cell)
		if strings.HasSuffix(c.Reason, "did not run: "+why) || strings.HasSuffix(c.Reason, "no trial ran: "+why) {
			missed++
		} else {
			require.Contains(t, c.Reason, plan.Trials[1].ID+" is failed: ")
		}
	}
	require.Equal(t, 2, missed)

	// Another broker takes the run to its end.
	next := newBench(t)
	o = next.resume(plan, o.Store.Dir())
	require.NoError(t, suite.Run(next.context(), o))
	ids, status := statuses(t, o.Store.Dir())
	require.Equal(t, inOrder(plan), ids)
	require.Equal(t, result.Completed, status[plan.Trials[1].ID])
	require.Empty(t, o.Run.Run.Unfinished)
	for _, c := range o.Run.Claims {
		require.Equal(t, result.Met, c.Status, c.Reason)
	}
	next.requireNothingLeft()
}

const aborting = `
name: aborting
guarantee: at-least-once
pipeline: consume
load: {rate: 1000/s, warmup: 50ms, duration: 200ms, message: {size: 64B}}
consumer: {commit: {every: 50}}
arms: {a: {}, b: {}}
scenarios: {paced: {repeats: 3}}
claims:
  "a/*": [{claim: lost == 7, abort: true}]
  "b/*": [lost == 0]
`

func TestAnAbortingClaimStopsItsCell(t *testing.T) {
	b, plan := newBench(t), planned(t, aborting)
	o := b.begin(plan)
	var started []string
	ctx, cancel := context.WithCancel(b.context())
	o.Progress = watched{
		trial: func(i int) { started = append(started, plan.Trials[i].Cell) },
		done: func(_ int, r result.Trial) {
			if len(started) == 3 {
				cancel() // so that the claim must stop the cell after a resumption too
			}
		},
	}
	require.NoError(t, suite.Run(ctx, o))
	cancel()
	o = b.resume(plan, o.Store.Dir())
	o.Progress = watched{trial: func(i int) { started = append(started, plan.Trials[i].Cell) }}
	require.NoError(t, suite.Run(b.context(), o))
	require.ElementsMatch(t, []string{"a", "b", "b", "b"}, started)
	_, status := statuses(t, o.Store.Dir())
	require.Len(t, status, 6)
	omitted := 0
	for _, c := range o.Run.Cells[0].Trials {
		if c.Status == result.Omitted {
			omitted++
			require.Contains(t, c.Reason, `stopped by the claim "lost == 7" in trial`)
			require.Contains(t, c.Reason, "(expected 7, observed 0)")
		}
	}
	require.Equal(t, 2, omitted)
	require.Equal(t, result.NotMet, o.Run.Claims[0].Status)
	require.Equal(t, result.Met, o.Run.Claims[1].Status)
	b.requireNothingLeft()
}

func TestAdoptRefusesWhatCannotBeCompared(t *testing.T) {
	plan := planned(t, small)
	here := result.Environment{Cores: 2, CPU: "Fast", Client: "confluent-kafka-go v2", Librdkafka: "2"}
	saved := func() *result.Run {
		run := suite.NewRun(plan, result.Header{ID: "small-1", ProfileSHA256: "sum", Interrupted: true}, here)
		return run
	}
	run := saved()
	require.NoError(t, suite.Adopt(run, plan, "sum", here))
	require.False(t, run.Run.Interrupted)

	seed := uint64(9)
	reseeded, err := plan.Profile.Plan(profile.Options{Seed: &seed})
	require.NoError(t, err)
	longer, err := plan.Profile.Plan(profile.Options{Scale: 2})
	require.NoError(t, err)
	fewer := planned(t, small+"matrix: {producer.acks: [0, 1]}\n")
	elsewhere := here
	elsewhere.Cores = 64
	for _, refused := range []struct {
		plan *profile.Plan
		sum  string
		on   result.Environment
		want string
	}{
		{plan, "other", here, "cannot resume small-1: it was made with another profile or seed; run without -resume"},
		{reseeded, "sum", here, "cannot resume small-1: it was made with another profile or seed; run without -resume"},
		{longer, "sum", here, "cannot resume small-1: cell a has other settings there; use the same flags as then"},
		{fewer, "sum", here, "cannot resume small-1: it has 2 cells and this plan 4; use the same flags as then"},
		{plan, "sum", elsewhere, "cannot resume small-1: it was measured on 2 cores of Fast with confluent-kafka-go v2 (librdkafka 2), and this is 64 cores of Fast with confluent-kafka-go v2 (librdkafka 2); run without -resume"},
	} {
		require.EqualError(t, suite.Adopt(saved(), refused.plan, refused.sum, refused.on), refused.want)
	}
}
