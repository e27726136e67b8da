package trial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"deliverybench/bench/broker"
	"deliverybench/bench/fault"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/worker"
)

// Bounds of what a strike waits for.
const (
	aimWithin  = 15 * time.Second // who has the role
	endWithin  = 60 * time.Second // a broker's end in good order
	wakeWithin = 60 * time.Second // its start, until the process runs
	// wholeWithin is for every replica to be in sync again: a broker's session
	// of 9 s, its start, and what it missed of the log.
	wholeWithin = 2 * time.Minute
	// looksEvery is how often it is asked who leads.
	looksEvery = 20 * time.Millisecond
)

// aim is whom a broker fault strikes.
type aim struct {
	// victims are ended or frozen; followers are those that an isolated leader
	// is cut off from.
	victims, followers []broker.Node
	// seat is what a victim led, nil where none of ours; epoch that leadership's.
	seat  *broker.Seat
	epoch int32
}

// strike carries out one broker fault beside the conductor, who alone notes
// what happened. Its end is when the cluster is whole again.
func (c *conductor) strike(f *activeFault) {
	c.aside(func(ctx context.Context) error {
		view, err := broker.NewView(c.env.Broker.Endpoint())
		if err != nil {
			return err
		}
		defer view.Close()
		if f.Freeze == "" { // one broker at a time is ended and started
			select {
			case c.ending <- struct{}{}:
				defer func() { <-c.ending }()
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		to, err := c.aimAt(ctx, view, f.Fault)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		err = c.note(ctx, func() error {
			f.nodes, f.seated = ids(to.victims, to.followers), to.seat != nil
			return nil
		})
		if err != nil {
			return err
		}
		if f.Freeze == "" && to.seat != nil {
			c.watchElection(f, to)
		}
		if err := c.carryOut(ctx, f, to); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		whole, cancel := context.WithTimeoutCause(ctx, wholeWithin, fmt.Errorf("%s passed", wholeWithin))
		defer cancel()
		if err := view.AwaitWhole(whole, len(c.env.Broker.Nodes())); err != nil {
			return inconclusive{fmt.Errorf("%s: %w", f.Name(), err)}
		}
		now := c.env.Clock.Now()
		return c.note(ctx, func() error {
			f.over = true
			f.noteStep(now, "%s", result.InSyncAgain)
			return nil
		})
	})
}

// carryOut does what the fault says, in its order.
func (c *conductor) carryOut(ctx context.Context, f *activeFault, to aim) error {
	fired := func() error { f.fired = c.env.Clock.Now(); return nil }
	healed := func() error { f.healed = c.env.Clock.Now(); return nil }
	if f.Freeze != "" {
		return errors.Join(c.note(ctx, func() error { return errors.Join(c.freeze(f, to.victims), fired()) }),
			c.rest(ctx, time.Duration(f.For)),
			c.note(ctx, func() error { return errors.Join(healed(), c.thaw(f, to.victims)) }))
	}
	if f.Isolate != "" {
		err := errors.Join(c.note(ctx, func() error { return errors.Join(c.freeze(f, to.followers), fired()) }),
			c.rest(ctx, time.Duration(f.For)))
		if err != nil {
			return err
		}
	} else if err := c.note(ctx, fired); err != nil {
		return err
	}
	if err := c.end(ctx, f, to.victims); err != nil {
		return err
	}
	err := c.note(ctx, func() error {
		f.ended = c.env.Clock.Now()
		if f.Isolate != "" && f.Predicted != nil && *f.Predicted.Lost > 0 {
			f.Predicted = fault.Isolated(c.trial.Settings, time.Duration(f.ended-f.fired))
		}
		return c.thaw(f, to.followers)
	})
	if err != nil {
		return err
	}
	if err := c.rest(ctx, time.Duration(f.Restart)); err != nil {
		return err
	}
	if err := c.wake(ctx, f, to.victims); err != nil {
		return err
	}
	return c.note(ctx, healed)
}

// end kills or stops the victims.
func (c *conductor) end(ctx context.Context, f *activeFault, victims []broker.Node) error {
	for _, n := range victims {
		within, cancel := context.WithTimeoutCause(ctx, endWithin, fmt.Errorf("%s passed", endWithin))
		how, err := "killed", error(nil)
		if f.Stop != "" {
			how, err = "stopped", n.Stop(within)
		} else {
			err = n.Kill(within)
		}
		cancel()
		if err != nil {
			return err
		}
		if err := c.step(ctx, f, "node %d %s", n.ID(), how); err != nil {
			return err
		}
	}
	return nil
}

// wake starts the victims again.
func (c *conductor) wake(ctx context.Context, f *activeFault, victims []broker.Node) error {
	for _, n := range victims {
		within, cancel := context.WithTimeoutCause(ctx, wakeWithin, fmt.Errorf("%s passed", wakeWithin))
		err := n.Start(within)
		cancel()
		if err != nil {
			return err
		}
		if err := c.step(ctx, f, "node %d started again", n.ID()); err != nil {
			return err
		}
	}
	return nil
}

// freeze stops nodes, and thaw continues those that no other fault keeps frozen.
// Both belong to the conductor's goroutine.
func (c *conductor) freeze(f *activeFault, nodes []broker.Node) error {
	for _, n := range nodes {
		if err := n.Freeze(); err != nil {
			return err
		}
		c.frozen[n.ID()]++
		f.noteStep(c.env.Clock.Now(), "node %d frozen", n.ID())
	}
	return nil
}

func (c *conductor) thaw(f *activeFault, nodes []broker.Node) error {
	var failed error
	for _, n := range nodes {
		if c.frozen[n.ID()]--; c.frozen[n.ID()] > 0 {
			continue // until the later one ends
		}
		failed = errors.Join(failed, n.Thaw())
		f.noteStep(c.env.Clock.Now(), "node %d thawed", n.ID())
	}
	return failed
}

// watchElection notes when the seat that the victim held has its next leader.
func (c *conductor) watchElection(f *activeFault, to aim) {
	c.aside(func(ctx context.Context) error {
		view, err := broker.NewView(c.env.Broker.Endpoint()) // the strike's own may be closed before
		if err != nil {
			return err
		}
		defer view.Close()
		for {
			l, err := view.Leadership(ctx, *to.seat)
			if err == nil && l.Leader >= 0 && l.Epoch > to.epoch {
				now := c.env.Clock.Now()
				return c.note(ctx, func() error {
					f.elected = now
					f.noteStep(now, "%s", result.Elected)
					return nil
				})
			}
			if err := c.rest(ctx, looksEvery); err != nil {
				return nil // the trial is over, or the cluster whole without an election
			}
		}
	})
}

// aimAt finds out who has the fault's role now.
func (c *conductor) aimAt(ctx context.Context, view *broker.View, f profile.Fault) (aim, error) {
	if nodes := c.env.Broker.Nodes(); len(nodes) == 1 && f.Freeze != "" {
		return aim{victims: nodes}, nil // it has every role, also those of which it cannot tell
	}
	ctx, cancel := context.WithTimeoutCause(ctx, aimWithin, fmt.Errorf("waited %s for the cluster to say who is the %s", aimWithin, f.Broker()))
	defer cancel()
	seat, err := c.seatOf(ctx, view, f)
	if err != nil {
		return aim{}, err
	}
	l, err := view.Leadership(ctx, seat)
	if err != nil {
		return aim{}, err
	}
	to := aim{seat: &seat, epoch: l.Epoch}
	switch f.Broker() {
	case profile.BrokerRole:
		to.victims = c.env.Broker.Nodes()[:1]
	case profile.FollowerRole:
		to.victims, err = c.nodes(l.Followers()[:min(1, len(l.Followers()))])
	case profile.FollowersRole:
		to.victims, err = c.nodes(l.Followers())
	default:
		to.victims, err = c.nodes([]int32{l.Leader})
	}
	if err == nil && f.Isolate != "" {
		to.followers, err = c.nodes(l.Followers())
	}
	if err == nil && len(to.victims) == 0 {
		err = fmt.Errorf("no broker is the %s", f.Broker())
	}
	leads := slices.ContainsFunc(to.victims, func(n broker.Node) bool { return n.ID() == l.Leader })
	if !leads {
		to.seat = nil
	}
	return to, err
}

// seatOf is what the fault's role leads, or is measured by.
func (c *conductor) seatOf(ctx context.Context, view *broker.View, f profile.Fault) (broker.Seat, error) {
	switch f.Broker() {
	case profile.ControllerRole:
		return broker.ControllerSeat, nil
	case profile.GroupCoordinatorRole:
		return view.GroupSeat(ctx, c.group)
	case profile.TransactionCoordinatorRole:
		role := worker.ProducerRole
		if c.trial.Settings.Consumer.Commit.When == profile.InTransaction {
			role = worker.ConsumerRole
		}
		return view.TransactionSeat(ctx, worker.TransactionalID(c.group, role, 0))
	default:
		return broker.Seat{Topic: c.input, Partition: int32(f.Partition)}, nil
	}
}

func (c *conductor) nodes(wanted []int32) ([]broker.Node, error) {
	var found []broker.Node
	for _, id := range wanted {
		at := slices.IndexFunc(c.env.Broker.Nodes(), func(n broker.Node) bool { return n.ID() == id })
		if at < 0 {
			return nil, fmt.Errorf("node %d is none of the broker's own", id)
		}
		found = append(found, c.env.Broker.Nodes()[at])
	}
	return found, nil
}

func ids(groups ...[]broker.Node) []int32 {
	var out []int32
	for _, group := range groups {
		for _, n := range group {
			out = append(out, n.ID())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// noteStep adds to what is told of the fault.
func (f *activeFault) noteStep(at int64, format string, args ...any) {
	f.steps = append(f.steps, step{what: fmt.Sprintf(format, args...), at: at})
}

type step struct {
	what string
	at   int64
}

// step notes what was just done, from beside the conductor.
func (c *conductor) step(ctx context.Context, f *activeFault, format string, args ...any) error {
	now := c.env.Clock.Now()
	return c.note(ctx, func() error { f.noteStep(now, format, args...); return nil })
}

// brokerRecovered notes the first acknowledgement and the first effect after a
// broker fault, and when everything that was watched for has come.
func (c *conductor) brokerRecovered(f *activeFault) {
	since := max(f.ended, f.elected)
	switch {
	case f.Freeze != "":
		since = f.healed
	case f.Stop != "" && f.elected != 0:
		since = f.elected // the leader goes before its process does
	case f.seated && f.elected == 0 && !f.over:
		return // nobody leads yet
	}
	if since == 0 {
		return
	}
	f.acked = c.firstAfter(f, since, f.acked, result.AckedAgain, func(m *member) bool { return m.role == worker.ProducerRole })
	f.recovered = f.acked
	if c.trial.Settings.Pipeline.Consumes() {
		f.processed = c.firstAfter(f, since, f.processed, result.ProcessedAgain, func(m *member) bool { return m.role == worker.ConsumerRole })
		f.recovered = max(f.acked, f.processed)
		if min(f.acked, f.processed) == 0 {
			f.recovered = 0
		}
	}
}

// firstAfter returns known, or when the first of some members got something
// done after a moment; to the nearest progress report.
func (c *conductor) firstAfter(f *activeFault, since, known int64, what string, of func(*member) bool) int64 {
	if known != 0 {
		return known
	}
	for _, m := range c.crew {
		if last := m.counts.Last; of(m) && last > since && (known == 0 || last < known) {
			known = last
		}
	}
	if known != 0 {
		f.noteStep(known, "%s", what)
	}
	return known
}

// struck reports whether a broker fault has begun and the cluster is not whole
// again.
func (c *conductor) struck() bool {
	return slices.ContainsFunc(c.faults, func(f *activeFault) bool { return f.nodes != nil && !f.over })
}

// wrecked reports whether the trial leaves the cluster in pieces.
func (c *conductor) wrecked() bool {
	return c.struck() && slices.ContainsFunc(c.env.Broker.Nodes(), func(n broker.Node) bool { return !n.Running() })
}
