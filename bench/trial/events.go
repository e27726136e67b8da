package trial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"deliverybench/bench/broker"
	"deliverybench/bench/worker"
)

// occurrence is something that happened: an event of a worker (or its end,
// with a nil event), or work that was put off.
type occurrence struct {
	member *member
	event  *worker.Event
	task   func() error
}

// bound is how long a wait may last: in all, or without progress.
type bound struct {
	total time.Duration
	stall time.Duration
}

func bounded(total time.Duration) bound { return bound{total: total} }

// until handles what happens until done, and is the only place that waits.
func (c *conductor) until(ctx context.Context, what string, b bound, done func() bool) error {
	deadline := time.Now().Add(b.total)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	progressed, seen := time.Now(), int64(-1)
	for !done() {
		select {
		case o := <-c.occurrences:
			if err := c.handle(o); err != nil {
				return errors.Join(c.serverGone(), err)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			c.observe()
			if err := c.watchFreezes(); err != nil {
				return err
			}
		}
		if err := c.serverGone(); err != nil {
			return err
		}
		if now := c.progress(); now != seen {
			progressed, seen = time.Now(), now
		}
		if time.Now().After(deadline) {
			return inconclusive{fmt.Errorf("waited %s for %s: %s", b.total, what, c.state())}
		}
		if b.stall > 0 && time.Since(progressed) > b.stall {
			return inconclusive{fmt.Errorf("waited %s without progress for %s: %s", b.stall, what, c.state())}
		}
	}
	return nil
}

// progress changes whenever any worker gets anything done.
func (c *conductor) progress() int64 {
	var sum int64
	for _, m := range c.crew {
		sum += m.counts.Produced + m.counts.Reported + m.counts.Effects + m.counts.Commits + m.counts.RowCommits + int64(len(m.owns))
	}
	return sum + int64(len(c.crew))<<48
}

// state says where the workers are, for the message of a wait that failed.
func (c *conductor) state() string {
	text := fmt.Sprintf("%d of %d partitions assigned, %d drained", c.assigned(), c.trial.Settings.Topic.Partitions, c.drained())
	for _, m := range c.crew {
		if !m.gone {
			text += fmt.Sprintf("; %s ready=%t done=%t produced=%d reported=%d effects=%d failed_commits=%d", m.name, m.ready, m.done,
				m.counts.Produced, m.counts.Reported, m.counts.Effects, m.counts.FailedCommits)
		}
	}
	return text
}

func (c *conductor) handle(o occurrence) error {
	switch {
	case o.task != nil:
		return o.task()
	case o.event == nil:
		return c.ended(o.member)
	}
	m, e := o.member, o.event
	switch e.Kind {
	case worker.Ready:
		m.ready = true
		c.brief(m)
	case worker.Assigned:
		m.reassign(e.Partitions, e.At)
	case worker.Drained:
		m.counts, m.first = e.Counts, c.firstOf(m, e)
		m.drain(e.Partitions)
		c.observed = c.observed || m.role == worker.ObserverRole
	case worker.Done:
		m.done, m.counts, m.due, m.measured, m.foreign = true, e.Counts, e.Due, e.Measured, e.Foreign
		m.first = c.firstOf(m, e)
		c.warnings = append(c.warnings, e.Warnings...)
	case worker.Struck:
		c.struckItself(m, e)
	case worker.Fenced:
		c.fenced(m, e.Error)
	case worker.Failed:
		m.failure = e.Error
	case worker.Progress:
		m.counts, m.first = e.Counts, max(m.first, e.First)
	}
	c.noticeRecovery()
	return nil
}

// firstOf: a worker that has nothing left to do is back at work all the same.
func (c *conductor) firstOf(m *member, e *worker.Event) int64 {
	switch {
	case e.First != 0:
		return e.First
	case m.first != 0:
		return m.first
	default:
		return c.env.Clock.Now()
	}
}

// at runs a task on the conductor's goroutine at a time on CLOCK_MONOTONIC,
// unless the trial is over by then.
func (c *conductor) at(nanos int64, task func() error) {
	timer := time.AfterFunc(time.Duration(nanos-c.env.Clock.Now()), func() {
		select {
		case c.occurrences <- occurrence{task: task}:
		case <-c.over:
		}
	})
	c.timers = append(c.timers, timer)
}

// aside runs work that may take its time beside the conductor, which is never
// kept waiting. Its error ends the trial; its context ends with the trial.
func (c *conductor) aside(work func(context.Context) error) {
	c.beside.Go(func() {
		if err := work(c.besides); err != nil {
			select {
			case c.occurrences <- occurrence{task: func() error { return err }}:
			case <-c.over:
			}
		}
	})
}

// note has the conductor run a task, and waits until it has; for work aside.
func (c *conductor) note(ctx context.Context, task func() error) error {
	done := make(chan error, 1)
	select {
	case c.occurrences <- occurrence{task: func() error { done <- task(); c.noticeRecovery(); return nil }}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// rest waits for this long; for work aside.
func (c *conductor) rest(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// finish calls off what was put off and what runs aside, and leaves the broker
// as it was found: awake and whole. An interrupted run has no use for it.
func (c *conductor) finish(ctx context.Context) error {
	failed := c.closeWire()
	close(c.over)
	for _, timer := range c.timers {
		timer.Stop()
	}
	c.calledOff()
	c.beside.Wait()
	failed = errors.Join(failed, c.reviveDatabase(ctx))
	if !c.struck() {
		return failed
	}
	for _, n := range c.env.Broker.Nodes() {
		failed = errors.Join(failed, n.Thaw())
	}
	if ctx.Err() != nil {
		return failed
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wakeWithin+wholeWithin, fmt.Errorf("%s passed", wakeWithin+wholeWithin))
	defer cancel()
	return errors.Join(failed, broker.Restore(ctx, c.env.Broker))
}

func (c *conductor) enter(phase string) {
	c.phase = phase
	c.observe()
}

func (c *conductor) observe() {
	if c.env.Observe == nil {
		return
	}
	s := Snapshot{Phase: c.phase, Faults: c.faultStates()}
	for _, m := range c.crew {
		s.Produced += m.counts.Produced
		if m.role == worker.ConsumerRole || m.role == worker.PublisherRole {
			s.Effects += m.counts.Effects
		}
		if d := time.Duration(m.counts.P99Micros * 1000); m.role != worker.ProducerRole || c.observedTopic() == "" && !c.trial.Settings.Pipeline.Consumes() {
			s.P99 = max(s.P99, d)
		}
	}
	c.env.Observe(s)
}
