package chart

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"deliverybench/bench/capacity"
	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

// ladder is a capacity run of a relay: each repeat keeps the SLO up to its own
// rate; above it a backlog grows.
func ladder(t *testing.T, knees ...[]float64) (string, *result.Run) {
	t.Helper()
	run := &result.Run{
		Run: result.Header{Started: time.Date(2026, 11, 21, 10, 15, 0, 0, time.UTC), Version: "v1.0.0", Profile: "payments", ProfileSHA256: "8d969eef6ecad3c29a3a629280e686cf"},
		Environment: result.Environment{OS: "linux/amd64", CPU: "Example CPU @ 3.00GHz", Cores: 2, Client: "confluent-kafka-go v2.15.0", Librdkafka: "2.15.0",
			Broker: result.Broker{Kind: "embedded", Version: "kfake 0.1", Nodes: 1, SharesHost: true}},
		Capacity: &result.Capacity{SLO: []string{"end_to_end.p99 < 50ms", "lost == 0"}, FromPerSecond: 1000, ToPerSecond: 40000, StepShare: 0.2, Repeats: 6, Over: "consumer.count"},
	}
	for i, own := range knees {
		n := fmt.Sprint(i + 1)
		c := result.Cell{Name: "relay/consumer.count=" + n, Arm: "relay", Matrix: map[string]string{"consumer.count": n},
			Settings: map[string]string{"consumer.count": n, "load.message.size": "256B", "topic.partitions": "6", "pipeline": "relay"}}
		middle := own[len(own)/2]
		add := func(phase result.Phase, rate float64, repeats int) {
			name := fmt.Sprintf("%s-%v", phase, rate)
			run.Capacity.Rungs = append(run.Capacity.Rungs, result.Rung{Cell: c.Name, Scenario: name, Phase: phase, PerSecond: rate, WindowSeconds: 2, Repeats: repeats})
			for repeat := range repeats {
				p99 := 9e3 * (1 + 0.06*float64(repeat)) / (1.4 - min(rate/own[repeat], 1))
				if rate > own[repeat] {
					p99 = 2e6 * (1 - own[repeat]/rate)
				}
				c.Trials = append(c.Trials, result.Trial{ID: fmt.Sprintf("%s-%s-%d", n, name, repeat+1), Scenario: name, Repeat: repeat + 1, Status: result.Completed,
					Promise: result.Held, Verdict: &ledger.Verdict{}, Latency: map[string]latency.Summary{result.EndToEnd: {Count: 9000, P99: p99}},
					Generator: result.Generator{Limited: rate > 1.5*middle && repeat%2 == 0}})
			}
		}
		for _, rate := range []float64{middle / 8, middle / 4, middle / 2, middle, 2 * middle} {
			add(result.Searched, rate, 1)
		}
		for _, rate := range []float64{middle / 1.44, middle / 1.2, middle, 1.2 * middle, 1.44 * middle, 1.73 * middle} {
			add(result.Measured, rate, len(own))
		}
		run.Cells = append(run.Cells, c)
	}
	store, err := result.Create(t.TempDir(), run)
	require.NoError(t, err)
	return store.Dir(), run
}

func six(around float64) []float64 {
	return []float64{around, around, 1.2 * around, around, around, around / 1.2}
}

// exactKnees are known from every repeat, of more than one arm.
func exactKnees(t *testing.T) (string, *result.Run) {
	return ladder(t, six(5000), six(9600), six(13500), six(16400))
}

// boundedKnees are known in part: at least, below, from some repeats, from none; and
// latencies lie over range.
func boundedKnees(t *testing.T) (string, *result.Run) {
	dir, run := ladder(t, six(5000), six(9600), six(13500), six(16400), six(18200), six(19000))
	run.Capacity.SLO[0] = "durable.p99 < 50ms"
	each := func(cell int, change func(*result.Trial)) {
		for i := range run.Cells[cell].Trials {
			trial := &run.Cells[cell].Trials[i]
			change(trial)
			if p99, ok := trial.Latency[result.EndToEnd]; ok {
				trial.Latency[result.Durable] = p99
			}
		}
	}
	fail := func(r *result.Trial) { r.Status, r.Verdict, r.Latency = result.Inconclusive, nil, nil }
	each(0, func(r *result.Trial) {
		r.Latency[result.EndToEnd] = latency.Summary{Count: 9000, P99: 9e3}
		if r.Repeat == 6 {
			fail(r)
		}
	})
	each(1, func(r *result.Trial) { r.Latency[result.EndToEnd] = latency.Summary{Count: 9000, P99: stats.OverRange} })
	each(2, func(r *result.Trial) {
		if r.Repeat > 3 {
			fail(r)
		}
	})
	each(3, func(r *result.Trial) {
		if strings.HasPrefix(r.Scenario, string(result.Measured)) {
			fail(r)
		}
	})
	each(4, func(r *result.Trial) {
		if r.Repeat > 1 {
			fail(r)
		}
	})
	each(5, func(*result.Trial) {})
	return dir, run
}

func TestKneeFigures(t *testing.T) {
	dir, run := ladder(t, six(5000), six(9600), six(13500), six(16400))
	names, err := Draw(dir, run)
	require.NoError(t, err)
	require.Len(t, names, 5*5, "light and dark as picture and drawing, and the points")
	require.Equal(t, "charts/scaling-relay.png", names[0])
	figures := kneeFigures(run)
	require.Equal(t, "relay: consumer.count 4 instead of 1 carries 3.28× the messages", figures[0].title)
	require.Equal(t, "relay (count=1): the SLO holds up to 5000/s; above, end_to_end.p99 breaks first, in 5 of 6", figures[1].title)
	require.Len(t, figures[0].points, 4)
	require.Equal(t, []string{"1", "5000", "exact"}, figures[0].points[0][:3])
	require.Len(t, figures[1].points, 5+6*6, "every trial, those of the search too")
	require.Equal(t, []string{"relay/consumer.count=1", "search", "625", "1"}, figures[1].points[0][:4])

	// The same input gives the same bytes.
	first, err := os.ReadFile(filepath.Join(dir, "charts", "knee-relay-consumer.count-2.svg"))
	require.NoError(t, err)
	_, err = Draw(dir, run)
	require.NoError(t, err)
	again, err := os.ReadFile(filepath.Join(dir, "charts", "knee-relay-consumer.count-2.svg"))
	require.NoError(t, err)
	require.Equal(t, first, again)

	// The figures of another kind of run are gone, and so are these of one that asks nothing.
	run.Capacity = nil
	names, err = Draw(dir, run)
	require.NoError(t, err)
	require.Empty(t, strings.Join(names, ""))
	left, err := os.ReadDir(filepath.Join(dir, "charts"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// What is only bounded, or not known at all, is drawn and called so.
func TestKneesThatAreBounds(t *testing.T) {
	dir, run := ladder(t, six(5000), six(9600), six(13500))
	for i := range run.Cells[0].Trials {
		run.Cells[0].Trials[i].Latency[result.EndToEnd] = latency.Summary{Count: 9000, P99: 9e3}
	}
	for i := range run.Cells[1].Trials {
		run.Cells[1].Trials[i].Latency[result.EndToEnd] = latency.Summary{Count: 9000, P99: 9e5}
	}
	for i := range run.Cells[2].Trials {
		run.Cells[2].Trials[i].Status = result.Inconclusive
		run.Cells[2].Trials[i].Verdict = nil
	}
	_, err := Draw(dir, run)
	require.NoError(t, err)
	figures := kneeFigures(run)
	require.Equal(t, "relay: what consumer.count carries is known only in part: at least 8650/s, below 6667/s, –", figures[0].title)
	require.Equal(t, "relay (count=1): the SLO holds up to at least 8650/s", figures[1].title)
	require.Equal(t, "relay (count=2): the SLO breaks on the ladder's lowest rung, 6667/s, in 6 of 6 repeats; end_to_end.p99 breaks first", figures[2].title)
	require.Equal(t, "relay (count=3): no knee was found", figures[3].title)
	require.Equal(t, capacity.None, capacity.Analyse(run).Scalings[0].Cells[2].Knee.Bound)
	require.Equal(t, []string{"1", "8650", "at least", "8650", "", "95 % interval", "", ""}, figures[0].points[0], "a bound has no other end, and there is no law")
}

// A title says no more than the repeats do.
func TestKneeTitlesSayWhatIsKnown(t *testing.T) {
	title := func(own ...float64) string {
		_, run := ladder(t, own)
		return kneeTitle(capacity.Analyse(run).Scalings[0].Cells[0])
	}
	// Rungs are 4236/s and up around 6100/s: half of the repeats hold none of them.
	require.Equal(t, "relay (count=1): the SLO breaks on the ladder's lowest rung, 4236/s, in 3 of 6 repeats; end_to_end.p99 breaks first",
		title(4000, 4000, 4000, 6100, 6100, 6100))
	require.Equal(t, "relay (count=1): the SLO holds up to 4236/s; above, end_to_end.p99 breaks first, in 3 of 6",
		title(4300, 4300, 4300, 6100, 6100, 6100), "the lower of two is a rung")

	// Most hold the top; where the two others broke is below that.
	top := 1.73 * 6100.0
	require.Equal(t, "relay (count=1): the SLO holds up to at least 10,553/s; end_to_end.p99 breaks in 2 of 6 below",
		kneeTitle(cellThatHolds(t, top, 4)))

	// A ratio is one only where the intervals are apart.
	for _, c := range []struct {
		knees [][]float64
		want  string
	}{
		{[][]float64{six(5000), six(6000)}, "relay: no difference detected between what consumer.count 1 and 2 carries"},
		{[][]float64{{5000, 5000, 5000}, {9600, 9600, 9600}}, "relay: no difference detected between what consumer.count 1 and 2 carries"},
		{[][]float64{six(5000), six(9600)}, "relay: consumer.count 2 instead of 1 carries 1.92× the messages"},
	} {
		_, run := ladder(t, c.knees...)
		run.Capacity.Repeats = len(c.knees[0])
		require.Equal(t, c.want, scalingTitle(capacity.Analyse(run).Scalings[0]))
	}
}

// cellThatHolds is one that keeps the SLO to its ladder's top in so many of six repeats.
func cellThatHolds(t *testing.T, top float64, held int) capacity.Cell {
	t.Helper()
	own := []float64{6100, 6100, 6100, 6100, 6100, 6100}
	_, run := ladder(t, own)
	for i := range run.Cells[0].Trials {
		if r := &run.Cells[0].Trials[i]; r.Repeat <= held {
			r.Latency[result.EndToEnd], r.Generator.Limited = latency.Summary{Count: 9000, P99: 9e3}, false
		} else {
			r.Generator.Limited = false
		}
	}
	c := capacity.Analyse(run).Scalings[0].Cells[0]
	require.InDelta(t, top, c.Knee.PerSecond, 1)
	return c
}

// A law that leaves the picture where nothing was measured is drawn as far as it goes.
func TestALawThatLeavesThePicture(t *testing.T) {
	_, run := ladder(t, six(1000), six(16000), six(1000), six(1000))
	for i, n := range []string{"1", "2", "4", "8"} {
		run.Cells[i].Settings["consumer.count"] = n
	}
	store, err := result.Create(t.TempDir(), run)
	require.NoError(t, err)
	_, err = Draw(store.Dir(), run)
	require.NoError(t, err)
}

// The CSV has the points that are drawn, and no others: not those without a latency.
func TestAKneesPointsAreTheDrawnOnes(t *testing.T) {
	_, run := boundedKnees(t)
	figures := map[string]figure{}
	for _, f := range kneeFigures(run) {
		figures[f.name] = f
	}
	require.Len(t, figures["knee-relay/consumer.count=3"].points, 5+6*3)
	require.Len(t, figures["knee-relay/consumer.count=4"].points, 5, "of the search alone")
	for _, f := range figures {
		require.NotEmpty(t, f.points)
		for _, point := range f.points {
			require.NotEqual(t, "0", point[4], f.name)
		}
	}
	require.Contains(t, figures["knee-relay/consumer.count=3"].conditions, "6 repeats; dots: trials, line: their median, hollow: the generator was the limit, small: the search")
	require.NotContains(t, figures["knee-relay/consumer.count=1"].conditions, "hollow")

	// Without a latency in the SLO it is the acknowledgement's where nothing consumes.
	for i := range run.Cells {
		run.Cells[i].Settings["pipeline"] = "produce"
		for j := range run.Cells[i].Trials {
			trial := &run.Cells[i].Trials[j]
			if p99, ok := trial.Latency[result.Durable]; ok {
				trial.Latency = map[string]latency.Summary{result.Ack: p99}
			}
		}
	}
	run.Capacity.SLO = []string{"lost == 0"}
	require.Equal(t, "ack.p99_us", kneeFigures(run)[1].header[4])
}

// A range of few repeats is not drawn or called as an interval is.
func TestWhatAScalingsLinesAre(t *testing.T) {
	scaling := func(make func(*testing.T) (string, *result.Run)) (figure, []string) {
		_, run := make(t)
		f := kneeFigures(run)[0]
		var intervals []string
		for _, point := range f.points {
			intervals = append(intervals, point[5])
		}
		return f, intervals
	}
	f, intervals := scaling(exactKnees)
	require.Contains(t, f.conditions, "dot: median knee of 6 repeats; line: 95 % interval; the law")
	require.Equal(t, []string{"95 % interval", "95 % interval", "95 % interval", "95 % interval"}, intervals)
	require.Empty(t, f.omitted)

	f, intervals = scaling(boundedKnees)
	require.Contains(t, f.conditions, "dot: median knee of 6 repeats; line: 95 % interval where it has end strokes, else range; arrow: a bound")
	require.NotContains(t, f.conditions, "law")
	require.Equal(t, []string{"range", "95 % interval", "range", "none", "95 % interval"}, intervals)
	require.Equal(t, "consumer.count 4: no knee was found", f.omitted)

	f, intervals = scaling(func(t *testing.T) (string, *result.Run) {
		dir, run := ladder(t, []float64{5000, 5000, 5100}, []float64{9600, 9600, 9700})
		run.Capacity.Repeats = 3
		return dir, run
	})
	require.Contains(t, f.conditions, "dot: median knee of 3 repeats; line: range")
	require.NotContains(t, f.conditions, "interval")
	require.Equal(t, []string{"range", "range"}, intervals)
}

// End strokes are an interval's, and never stand where an end is not known.
func TestEndStrokes(t *testing.T) {
	strokes := func(k capacity.Knee) (count int) {
		var canvas recorder.Canvas
		p := newPen(draw.NewCanvas(&canvas, Width, Height), light(), fonts(t))
		paintCapacity(p, capacity.Cell{N: 1, Knee: k}, scale{hi: 2, a: 0, b: 200}, scale{hi: 100, a: 0, b: 100}, blue)
		for _, action := range canvas.Actions {
			if s, ok := action.(*recorder.Stroke); ok && len(s.Path) == 2 && s.Path[0].Pos.Y == s.Path[1].Pos.Y && s.Path[0].Pos.X != s.Path[1].Pos.X {
				count++
			}
		}
		return count
	}
	known := capacity.Knee{PerSecond: 50, Bound: capacity.Exact, Lo: 40, Hi: 60, Spread: stats.Interval}
	require.Equal(t, 2, strokes(known))
	ranged, open, off, under := known, known, known, known
	ranged.Spread = stats.Range
	open.Hi = math.Inf(1)
	off.Hi = 101
	under.Bound, under.Lo, under.Hi = capacity.Below, 0, 50
	require.Equal(t, []int{0, 1, 1, 1}, []int{strokes(ranged), strokes(open), strokes(off), strokes(under)})
}
