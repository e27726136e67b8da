package suite

import (
	"context"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"deliverybench/bench/broker"
	"deliverybench/bench/claim"
	"deliverybench/bench/latency"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/trial"
)

// Options is what a run needs besides its plan.
type Options struct {
	Plan  *profile.Plan
	Store *result.Store
	Run   *result.Run
	// Trials is what the trials share; its Observe is set here.
	Trials   trial.Environment
	Progress Progress
	// WarmUp is about how long a broker that gets faster as it runs is under load
	// before the first trial; 0 is not at all.
	WarmUp time.Duration
}

// NewRun is the result of a plan before anything ran.
func NewRun(plan *profile.Plan, header result.Header, environment result.Environment) *result.Run {
	p := plan.Profile
	header.Seed, header.Profile, header.About, header.Baseline = plan.Seed, p.Name, p.About, p.Baseline
	header.TrialsPlanned = len(plan.Trials)
	for _, s := range p.Scenarios {
		header.Scenarios = append(header.Scenarios, s.Name)
	}
	run := &result.Run{Run: header, Environment: environment, Claims: []result.Claim{}}
	for _, c := range plan.Cells {
		run.Cells = append(run.Cells, result.Cell{
			Name: c.Name, Arm: c.Arm, Guarantee: string(c.Settings.Guarantee),
			Matrix: c.Matrix, Settings: c.Settings.Dotted(), Trials: []result.Trial{},
		})
	}
	for i := range run.Cells {
		run.Cells[i].Planned = planned(plan, run.Cells[i].Name)
	}
	for _, o := range plan.Omissions {
		omit(run, o.Cell, o.Scenario, o.Reason)
	}
	return run
}

// planned counts the trials of a cell by scenario.
func planned(plan *profile.Plan, cell string) map[string]int {
	count := map[string]int{}
	for _, t := range plan.Trials {
		if t.Cell == cell {
			count[t.Scenario]++
		}
	}
	return count
}

func omit(run *result.Run, cell, scenario, reason string) {
	for i := range run.Cells {
		c := &run.Cells[i]
		switch {
		case c.Name != cell:
		case scenario == "":
			c.Omitted = reason
		default:
			c.Trials = append(c.Trials, result.Trial{
				ID: cell + "-" + scenario, Scenario: scenario, Repeat: 1,
				Status: result.Omitted, Reason: reason, Promise: result.NoPromise,
			})
		}
	}
}

// Resolved is the plan as YAML: every setting of every cell, and what each
// scenario changes.
func Resolved(plan *profile.Plan) ([]byte, error) {
	type cell struct {
		Settings  map[string]string            `yaml:"settings"`
		Scenarios map[string]map[string]string `yaml:"scenarios"`
	}
	cells := map[string]*cell{}
	for _, c := range plan.Cells {
		cells[c.Name] = &cell{Settings: c.Settings.Dotted(), Scenarios: map[string]map[string]string{}}
	}
	for _, t := range plan.Trials {
		if c := cells[t.Cell]; c != nil {
			c.Scenarios[t.Scenario] = changed(c.Settings, t.Settings.Dotted())
		}
	}
	return yaml.Marshal(map[string]any{"profile": plan.Profile.Name, "seed": plan.Seed, "cells": cells})
}

// changed returns the settings that differ from the cell's own.
func changed(cell, trial map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range trial {
		if cell[name] != value {
			out[name] = value
		}
	}
	return out
}

// Run runs the trials that the run does not have yet. The error says why it
// could not go on; what was measured until then is saved. An interrupt is no
// error: the run says that it was interrupted.
func Run(ctx context.Context, o Options) error {
	o.Progress.Begin(o.Run, o.Plan)
	interrupted, err := o.trials(ctx)
	o.Run.Run.Interrupted = interrupted
	o.Run.Run.Finished = time.Now().UTC()
	if err != nil {
		o.Run.Run.Unfinished = inOneLine(err)
	}
	o.Run.Claims = claim.Evaluate(o.Run, o.Plan.Profile.Claims)
	// A disk that is full is told once.
	if saved := o.Store.Save(o.Run); err == nil {
		err = saved
	}
	return err
}

// inOneLine is an error without the log that it quotes and the words that announce it.
func inOneLine(err error) string {
	line, _, quotes := strings.Cut(err.Error(), "\n")
	if before := strings.LastIndex(line, "; "); quotes && before > 0 && strings.HasSuffix(line, ":") {
		line = line[:before]
	}
	return line
}

func (o *Options) trials(ctx context.Context) (interrupted bool, err error) {
	if err := o.poolEarlier(); err != nil {
		return false, err
	}
	if interrupted, err = o.warmUp(ctx); interrupted || err != nil {
		return interrupted, err
	}
	done := finished(o.Run)
	stopped := map[string]string{} // cell → why
	for i, t := range o.Plan.Trials {
		outcome := o.saved(t)
		switch why, stop := stopped[t.Cell]; {
		case done[t.ID]:
		case stop:
			o.omit(i, t, why)
		case ctx.Err() != nil:
			return true, nil
		default:
			if outcome, err = o.one(ctx, i, t); err != nil {
				return false, err
			}
			if outcome.Status == result.Stopped {
				return true, nil
			}
			if err := o.brokerGone(ctx, outcome); err != nil {
				return false, fmt.Errorf("the run cannot go on: %w", err)
			}
		}
		// Of a resumed run the trials that it has count too.
		if why := o.abort(t, outcome); why != "" {
			stopped[t.Cell] = why
		}
	}
	return false, nil
}

// brokerGone says why later trials would fail like this one. A cluster of
// somebody else's is asked only after a failure.
func (o *Options) brokerGone(ctx context.Context, last *result.Trial) error {
	if err := o.Trials.Broker.Failed(); err != nil {
		return err
	}
	theirs, is := o.Trials.Broker.(*broker.External)
	if !is || last.Status != result.Failed {
		return nil
	}
	return theirs.Answers(ctx)
}

// omit leaves out a trial of a cell that was stopped.
func (o *Options) omit(index int, t profile.Trial, why string) {
	r := result.Trial{ID: t.ID, Scenario: t.Scenario, Repeat: t.Repeat, Status: result.Omitted, Reason: why, Promise: result.NoPromise}
	o.put(t, r)
	o.Progress.Done(index, t, r)
}

// saved is what the run has of a trial, nil for nothing.
func (o *Options) saved(t profile.Trial) *result.Trial {
	c := o.cell(t.Cell)
	for i := range c.Trials {
		if c.Trials[i].ID == t.ID {
			return &c.Trials[i]
		}
	}
	return nil
}

// Left counts the plan's trials that the run does not have yet.
func Left(run *result.Run, plan *profile.Plan) int {
	done, left := finished(run), 0
	for _, t := range plan.Trials {
		if !done[t.ID] {
			left++
		}
	}
	return left
}

// finished are the trials that a resumed run need not repeat.
func finished(run *result.Run) map[string]bool {
	done := map[string]bool{}
	for _, c := range run.Cells {
		for _, t := range c.Trials {
			done[t.ID] = t.Status == result.Completed || t.Status == result.Inconclusive
		}
	}
	return done
}

func (o *Options) one(ctx context.Context, index int, t profile.Trial) (*result.Trial, error) {
	env := o.Trials
	env.Observe = func(s trial.Snapshot) { o.Progress.Observe(s) }
	o.Progress.Trial(index, t)
	outcome := trial.Run(ctx, env, t)
	outcome.Result.Settings = changed(o.cell(t.Cell).Settings, t.Settings.Dotted())
	o.put(t, outcome.Result)
	if err := o.saveLatency(t.ID, outcome.Latency); err != nil {
		return nil, err
	}
	if err := o.cell(t.Cell).PoolLatency(o.Store.Dir(), t.Scenario); err != nil {
		return nil, err
	}
	if err := o.Store.Save(o.Run); err != nil {
		return nil, err
	}
	o.Progress.Done(index, t, outcome.Result) // what is told is saved
	return &outcome.Result, nil
}

func (o *Options) cell(name string) *result.Cell {
	for i := range o.Run.Cells {
		if o.Run.Cells[i].Name == name {
			return &o.Run.Cells[i]
		}
	}
	return &result.Cell{}
}

// put cannot fail: the run has every cell of its plan.
func (o *Options) put(t profile.Trial, r result.Trial) { _ = o.Run.Put(t.Cell, r) }

func (o *Options) saveLatency(id string, log *latency.Log) error {
	if log == nil || len(log.Roles()) == 0 {
		return nil
	}
	if err := o.Store.SaveHistogramLog(id, func(w io.Writer) error { return latency.WriteLog(w, log) }); err != nil {
		return err
	}
	for _, role := range log.Roles() {
		_, over := log.OutOfRange(role)
		err := o.Store.SavePercentiles(id, role, func(w io.Writer) error {
			return latency.WritePercentiles(w, log.Total(role), over)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// abort returns why the trial's cell is stopped; "" is that it is not.
func (o *Options) abort(t profile.Trial, r *result.Trial) string {
	if r == nil {
		return ""
	}
	for _, c := range claim.EvaluateTrial(o.Run, o.cell(t.Cell), r, o.Plan.Profile.Claims) {
		if c.Status == result.NotMet {
			return fmt.Sprintf("stopped by the claim %q in trial %s (expected %s, observed %s)", c.Expression, t.ID, c.Expected, c.Observed)
		}
	}
	return ""
}

// Adopt makes a loaded run continue as this plan. It refuses a run of another
// profile, seed, set of trials or machine: their results would not be comparable.
func Adopt(run *result.Run, plan *profile.Plan, sha string, here result.Environment) error {
	if run.Run.ProfileSHA256 != sha || run.Run.Seed != plan.Seed {
		return fmt.Errorf("cannot resume %s: it was made with another profile or seed; run without -resume", run.Run.ID)
	}
	fresh := NewRun(plan, run.Run, run.Environment)
	if len(fresh.Cells) != len(run.Cells) {
		return fmt.Errorf("cannot resume %s: it has %d cells and this plan %d; use the same flags as then", run.Run.ID, len(run.Cells), len(fresh.Cells))
	}
	for i, c := range fresh.Cells {
		if c.Name != run.Cells[i].Name || !maps.Equal(c.Settings, run.Cells[i].Settings) {
			return fmt.Errorf("cannot resume %s: cell %s has other settings there; use the same flags as then", run.Run.ID, c.Name)
		}
	}
	if err := SameMachine(run.Run.ID, run.Environment, here); err != nil {
		return err
	}
	run.Run.Interrupted, run.Run.Unfinished = false, ""
	for i, c := range fresh.Cells {
		run.Cells[i].Planned = c.Planned
	}
	run.Run.TrialsPlanned = len(plan.Trials)
	return nil
}

// SameMachine refuses to go on elsewhere with what was measured there.
func SameMachine(id string, there, here result.Environment) error {
	if there.CPU != here.CPU || there.Cores != here.Cores || there.Client != here.Client || there.Librdkafka != here.Librdkafka {
		return fmt.Errorf("cannot resume %s: it was measured on %s, and this is %s; run without -resume", id, machine(there), machine(here))
	}
	return nil
}

func machine(e result.Environment) string {
	return fmt.Sprintf("%d cores of %s with %s (librdkafka %s)", e.Cores, e.CPU, e.Client, e.Librdkafka)
}
