package trial

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/fault"
	"deliverybench/bench/ledger"
	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
	"deliverybench/bench/worker"
)

// A worker reaches its crash point, and before the trial hears of its end it is
// killed where it is: that kill has not struck, and waits for the successor.
func TestAKillThatComesTooLate(t *testing.T) {
	c := &conductor{scratch: t.TempDir(), occurrences: make(chan occurrence, 2)}
	c.env.Clock = pace.NewClock()
	require.NoError(t, ledger.Create(c.scratch, ledger.Layout{Producers: 1, Capacity: 1}))
	mark, err := ledger.OpenMark(c.scratch, "fault-0")
	require.NoError(t, err)
	mark.Fired(5)
	require.NoError(t, mark.Close())
	m := &member{role: worker.ConsumerRole, ready: true}
	kill := func(when profile.Point) fault.Scheduled {
		return fault.Scheduled{Fault: profile.Fault{Kill: profile.ConsumerRole, When: when}}
	}
	placed := &activeFault{Scheduled: kill(profile.PointPolled), mark: "fault-0"}
	late := &activeFault{Scheduled: kill(profile.PointAnywhere), mark: "fault-1", fired: 7, struck: m, restarts: true}
	m.struckBy, c.crew, c.faults = late, []*member{m}, []*activeFault{placed, late}

	f, err := c.fellTo(m)
	require.NoError(t, err)
	require.Same(t, placed, f)
	require.EqualValues(t, 5, placed.fired)
	require.Zero(t, late.fired)
	require.False(t, late.restarts)
	require.NotNil(t, (<-c.occurrences).task, "it strikes again")
	require.Len(t, c.timers, 1)
}

// A worker that is frozen cannot close: it would be killed for not doing so. It is
// stopped when it has thawed.
func TestAStopOfAFrozenWorkerWaits(t *testing.T) {
	m := &member{role: worker.ConsumerRole, ready: true, frozen: 1}
	c := &conductor{crew: []*member{m}, occurrences: make(chan occurrence, 1)}
	c.env.Clock = pace.NewClock()
	f := &activeFault{Scheduled: fault.Scheduled{Fault: profile.Fault{Stop: profile.ConsumerRole}}}
	require.NoError(t, c.strikeWorker(f))
	require.Zero(t, f.fired)
	require.False(t, m.done)
	require.NotNil(t, (<-c.occurrences).task, "it is tried again")
}
