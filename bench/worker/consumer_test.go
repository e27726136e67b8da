package worker

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/client"
)

// flushing is a strategy of which only flush is called.
type flushing struct {
	strategy
	flushed func()
}

func (f *flushing) flush() { f.flushed() }

// A consumer whose last outputs were not delivered has gone back to their
// messages: it is not drained before it came to the end again.
func TestNotDrainedWhileMessagesArePolledAgain(t *testing.T) {
	var said bytes.Buffer
	end := client.Offsets{0: 7}
	c := &consumer{
		env:    &environment{events: newEvents(&said)},
		effect: &effect{latencies: &latencies{recent: &recent{}}},
		owned:  map[int32]bool{0: true}, ends: client.Offsets{0: 7}, target: end,
	}
	c.strategy = &flushing{flushed: func() { delete(c.ends, 0) }} // as rewindTo does
	c.drain()
	require.Empty(t, said.String())
	require.False(t, c.told)

	c.strategy = &flushing{flushed: func() {}}
	c.ends[0] = 7
	c.drain()
	require.Contains(t, said.String(), `"drained"`)
	require.True(t, c.told)
}
