package trial

import (
	"testing"

	"deliverybench/bench/profile"
	"deliverybench/bench/worker"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// group is a trial's conductor with consumers and 3 partitions.
func group(consumers int) *conductor {
	c := &conductor{}
	c.trial.Settings = profile.Defaults()
	c.trial.Settings.Topic.Partitions, c.trial.Settings.Consumer.Count = 3, consumers
	for n := range consumers {
		c.crew = append(c.crew, &member{role: worker.ConsumerRole, number: n})
	}
	return c
}

// statement is what a worker says at a time: what it owns, or has drained.
type statement struct {
	at      int64
	owns    []int32
	drained []int32
}

// hear hears what workers say: each in its order, and the workers interleaved in
// any way. It calls after each statement with how many are left.
func hear(t *rapid.T, c *conductor, said [][]statement, after func(left int)) {
	left := 0
	for _, of := range said {
		left += len(of)
	}
	next := make([]int, len(said))
	for left > 0 {
		var speakers []int
		for n := range said {
			if next[n] < len(said[n]) {
				speakers = append(speakers, n)
			}
		}
		n := rapid.SampledFrom(speakers).Draw(t, "speaker")
		if s := said[n][next[n]]; s.drained != nil {
			c.crew[n].drain(s.drained)
		} else {
			c.crew[n].reassign(s.owns, s.at)
		}
		next[n]++
		left--
		after(left)
	}
}

// However what workers say is interleaved, the group counts as complete exactly
// when each has said its last.
func TestAGroupIsCompleteInAnyOrderOfHearing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := group(3)
		// The first member has everything until the others have joined.
		hear(t, c, [][]statement{
			{{at: 1, owns: []int32{0, 1, 2}}, {at: 2}, {at: 4, owns: []int32{0, 1}}, {at: 5}, {at: 9, owns: []int32{0}}},
			{{at: 3}, {at: 6, owns: []int32{2}}, {at: 7}, {at: 10, owns: []int32{1}}},
			{{at: 8}, {at: 11, owns: []int32{2}}},
		}, func(left int) { require.Equal(t, left == 0, c.settled()) })
	})
}

// Partitions go from hand to hand, and who is frozen meanwhile goes on to say that
// they are its own. When all was heard, each belongs to whoever got it last, and
// is drained exactly if that one drained it since.
func TestTheLastToGetAPartitionOwnsItInAnyOrderOfHearing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const consumers, partitions = 3, 3
		said := make([][]statement, consumers)
		believes := make([]map[int32]bool, consumers)
		for n := range believes {
			believes[n] = map[int32]bool{}
		}
		tell := func(n int, at int64) {
			s := statement{at: at}
			for p := range int32(partitions) {
				if believes[n][p] {
					s.owns = append(s.owns, p)
				}
			}
			said[n] = append(said[n], s)
		}
		owner, drained := map[int32]int{}, map[int32]bool{}
		for step := range rapid.IntRange(1, 20).Draw(t, "steps") {
			p := int32(rapid.IntRange(0, partitions-1).Draw(t, "partition"))
			had, owned := owner[p]
			if owned && rapid.Bool().Draw(t, "drains") {
				said[had] = append(said[had], statement{drained: []int32{p}})
				drained[p] = true
				continue
			}
			to := rapid.IntRange(0, consumers-1).Draw(t, "to")
			if owned && had == to {
				continue
			}
			if owned && !rapid.Bool().Draw(t, "frozen") {
				delete(believes[had], p)
				tell(had, int64(10*step))
			}
			if believes[to][p] { // it hears of its loss before it gets it anew
				delete(believes[to], p)
				tell(to, int64(10*step+1))
			}
			believes[to][p] = true
			tell(to, int64(10*step+2))
			owner[p], drained[p] = to, false
		}
		c := group(consumers)
		hear(t, c, said, func(int) {})
		want := 0
		for p := range int32(partitions) {
			to, owned := owner[p]
			if !owned {
				require.Nil(t, c.owner(p))
				continue
			}
			require.Same(t, c.crew[to], c.owner(p), "owner of partition %d", p)
			if drained[p] {
				want++
			}
		}
		require.Equal(t, len(owner), c.assigned())
		require.Equal(t, want, c.drained())
	})
}

// A worker that is gone owns nothing that somebody works on, but what it drained
// stays drained until somebody else gets it; more to drain begins anew.
func TestWhatADeadWorkerDrainedStaysDrained(t *testing.T) {
	c := group(1)
	c.crew[0].reassign([]int32{0, 1}, 1)
	c.crew[0].drain([]int32{0, 1, 2})
	require.Equal(t, 2, c.drained())
	c.crew[0].gone = true
	require.Equal(t, 0, c.assigned())
	require.Equal(t, 2, c.drained())
	c.crew[0].undrain()
	require.Equal(t, 0, c.drained())
}
