package worker

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/client"
	"deliverybench/bench/ledger"
	"deliverybench/bench/message"
	"deliverybench/bench/sink"
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

// unsettling is a strategy whose database, or whose producer, fails.
type unsettling struct {
	strategy
	err error
}

func (u *unsettling) settle() error        { return u.err }
func (u *unsettling) settleOnRevoke() bool { return true }
func (u *unsettling) flush()               {}
func (u *unsettling) forget([]int32)       {}

// What was in hand of a partition that is kept would be passed over by going on:
// the next commit lies behind it.
func TestARebalanceThatCannotBeSettledEndsTheWorker(t *testing.T) {
	none, err := client.NewConsumer(client.Properties{"bootstrap.servers": "127.0.0.1:1", "group.id": "group"}, "topic")
	require.NoError(t, err)
	defer none.Close()
	var said bytes.Buffer
	c := &consumer{
		env:    &environment{events: newEvents(&said), log: &said},
		client: none, begun: true, hand: batch{{partition: 0}, {partition: 1}}, owned: map[int32]bool{0: true, 1: true},
	}
	full := errors.New("the disk is full")
	c.strategy = &unsettling{err: full}
	c.revoked([]int32{1})
	_, err = c.stepIdle()
	require.ErrorIs(t, err, full)
}

// A message that could not be sent on is polled again with all of its batch, and
// none of them may be in the database twice for that.
func TestAFailedBatchIsNotForTheDatabase(t *testing.T) {
	dir := t.TempDir()
	layout := ledger.Layout{Producers: 1, Capacity: 2}
	require.NoError(t, ledger.Create(dir, layout))
	marks, err := ledger.OpenEffects(dir, 0, 0)
	require.NoError(t, err)
	defer marks.Close()
	// A transactional producer refuses a message outside a transaction, as in one that must be aborted.
	output, err := client.NewProducer(client.Properties{"bootstrap.servers": "127.0.0.1:1", "transactional.id": "id"}, "output")
	require.NoError(t, err)
	defer output.Close()
	env := &environment{spec: Spec{RunTag: 7, Output: "output", Sink: &sink.Target{Accounts: 1}}}
	e := &effect{env: env, layout: layout, marks: marks, store: &store{env: env}, sendsOn: true, output: output, together: 1}

	value := make([]byte, message.MinSize)
	message.Encode(value, message.Header{Tag: 7})
	require.Error(t, e.doAll(batch{{value: value}}))
	require.Empty(t, e.store.batch)
	require.Empty(t, e.store.intended)
}
