package capacity

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/result"
)

// By hand: 50,000 × 1.4² = 98,000; / 0.7 = 140,000. A message takes 1024 + 21 =
// 1045 B, so that 98,000 a second are 102.41 MB/s: into each of 3 brokers as much
// as that (3 copies on 3 brokers), out of each (1 + 2)/3 of it. A day's 86,400 s of
// 3 copies are 26.544672 TB, 7 days 185.812704 TB.
func TestLoadByHand(t *testing.T) {
	target := result.Target{PerSecond: 50_000, MessageBytes: 1024, GrowthShare: 0.4, Years: 2, HeadroomShare: 0.3, Replication: 3, RetentionSeconds: 7 * 86_400}
	l := NewLoad(target, "consume")
	require.InDelta(t, 98_000, l.Design, 1e-6)
	require.InDelta(t, 140_000, l.Needed, 1e-6)
	require.Equal(t, 1045.0, l.MessageBytes)
	require.Equal(t, 3, l.Brokers)
	require.InDelta(t, 102.41e6, l.InPerBroker, 1)
	require.InDelta(t, 102.41e6, l.OutPerBroker, 1)
	require.InDelta(t, 26.544672e12, l.PerDay, 1e6)
	require.InDelta(t, 185.812704e12, l.Retained, 1e7)

	// A relay writes and reads everything again.
	relay := NewLoad(target, "relay")
	require.InDelta(t, 2*102.41e6, relay.InPerBroker, 1)
	require.InDelta(t, 2*102.41e6, relay.OutPerBroker, 1)
	require.InDelta(t, 2*26.544672e12, relay.PerDay, 1e6)
	// Nobody reads what is only produced: out is the followers' 2 of 3 copies.
	require.InDelta(t, 102.41e6*2/3, NewLoad(target, "produce").OutPerBroker, 1)
	// One copy on one broker: no follower; no growth, no headroom.
	alone := NewLoad(result.Target{PerSecond: 1000, MessageBytes: 79, Years: 5, Replication: 1, RetentionSeconds: 43_200}, "consume")
	require.Equal(t, Load{Design: 1000, Needed: 1000, MessageBytes: 100, Brokers: 1, InPerBroker: 1e5, OutPerBroker: 1e5, PerDay: 8.64e9, Retained: 4.32e9}, alone)
}

// What goes in is what producers and followers bring, what goes out what groups
// and followers take; over the cluster the followers' share is the same on both sides.
func TestLoadAddsUp(t *testing.T) {
	for copies := 1; copies <= 5; copies++ {
		l := NewLoad(result.Target{PerSecond: 1000, MessageBytes: 979, Replication: copies}, "consume")
		in, out := l.InPerBroker*float64(l.Brokers), l.OutPerBroker*float64(l.Brokers)
		followers := float64(copies-1) * 1e6
		require.InDelta(t, 1e6, in-followers, 1e-3, "produced")
		require.InDelta(t, 1e6, out-followers, 1e-3, "read")
		require.InDelta(t, in*86_400, l.PerDay, 1, "what comes in is stored")
	}
}

// cells are knees at N = 1, 2, …, on topics of 4 partitions.
func cells(over string, knees ...Knee) Scaling {
	s := Scaling{Name: "t", Over: over}
	for i, k := range knees {
		s.Cells = append(s.Cells, Cell{N: i + 1, Knee: k, Cell: &result.Cell{Settings: map[string]string{
			"topic.partitions": "4", "consumer.count": "2", "pipeline": "consume", "load.message.size": "256B",
		}}})
	}
	s.fit()
	return s
}

// exactly, atLeast and below are knees in which six repeats agree.
func exactly(rate float64) Knee { return newKnee(passes(Exact, slices.Repeat([]float64{rate}, 6)...)) }
func atLeast(rate float64) Knee {
	return newKnee(passes(AtLeast, slices.Repeat([]float64{rate}, 6)...))
}
func below(rate float64) Knee { return newKnee(passes(Below, slices.Repeat([]float64{rate}, 6)...)) }

func byLaw(over string, l Law, most int) Scaling {
	var knees []Knee
	for n := 1; n <= most; n++ {
		knees = append(knees, exactly(l.At(float64(n))))
	}
	return cells(over, knees...)
}

func TestPlan(t *testing.T) {
	linear, contended := Law{Lambda: 1000}, Law{Lambda: 1000, Sigma: 0.1, Kappa: 0.05} // peaks at √(0.9/0.05) = 4.2
	for _, c := range []struct {
		name       string
		scaling    Scaling
		needed     float64
		answer     Answer
		n          int
		partitions int
	}{
		// A partition carries 3000/4 = 750/s at least.
		{"by the law", byLaw("consumer.count", linear, 3), 1500, Carried, 2, 2},
		{"at the last that was measured", byLaw("consumer.count", linear, 3), 3000, Carried, 3, 4},
		{"3 points do not extrapolate", byLaw("consumer.count", linear, 3), 3001, NotCarried, 0, 0},
		{"4 do, and say so", byLaw("consumer.count", linear, 4), 6500, Extrapolated, 7, 7},
		{"never beyond the peak", byLaw("consumer.count", contended, 4), contended.At(4) + 1, Unreachable, 0, 0},
		{"partitions are what is counted", byLaw("topic.partitions", linear, 3), 2001, Carried, 3, 3},
		{"producers leave the consumers", byLaw("producer.count", linear, 3), 100, Carried, 1, 2},
		{"without a law what was measured", cells("consumer.count", exactly(1000), atLeast(1500)), 1400, Carried, 2, 4},
		{"a bound leaves it open", cells("consumer.count", exactly(1000), atLeast(1500)), 1600, Open, 0, 0},
		{"below is an answer", cells("consumer.count", below(1000), below(1000)), 1600, NotCarried, 0, 0},
		{"below what is over the need leaves it open", cells("consumer.count", below(1000), below(2000)), 1600, Open, 0, 0},
		// The law gives 28,468 at 3, and 24,000 was measured there.
		{"a measured N by its own knee", cells("consumer.count", exactly(10_000), exactly(20_000), exactly(24_000), exactly(40_000)), 26_500, Carried, 4, 4},
		{"the law's optimism about a measured N", cells("consumer.count", exactly(10_000), exactly(20_000), exactly(24_000), exactly(26_000)), 26_100, Extrapolated, 5, 5},
		// The law of the exact knees has its peak under what 4 carry at least.
		{"a bound against the law", cells("consumer.count", exactly(5000), exactly(9000), exactly(12_000), atLeast(14_000)), 15_000, Open, 0, 0},
		{"a bound that carries, against the law", cells("consumer.count", exactly(5000), exactly(9000), exactly(9500), atLeast(14_000)), 13_000, Carried, 4, 4},
		{"3 points give no peak beyond them", byLaw("consumer.count", contended, 3), 10_000, NotCarried, 0, 0},
		{"nothing is none", cells("consumer.count", Knee{}, Knee{}), 1600, Open, 0, 0},
	} {
		p := NewPlan(Load{Design: c.needed, Needed: c.needed}, c.scaling)
		require.Equal(t, c.answer, p.Answer, c.name)
		require.Equal(t, []int{c.n, c.partitions}, []int{p.N, p.Partitions}, c.name)
	}

	// With nothing varied the one cell answers, and keeps its consumers.
	one := cells("", exactly(1000)) // on 4 partitions
	one.Cells[0].N = 0
	p := NewPlan(Load{Needed: 900}, one)
	require.Equal(t, Carried, p.Answer)
	require.True(t, p.Measured)
	require.Equal(t, 4, p.Partitions, "at 250/s each")
	require.Equal(t, NotCarried, NewPlan(Load{Needed: 1100}, one).Answer)
}

// A target is carried for sure only by an interval that lies over it, of every
// repeat, at an N that was measured.
func TestPlanDoubts(t *testing.T) {
	knee := func(bound Bound, rates ...float64) Knee { return newKnee(passes(bound, rates...)) }
	incomplete := knee(Exact, 1500, 1500, 1500, 1500, 1500, 1500)
	incomplete.Missing = 1
	for _, c := range []struct {
		name     string
		knees    []Knee
		needed   float64
		n        int
		doubtful bool
		low      float64
	}{
		{"the interval is over it", []Knee{exactly(1000), knee(Exact, 1400, 1500, 1500, 1500, 1500, 1500)}, 1400, 2, false, 1400},
		{"the interval goes below it", []Knee{exactly(1000), knee(Exact, 1000, 1500, 1500, 1500, 1500, 1500)}, 1400, 2, true, 1000},
		{"the interval of a bound does", []Knee{exactly(1000), knee(AtLeast, 1000, 1500, 1500, 1500, 1500, 1500)}, 1400, 2, true, 1000},
		{"a range goes below it", []Knee{exactly(1000), knee(Exact, 1000, 1500, 1500)}, 1400, 2, true, 1000},
		{"a range is no interval", []Knee{exactly(1000), knee(Exact, 1500, 1500, 1500)}, 1400, 2, true, 1500},
		{"one is none", []Knee{exactly(1000), knee(Exact, 1500)}, 1400, 2, true, 1500},
		{"a repeat is missing", []Knee{exactly(1000), incomplete}, 1400, 2, true, 1500},
		{"what is sure before what is less", []Knee{exactly(1000), knee(Exact, 1500), exactly(1600)}, 1400, 3, false, 1600},
	} {
		s := cells("consumer.count", c.knees...)
		p := NewPlan(Load{Needed: c.needed}, s)
		require.Equal(t, []any{Carried, c.n, c.doubtful, c.low}, []any{p.Answer, p.N, p.Doubtful, p.Low}, c.name)
		s.Plan = &p
		require.Equal(t, c.doubtful, (&Analysis{Scalings: []Scaling{s}}).Conclude() == Inconclusive, c.name)
	}
	require.Equal(t, Open, NewPlan(Load{Needed: 1600}, cells("consumer.count", incomplete)).Answer, "too little, and not of every repeat")

	// 1, 3 and 8 were measured, and the law's peak lies between.
	law := Law{Lambda: 1000, Sigma: 0.1, Kappa: 0.05}
	s := Scaling{Over: "consumer.count"}
	for _, n := range []int{1, 3, 8} {
		one := cells("consumer.count", exactly(law.At(float64(n)))).Cells[0]
		one.N = n
		s.Cells = append(s.Cells, one)
	}
	s.fit()
	p := NewPlan(Load{Needed: law.At(4)}, s)
	require.Equal(t, []any{Carried, 4, true, false}, []any{p.Answer, p.N, p.Doubtful, p.Measured})
}

// A law is none that says less than what was measured at the least, or more than
// what broke; nor has it a knee that some repeats say nothing of.
func TestALawThatABoundContradicts(t *testing.T) {
	linear := []Knee{exactly(1000), exactly(2000), exactly(3000)}
	require.NotNil(t, cells("consumer.count", append(linear, atLeast(3900))...).Law)
	require.Nil(t, cells("consumer.count", append(linear, atLeast(4100))...).Law)
	require.NotNil(t, cells("consumer.count", append(linear, below(4100))...).Law)
	s := cells("consumer.count", append(linear, below(3900))...)
	require.Nil(t, s.Law)
	require.Equal(t, "that of the exact knees gives 4000/s at N = 4, where below 3900/s was measured", s.Why)
	odd := exactly(4000)
	odd.Missing = 5
	require.Equal(t, 3, cells("consumer.count", append(linear, odd)...).Law.Distinct)
}

func TestAssumptionsNameWhatDiffers(t *testing.T) {
	s := byLaw("consumer.count", Law{Lambda: 1000}, 3)
	s.Cells[0].Cell.Settings["producer.compression"] = "lz4"
	target := result.Target{PerSecond: 1000, MessageBytes: 1024, Years: 1, Replication: 3}
	list := strings.Join(NewPlan(NewLoad(target, "consume"), s).Assumptions(target, s), "\n")
	for _, want := range []string{
		"needed = design / (1 − 0 %) = 1000/s", "1 KiB of value + 21 B", "3 brokers", "1 topic, read by 1 group", "the other copies (2)",
		"a partition carries at least 750/s", "measured with messages of 256B and are taken to hold for 1 KiB", "producer.compression: lz4",
	} {
		require.Contains(t, list, want)
	}
}
