package worker

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/ledger"
	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
)

// failing is a worker whose next two messages are to fail once the window begins.
func failing(t *testing.T, how profile.OnError) (*strikes, *bytes.Buffer) {
	t.Helper()
	var said bytes.Buffer
	env := &environment{clock: pace.NewClock(), events: newEvents(&said)}
	env.spec.Settings.Consumer.OnError = how
	env.spec.Strikes = []Strike{{Fault: profile.Fault{Fail: profile.ConsumerRole, Messages: 2}, Mark: "fault-0"}}
	s, err := newStrikes(env)
	require.NoError(t, err)
	return s, &said
}

// As many messages fail as the fault says, once it is armed, and the trial is told
// of the last. Those that come again fail again, unless they were retried.
func TestMessagesFail(t *testing.T) {
	for _, how := range []profile.OnError{profile.SkipMessage, profile.RetryMessage, profile.DeadLetter} {
		s, said := failing(t, how)
		require.True(t, s.fail())
		require.False(t, s.fails(1), "the load has not begun")
		s.arm(s.env.clock.Now())
		require.True(t, s.fails(7))
		require.Equal(t, how != profile.RetryMessage, s.fails(7), how)
		require.Empty(t, said.String())
		require.True(t, s.fails(8))
		var told Event
		require.NoError(t, json.Unmarshal(said.Bytes(), &told))
		require.Equal(t, Struck, told.Kind)
		require.Equal(t, "fault-0", told.Mark)
		require.LessOrEqual(t, told.First, told.Last)
		require.False(t, s.fails(9))
		require.False(t, s.fail())
		require.Equal(t, how != profile.RetryMessage, s.fails(8), how)
	}
}

// A fault that is not armed does not keep one that is from striking.
func TestFailuresAreArmedOneByOne(t *testing.T) {
	s, _ := failing(t, profile.SkipMessage)
	later := *s.failing[0]
	later.ArmAt = int64(time.Hour)
	s.failing = []*strike{&later, s.failing[0]}
	s.arm(s.env.clock.Now())
	require.True(t, s.fails(1))
	require.True(t, s.fails(2))
	require.False(t, s.fails(3))
}

// Without faults there is nothing to ask.
func TestNoStrikes(t *testing.T) {
	s, err := newStrikes(&environment{})
	require.NoError(t, err)
	require.Nil(t, s)
	s.arm(1)
	require.False(t, s.at(profile.PointPolled))
	require.False(t, s.fails(0))
	require.False(t, s.fail())
	s.reach(profile.PointPolled)
}

// A worker carries several faults at points: each strikes where it belongs.
func TestWhichPointStrikes(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, ledger.Create(dir, ledger.Layout{Producers: 1, Capacity: 1}))
	env := &environment{clock: pace.NewClock()}
	env.spec.Ledger = dir
	env.spec.Strikes = []Strike{
		{Fault: profile.Fault{Kill: profile.ConsumerRole, When: profile.PointProcessed}, ArmAt: int64(time.Hour), Mark: "fault-0"},
		{Fault: profile.Fault{Freeze: profile.ConsumerRole, When: profile.PointPolled}, Mark: "fault-1"},
	}
	s, err := newStrikes(env)
	require.NoError(t, err)
	require.False(t, s.at(profile.PointPolled), "the load has not begun")
	s.arm(env.clock.Now())
	require.True(t, s.at(profile.PointPolled))
	require.False(t, s.at(profile.PointProcessed), "its hour has not come")
	require.False(t, s.at(profile.PointCommitted))
	_, fired, err := ledger.ReadMark(dir, "fault-1")
	require.NoError(t, err)
	require.False(t, fired, "asking does not strike")
}
