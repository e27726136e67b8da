package suite

import (
	"fmt"
	"io"
	"strings"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
	"deliverybench/bench/trial"
)

// Progress is told how a run goes, in order and from one goroutine.
type Progress interface {
	// Begin is told the plan, and the run with the trials that it has already.
	Begin(run *result.Run, plan *profile.Plan)
	// Trial says that a trial starts, Observe how it goes.
	Trial(index int, t profile.Trial)
	Observe(s trial.Snapshot)
	// Done says what became of it, or of one that was omitted.
	Done(index int, t profile.Trial, r result.Trial)
	// Doing says what is done before the first trial or after the last.
	Doing(what string)
	End()
}

// Several tells each of them.
type Several []Progress

func (s Several) each(tell func(Progress)) {
	for _, p := range s {
		tell(p)
	}
}

// Begin tells the plan.
func (s Several) Begin(run *result.Run, plan *profile.Plan) {
	s.each(func(p Progress) { p.Begin(run, plan) })
}

// Trial tells that a trial starts.
func (s Several) Trial(index int, t profile.Trial) { s.each(func(p Progress) { p.Trial(index, t) }) }

// Observe tells how it goes.
func (s Several) Observe(of trial.Snapshot) { s.each(func(p Progress) { p.Observe(of) }) }

// Done tells what became of it.
func (s Several) Done(index int, t profile.Trial, r result.Trial) {
	s.each(func(p Progress) { p.Done(index, t, r) })
}

// Doing tells what is done beside the trials.
func (s Several) Doing(what string) { s.each(func(p Progress) { p.Doing(what) }) }

// End tells that it is over.
func (s Several) End() { s.each(Progress.End) }

// Quiet tells nothing.
type Quiet struct{}

func (Quiet) Begin(*result.Run, *profile.Plan)      {}
func (Quiet) Trial(int, profile.Trial)              {}
func (Quiet) Observe(trial.Snapshot)                {}
func (Quiet) Done(int, profile.Trial, result.Trial) {}
func (Quiet) Doing(string)                          {}
func (Quiet) End()                                  {}

// Lines writes one plain line per finished trial, for logs and pipes.
type Lines struct {
	W      io.Writer
	trials int
}

// Begin notes how many trials there are.
func (l *Lines) Begin(_ *result.Run, plan *profile.Plan) { l.trials = len(plan.Trials) }

// Trial tells nothing: the line comes when the trial is done.
func (l *Lines) Trial(int, profile.Trial) {}

// Observe tells nothing.
func (l *Lines) Observe(trial.Snapshot) {}

// Done writes the trial's line.
func (l *Lines) Done(index int, t profile.Trial, r result.Trial) {
	fmt.Fprintf(l.W, "%*d/%d %s\n", len(fmt.Sprint(l.trials)), index+1, l.trials, lasting(t, r))
}

// Doing tells nothing.
func (l *Lines) Doing(string) {}

// End tells nothing.
func (l *Lines) End() {}

// lasting is the line that a finished trial leaves behind.
func lasting(t profile.Trial, r result.Trial) string {
	line := fmt.Sprintf("%s / %s #%d: %s", t.Cell, t.Scenario, t.Repeat, summary(r))
	if r.TookSecond > 0 {
		line += fmt.Sprintf(" (%.1f s)", r.TookSecond)
	}
	return line
}

// summary is what became of a trial, in half a line.
func summary(r result.Trial) string {
	if r.Status != result.Completed {
		reason, _, _ := strings.Cut(r.Reason, "\n")
		if reason == string(r.Status) || reason == "" {
			return string(r.Status)
		}
		return fmt.Sprintf("%s: %s", r.Status, reason)
	}
	v := r.Verdict
	text := fmt.Sprintf("%s msg/s, lost %s, duplicates %s", stats.Rate(r.Throughput.PipelinePerSecond), stats.Count(v.Lost.Total), stats.Count(v.Duplicates.Total))
	if r.Promise != result.NoPromise {
		text += ", promise " + string(r.Promise)
	}
	return text
}
