package capacity

import (
	"fmt"
	"math"

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
	// N is how many of what was varied; 0 where nothing says. Partitions is of
	// every topic, at N.
	N, Partitions int
	// PerPartition is what a partition is known to carry, in messages per second.
	PerPartition float64
	// Most is the highest capacity that there is reason to believe in.
	Most float64
	// Measured says that the knee at N itself answers, not the law.
	Measured bool
	// Doubtful says that the 95 % interval of the knee at N reaches below what is
	// needed, down to Low: the median carries it, and perhaps no more than that.
	Doubtful bool
	Low      float64
}

// NewPlan answers whether the needed rate is carried, and by how many.
func NewPlan(load Load, s Scaling) Plan {
	p := Plan{Load: load, Answer: NotCarried}
	bounded := false
	for _, c := range s.Cells {
		k := c.Knee
		if k.Bound == Exact || k.Bound == AtLeast {
			p.Most = max(p.Most, k.PerSecond)
			p.PerPartition = max(p.PerPartition, k.PerSecond/float64(max(1, c.partitions())))
		}
		bounded = bounded || k.Bound == AtLeast || k.Bound == None
	}
	switch n, carries := s.measured(load.Needed); {
	case s.Law != nil:
		p.byLaw(*s.Law, n, carries)
	case carries:
		p.Answer, p.N, p.Measured = Carried, n, true
	case bounded:
		p.Answer = Open
	}
	p.Partitions = s.partitions(p)
	for _, c := range s.Cells {
		if k := c.Knee; p.Answer == Carried && c.N == p.N && k.Spread == stats.Interval && k.Lo < load.Needed {
			p.Doubtful, p.Low = true, k.Lo
		}
	}
	return p
}

// byLaw takes the least N of the law; a larger one that was measured to carry
// the load stands where the law says less of it than was measured.
func (p *Plan) byLaw(law Law, measured int, carries bool) {
	best, most := law.Best()
	p.Most = max(p.Most, law.At(min(best, law.Largest)))
	n, ok := law.Least(p.Load.Needed)
	switch {
	case ok && float64(n) <= law.Largest:
		p.Answer, p.N = Carried, n
	case carries:
		p.Answer, p.N, p.Measured = Carried, measured, true
	case !ok:
		p.Answer, p.Most = Unreachable, max(p.Most, most)
	case law.Spare() > 0:
		p.Answer, p.N = Extrapolated, n
	}
}

// measured is the least N of which the knee itself is enough.
func (s Scaling) measured(needed float64) (n int, ok bool) {
	for _, c := range s.Cells {
		if k := c.Knee; (k.Bound == Exact || k.Bound == AtLeast) && k.PerSecond >= needed && (!ok || c.N < n) {
			n, ok = c.N, true
		}
	}
	return n, ok
}

// partitions is how many a topic needs for a plan: no fewer than consumers, of
// which each has one at least, and as many as the rate takes at what one was
// measured to carry.
func (s Scaling) partitions(p Plan) int {
	if p.N == 0 || p.PerPartition <= 0 {
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
