package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/worker"
)

// member is one worker process.
type member struct {
	name        string
	role        worker.Role
	number      int
	incarnation int
	process     *process.Process
	fault       *activeFault // the kill it carries, nil for none

	ready      bool
	done       bool // said so, or was asked to go
	gone       bool
	joined     bool // was told its partitions at least once
	partitions []int32
	counts     worker.Counts
	// first is when it got something done for the first time, or found that
	// there was nothing left to do.
	first int64
	due   int64
	// firstMeasured is the first sequence due in the measured window.
	firstMeasured int64
	failure       string
}

// occurrence is something that happened: an event of a worker (or its end,
// with a nil event), or work that was put off.
type occurrence struct {
	member *member
	event  *worker.Event
	task   func() error
}

// hire starts a worker; incarnations count by role and number.
func (c *conductor) hire(role worker.Role, number int) error {
	m := &member{role: role, number: number}
	for _, other := range c.crew {
		if other.role == role && other.number == number {
			m.incarnation = other.incarnation + 1
		}
	}
	m.name = fmt.Sprintf("%s-%d.%d", role, number, m.incarnation)
	m.fault = c.faultFor(m)
	spec := worker.Spec{
		Role: role, Number: number, Incarnation: m.incarnation,
		Settings: c.trial.Settings, Seed: c.trial.Seed, Endpoint: c.env.Broker.Endpoint(), RunTag: c.tag,
		Input: c.input, Output: c.output, Group: c.group,
		Ledger: c.scratch, Latency: filepath.Join(c.scratch, m.name),
		Start: c.start,
	}
	if m.fault != nil {
		spec.Kill = &worker.Kill{Point: m.fault.When, ArmAt: int64(m.fault.ArmAt), Mark: m.name}
	}
	return c.launch(m, spec)
}

func (c *conductor) launch(m *member, spec worker.Spec) error {
	p, err := c.env.Spawner.Start(m.name, worker.Verb, spec, filepath.Join(c.scratch, m.name+".log"))
	if err != nil {
		return err
	}
	m.process = p
	c.crew = append(c.crew, m)
	go func() {
		for line := range p.Lines() {
			var event worker.Event
			if err := json.Unmarshal(line, &event); err != nil {
				event = worker.Event{Kind: worker.Failed, Error: fmt.Sprintf("said %q, which is no event", line)}
			}
			c.occurrences <- occurrence{member: m, event: &event}
		}
		c.occurrences <- occurrence{member: m}
	}()
	return nil
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
				return errors.Join(c.env.Broker.Failed(), err)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			c.observe()
		}
		if err := c.env.Broker.Failed(); err != nil {
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
		sum += m.counts.Produced + m.counts.Reported + m.counts.Effects + m.counts.Commits + int64(len(m.partitions))
	}
	return sum + int64(len(c.crew))<<48
}

// state says where the workers are, for the message of a wait that failed.
func (c *conductor) state() string {
	text := fmt.Sprintf("%d of %d partitions assigned, %d drained", len(c.assigned()), c.trial.Settings.Topic.Partitions, len(c.drained))
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
		return c.brief(m)
	case worker.Assigned:
		c.reassign(m, e.Partitions)
	case worker.Drained:
		m.counts, m.first = e.Counts, c.firstOf(m, e)
		c.drainedBy(m, e.Partitions)
		c.observed = c.observed || m.role == worker.ObserverRole
	case worker.Done:
		m.done, m.counts, m.due, m.firstMeasured = true, e.Counts, e.Due, e.FirstMeasured
		m.first = c.firstOf(m, e)
		c.warnings = append(c.warnings, e.Warnings...)
	case worker.Failed:
		m.failure = e.Error
	case worker.Progress:
		m.counts, m.first = e.Counts, max(m.first, e.First)
	}
	c.noticeRecovery()
	return nil
}

// brief tells a worker that came late what the others were told.
func (c *conductor) brief(m *member) error {
	if m.role == worker.ConsumerRole && c.drainTarget != nil {
		return m.process.Send(worker.Command{Drain: c.drainTarget})
	}
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

// drainedBy counts what a worker drained and still owns.
func (c *conductor) drainedBy(m *member, partitions []int32) {
	for _, p := range partitions {
		if slices.Contains(m.partitions, p) {
			c.drained[p] = true
		}
	}
}

// reassign notes who owns what now. A new owner begins at the committed offset
// and has to drain the partition again.
func (c *conductor) reassign(m *member, partitions []int32) {
	m.joined = true
	for _, p := range partitions {
		delete(c.drained, p)
	}
	for _, other := range c.crew {
		if other == m {
			continue
		}
		other.partitions = without(other.partitions, partitions)
	}
	m.partitions = append(without(m.partitions, partitions), partitions...)
}

func without(list, remove []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(list), func(p int32) bool { return slices.Contains(remove, p) })
}

// assigned is the set of partitions that live workers own.
func (c *conductor) assigned() map[int32]bool {
	set := map[int32]bool{}
	for _, m := range c.crew {
		if m.gone {
			continue
		}
		for _, p := range m.partitions {
			set[p] = true
		}
	}
	return set
}

// settled reports whether the group has all its members: every partition is
// owned, and every consumer for which there is one owns some. The load starts
// then, so that no rebalance falls into it that nobody ordered.
func (c *conductor) settled() bool {
	s := c.trial.Settings
	if s.Pipeline == profile.Produce {
		return true
	}
	owners := 0
	for _, m := range c.crew {
		if !m.gone && len(m.partitions) > 0 {
			owners++
		}
	}
	return len(c.assigned()) == s.Topic.Partitions && owners == min(s.Consumer.Count, s.Topic.Partitions)
}

func (c *conductor) allReady() bool {
	for _, m := range c.crew {
		if !m.ready && !m.gone {
			return false
		}
	}
	return true
}

func (c *conductor) producersDone() bool {
	for n := range c.trial.Settings.Producer.Count {
		if m := c.latest(worker.ProducerRole, n); m == nil || !m.done {
			return false
		}
	}
	return true
}

// latest is the last incarnation of a worker.
func (c *conductor) latest(role worker.Role, number int) *member {
	for i := len(c.crew) - 1; i >= 0; i-- {
		if m := c.crew[i]; m.role == role && m.number == number {
			return m
		}
	}
	return nil
}

// ended is told when a worker's process is gone: by its own end, by a kill
// that was planned, or by what it should not have done.
func (c *conductor) ended(m *member) error {
	m.gone = true
	if m.fault != nil {
		fired, err := c.killed(m)
		if fired || err != nil {
			return err
		}
	}
	// Asked to go, a worker may be interrupted in its start, but it neither
	// fails nor has to be killed.
	if m.done && m.failure == "" && !m.process.Exit().Killed {
		return nil
	}
	return c.explain(m, m.process.Exit().Err)
}

// explain says why a worker failed, and where its log is.
func (c *conductor) explain(m *member, err error) error {
	if m.failure != "" {
		err = errors.New(m.failure)
	}
	if err == nil {
		err = errors.New("it ended before it was done")
	}
	if m.failure == "" {
		if last := m.process.LastWords(); last != "" {
			err = fmt.Errorf("%w: %s", err, last)
		}
	}
	return fmt.Errorf("%s: %w (its log is in the run's folder, logs/%s)", m.name, err, c.trial.ID)
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

// finish calls off what was put off, and leaves no broker frozen.
func (c *conductor) finish() error {
	close(c.over)
	for _, timer := range c.timers {
		timer.Stop()
	}
	return c.thaw()
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
		if m.role == worker.ConsumerRole {
			s.Effects += m.counts.Effects
		}
		if d := time.Duration(m.counts.P99Micros * 1000); m.role != worker.ProducerRole || c.trial.Settings.Pipeline == profile.Produce {
			s.P99 = max(s.P99, d)
		}
	}
	c.env.Observe(s)
}

// dismiss ends what still runs and returns what each worker used.
func (c *conductor) dismiss() []result.Worker {
	for _, m := range c.crew {
		if !m.gone {
			_ = m.process.Signal(syscall.SIGCONT)
			go m.process.End(5 * time.Second)
		}
	}
	c.awaitGone()
	used := make([]result.Worker, 0, len(c.crew))
	for _, m := range c.crew {
		exit := m.process.Exit()
		w := result.Worker{
			Name: m.name, UserSeconds: exit.UserSeconds, SystemSeconds: exit.SystemSeconds,
			MaxResidentBytes: exit.MaxResidentBytes, Exit: "ok",
		}
		switch {
		case exit.Killed:
			w.Exit = "killed"
		case m.failure != "":
			w.Exit = m.failure
		case exit.Err != nil:
			w.Exit = exit.Err.Error()
		}
		used = append(used, w)
	}
	return used
}

// awaitGone reads occurrences until every process has ended; each is killed
// within its patience, so this ends.
func (c *conductor) awaitGone() {
	for _, m := range c.crew {
		for !m.gone {
			o := <-c.occurrences
			if o.member != nil && o.event == nil {
				o.member.gone = true
			}
			if o.member != nil && o.event != nil && o.event.Kind == worker.Failed {
				o.member.failure = o.event.Error
			}
		}
	}
}
