package capacity

import (
	"fmt"
	"math"
	"slices"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Load is what a target asks: messages and bytes.
type Load struct {
	// Design is the rate in messages per second after the growth; Needed the
	// capacity of which that leaves the headroom free.
	Design, Needed float64
	// MessageBytes is what a message takes in a log and on the wire.
	MessageBytes float64
	// Brokers is the smallest cluster that holds the copies.
	Brokers int
	// In and out of each broker, in bytes per second, clients and followers.
	InPerBroker, OutPerBroker float64
	// PerDay and Retained are bytes on all disks together.
	PerDay, Retained float64
}

// recordOverhead is what a record takes in a batch beside key, value and headers
// at the most, in bytes: Kafka's DefaultRecord.MAX_RECORD_OVERHEAD.
const recordOverhead = 21

const secondsPerDay = 86_400

// flow is how a pipeline's messages go through the cluster.
type flow struct {
	topics int // each message is written to
	groups int // that read each of them
}

func flowOf(pipeline string) flow {
	switch pipeline {
	case "relay":
		return flow{topics: 2, groups: 1}
	case "produce":
		return flow{topics: 1}
	}
	return flow{topics: 1, groups: 1}
}

// NewLoad computes what a target asks of a cluster. With R messages per second of
// W bytes into T topics, r copies and G groups of readers, on B = r brokers that
// share everything evenly:
//
//	design R  = rate × (1 + growth)^years
//	needed    = R / (1 − headroom)
//	in        = T × R × W × r / B             producers write one copy, followers fetch r − 1
//	out       = T × R × W × (G + r − 1) / B   to the groups, and to the followers
//	disk      = T × R × W × r × 86,400 a day, for as many days as are retained
func NewLoad(t result.Target, pipeline string) Load {
	f := flowOf(pipeline)
	l := Load{Design: t.PerSecond * math.Pow(1+t.GrowthShare, float64(t.Years)), Brokers: t.Replication}
	l.Needed = l.Design / (1 - t.HeadroomShare)
	l.MessageBytes = float64(t.MessageBytes) + recordOverhead
	copies, written := float64(t.Replication), float64(f.topics)*l.Design*l.MessageBytes
	l.InPerBroker = written * copies / float64(l.Brokers)
	l.OutPerBroker = written * (float64(f.groups) + copies - 1) / float64(l.Brokers)
	l.PerDay = written * copies * secondsPerDay
	l.Retained = l.PerDay * t.RetentionSeconds / secondsPerDay
	return l
}

// Answer is whether a target is carried.
type Answer string

const (
	Carried      Answer = "carried"
	NotCarried   Answer = "not carried"       // by nothing that was measured
	Extrapolated Answer = "only extrapolated" // by the law, beyond what was measured
	Unreachable  Answer = "not reachable"     // the law's peak is below it
	Open         Answer = "open"              // what was measured does not tell
)

// Plan is what a target needs, by one scaling.
type Plan struct {
	Load   Load
	Answer Answer
	// N is how many of what was varied; 0 where nothing says, or was varied.
	// Partitions is of every topic, at N.
	N, Partitions int
	// PerPartition is what a partition is known to carry, in messages per second.
	PerPartition float64
	// Most is the highest knee, in messages per second.
	Most float64
	// Measured says that the knee at N itself answers, not the law between knees.
	Measured bool
	// Doubtful says that what carries it perhaps does not: the spread of the knee at
	// N reaches below what is needed, there is no 95 % interval, repeats say nothing,
	// or N was not measured. Low is the spread's lower end.
	Doubtful bool
	Low      float64
}

// decision is what one knee says of a needed rate.
type decision int

const (
	refuses  decision = iota // it carries less
	leaves                   // it is only a bound, or not of every repeat
	perhaps                  // its median carries it, and its spread leaves doubt
	suffices                 // its whole interval carries it
)

// decide tells what a knee says of a needed rate in messages per second.
func (k Knee) decide(needed float64) decision {
	known := k.Bound == Exact || k.Bound == AtLeast
	switch {
	case known && k.PerSecond >= needed && k.Missing == 0 && k.Spread == stats.Interval && k.Lo >= needed:
		return suffices
	case known && k.PerSecond >= needed:
		return perhaps
	case k.Bound == Exact && k.Missing == 0, k.Bound == Below && k.PerSecond <= needed && k.Missing == 0:
		return refuses
	}
	return leaves
}

// NewPlan answers whether the needed rate is carried, and by how many. An N that
// was measured is decided by its own knee and never by the law.
func NewPlan(load Load, s Scaling) Plan {
	p := Plan{Load: load, Answer: NotCarried}
	best, open := Cell{}, false
	strongest := leaves
	for _, c := range s.Cells { // by N
		k := c.Knee
		if k.Bound == Exact || k.Bound == AtLeast {
			p.Most = max(p.Most, k.PerSecond)
			p.PerPartition = max(p.PerPartition, k.PerSecond/float64(max(1, c.partitions())))
		}
		says := k.decide(load.Needed)
		open = open || says == leaves
		if says > strongest {
			best, strongest = c, says
		}
	}
	switch n, between := s.between(load.Needed); {
	case strongest > leaves:
		p.Answer, p.N, p.Measured = Carried, best.N, true
		p.Doubtful, p.Low = strongest == perhaps, best.Knee.Lo
	case between:
		p.Answer, p.N, p.Doubtful = Carried, n, true
	case open:
		p.Answer = Open
	case s.Law != nil:
		p.beyond(*s.Law)
	}
	p.Partitions = s.partitions(p)
	return p
}

// between is the least N among the measured ones, and not one of them, of which
// the law says that it carries a rate.
func (s Scaling) between(needed float64) (n int, ok bool) {
	if s.Law == nil {
		return 0, false
	}
	for n := s.Cells[0].N + 1; n < int(s.Law.Largest); n++ {
		measured := slices.ContainsFunc(s.Cells, func(c Cell) bool { return c.N == n })
		if !measured && s.Law.At(float64(n)) >= needed {
			return n, true
		}
	}
	return 0, false
}

// beyond asks the law about what is over the largest N, where it can be tested.
func (p *Plan) beyond(law Law) {
	if law.Spare() <= 0 {
		return
	}
	n, ok := law.Least(p.Load.Needed)
	n = max(n, int(law.Largest)+1)
	switch {
	case !ok:
		p.Answer = Unreachable
	case law.At(float64(n)) >= p.Load.Needed:
		p.Answer, p.N = Extrapolated, n
	}
}

// partitions is how many a topic needs for a plan: no fewer than consumers, of
// which each has one at least, and as many as the rate takes at what one was
// measured to carry.
func (s Scaling) partitions(p Plan) int {
	if p.Answer != Carried && p.Answer != Extrapolated || p.PerPartition <= 0 {
		return 0
	}
	consumers := s.Cells[0].setting("consumer.count")
	switch s.Over {
	case "topic.partitions":
		return p.N
	case "consumer.count":
		consumers = p.N
	}
	return max(consumers, int(math.Ceil(p.Load.Needed/p.PerPartition-1e-9)))
}

// Assumptions are what a plan takes for granted, each with its numbers.
func (p Plan) Assumptions(t result.Target, s Scaling) []string {
	c := s.Cells[0]
	f := flowOf(c.Cell.Settings["pipeline"])
	size, measured := stats.Bytes(float64(t.MessageBytes)), c.Cell.Settings["load.message.size"]
	list := []string{
		fmt.Sprintf("design rate = %s × (1 + %s)^%d = %s; needed = design / (1 − %s) = %s", perSecond(t.PerSecond), stats.Percent(t.GrowthShare), t.Years,
			perSecond(p.Load.Design), stats.Percent(t.HeadroomShare), perSecond(p.Load.Needed)),
		fmt.Sprintf("a message takes %s of value + %d B of record at the most, uncompressed; keys, headers and the batch's own 61 B are not counted", size, recordOverhead),
		fmt.Sprintf("%s, one copy on each: the fewest that hold them; leaders and traffic are spread evenly", brokers(p.Load.Brokers)),
		fmt.Sprintf("%s by %s; followers fetch the other copies (%d) from the leaders, acknowledgements and requests are left out", topics(f.topics), groups(f.groups), t.Replication-1),
		"in = topics × R × W × copies / brokers; out = topics × R × W × (groups + copies − 1) / brokers",
		"disk = topics × R × W × copies × 86,400 s, as if the design rate lasted all day; indexes and what compaction saves are left out",
	}
	if s.Over != "topic.partitions" && p.PerPartition > 0 {
		list = append(list, fmt.Sprintf("a partition carries at least %s, the highest knee shared by its partitions; more may be possible and was not measured", perSecond(p.PerPartition)))
	}
	if int64(c.messageBytes()) != t.MessageBytes {
		list = append(list, fmt.Sprintf("capacities were measured with messages of %s and are taken to hold for %s: measure again with load.message.size: %s", measured, size, size))
	}
	if codec := c.Cell.Settings["producer.compression"]; codec != "none" && codec != "" {
		list = append(list, "producer.compression: "+codec+" makes network and disk smaller than this, by as much as your messages compress")
	}
	return list
}

func brokers(n int) string {
	if n == 1 {
		return "1 broker"
	}
	return fmt.Sprintf("%d brokers", n)
}

func topics(n int) string {
	if n == 1 {
		return "1 topic, read"
	}
	return fmt.Sprintf("%d topics (a relay writes every message again), each read", n)
}

func groups(n int) string {
	switch n {
	case 0:
		return "nobody"
	case 1:
		return "1 group"
	}
	return fmt.Sprintf("%d groups", n)
}
