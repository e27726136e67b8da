package comparison_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/comparison"
	"deliverybench/bench/result"
)

// losing is a run that lost these, a trial each.
func losing(lost ...int64) *result.Run {
	c := result.Cell{Name: "a"}
	for i, n := range lost {
		c.Trials = append(c.Trials, trial("paced", i+1, 100, 1000, n))
	}
	return run(c)
}

// foretold gives every trial a fault of which so many losses are predicted.
func foretold(of *result.Run, lost int64, p result.Predicted) *result.Run {
	for i := range of.Cells[0].Trials {
		p.Lost = &lost
		of.Cells[0].Trials[i].Faults = []result.Fault{{Name: "a fault", Predicted: &p}}
	}
	return of
}

// promising gives a run a guarantee, which every trial with losses broke.
func promising(of *result.Run, guarantee string) *result.Run {
	of.Cells[0].Guarantee = guarantee
	for i := range of.Cells[0].Trials {
		if t := &of.Cells[0].Trials[i]; t.Verdict.Lost.Total > 0 {
			t.Promise = result.Violated
		}
	}
	return of
}

// A count is exact where theory gives it to the message, or where every repeat agrees
// and there are enough of them; else it is a draw, which one trial tells nothing of. A
// promise that is broken is no draw.
func TestCounts(t *testing.T) {
	exact, about, seen := result.Predicted{Exact: true}, result.Predicted{}, result.Predicted{Exact: true, Seen: true}
	for name, c := range map[string]struct {
		base, run *result.Run
		want      comparison.Finding
		basis     comparison.Basis
		written   [2]string
	}{
		"nothing":                 {losing(0, 0), losing(0, 0), comparison.Same, "", [2]string{"0", "0"}},
		"the same once":           {losing(7), losing(7), comparison.Same, "", [2]string{"7", "7"}},
		"one draw each":           {losing(4), losing(9), comparison.TooFew, "", [2]string{"4", "9"}},
		"one draw, and nothing":   {losing(0), losing(1), comparison.TooFew, "", [2]string{"0", "1"}},
		"two that agree":          {losing(0, 0), losing(5, 5), comparison.TooFew, "", [2]string{"0", "5"}},
		"three that agree":        {losing(0, 0, 0), losing(5, 5, 5), comparison.Worse, comparison.Exact, [2]string{"0", "5"}},
		"three that do not":       {losing(0, 0, 1), losing(5, 5, 5), comparison.TooFew, "", [2]string{"0–1", "5"}},
		"four that do not":        {losing(6, 7, 8, 9), losing(5, 0, 5, 5), comparison.Better, "", [2]string{"6–9", "0–5"}},
		"overlapping":             {losing(0, 5, 6, 7), losing(5, 6, 9, 9), comparison.Same, "", [2]string{"0–7", "5–9"}},
		"as predicted":            {foretold(losing(500), 500, exact), foretold(losing(1000), 1000, exact), comparison.Worse, comparison.Exact, [2]string{"500", "1000"}},
		"less, as predicted":      {foretold(losing(500), 500, exact), losing(0), comparison.Better, comparison.Exact, [2]string{"500", "0"}},
		"not as predicted":        {foretold(losing(500), 500, exact), foretold(losing(503), 500, exact), comparison.TooFew, "", [2]string{"500", "503"}},
		"predicted about":         {foretold(losing(500), 500, about), foretold(losing(1000), 1000, about), comparison.TooFew, "", [2]string{"500", "1000"}},
		"what the fault struck":   {foretold(losing(287), 287, seen), foretold(losing(312), 312, seen), comparison.TooFew, "", [2]string{"287", "312"}},
		"a promise broken":        {losing(0), promising(losing(1), "at-least-once"), comparison.Worse, comparison.Broken, [2]string{"0", "1"}},
		"a promise broken, once":  {losing(0, 0, 0, 0), promising(losing(0, 0, 1, 0), "exactly-once"), comparison.Worse, comparison.Broken, [2]string{"0", "0–1"}},
		"another promise":         {losing(0), promising(losing(1), "at-most-once"), comparison.TooFew, "", [2]string{"0", "1"}},
		"a promise broken before": {promising(losing(3), "at-least-once"), promising(losing(1), "at-least-once"), comparison.TooFew, "", [2]string{"3", "1"}},
		"a promise now held":      {promising(losing(3), "at-least-once"), losing(0), comparison.TooFew, "", [2]string{"3", "0"}},
	} {
		got := change(t, comparison.Compare(c.base, c.run), "lost")
		require.Equal(t, c.want, got.Finding, name)
		require.Equal(t, c.basis, got.Basis, name)
		base, now := got.Sides()
		require.Equal(t, c.written, [2]string{base, now}, name)
	}
}

// A shortage is as far from 0 as a surplus.
func TestCountsOfEitherSign(t *testing.T) {
	with := func(cents ...int64) *result.Run {
		of := losing(make([]int64, len(cents))...)
		for i, n := range cents {
			of.Cells[0].Trials[i].Database = &result.Database{DifferenceCents: n}
		}
		return of
	}
	require.Equal(t, comparison.Worse, change(t, comparison.Compare(with(1, -2, 3, -4), with(-9, 8, -7, 6)), "database.difference_cents").Finding)
	require.Equal(t, comparison.Same, change(t, comparison.Compare(with(4, 4, 4, 4), with(-4, -4, -4, -4)), "database.difference_cents").Finding)
}

// What is exact is told of whatever else was compared; draws are discounted among all.
func TestCountsAreDiscounted(t *testing.T) {
	wide := func(lost int64, predicted bool) *result.Run {
		r := losing(lost, lost, lost)
		if predicted {
			foretold(r, lost, result.Predicted{Exact: true})
		}
		for i := range 4 {
			r.Cells = append(r.Cells, repeated(fmt.Sprint(i), nil, hundreds...))
		}
		return r
	}
	c := comparison.Compare(wide(500, true), wide(1000, true))
	require.Equal(t, 4*4, c.Tests)
	require.Equal(t, comparison.Exact, c.Rows[0].Changes[4].Basis)
	require.Equal(t, 1, c.Count(comparison.Worse))
	c = comparison.Compare(wide(500, false), wide(1000, false))
	require.Equal(t, 1+4*4, c.Tests)
	require.Equal(t, comparison.Chance, c.Rows[0].Changes[4].Finding)
	require.Empty(t, c.Rows[0].Changes[4].Basis)

	var text bytes.Buffer
	require.NoError(t, comparison.Compare(losing(0, 0, 0), losing(5, 5, 5)).Encode(&text, nil))
	type row struct {
		Metric, Finding, Basis string
		P                      *float64 `json:"p_value"`
	}
	var got struct {
		Tests int
		Rows  []row
	}
	require.NoError(t, json.Unmarshal(text.Bytes(), &got))
	require.Equal(t, 1, got.Tests)
	at := slices.IndexFunc(got.Rows, func(r row) bool { return r.Metric == "lost" })
	require.Equal(t, [2]string{"worse", "exact"}, [2]string{got.Rows[at].Finding, got.Rows[at].Basis})
	require.InDelta(t, 0.03456, *got.Rows[at].P, 1e-12)
}

// Of two runs of the same thing, whose counts are draws, a difference is told in 5 % of
// cases at most: of all cells and metrics together, however few the repeats.
func TestTheSameDrawsTwice(t *testing.T) {
	draws := func(repeats int, random *rand.Rand, of func(*rand.Rand) int64) *result.Run {
		r := &result.Run{Run: result.Header{Scenarios: []string{"paced"}}}
		for i := range 3 {
			c := result.Cell{Name: fmt.Sprint(i)}
			for j := range repeats {
				one := trial("paced", j+1, 1000*(1+0.2*random.NormFloat64()), 1000, of(random))
				one.Verdict.Duplicates.Total = of(random)
				c.Trials = append(c.Trials, one)
			}
			r.Cells = append(r.Cells, c)
		}
		return r
	}
	for name, of := range map[string]func(*rand.Rand) int64{
		"seldom any":      func(random *rand.Rand) int64 { return int64(max(0, random.IntN(10)-8)) },
		"a coin":          func(random *rand.Rand) int64 { return int64(random.IntN(2)) },
		"nearly the same": func(random *rand.Rand) int64 { return 500 + int64(random.IntN(3)) },
		"anything":        func(random *rand.Rand) int64 { return int64(random.ExpFloat64() * 1000) },
	} {
		for _, sizes := range [][2]int{{1, 1}, {3, 3}, {4, 4}, {6, 6}, {3, 6}} {
			const pairs = 60
			random, different := rand.New(rand.NewPCG(3, 4)), 0
			for range pairs {
				c := comparison.Compare(draws(sizes[0], random, of), draws(sizes[1], random, of))
				if c.Count(comparison.Better)+c.Count(comparison.Worse) > 0 {
					different++
				}
			}
			require.LessOrEqual(t, different, pairs*5/100, "%s, %v repeats", name, sizes)
		}
	}
}
