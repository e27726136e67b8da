package suite

import (
	"fmt"
	"io"
	"strings"
	"time"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
	"deliverybench/bench/trial"
)

// Progress is told how a run goes, in order and from one goroutine.
type Progress interface {
	Begin(run *result.Run, plan *profile.Plan)
	Trial(index int, t profile.Trial)
	Observe(s trial.Snapshot)
	Done(index int, t profile.Trial, r result.Trial)
	End()
}

// Quiet tells nothing.
type Quiet struct{}

func (Quiet) Begin(*result.Run, *profile.Plan)      {}
func (Quiet) Trial(int, profile.Trial)              {}
func (Quiet) Observe(trial.Snapshot)                {}
func (Quiet) Done(int, profile.Trial, result.Trial) {}
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
	fmt.Fprintf(l.W, "%*d/%d %s / %s #%d: %s (%.1f s)\n", len(fmt.Sprint(l.trials)), index+1, l.trials, t.Cell, t.Scenario, t.Repeat, summary(r), r.TookSecond)
}

// End tells nothing.
func (l *Lines) End() {}

// summary is a finished trial in half a line.
func summary(r result.Trial) string {
	if r.Status != result.Completed {
		reason, _, _ := strings.Cut(r.Reason, "\n")
		return fmt.Sprintf("%s: %s", r.Status, reason)
	}
	v := r.Verdict
	text := fmt.Sprintf("%s msg/s, lost %s, duplicates %s", stats.Rate(r.Throughput.PipelinePerSecond), stats.Count(v.Lost.Total), stats.Count(v.Duplicates.Total))
	if r.Promise != result.NoPromise {
		text += ", promise " + string(r.Promise)
	}
	return text
}

// Live keeps two lines of a terminal up to date: where the run is, and how the
// trial goes. A line that says something lasting scrolls up above them.
type Live struct {
	W     io.Writer
	Width int
	Now   func() time.Time

	plan    *profile.Plan
	began   time.Time
	left    time.Duration // estimated for the trials after the current one
	index   int
	current profile.Trial
	started time.Time
	drawn   bool
	painted time.Time
}

// repaint is how often the lines change at the most.
const repaint = 100 * time.Millisecond

// Begin starts the clock.
func (l *Live) Begin(_ *result.Run, plan *profile.Plan) {
	l.plan, l.began, l.left = plan, l.Now(), plan.Estimate()
}

// Trial shows that a trial has started.
func (l *Live) Trial(index int, t profile.Trial) {
	l.index, l.current, l.started = index, t, l.Now()
	l.left = 0
	for _, later := range l.plan.Trials[index+1:] {
		l.left += later.Estimate()
	}
	l.paint(trial.Snapshot{Phase: "starting"})
}

// Observe repaints.
func (l *Live) Observe(s trial.Snapshot) {
	if l.Now().Sub(l.painted) >= repaint {
		l.paint(s)
	}
}

// Done lets a trial that is not an ordinary success leave its line behind.
func (l *Live) Done(_ int, t profile.Trial, r result.Trial) {
	if r.Status == result.Completed && r.Promise != result.Violated {
		return
	}
	l.clear()
	fmt.Fprintln(l.W, fit(fmt.Sprintf("%s / %s #%d: %s", t.Cell, t.Scenario, t.Repeat, summary(r)), l.Width))
}

// End clears the lines.
func (l *Live) End() { l.clear() }

func (l *Live) paint(s trial.Snapshot) {
	l.painted = l.Now()
	t := l.current
	rest := max(0, t.Estimate()-l.Now().Sub(l.started)) + l.left
	first := fmt.Sprintf("trial %d/%d  %s / %s  repeat %d  about %s left", l.index+1, len(l.plan.Trials), t.Cell, t.Scenario, t.Repeat, rest.Round(time.Second))
	second := fmt.Sprintf("  %-16s produced %s  effects %s", s.Phase, stats.SI(float64(s.Produced)), stats.SI(float64(s.Effects)))
	if s.P99 > 0 {
		second += "  p99 " + stats.Micros(float64(s.P99.Microseconds()))
	}
	if len(s.Faults) > 0 {
		second += "  " + strings.Join(s.Faults, ", ")
	}
	l.clear()
	// The cursor rests at the start of the first line.
	fmt.Fprintf(l.W, "%s\n%s\r\x1b[1A", fit(first, l.Width), fit(second, l.Width))
	l.drawn = true
}

// clear removes the two lines.
func (l *Live) clear() {
	if l.drawn {
		fmt.Fprint(l.W, "\r\x1b[J")
		l.drawn = false
	}
}

// fit cuts a line to the terminal's width: a wrapped one could not be removed.
func fit(line string, width int) string {
	runes := []rune(line)
	if width <= 1 || len(runes) < width {
		return line
	}
	return string(runes[:width-2]) + "…"
}
