package trial

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"deliverybench/bench/process"
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
	// struckBy is the fault that ended or stopped it last, frozen how many keep it
	// stopped, fenced how it learnt that the cluster went on without it.
	struckBy *activeFault
	frozen   int
	fenced   string

	ready  bool
	done   bool // said so, or was asked to go
	gone   bool
	joined bool // was told its partitions at least once
	owns   map[int32]ownership
	counts worker.Counts
	// first is when it got something done for the first time, or found that
	// there was nothing left to do.
	first    int64
	due      int64
	measured worker.Sequences
	foreign  int64
	failure  string
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
	spec := c.spec(m)
	spec.Start = c.start
	spec.Strikes = c.placedOn(m)
	return c.launch(m, spec)
}

// spec is what every worker is told.
func (c *conductor) spec(m *member) worker.Spec {
	return worker.Spec{
		Role: m.role, Number: m.number, Incarnation: m.incarnation,
		Settings: c.trial.Settings, Seed: c.trial.Seed, Endpoint: c.endpointOf(m.role), Client: c.clientOf(m), RunTag: c.tag,
		Input: c.input, Output: c.output, DeadLetters: c.deadLetters, Sink: c.sink, InputBegin: c.begin.input, OutputBegin: c.begin.output, Group: c.group,
		Ledger: c.scratch, Latency: filepath.Join(c.scratch, m.name),
	}
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
	if f, err := c.fellTo(m); f != nil || err != nil {
		if f != nil {
			c.restart(f)
		}
		return err
	}
	if c.fencedInStorm(m) {
		return nil
	}
	// Asked to go, a worker may be interrupted in its start, but it neither
	// fails nor has to be killed: unless it is hung, which was noticed before.
	if m.done && m.failure == "" && (!m.process.Exit().Killed || c.undrained) {
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
			MaxResidentBytes: exit.MaxResidentBytes, Fenced: m.fenced, PolledAgain: m.counts.PolledAgain, Exit: "ok",
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
