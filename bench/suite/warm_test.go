package suite_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/suite"
	"deliverybench/bench/trial"
)

const struck = `
name: struck
guarantee: at-least-once
pipeline: consume
load: {rate: 1000/s, warmup: 50ms, duration: 300ms, message: {size: 64B}}
consumer: {commit: {every: 50}}
faults: [{kill: consumer, when: processed, at: 50%, restart: 50ms}]
`

// warming runs a plan with a warm-up of this length, and returns how often something
// was warmed up.
func warming(b *bench, plan *profile.Plan, o suite.Options, length time.Duration) (times int) {
	o.WarmUp = length
	o.Progress = watched{doing: func(what string) {
		require.Equal(b.t, "warming the broker up", what)
		times++
	}}
	require.NoError(b.t, suite.Run(b.context(), o))
	b.requireNothingLeft()
	return times
}

// What a broker was warmed up with is no trial of the run.
func TestABrokerIsWarmedUp(t *testing.T) {
	b, plan := newBench(t), planned(t, small)
	o := b.begin(plan)
	require.Equal(t, 1, warming(b, plan, o, 300*time.Millisecond))
	ids, status := statuses(t, o.Store.Dir())
	require.Equal(t, inOrder(plan), ids)
	for id, s := range status {
		require.Equal(t, result.Completed, s, id)
	}
}

// A run that goes on with its second repeats has a cold broker too; one that has
// nothing to do needs none.
func TestABrokerIsWarmedUpForAResumedRun(t *testing.T) {
	b, plan := newBench(t), planned(t, small)
	o := b.begin(plan)
	ctx, cancel := context.WithCancel(b.context())
	defer cancel()
	o.Progress = watched{done: func(index int, _ result.Trial) {
		if plan.Trials[index+1].Repeat == 2 {
			cancel()
		}
	}}
	require.NoError(t, suite.Run(ctx, o))
	require.Equal(t, 1, warming(b, plan, b.resume(plan, o.Store.Dir()), 300*time.Millisecond))
	require.Zero(t, warming(b, plan, b.resume(plan, o.Store.Dir()), 300*time.Millisecond))
}

// Faults are there to break a guarantee, not to cost anything.
func TestABrokerThatIsOnlyStruckStaysCold(t *testing.T) {
	b, plan := newBench(t), planned(t, struck)
	require.Zero(t, warming(b, plan, b.begin(plan), time.Minute))
}

func TestAnInterruptWhileTheBrokerIsWarmedUp(t *testing.T) {
	b, plan := newBench(t), planned(t, small)
	ctx, cancel := context.WithCancel(b.context())
	defer cancel()
	o := b.begin(plan)
	o.WarmUp = time.Minute
	o.Trials.Observe = func(s trial.Snapshot) {
		if s.Produced > 0 {
			cancel()
		}
	}
	require.NoError(t, suite.Run(ctx, o))
	require.True(t, o.Run.Run.Interrupted)
	require.Equal(t, len(plan.Trials), suite.Left(o.Run, plan))
	b.requireNothingLeft()
}

// A broker that is gone is told at the warm-up, and no trial is begun.
func TestABrokerThatIsGoneIsNotWarmedUp(t *testing.T) {
	b, plan := newBench(t), planned(t, small)
	o := b.begin(plan)
	o.WarmUp = time.Second
	o.Trials.AnswerWithin = time.Second
	b.broker.Close()
	require.ErrorContains(t, suite.Run(b.context(), o), "warm the broker up: ")
	require.Equal(t, len(plan.Trials), suite.Left(o.Run, plan))
}
