package suite

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
	"deliverybench/bench/trial"
)

// Live keeps a few lines of a terminal up to date: where the run is, how the
// trial goes, and its faults. What says something lasting scrolls up above them.
//
// The cursor rests below the lines, where the prompt belongs should the program
// be killed. Each repaint is one write that replaces the lines in place, so that
// nothing flickers; no line is as wide as the terminal, so that none wraps and
// is left behind.
type Live struct {
	W     io.Writer
	Width func() int // of the terminal, columns; asked every time: it can change
	Now   func() time.Time

	plan    *profile.Plan
	done    map[string]bool // trials that a resumed run has already
	index   int
	current profile.Trial
	started time.Time
	last    trial.Snapshot
	painted time.Time
	rows    int // that stand on the terminal
	// planned and took are the sums over this run's finished trials.
	planned, took time.Duration
}

const (
	// repaint is how often numbers change at the most; a new phase shows at once.
	repaint = 100 * time.Millisecond
	// widest keeps the ends of a line within one look.
	widest = 100
)

// Begin notes what is there to do.
func (l *Live) Begin(run *result.Run, plan *profile.Plan) { l.plan, l.done = plan, finished(run) }

// Trial shows that a trial has started.
func (l *Live) Trial(index int, t profile.Trial) {
	l.index, l.current, l.started = index, t, l.Now()
	l.paint(trial.Snapshot{Phase: "starting"})
}

// Observe repaints.
func (l *Live) Observe(s trial.Snapshot) {
	changed := s.Phase != l.last.Phase || !slices.Equal(s.Faults, l.last.Faults)
	if changed || l.Now().Sub(l.painted) >= repaint {
		l.paint(s)
	}
}

// Done lets a trial that is no ordinary success leave its line behind.
func (l *Live) Done(_ int, t profile.Trial, r result.Trial) {
	if r.Status == result.Completed || r.Status == result.Inconclusive {
		l.planned += t.Estimate()
		l.took += time.Duration(r.TookSecond * float64(time.Second))
	}
	if r.Status == result.Completed && r.Promise != result.Violated {
		return
	}
	l.show()
	fmt.Fprintln(l.W, lasting(t, r))
}

// Doing shows what is done beside the trials.
func (l *Live) Doing(what string) { l.show(what + " …") }

// End removes the lines.
func (l *Live) End() { l.show() }

func (l *Live) paint(s trial.Snapshot) {
	l.painted, l.last = l.Now(), s
	t := l.current
	where := fmt.Sprintf("trial %d/%d  %s / %s #%d", l.index+1, len(l.plan.Trials), t.Cell, t.Scenario, t.Repeat)
	left := left(l.remaining())
	room := l.room() - len(left) - 2
	how := fmt.Sprintf("  %-16s sent %s", s.Phase, stats.SI(float64(s.Produced)))
	switch {
	case t.Settings.Pipeline.Consumes():
		how += "  processed " + stats.SI(float64(s.Effects))
	case t.Settings.Publishes():
		how += "  published " + stats.SI(float64(s.Effects))
	}
	if s.P99 > 0 {
		how += "  p99 " + stats.Micros(float64(s.P99.Microseconds()))
	}
	lines := []string{fmt.Sprintf("%-*s  %s", max(room, 0), fit(where, room), left), how}
	if len(s.Faults) > 0 {
		lines = append(lines, "  "+faults(s.Faults, l.room()-2))
	}
	l.show(lines...)
}

// remaining estimates the time that is left: the plan's estimate, corrected by
// how long this run's trials took on this machine.
func (l *Live) remaining() time.Duration {
	later := time.Duration(0)
	for _, t := range l.plan.Trials[l.index+1:] {
		if !l.done[t.ID] {
			later += t.Estimate()
		}
	}
	pace := 1.0
	if l.planned > 0 && l.took > 0 {
		pace = float64(l.took) / float64(l.planned)
	}
	now := time.Duration(pace*float64(l.current.Estimate())) - l.Now().Sub(l.started)
	return max(0, now) + time.Duration(pace*float64(later))
}

// left writes a time to wait.
func left(d time.Duration) string {
	switch s := int(d.Round(time.Second).Seconds()); {
	case s < 1:
		return "a moment left"
	case s < 60:
		return fmt.Sprintf("about %d s left", s)
	case s < 3600:
		return fmt.Sprintf("about %d min %02d s left", s/60, s%60)
	default:
		return fmt.Sprintf("about %d h %02d min left", s/3600, s/60%60)
	}
}

// faults are named while there is room; else the number in each state is told.
func faults(states []string, columns int) string {
	if all := strings.Join(states, ", "); len(states) == 1 || len(all) <= columns {
		return all
	}
	counts, order := map[string]int{}, []string{}
	for _, s := range states {
		state := s[strings.LastIndex(s, " ")+1:]
		if counts[state]++; counts[state] == 1 {
			order = append(order, state)
		}
	}
	for i, state := range order {
		order[i] = fmt.Sprintf("%d %s", counts[state], state)
	}
	return fmt.Sprintf("%d faults: %s", len(states), strings.Join(order, ", "))
}

// room is how wide a line may be, columns: the last one stays empty, for there
// a terminal may wrap.
func (l *Live) room() int { return min(l.Width(), widest) - 1 }

// show replaces the lines that stand with others, or with none.
func (l *Live) show(lines ...string) {
	if l.rows == 0 && len(lines) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("\r")
	if l.rows > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", l.rows)
	}
	for _, line := range lines {
		b.WriteString(fit(line, l.room()) + "\x1b[K\n")
	}
	b.WriteString("\x1b[J") // what stood below, a typed ^C too
	_, _ = io.WriteString(l.W, b.String())
	l.rows = len(lines)
}

// fit cuts a line to a number of columns.
func fit(line string, columns int) string {
	runes := []rune(line)
	if len(runes) <= columns {
		return line
	}
	if columns < 1 {
		return ""
	}
	return string(runes[:columns-1]) + "…"
}
