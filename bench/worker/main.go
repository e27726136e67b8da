package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/pace"
)

// environment is what every role works with.
type environment struct {
	spec     Spec
	clock    pace.Clock
	events   *events
	commands <-chan Command
	// log is the worker's own log: its standard error.
	log io.Writer
	end context.CancelCauseFunc
	// refusal is noted once: each message may be refused by itself.
	refusal sync.Once
}

// heard notes an error of a client, and ends the worker when it is the cluster's
// refusal: trying on is of no use.
func (env *environment) heard(err error) {
	env.tellFenced(err)
	if !client.Refused(err) {
		fmt.Fprintln(env.log, err)
		return
	}
	env.refusal.Do(func() {
		fmt.Fprintln(env.log, err)
		env.end(err)
	})
}

// hide keeps what lets clients in out of a text that others read.
func (env *environment) hide(text string) string {
	if env.spec.Sink != nil {
		text = client.Hide(text, env.spec.Sink.Password)
	}
	return env.spec.Endpoint.Hide(text)
}

// tellFenced tells the trial when the cluster went on without this worker's
// client: to a zombie that has to happen.
func (env *environment) tellFenced(err error) {
	var e *client.Error
	if errors.As(err, &e) && (e.Fenced || e.Rebalanced) {
		env.events.send(Event{Kind: Fenced, Error: env.hide(err.Error())})
	}
}

// ending is why a worker's context ended, nil when the trial wanted it.
func ending(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, errInputEnded) {
		return cause
	}
	return nil
}

// GCPercent is GOGC of a worker process. It holds little that lives and makes
// half a kilobyte of garbage per message in the client library, so at Go's 100
// it would collect some hundred times a second.
const GCPercent = 400

// Main is the worker's process: it reads its Spec, does its role until there
// is nothing left or the input ends, and reports how that went.
func Main(stdin io.Reader, stdout, log io.Writer) error {
	input := json.NewDecoder(bufio.NewReader(stdin))
	debug.SetGCPercent(GCPercent)
	var spec Spec
	if err := input.Decode(&spec); err != nil {
		return fmt.Errorf("worker: specification: %w", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	commands := make(chan Command, 16)
	go readCommands(input, commands, cancel)

	env := &environment{spec: spec, clock: pace.NewClock(), events: newEvents(stdout), commands: commands, log: log, end: cancel}
	err := env.run(ctx)
	if refusal := ending(ctx); refusal != nil {
		err = refusal
	}
	if err != nil && !errors.Is(context.Cause(ctx), errInputEnded) {
		env.tellFenced(err)
		env.events.send(Event{Kind: Failed, Error: env.hide(err.Error())})
	}
	return err
}

var errInputEnded = errors.New("the trial ended this worker")

func readCommands(input *json.Decoder, commands chan<- Command, cancel context.CancelCauseFunc) {
	defer cancel(errInputEnded)
	for {
		var c Command
		if err := input.Decode(&c); err != nil {
			return
		}
		commands <- c
	}
}

func (env *environment) run(ctx context.Context) error {
	switch env.spec.Role {
	case ProducerRole:
		return runProducer(ctx, env)
	case ConsumerRole:
		return runConsumer(ctx, env)
	case ObserverRole:
		return runObserver(ctx, env)
	case PublisherRole:
		return runPublisher(ctx, env)
	case AuditorRole:
		return runAuditor(ctx, env)
	default:
		return fmt.Errorf("worker: unknown role %q", env.spec.Role)
	}
}

// relayClient is what the producing client of a relay is called; its reading one
// is a consumer.
const relayClient Role = "relay"

// named gives a client its id, where the trial wants to know it by one.
func (env *environment) named(p client.Properties, role Role) client.Properties {
	if env.spec.Client != "" {
		p["client.id"] = fmt.Sprintf("%s-%s", role, env.spec.Client)
	}
	return p
}

// awaitStart returns when the load begins, on CLOCK_MONOTONIC.
func (env *environment) awaitStart(ctx context.Context) (int64, error) {
	if env.spec.Start != 0 {
		return env.spec.Start, nil
	}
	select {
	case c := <-env.commands:
		return c.Start, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// windowStart is when the measured window begins for a load begun at start.
func (env *environment) windowStart(start int64) int64 {
	return start + int64(env.spec.Settings.Load.Warmup)
}

// progressEvery is how often a worker tells its counts.
const progressEvery = 100 * time.Millisecond

// reportProgress sends an event made by snapshot regularly until stop is called.
func (env *environment) reportProgress(snapshot func() Event) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				env.events.send(snapshot())
			}
		}
	}()
	return func() { close(done); <-ended }
}
