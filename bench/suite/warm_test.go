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

// warming is what a run with a warm-up told of it.
func warming(b *bench, plan *profile.Plan) (suite.Options, []string) {
	o := b.begin(plan)
	o.WarmUp = time.Minute // of which one round of the cells is enough
	var told []string
	o.Progress = watched{doing: func(what string) { told = append(told, what) }}
	require.NoError(b.t, suite.Run(b.context(), o))
	b.requireNothingLeft()
	return o, told
}

// What a broker was warmed up with is no trial of the run.
func TestABrokerIsWarmedUp(t *testing.T) {
	b, plan := newBench(t), planned(t, small)
	o, told := warming(b, plan)
	require.Equal(t, []string{"warming the broker up", "warming the broker up"}, told, "once for each cell")
	ids, status := statuses(t, o.Store.Dir())
	require.Equal(t, inOrder(plan), ids)
	for id, s := range status {
		require.Equal(t, result.Completed, s, id)
	}
}

// Faults are there to break a guarantee, not to cost anything.
func TestABrokerThatIsOnlyStruckStaysCold(t *testing.T) {
	b, plan := newBench(t), planned(t, struck)
	_, told := warming(b, plan)
	require.Empty(t, told)
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
