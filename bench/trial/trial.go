package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/pace"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/sink"
	"deliverybench/bench/worker"
)

// Environment is what trials of one run share.
type Environment struct {
	Spawner *process.Spawner
	Broker  broker.Broker
	Clock   pace.Clock
	// RunID tags the names of topics and groups.
	RunID string
	// Scratch are the folders in which the ledger may lie, the preferred first.
	Scratch []string
	// KeepLogs is where the workers' logs go when a trial fails.
	KeepLogs string
	// Database is the PostgreSQL for effects outside Kafka, nil where no trial needs one.
	Database *Database
	// DrainWithin bounds the draining of the consumers, and of an outbox; 0 is 10 minutes.
	DrainWithin time.Duration
	// AnswerWithin bounds the wait for an answer of the broker's; 0 is 20 seconds.
	AnswerWithin time.Duration
	// Observe is told how the trial goes, several times a second.
	Observe func(Snapshot)
}

// Snapshot is a trial in progress.
type Snapshot struct {
	Phase    string
	Produced int64
	Effects  int64
	P99      time.Duration // of the last finished interval; 0 is unknown
	Faults   []string      // "kill consumer at mid-batch: fired"
}

// Outcome is a trial's result and the interval logs it left.
type Outcome struct {
	Result  result.Trial
	Latency *latency.Log // nil when nothing was measured
}

// Bounds of the waits. Each is far over what the step takes on a busy machine.
const (
	answerWithin = 20 * time.Second
	readyWithin  = 30 * time.Second
	drainWithin  = 10 * time.Minute
	auditWithin  = 10 * time.Minute
	stallWithin  = 25 * time.Second
	// startsIn lets every worker receive the start before the load begins.
	startsIn = 100 * time.Millisecond
	// restsFor is how long a log's end stands still before it is believed.
	restsFor = 200 * time.Millisecond
)

// Run runs one trial. It always returns a result: what cannot be judged says
// why. Nothing of the trial is left behind but what is returned, and the
// workers' logs when it failed.
func Run(ctx context.Context, env Environment, t profile.Trial) Outcome {
	started := time.Now()
	out := Outcome{Result: result.Trial{ID: t.ID, Scenario: t.Scenario, Repeat: t.Repeat, Started: started.UTC(), Promise: result.PromiseInconclusive}}
	err := conduct(ctx, env, t, &out)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		out.Result.Status, out.Result.Reason = result.Stopped, "interrupted"
	default:
		out.Result.Status, out.Result.Reason = result.Failed, env.hide(err.Error())
		var unsure inconclusive
		if errors.As(err, &unsure) {
			out.Result.Status = result.Inconclusive
		}
	}
	out.Result.TookSecond = time.Since(started).Seconds()
	return out
}

// inconclusive is a named reason for which a trial cannot be judged, though
// nothing is wrong with the program.
type inconclusive struct{ error }

func conduct(ctx context.Context, env Environment, t profile.Trial, out *Outcome) error {
	c, cleanup, err := newConductor(env, t)
	if err != nil {
		return err
	}
	err = errors.Join(c.run(ctx, out), c.finish(ctx))
	out.Result.Warnings = c.warnings // also of what only the end told
	out.Result.Faults = c.faultResults()
	out.Result.Workers = c.dismiss()
	if err != nil {
		c.keepLogs()
	}
	return errors.Join(err, cleanup())
}

// conductor is one trial under way.
type conductor struct {
	env   Environment
	trial profile.Trial
	admin *client.Admin
	// scratch holds the ledger, latency and log files of this trial.
	scratch string
	layout  ledger.Layout

	input, output, deadLetters, group string
	tag                               uint64
	// begin is where the trial begins in topics that had records before, nil in others.
	begin struct{ input, output client.Offsets }

	occurrences chan occurrence
	over        chan struct{} // closed when nobody reads occurrences from timers any more
	timers      []*time.Timer
	crew        []*member
	faults      []*activeFault
	phase       string

	start, windowStart, windowEnd int64 // on CLOCK_MONOTONIC
	window                        resources
	drainTarget                   client.Offsets
	finishing                     bool // the publisher is to publish what is left, and end
	observed, undrained           bool
	unpublished                   bool // the publisher did not come to the end of its outbox
	warnings                      []string

	// beside is what runs aside from the conductor's goroutine, until calledOff;
	// ending holds one token while a broker is ended and started.
	beside    sync.WaitGroup
	besides   context.Context
	calledOff context.CancelFunc
	ending    chan struct{}
	frozen    map[int32]int // how many faults keep a node frozen

	wire wired

	// sink is the database of the trial, nil for none, books what it says in the
	// end; databaseDown is that a fault ended its server, which is not back.
	sink            *sink.Target
	books           sink.Books
	removeDatabase  func() error
	releaseDatabase func() // nil where nobody else could take the tables for left
	databaseDown    bool
}

func newConductor(env Environment, t profile.Trial) (*conductor, func() error, error) {
	s := t.Settings
	layout := ledger.Layout{
		Producers: s.Producer.Count,
		Capacity:  capacity(s),
		Relay:     s.Pipeline == profile.RelayTo,
		Rows:      s.Sink.Enabled(),
	}
	scratch, err := newScratch(env.Scratch, layout, expectedMessages(s), incarnations(s))
	if err != nil {
		return nil, nil, err
	}
	c := &conductor{
		env: env, trial: t, scratch: scratch.dir, layout: layout,
		occurrences: make(chan occurrence, 256),
		over:        make(chan struct{}),
		ending:      make(chan struct{}, 1),
		frozen:      map[int32]int{},
		warnings:    s.Warnings(profile.Duration(env.Broker.Endpoint().Properties.SocketTimeout())),
	}
	c.besides, c.calledOff = context.WithCancel(context.Background())
	c.name()
	if c.admin, err = client.NewAdmin(env.Broker.Endpoint()); err != nil {
		return nil, nil, errors.Join(err, scratch.remove())
	}
	if err := ledger.Create(scratch.dir, layout); err != nil {
		return nil, nil, errors.Join(err, scratch.remove())
	}
	c.scheduleFaults()
	cleanup := func() error {
		defer c.admin.Close()
		return errors.Join(c.deleteTopics(), c.dropDatabase(), scratch.remove())
	}
	return c, cleanup, nil
}

// run takes the steps of a trial.
func (c *conductor) run(ctx context.Context, out *Outcome) error {
	if err := c.prepareTopics(ctx); err != nil {
		return err
	}
	if err := c.createDatabase(ctx); err != nil {
		return err
	}
	if err := c.openWire(); err != nil {
		return err
	}
	if err := c.assemble(ctx); err != nil {
		return err
	}
	if err := c.load(ctx); err != nil {
		return err
	}
	var unsure inconclusive
	undrained := c.drain(ctx)
	if undrained != nil && !errors.As(undrained, &unsure) {
		return c.partly(out, undrained)
	}
	c.undrained = undrained != nil
	if err := c.disband(ctx); err != nil {
		return c.partly(out, cmp.Or(undrained, err))
	}
	if err := c.audit(ctx); err != nil {
		return c.partly(out, cmp.Or(undrained, err))
	}
	if err := c.auditDatabase(ctx); err != nil {
		return c.partly(out, cmp.Or(undrained, err))
	}
	// What did not come to its end may still have broken its promise.
	return cmp.Or(undrained, c.settle(out, undrained == nil))
}

// partly keeps the measurements of a trial that has no verdict.
func (c *conductor) partly(out *Outcome, err error) error {
	return errors.Join(err, c.measure(out))
}

// assemble starts the consuming side first, so that no message waits for an
// assignment, and then the producers.
func (c *conductor) assemble(ctx context.Context) error {
	c.enter("starting workers")
	s := c.trial.Settings
	if c.observedTopic() != "" {
		if err := c.hire(worker.ObserverRole, 0); err != nil {
			return err
		}
	}
	if s.Pipeline.Consumes() && s.Consumer.JoinAfter == 0 {
		if err := c.hireConsumers(); err != nil {
			return err
		}
	}
	if s.Publishes() {
		if err := c.hire(worker.PublisherRole, 0); err != nil {
			return err
		}
	}
	for n := range s.Producer.Count {
		if err := c.hire(worker.ProducerRole, n); err != nil {
			return err
		}
	}
	return c.until(ctx, "every worker to be ready and every consumer to have its partitions", bounded(readyWithin), func() bool {
		return c.allReady() && (s.Consumer.JoinAfter > 0 || c.settled())
	})
}

func (c *conductor) hireConsumers() error {
	for n := range c.trial.Settings.Consumer.Count {
		if err := c.hire(worker.ConsumerRole, n); err != nil {
			return err
		}
	}
	return nil
}

// load starts the load and waits until every producer has sent its part.
func (c *conductor) load(ctx context.Context) error {
	s, p := c.trial.Settings.Load, c.trial.Settings.Producer
	c.enter("load")
	c.start = c.env.Clock.Now() + int64(startsIn)
	c.windowStart = c.start + int64(s.Warmup)
	c.windowEnd = c.windowStart + int64(s.Duration)
	c.at(c.windowStart, func() error { c.window.begin(c.env.Broker); return nil })
	c.at(c.windowEnd, func() error { c.window.end(c.env.Broker); return nil })
	c.armFaults()
	if late := c.trial.Settings.Consumer.JoinAfter; late > 0 && c.trial.Settings.Pipeline.Consumes() {
		c.at(c.start+int64(late), c.hireConsumers)
	}
	for _, m := range c.crew {
		if err := m.process.Send(worker.Command{Start: c.start}); err != nil {
			return c.explain(m, err)
		}
	}
	bound := startsIn + time.Duration(s.Length()) + c.faultTime() + time.Duration(1+p.Resends)*time.Duration(p.MessageTimeout) + 30*time.Second
	err := c.until(ctx, "every producer to send its load and every fault to heal", bounded(bound), func() bool {
		return c.producersDone() && c.window.ended && c.healed()
	})
	c.calmAll()
	return err
}

// settle judges the ledger.
func (c *conductor) settle(out *Outcome, drained bool) error {
	c.enter("settling")
	verdict, err := ledger.Settle(c.scratch, c.settlement(drained))
	if err != nil {
		return errors.Join(err, c.measure(out))
	}
	if out.Result.Database, err = c.settleDatabase(c.settlement(drained)); err != nil {
		return errors.Join(err, c.measure(out))
	}
	if err := identity(out.Result.Database, &verdict); err != nil {
		return errors.Join(err, c.measure(out))
	}
	out.Result.Verdict = &verdict
	judged := verdict
	judged.Foreign -= c.othersRecords()
	if err := c.measure(out); err != nil {
		return err
	}
	out.Result.Status = result.Completed
	planned, fired := c.faultCount()
	promise, reason := judged.Judge(c.trial.Settings.Guarantee, drained, planned, fired)
	if why := disagreement(out.Result.Database, c.trial.Settings.Guarantee); why != "" {
		promise, reason = ledger.Violated, why
	}
	untold := c.untold(out.Result.Database)
	if untold != nil && promise == ledger.Held {
		promise = ledger.Inconclusive
	}
	out.Result.Promise = result.Promise(promise)
	switch {
	case untold != nil:
		return untold
	case promise == ledger.Inconclusive:
		return inconclusive{errors.New(reason)}
	}
	return doubt(verdict, planned, fired)
}

// doubt says why the numbers cannot carry a claim, whatever was promised.
func doubt(v ledger.Verdict, planned, fired int) error {
	switch {
	case fired < planned:
		return inconclusive{fmt.Errorf("%d of %d faults never fired: lengthen load.duration or choose a point that the workers reach", planned-fired, planned)}
	case v.Undrained > 0:
		return inconclusive{fmt.Errorf("%d messages were not drained: they may be lost or not", v.Undrained)}
	}
	return nil
}

// keepLogs copies the workers' logs to where a person finds them.
func (c *conductor) keepLogs() {
	target := filepath.Join(c.env.KeepLogs, c.trial.ID)
	logs, _ := filepath.Glob(filepath.Join(c.scratch, "*.log"))
	for _, path := range logs {
		data, err := os.ReadFile(path)
		if err != nil || len(data) == 0 {
			continue
		}
		if err := os.MkdirAll(target, 0o755); err != nil {
			return
		}
		text := c.env.hide(string(data)) // the client library's own lines too
		_ = os.WriteFile(filepath.Join(target, filepath.Base(path)), []byte(text), 0o644)
	}
}
