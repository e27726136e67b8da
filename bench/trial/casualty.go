package trial

import (
	"cmp"
	"fmt"
	"syscall"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/worker"
)

// inTurn is the number of the worker that the next fault of a role strikes:
// they go to its workers in turn.
func (c *conductor) inTurn(role worker.Role, turn map[worker.Role]int) int {
	workers := c.trial.Settings.Consumer.Count
	switch role {
	case worker.ProducerRole:
		workers = c.trial.Settings.Producer.Count
	case worker.PublisherRole:
		workers = 1
	}
	number := turn[role] % workers
	turn[role]++
	return number
}

// strikes reports whether a fault is about this worker, in whatever incarnation.
func (f *activeFault) strikes(m *member) bool {
	return f.Worker() != "" && roleOf(f.Worker()) == m.role && f.number == m.number
}

// placedOn are the faults that a new worker carries out on itself: what has not
// struck its predecessor.
func (c *conductor) placedOn(m *member) []worker.Strike {
	var carried []worker.Strike
	for _, f := range c.faults {
		if f.Placed() != "" && f.strikes(m) && f.fired == 0 {
			carried = append(carried, worker.Strike{Fault: f.Fault, ArmAt: int64(f.ArmAt), Mark: f.mark})
		}
	}
	return carried
}

// strikeWorker carries out a fault that strikes a worker wherever it is: SIGKILL,
// SIGSTOP, or the end of its input. One that is not there yet is waited for.
func (c *conductor) strikeWorker(f *activeFault) error {
	m, now := c.latest(roleOf(f.Worker()), f.number), c.env.Clock.Now()
	deaf := f.Stop != "" && m != nil && m.frozen > 0
	if m == nil || !m.ready || m.gone || m.done || m.ending() || deaf {
		c.at(now+int64(looksEvery), func() error { return c.strikeWorker(f) })
		return nil
	}
	if f.Freeze != "" {
		err := m.process.Signal(syscall.SIGSTOP)
		c.froze(f, m, now)
		return err
	}
	f.fired, f.struck, f.restarts, m.struckBy = now, m, true, f
	if f.Stop != "" {
		m.done = true // asked to go
		go m.process.End(stallWithin)
		return nil
	}
	return m.process.Signal(syscall.SIGKILL)
}

// ending reports whether a kill is on its way to the worker: what strikes it then
// waits for its successor.
func (m *member) ending() bool { return m.struckBy != nil && m.struckBy.Kill != "" }

// watchFreezes looks for workers that stopped themselves: they say nothing more.
func (c *conductor) watchFreezes() error {
	for _, f := range c.faults {
		if f.Freeze == "" || f.Placed() == "" || f.armed == 0 || f.fired != 0 {
			continue
		}
		nanos, fired, err := ledger.ReadMark(c.scratch, f.mark)
		if err != nil {
			return err
		}
		if fired {
			c.froze(f, c.latest(roleOf(f.Freeze), f.number), nanos)
		}
	}
	return nil
}

// froze notes a freeze and has it end when its time is over.
func (c *conductor) froze(f *activeFault, m *member, at int64) {
	f.fired, f.struck, m.struckBy = at, m, f
	m.frozen++
	f.noteStep(at, "%s frozen", m.name)
	c.at(at+int64(f.For), func() error {
		if m.frozen--; m.frozen == 0 {
			_ = m.process.Signal(syscall.SIGCONT) // it may have been killed meanwhile
		}
		f.healed = c.env.Clock.Now()
		f.noteStep(f.healed, "%s thawed", m.name)
		return nil
	})
}

// struckItself notes that the last of a fault's messages failed.
func (c *conductor) struckItself(m *member, e *worker.Event) {
	for _, f := range c.faults {
		if f.mark == e.Mark {
			f.fired, f.healed, f.struck, m.struckBy = e.First, e.Last, m, f
			f.noteStep(e.First, "first message failed")
			f.noteStep(e.Last, "last message failed")
		}
	}
}

// fenced notes in what words a worker learnt that the cluster went on without it.
// Of a zombie, and of one that retries for too long, that is told: it was to be
// expected.
func (c *conductor) fenced(m *member, words string) {
	m.fenced = cmp.Or(m.fenced, words)
	f := m.struckBy
	if f == nil || f.healed == 0 || f.told {
		return
	}
	f.told = true
	what := "zombie fenced"
	if f.Fail != "" {
		what = "thrown out of the group"
	}
	f.noteStep(c.env.Clock.Now(), "%s: %s", what, words)
}

// fellTo is the fault that ended a worker: one that it carried, of which its mark
// tells, one that the trial carried out on it, or one from which it came back too
// late. nil is none.
func (c *conductor) fellTo(m *member) (*activeFault, error) {
	for _, f := range c.faults {
		if f.Kill == "" || f.Placed() == "" || !f.strikes(m) || f.fired != 0 {
			continue
		}
		nanos, fired, err := ledger.ReadMark(c.scratch, f.mark)
		if err != nil {
			return nil, err
		}
		if fired {
			f.fired, f.struck = nanos, m
			c.tooLate(m)
			return f, nil
		}
	}
	f := m.struckBy
	switch {
	case f == nil:
	case f.Kill != "":
		return f, nil
	case f.Stop != "" && m.failure == "" && !m.process.Exit().Killed:
		return f, nil
	case (f.Freeze != "" || f.Fail != "") && f.healed != 0 && m.fenced != "" && m.failure != "":
		return f, nil
	}
	return nil, nil
}

// tooLate has a kill that came upon a worker which was ending by itself strike its
// successor.
func (c *conductor) tooLate(m *member) {
	f := m.struckBy
	if f == nil || f.Kill == "" {
		return
	}
	f.fired, f.struck, f.restarts, m.struckBy = 0, nil, false, nil
	c.at(c.env.Clock.Now(), func() error { return c.strikeWorker(f) })
}

// restart has the worker that a fault ended started again after the fault's delay.
func (c *conductor) restart(f *activeFault) {
	f.restarts = true
	c.at(c.env.Clock.Now()+int64(f.Restart), func() error {
		if f.healed == 0 {
			f.healed = c.env.Clock.Now()
		}
		if err := c.hire(f.struck.role, f.struck.number); err != nil {
			return err
		}
		f.replaced = c.latest(f.struck.role, f.struck.number)
		return nil
	})
}

// missing reports whether a worker that was struck is not back yet.
func (c *conductor) missing() bool {
	for _, f := range c.faults {
		switch {
		case f.restarts && (f.replaced == nil || !f.replaced.ready):
			return true
		case f.Worker() != "" && f.Freeze != "" && f.fired != 0 && f.healed == 0:
			return true
		}
	}
	return false
}

// longestPause is how long a worker may get nothing done because of a fault.
func (c *conductor) longestPause() time.Duration {
	s := c.trial.Settings.Consumer
	var sum time.Duration
	for _, f := range c.faults {
		switch {
		case f.Worker() != "" && f.Freeze != "":
			sum += time.Duration(f.For)
		case f.Database():
			sum += time.Duration(f.For+f.Restart) + wakeWithin
		case f.Fail != "" && s.OnError == profile.RetryMessage:
			sum += time.Duration(s.RetryBackoff)
		}
	}
	return sum
}

// backAtWork is when a worker that was frozen, or whose messages failed, or its
// successor got something done after that, to the nearest progress report, or
// found nothing left to do: 0 is not yet.
func (c *conductor) backAtWork(f *activeFault) int64 {
	if f.healed == 0 {
		return 0
	}
	for _, m := range c.crew {
		if !f.strikes(m) || m.incarnation < f.struck.incarnation {
			continue
		}
		switch {
		case m.counts.Last > f.healed:
			return m.counts.Last
		case m.done:
			return c.env.Clock.Now()
		}
	}
	return 0
}

// fencedInStorm has a relay started again that was fenced, as whoever runs an
// application would: in a storm no single fault can be told to have done it, and
// librdkafka says the same of a coordinator that it cannot reach.
func (c *conductor) fencedInStorm(m *member) bool {
	if c.trial.Settings.StormEvery == 0 || m.role != worker.ConsumerRole || m.fenced == "" || m.failure == "" || m.done {
		return false
	}
	c.warnings = append(c.warnings, fmt.Sprintf("%s was fenced and started again: %s", m.name, m.failure))
	c.at(c.env.Clock.Now()+int64(fencedRestart), func() error { return c.hire(m.role, m.number) })
	return true
}

// fencedRestart is how soon an application that was fenced is started again.
const fencedRestart = 200 * time.Millisecond
