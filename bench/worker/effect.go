package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/ledger"
	"deliverybench/bench/message"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// effect is what processing a message means: in a consume pipeline the mark in
// the ledger is the effect; in a relay the mark is the execution, and the
// message sent on is the effect.
type effect struct {
	env    *environment
	counts *counters
	layout ledger.Layout
	marks  *ledger.Effects
	// store is where effects become rows, nil without a database.
	store   *store
	strikes *strikes
	// sendsOn says that every message processed is sent on: the worker is a relay.
	sendsOn bool
	// output is the producer of a relay, or of dead letters; nil where nothing is sent.
	output *client.Producer
	// socketTimeout is when the library gives up on a request of the output and
	// may send another.
	socketTimeout time.Duration
	// undelivered counts the outputs without an acknowledgement, of this output.
	undelivered *atomic.Int64
	latencies   *latencies
	commits     *latencies
	// outstanding are the intended times of the open transaction's messages.
	outstanding []int64
	// together is how many messages share a reading of the clock, done are the
	// headers of those that were processed since the last one.
	together int
	done     [sharedReadings]message.Header
}

func newEffect(ctx context.Context, env *environment, counts *counters, strikes *strikes) (*effect, error) {
	layout, err := ledger.ReadLayout(env.spec.Ledger)
	if err != nil {
		return nil, err
	}
	marks, err := ledger.OpenEffects(env.spec.Ledger, env.spec.Number, env.spec.Incarnation)
	if err != nil {
		return nil, err
	}
	e := &effect{env: env, counts: counts, layout: layout, marks: marks, strikes: strikes, together: sharedReadings}
	s := env.spec.Settings
	if s.Consumer.ProcessingTime > 0 || s.Load.Message.Size > sharedBytes || strikes.fail() {
		e.together = 1
	}
	e.sendsOn = s.Pipeline == profile.RelayTo
	if e.store, err = openStore(ctx, env, strikes); err != nil {
		return nil, err
	}
	if e.sendsOn || env.spec.DeadLetters != "" {
		err = e.openOutput(ctx)
	}
	return e, err
}

// openOutput makes the producer of what is sent.
func (e *effect) openOutput(ctx context.Context) error {
	s := e.env.spec.Settings
	id := ""
	if s.Consumer.Commit.When == profile.InTransaction {
		id = TransactionalID(e.env.spec.Group, ConsumerRole, e.env.spec.Number)
	}
	properties := client.ProducerProperties(e.env.spec.Endpoint, s.Producer, id,
		time.Duration(s.Relay.TransactionTimeout), s.Relay.Librdkafka)
	e.socketTimeout = properties.SocketTimeout()
	output, err := client.NewProducer(e.env.named(properties, relayClient), cmp.Or(e.env.spec.Output, e.env.spec.DeadLetters))
	if err != nil {
		return err
	}
	undelivered := new(atomic.Int64)
	e.output, e.undelivered = output, undelivered
	go output.Reports(
		func(r *client.Report) {
			if r.Outcome == client.Acked {
				return
			}
			if client.Refused(r.Err) {
				e.env.heard(r.Err)
			}
			undelivered.Add(1)
		},
		e.env.heard)
	if id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.Relay.TransactionTimeout))
	defer cancel()
	return output.InitTransactions(ctx)
}

// begin opens the latency logs, whose grid starts with the measured window.
func (e *effect) begin(windowStart int64) error {
	var err error
	if e.latencies, err = e.env.openLatencies("effect", windowStart); err != nil {
		return err
	}
	e.commits, err = e.env.openLatencies("commit", windowStart)
	return err
}

// doAll processes messages in their order. Where it fails, all of them are polled
// again, so that none may reach the database with the batch after them.
func (e *effect) doAll(b batch) (err error) {
	defer func() {
		if err != nil {
			e.store.drop()
		}
	}()
	for chunk := range slices.Chunk(b, e.together) {
		done := e.done[:0]
		for i := range chunk {
			h, ok, err := e.do(&chunk[i])
			if err != nil {
				return err
			}
			if ok {
				done = append(done, h)
			}
		}
		e.measure(done)
	}
	return nil
}

// do processes one message and reports whether it had an effect: a message
// that is not this trial's, or damaged, has none; the auditor counts it.
func (e *effect) do(r *record) (message.Header, bool, error) {
	h, err := message.Decode(r.value)
	if err != nil || h.Tag != e.env.spec.RunTag {
		return h, false, nil
	}
	index, ok := e.layout.Index(int(h.Producer), int64(h.Sequence))
	if !ok {
		return h, false, nil
	}
	e.work()
	if e.strikes.fails(index) {
		if again, err := e.afterFailure(r); !again || err != nil {
			return h, false, err
		}
	}
	e.marks.Mark(index)
	e.store.add(&h, r)
	if e.sendsOn {
		message.Readdress(r.value, uint32(e.env.spec.Incarnation), h.Sent)
		if err := e.send(&e.env.spec.Output, r); err != nil {
			return h, false, err
		}
	}
	return h, true, nil
}

// afterFailure does what consumer.on_error says with a message whose processing
// failed, and reports whether it was processed again.
func (e *effect) afterFailure(r *record) (again bool, err error) {
	switch s := &e.env.spec.Settings.Consumer; s.OnError {
	case profile.RetryMessage:
		time.Sleep(time.Duration(s.RetryBackoff))
		e.work()
		return true, nil
	case profile.DeadLetter:
		return false, e.send(&e.env.spec.DeadLetters, r)
	}
	return false, nil
}

// work simulates processing.
func (e *effect) work() {
	e.env.clock.Sleep(time.Duration(e.env.spec.Settings.Consumer.ProcessingTime))
}

// measure counts effects just had, by one reading of the clock: it is after all
// of them, so that no latency is too low.
func (e *effect) measure(done []message.Header) {
	if len(done) == 0 {
		return
	}
	now := e.env.clock.Now()
	e.count(int64(len(done)), now)
	if !e.sendsOn {
		for i := range done {
			e.latencies.endToEnd(now, &done[i])
		}
	}
	if e.env.spec.Settings.Consumer.Commit.When == profile.InTransaction {
		for i := range done {
			e.outstanding = append(e.outstanding, done[i].Intended)
		}
	}
}

func (e *effect) count(n, now int64) {
	first := e.counts.effects.Add(n) == n
	e.counts.last.Store(now)
	if first {
		e.counts.first.Store(now)
		e.env.events.send(e.counts.event(e.latencies)) // it may be killed before the next report
	}
}

// send waits while the client's queue is full.
func (e *effect) send(topic *string, r *record) error {
	for {
		err := e.output.ProduceTo(topic, r.key, r.value)
		if !errors.Is(err, client.ErrQueueFull) {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// outputWithin bounds every wait for the relay's outputs.
func (e *effect) outputWithin() time.Duration { return OutputWithin(e.env.spec.Settings) }

// OutputWithin bounds every wait of a relay for its outputs.
func OutputWithin(s profile.Settings) time.Duration {
	if s.Consumer.Commit.When == profile.InTransaction {
		return time.Duration(s.Relay.TransactionTimeout) + 5*time.Second
	}
	return time.Duration(s.Producer.MessageTimeout) + 5*time.Second
}

func (e *effect) bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), e.outputWithin())
}

// await waits until every output has its report, and returns how many were
// not delivered since the last call.
func (e *effect) await() (undelivered int64, err error) {
	if e.output == nil {
		return 0, nil
	}
	if left := e.output.Flush(e.outputWithin()); left > 0 {
		return 0, fmt.Errorf("waited %s for the reports of %d relayed messages", e.outputWithin(), left)
	}
	return e.undelivered.Swap(0), nil
}

// committed records that the open transaction's outputs are visible.
func (e *effect) committed(begun int64) {
	now := e.env.clock.Now()
	e.commits.record(result.CommitLatency, now, now-begun)
	for _, intended := range e.outstanding {
		if e.latencies.measures(intended) {
			e.latencies.record(result.TransactionVisible, now, now-intended)
		}
	}
	e.outstanding = e.outstanding[:0]
}

// abort ends the open transaction; its outputs stay invisible.
func (e *effect) abort() error {
	e.outstanding = e.outstanding[:0]
	ctx, cancel := e.bounded()
	defer cancel()
	return e.output.AbortTransaction(ctx)
}

// renew puts a new producer in the output's place.
func (e *effect) renew() error {
	e.outstanding = e.outstanding[:0]
	e.output.Close()
	return e.openOutput(context.Background())
}

func (e *effect) close() error {
	var err error
	if e.output != nil {
		_, err = e.await()
		e.output.Close()
	}
	return errors.Join(err, e.store.close(), e.latencies.close(), e.commits.close(), e.marks.Close())
}
