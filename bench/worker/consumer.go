package worker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
)

// pollTimeout bounds one poll, so that commands are seen soon.
const pollTimeout = 20 * time.Millisecond

// consumer is a group member: it gathers batches, and its strategy settles
// them. Everything but its counters belongs to the goroutine that polls;
// rebalances happen inside Poll.
type consumer struct {
	env      *environment
	client   *client.Consumer
	effect   *effect
	strategy strategy
	strikes  *strikes

	// hand is the batch being gathered.
	hand      batch
	handSince int64

	owned map[int32]bool
	// ends are where each owned partition was last seen to end.
	ends client.Offsets
	// target is where draining ends; nil while the load runs. told says that
	// the trial knows that what is owned now is drained.
	target client.Offsets
	told   bool
	// held says that the consumer waits for its time (consumer.start_after),
	// fresh that partitions came which are not paused yet.
	held, fresh bool
	// resumeAt is that time, on CLOCK_MONOTONIC; 0 while the load's start is not known.
	resumeAt int64
	// begun says that the load's start is known: before it nothing is settled,
	// since the latency logs' grid begins there.
	begun bool

	// broken says that the client can do nothing more.
	broken bool
	// unsettled is why a rebalance could not be done as it must be: where partitions
	// begin is not known, or what was in hand of those that are kept was not settled
	// and would be passed over. It ends the worker.
	unsettled error

	counts   counters
	warnings []string // told in the end
}

// counters are read by the progress reporter.
type counters struct {
	effects, polledAgain, commits, failedCommits, first, last atomic.Int64
	// In the database: transactions, effects in them, and when the last ended.
	rowCommits, rows, rowsLast atomic.Int64
}

func (c *counters) event(l *latencies) Event {
	return Event{
		Kind:  Progress,
		First: c.first.Load(),
		Counts: Counts{
			Effects: c.effects.Load(), PolledAgain: c.polledAgain.Load(), Commits: c.commits.Load(),
			FailedCommits: c.failedCommits.Load(), Last: c.last.Load(),
			RowCommits: c.rowCommits.Load(), Rows: c.rows.Load(), RowsLast: c.rowsLast.Load(),
			P99Micros: l.recent.p99Micros(),
		},
	}
}

func runConsumer(ctx context.Context, env *environment) error {
	s := env.spec.Settings.Consumer
	c := &consumer{env: env, owned: map[int32]bool{}, ends: client.Offsets{}, held: s.StartAfter > 0}
	var err error
	if c.strikes, err = newStrikes(env); err != nil {
		return err
	}
	properties := client.ConsumerProperties(env.spec.Endpoint, s, env.spec.Group, c.instance())
	if c.client, err = client.NewConsumer(env.named(properties, ConsumerRole), env.spec.Input); err != nil {
		return err
	}
	effect, err := newEffect(ctx, env, &c.counts, c.strikes)
	if err != nil {
		return err
	}
	c.effect, c.strategy = effect, newStrategy(c)
	if err := c.client.Subscribe(c.rebalance(s.RebalanceCallback)); err != nil {
		return err
	}
	if err := c.begin(ctx, effect); err != nil {
		return err
	}
	stop := env.reportProgress(c.event)
	err = c.loop(ctx)
	stop()
	if client.Refused(err) {
		return err // what is left could wait for a long time, for nothing
	}
	// Closing revokes what is owned, and what is in hand is settled then: the
	// effect must still be open. A failing close changes no result. That of a
	// broken client never returns (librdkafka 2.15).
	if !c.broken {
		_ = c.client.Close()
	}
	if closeErr := effect.close(); err == nil {
		err = closeErr
	}
	if err == nil {
		done := c.event()
		done.Kind, done.Warnings = Done, c.warnings
		env.events.send(done)
	}
	return err
}

func (c *consumer) event() Event { return c.counts.event(c.effect.latencies) }

// instance is the static member's name; a restarted worker takes its
// predecessor's place with it.
func (c *consumer) instance() string {
	if c.env.spec.Settings.Consumer.Membership != profile.Static {
		return ""
	}
	return fmt.Sprintf("%s-%d", c.env.spec.Group, c.env.spec.Number)
}

// begin polls, to join the group, until the load's start is known.
func (c *consumer) begin(ctx context.Context, effect *effect) error {
	c.env.events.send(Event{Kind: Ready})
	start := c.env.spec.Start
	for start == 0 {
		select {
		case command := <-c.env.commands:
			start = command.Start
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
			if err := c.step(); err != nil {
				return err
			}
		}
	}
	window := c.env.windowStart(start)
	c.strikes.arm(window)
	c.begun = true
	c.resumeAt = start + int64(c.env.spec.Settings.Consumer.StartAfter)
	return effect.begin(window)
}

// loop polls and settles until the trial ends the worker.
func (c *consumer) loop(ctx context.Context) error {
	for {
		select {
		case command := <-c.env.commands:
			c.target, c.told = command.Drain, false
		case <-ctx.Done():
			return ending(ctx)
		default:
		}
		// Looking at the channels costs more than a message, so a look lasts
		// for many.
		for range 1000 {
			idle, err := c.stepIdle()
			if err != nil {
				return err
			}
			if idle {
				break
			}
		}
	}
}

func (c *consumer) step() error {
	_, err := c.stepIdle()
	return err
}

// stepIdle polls once, settles a batch that is due, and reports whether there
// was nothing to do.
func (c *consumer) stepIdle() (idle bool, err error) {
	event := c.client.Poll(pollTimeout)
	if c.unsettled != nil {
		return false, c.unsettled
	}
	if c.held {
		if err := c.hold(); err != nil {
			return false, err
		}
	}
	switch event.Kind {
	case client.Record:
		c.take(event)
	case client.EOF:
		c.ends[event.Partition] = event.Offset
	case client.Failure:
		if err := c.failure(event.Err); err != nil {
			return false, err
		}
	}
	if c.due() {
		if err := c.settle(); err != nil {
			return false, err
		}
	}
	c.drain()
	return event.Kind != client.Record, nil
}

// hold keeps what is owned paused until consumer.start_after is over. It comes
// after a poll: only then has the client what a rebalance assigned within it.
func (c *consumer) hold() error {
	owned := slices.Sorted(maps.Keys(c.owned))
	switch {
	case c.resumeAt != 0 && c.env.clock.Now() >= c.resumeAt:
		c.held = false
		return c.client.Resume(owned)
	case c.fresh:
		c.fresh = false
		return c.client.Pause(owned)
	}
	return nil
}

// failure decides whether an error of the client ends the worker.
func (c *consumer) failure(err error) error {
	fmt.Fprintln(c.env.log, err)
	c.env.tellFenced(err)
	if e, ok := err.(*client.Error); ok && (e.Fatal || e.Refused) {
		c.broken = e.Fatal
		return err
	}
	return nil // the library goes on trying; the drain's bound ends what never recovers
}

func (c *consumer) take(e client.Event) {
	if e.Again {
		c.counts.polledAgain.Add(1)
	}
	if len(c.hand) == 0 {
		c.handSince = c.env.clock.Now()
	}
	c.hand = append(c.hand, record{e.Partition, e.Offset, e.Key, e.Value})
	if c.target != nil && c.env.spec.InputBegin != nil {
		c.ends[e.Partition] = e.Offset + 1 // where others write on, no end may be seen
	}
}

// due reports whether the batch in hand is to be settled now.
func (c *consumer) due() bool {
	if len(c.hand) == 0 || !c.begun {
		return false
	}
	commit := &c.env.spec.Settings.Consumer.Commit
	if c.full() {
		return true
	}
	if commit.Interval > 0 && !c.strategy.automatic() && c.env.clock.Now()-c.handSince >= int64(commit.Interval) {
		return true
	}
	return c.target != nil && c.ended()
}

// full reports whether the batch holds all the messages that lie between two commits.
func (c *consumer) full() bool {
	if c.strategy.automatic() {
		return true // each message is processed by itself; the client commits
	}
	every := c.env.spec.Settings.Consumer.Commit.Every
	return every > 0 && len(c.hand) >= every
}

func (c *consumer) settle() error {
	err := c.strategy.settle()
	c.hand = c.hand[:0]
	return err
}

// rewind goes back to the start of the batch in hand, where it is still owned,
// so that its messages are polled again.
func (c *consumer) rewind() error { return c.rewindTo(c.hand) }

func (c *consumer) rewindTo(b batch) error { return c.seek(b.starts()) }

// seek goes on polling from these offsets, where their partitions are still owned.
func (c *consumer) seek(to client.Offsets) error {
	maps.DeleteFunc(to, func(p int32, _ int64) bool { return !c.owned[p] })
	for p := range to {
		delete(c.ends, p)
	}
	if len(to) == 0 {
		return nil
	}
	return c.client.Seek(to)
}

// ended reports whether every owned partition was read to its target.
func (c *consumer) ended() bool {
	for p := range c.owned {
		end, seen := c.ends[p]
		if !seen || end < c.target[p] {
			return false
		}
	}
	return true
}

// drain tells the trial when everything owned is worked off: seen to its end,
// settled and, where the strategy commits, committed.
func (c *consumer) drain() {
	if c.target == nil || c.told || len(c.owned) == 0 || len(c.hand) > 0 || !c.ended() {
		return
	}
	c.strategy.flush()
	if !c.ended() {
		return // an output was not delivered: its message is polled again
	}
	drained := c.event()
	drained.Kind, drained.Partitions = Drained, slices.Sorted(maps.Keys(c.owned))
	c.env.events.send(drained)
	c.told = true
}
