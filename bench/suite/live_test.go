package suite_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/suite"
	"deliverybench/bench/trial"
)

// planned is a plan as -scale and -only would leave it.
func planned(t require.TestingT, source string) *profile.Plan {
	p, err := profile.Parse([]byte(source), "test.yaml")
	require.NoError(t, err)
	plan, err := p.Plan(profile.Options{})
	require.NoError(t, err)
	return plan
}

const threeTrials = `
name: orders
pipeline: consume
load: {rate: 1000/s, warmup: 1s, duration: 30s}
scenarios: {paced: {repeats: 3}}
`

// live is a Live on a screen, with a clock that the test moves.
func live(t testing.TB, width int) (*suite.Live, *screen, *time.Time) {
	now := time.Date(2026, 11, 21, 10, 15, 0, 0, time.UTC)
	s := &screen{t: t, width: width}
	return &suite.Live{W: s, Width: func() int { return s.width }, Now: func() time.Time { return now }}, s, &now
}

func completed(promise result.Promise, seconds float64) result.Trial {
	return result.Trial{
		Status: result.Completed, Promise: promise, TookSecond: seconds,
		Verdict:    &ledger.Verdict{Lost: ledger.Lost{Total: 500}},
		Throughput: result.Throughput{PipelinePerSecond: 19_876},
	}
}

func TestLiveOnATerminal(t *testing.T) {
	plan := planned(t, threeTrials)
	l, s, now := live(t, 80)
	l.Begin(&result.Run{}, plan)
	l.Trial(0, plan.Trials[0])
	require.Equal(t, `
trial 1/3  orders / paced #1                              about 1 min 39 s left
  starting         sent 0  processed 0
▮
`, "\n"+s.String())

	*now = now.Add(10 * time.Second)
	faults := []string{"kill consumer at mid-batch: planned"}
	l.Observe(trial.Snapshot{Phase: "load", Produced: 20_412, Effects: 19_000, P99: 4400 * time.Microsecond, Faults: faults})
	require.Equal(t, `
trial 1/3  orders / paced #1                              about 1 min 29 s left
  load             sent 20.4k  processed 19.0k  p99 4.4 ms
  kill consumer at mid-batch: planned
▮
`, "\n"+s.String())

	// Numbers change ten times a second at the most, a state at once.
	writes := s.writes
	l.Observe(trial.Snapshot{Phase: "load", Produced: 20_500, Faults: faults})
	require.Equal(t, writes, s.writes)
	l.Observe(trial.Snapshot{Phase: "load", Produced: 20_600, Faults: []string{
		"kill consumer at mid-batch: fired", "kill producer at sent: armed", "freeze broker for 1s: planned"}})
	require.Equal(t, writes+1, s.writes, "one write, or it flickers")
	require.Contains(t, s.String(), "sent 20.6k")
	require.Contains(t, s.String(), "\n  3 faults: 1 fired, 1 armed, 1 planned\n▮")

	// The first trial took half of its estimate: so will the others.
	*now = now.Add(6500 * time.Millisecond)
	l.Done(0, plan.Trials[0], completed(result.Held, plan.Trials[0].Estimate().Seconds()/2))
	l.Trial(1, plan.Trials[1])
	require.Equal(t, `
trial 2/3  orders / paced #2                                    about 33 s left
  starting         sent 0  processed 0
▮
`, "\n"+s.String())

	// What is no ordinary success stays, whole: it may wrap, for it is not replaced.
	s.width = 200
	l.Done(1, plan.Trials[1], completed(result.Violated, 3))
	l.Trial(2, plan.Trials[2])
	l.Done(2, plan.Trials[2], result.Trial{Status: result.Failed, TookSecond: 1.25, Reason: "the embedded broker ended (signal: killed); the last lines of its log:\nx"})
	l.Doing("drawing charts and reports")
	stayed := `
orders / paced #2: 19.9k msg/s, lost 500, duplicates 0, promise violated (3.0 s)
orders / paced #3: failed: the embedded broker ended (signal: killed); the last lines of its log: (1.2 s)
`
	require.Equal(t, stayed+"drawing charts and reports …\n▮\n", "\n"+s.String())
	l.End()
	require.Equal(t, stayed+"▮\n", "\n"+s.String())
	writes = s.writes
	l.End()
	require.Equal(t, writes, s.writes, "nothing is left to remove")
}

func TestLiveOfAResumedRunCountsWhatIsLeft(t *testing.T) {
	plan := planned(t, threeTrials)
	run := &result.Run{Cells: []result.Cell{{Name: "orders", Trials: []result.Trial{{ID: plan.Trials[2].ID, Status: result.Completed}}}}}
	l, s, _ := live(t, 80)
	l.Begin(run, plan)
	l.Trial(0, plan.Trials[0])
	require.Contains(t, s.String(), "about 1 min 06 s left")
}

func TestLiveOfAProducerHasNoEffects(t *testing.T) {
	plan := planned(t, strings.ReplaceAll(threeTrials, "consume", "produce"))
	l, s, _ := live(t, 80)
	l.Begin(&result.Run{}, plan)
	l.Trial(0, plan.Trials[0])
	require.NotContains(t, s.String(), "processed")
}

// Whatever is shown, no line wraps, and nothing stays that should not.
func TestLiveNeverWrapsOrLeavesAnything(t *testing.T) {
	plan := planned(t, threeTrials)
	rapid.Check(t, func(r *rapid.T) {
		l, s, now := live(t, rapid.IntRange(2, 130).Draw(r, "width"))
		l.Begin(&result.Run{}, plan)
		shown := plan.Trials[0]
		shown.Cell = rapid.StringMatching(`[a-zµ/=,.-]{1,120}`).Draw(r, "cell")
		for range rapid.IntRange(1, 20).Draw(r, "steps") {
			*now = now.Add(time.Duration(rapid.IntRange(0, 1e11).Draw(r, "passed")))
			switch rapid.IntRange(0, 3).Draw(r, "step") {
			case 0:
				l.Trial(rapid.IntRange(0, 2).Draw(r, "index"), shown)
			case 1:
				l.Doing(rapid.StringMatching(`[a-z ]{0,150}`).Draw(r, "what"))
			default:
				l.Trial(0, shown)
				l.Observe(trial.Snapshot{
					Phase: rapid.StringMatching(`[a-z ]{0,90}`).Draw(r, "phase"), Produced: rapid.Int64Range(0, 1e15).Draw(r, "produced"),
					P99: time.Duration(rapid.Int64Range(0, 1e15).Draw(r, "p99")), Faults: rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,60}: [a-z]{1,9}`), 0, 9).Draw(r, "faults"),
				})
			}
			if rows := len(s.rows); rows > 4 {
				r.Fatalf("%d rows stand on the screen:\n%s", rows, s)
			}
		}
		l.End()
		if s.String() != "▮\n" {
			r.Fatalf("left behind:\n%s", s)
		}
	})
}

func TestLinesAreForLogs(t *testing.T) {
	plan := planned(t, threeTrials)
	var b strings.Builder
	l := &suite.Lines{W: &b}
	l.Begin(&result.Run{}, plan)
	l.Trial(0, plan.Trials[0])
	l.Observe(trial.Snapshot{Phase: "load"})
	l.Done(0, plan.Trials[0], completed(result.Held, 2))
	l.Done(1, plan.Trials[1], completed(result.NoPromise, 2))
	l.Done(2, plan.Trials[2], result.Trial{Status: result.Stopped, Reason: "interrupted"})
	l.Doing("x")
	l.End()
	require.Equal(t, `
1/3 orders / paced #1: 19.9k msg/s, lost 500, duplicates 0, promise held (2.0 s)
2/3 orders / paced #2: 19.9k msg/s, lost 500, duplicates 0 (2.0 s)
3/3 orders / paced #3: interrupted
`, "\n"+b.String())
}
