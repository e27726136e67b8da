package trial

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/fault"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/worker"
)

// activeFault is one fault of the trial and what became of it. Times are on
// CLOCK_MONOTONIC; 0 is never.
type activeFault struct {
	fault.Scheduled
	armed, fired, recovered int64
	// healed is when its cause ended: the thaw, the restart.
	healed   int64
	leaving  bool // the time of a member that joined is over
	struck   *member
	replaced *member

	// Of a fault that strikes a worker (casualty.go): which of its role, what the
	// worker calls the fault, and whether it is started again.
	number   int
	mark     string
	restarts bool
	told     bool // that the worker came back too late

	// Of a fault that strikes brokers (strike.go): who was struck, what was done
	// and came of it, and whether the cluster is whole again.
	nodes                            []int32
	steps                            []step
	ended, elected, acked, processed int64
	seated                           bool // they led something whose election is watched
	over                             bool

	// back is that a fault on the database has ended, noted or not: for when nothing
	// runs aside any more.
	back bool

	disturbance
}

func (c *conductor) scheduleFaults() {
	turn := map[worker.Role]int{}
	for i, s := range fault.Schedule(c.trial.Settings) {
		f := &activeFault{Scheduled: s, mark: fmt.Sprintf("fault-%d", i), disturbance: disturbance{dropped: client.Offsets{}}}
		if f.Worker() != "" {
			f.number = c.inTurn(roleOf(f.Worker()), turn)
		}
		c.faults = append(c.faults, f)
	}
}

// roleOf: the relay of a profile is the consumer of a relay pipeline.
func roleOf(r profile.Role) worker.Role {
	switch r {
	case profile.ProducerRole:
		return worker.ProducerRole
	case profile.PublisherRole:
		return worker.PublisherRole
	}
	return worker.ConsumerRole
}

// armFaults sets the timers. What a worker does to itself is armed in it by the
// same clock.
func (c *conductor) armFaults() {
	for _, f := range c.faults {
		at := c.windowStart + int64(f.ArmAt)
		c.at(at, func() error {
			f.armed = at
			switch {
			case f.Wire():
				return c.disturb(f)
			case f.Broker() != "":
				c.strike(f)
				return nil
			case f.Database():
				c.strikeDatabase(f)
				return nil
			case f.Join != "":
				return c.join(f)
			case f.Placed() == "":
				return c.strikeWorker(f)
			default:
				return nil
			}
		})
	}
}

// join adds a member to the group, and with For takes it away again.
func (c *conductor) join(f *activeFault) error {
	number := c.trial.Settings.Consumer.Count
	for c.latest(worker.ConsumerRole, number) != nil {
		number++
	}
	if err := c.hire(worker.ConsumerRole, number); err != nil {
		return err
	}
	f.struck = c.latest(worker.ConsumerRole, number)
	f.fired = c.env.Clock.Now()
	if f.For > 0 {
		c.at(f.fired+int64(f.For), func() error {
			f.leaving = true
			c.sendAway(f)
			return nil
		})
	}
	return nil
}

// sendAway ends a member whose time is over, once the group has taken it in:
// one that closes while it waits to rejoin never tells the broker (librdkafka
// 2.15), and the whole group then waits for its session to end.
func (c *conductor) sendAway(f *activeFault) {
	m := f.struck
	spare := c.trial.Settings.Consumer.Count >= c.trial.Settings.Topic.Partitions && m.joined
	if !f.leaving || f.healed != 0 || len(m.owns) == 0 && !spare && !m.gone {
		return
	}
	f.healed = c.env.Clock.Now()
	m.done = true // asked to go
	go m.process.End(stallWithin)
}

// noticeRecovery looks for the first progress after each fault's cause ended:
// of the worker that took the place of a killed one, of the newcomer after a join.
func (c *conductor) noticeRecovery() {
	for _, f := range c.faults {
		if f.Join != "" && f.struck != nil {
			c.sendAway(f)
		}
		if f.fired == 0 || f.recovered != 0 {
			continue
		}
		switch {
		case f.replaced != nil:
			f.recovered = c.successorFirst(f.struck)
		case f.Join != "":
			f.recovered = c.joinRecovered(f.struck)
		case f.Broker() != "":
			c.brokerRecovered(f)
		case f.Database():
			f.recovered = c.databaseRecovered(f)
		case f.rule != nil:
			f.recovered = c.wireRecovered(f)
		case f.Worker() != "":
			f.recovered = c.backAtWork(f)
		}
	}
}

// successorFirst is when a later incarnation of a killed worker got something
// done: not always the next one, which may have been killed before it did.
func (c *conductor) successorFirst(struck *member) int64 {
	for _, m := range c.crew {
		if m.role == struck.role && m.number == struck.number && m.incarnation > struck.incarnation && m.first != 0 {
			return m.first
		}
	}
	return 0
}

// joinRecovered is when the group went on with its new member: 0 is not yet.
func (c *conductor) joinRecovered(newcomer *member) int64 {
	switch {
	case c.assigned() < c.trial.Settings.Topic.Partitions:
		return 0
	case newcomer.first == 0 && newcomer.joined && len(newcomer.owns) == 0:
		return c.env.Clock.Now() // more consumers than partitions: it has nothing to do
	case newcomer.first == 0 && newcomer.gone:
		return c.env.Clock.Now() // it left before it had anything to do
	default:
		return newcomer.first
	}
}

// healed reports whether the cause of every fault that fired has ended: what
// is read from the broker next needs it awake, and the group complete.
func (c *conductor) healed() bool {
	for _, f := range c.faults {
		if f.Join != "" && f.For > 0 && f.fired != 0 && f.healed == 0 {
			return false
		}
		if f.rule != nil && f.For > 0 && f.healed == 0 && (f.fired != 0 || f.DelayRequest == "") {
			return false
		}
		if f.Broker() != "" && f.armed != 0 && !f.over {
			return false
		}
		if f.Database() && f.armed != 0 && f.healed == 0 {
			return false
		}
	}
	return !c.missing()
}

// faultTime is how much longer the faults can make the load.
func (c *conductor) faultTime() time.Duration {
	var sum time.Duration
	for _, f := range c.faults {
		sum += time.Duration(f.Restart) + time.Duration(f.For) + time.Duration(f.Messages)*time.Duration(c.trial.Settings.Consumer.RetryBackoff)
		if f.Database() {
			sum += endWithin + wakeWithin
		}
		if f.Broker() != "" {
			sum += aimWithin + endWithin + wakeWithin + wholeWithin
		}
	}
	return sum
}

// faultCount is how many faults have to fire, and how many did. In a storm some
// may come too late for their worker or request; one has to fire.
func (c *conductor) faultCount() (planned, fired int) {
	for _, f := range c.faults {
		if f.fired != 0 {
			fired++
		}
	}
	if c.trial.Settings.StormEvery > 0 {
		return max(fired, 1), fired
	}
	return len(c.faults), fired
}

func (c *conductor) faultStates() []string {
	var states []string
	for _, f := range c.faults {
		state := "planned"
		switch {
		case f.recovered != 0:
			state = "recovered"
		case f.fired != 0:
			state = "fired"
		case f.armed != 0:
			state = "armed"
		}
		states = append(states, f.Name()+": "+state)
	}
	return states
}

func (c *conductor) faultResults() []result.Fault {
	var out []result.Fault
	for _, f := range c.faults {
		r := result.Fault{Name: f.Name(), Armed: c.seconds(f.armed), Fired: c.seconds(f.fired), Recovered: c.seconds(f.recovered)}
		r.Nodes = f.nodes
		slices.SortStableFunc(f.steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
		for _, s := range f.steps {
			r.Steps = append(r.Steps, result.Step{What: s.what, At: *c.seconds(s.at)})
		}
		if p := f.Predicted; p != nil {
			r.Predicted = &result.Predicted{
				Lost: p.Lost, Duplicates: p.Duplicates, DeadLettered: p.DeadLettered,
				RowsWithoutMessage: p.RowsWithoutMessage, MessagesWithoutRow: p.MessagesWithoutRow, Exact: p.Exact, Seen: f.Wire(),
			}
		}
		out = append(out, r)
	}
	return out
}

// seconds is a time from the start of the measured window; nil is never.
func (c *conductor) seconds(nanos int64) *float64 {
	if nanos == 0 {
		return nil
	}
	s := float64(nanos-c.windowStart) / float64(time.Second)
	return &s
}
