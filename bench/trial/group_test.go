package trial

import (
	"testing"

	"deliverybench/bench/profile"
	"deliverybench/bench/worker"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The trial hears its workers in any order. In whatever way what they say is
// interleaved, the group counts as complete exactly when each has said its last.
func TestAGroupIsCompleteInAnyOrderOfHearing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// The first member has everything until the others have joined.
		said := [][][]int32{{{0, 1, 2}, {}, {0, 1}, {}, {0}}, {{}, {2}, {}, {1}}, {{}, {2}}}
		c := &conductor{drained: map[int32]bool{}}
		c.trial.Settings = profile.Defaults()
		c.trial.Settings.Topic.Partitions, c.trial.Settings.Consumer.Count = 3, 3
		for n := range said {
			c.crew = append(c.crew, &member{role: worker.ConsumerRole, number: n})
		}
		left := 5 + 4 + 2
		for left > 0 {
			var speakers []int
			for n := range said {
				if len(said[n]) > 0 {
					speakers = append(speakers, n)
				}
			}
			n := rapid.SampledFrom(speakers).Draw(t, "speaker")
			c.reassign(c.crew[n], said[n][0])
			said[n] = said[n][1:]
			left--
			require.Equal(t, left == 0, c.settled())
		}
	})
}

// What a worker drained counts while it owns it; a new owner drains it again.
func TestANewOwnerDrainsAgain(t *testing.T) {
	c := &conductor{drained: map[int32]bool{}}
	first, second := &member{}, &member{}
	c.reassign(first, []int32{0, 1})
	c.drainedBy(first, []int32{0, 1})
	require.Equal(t, map[int32]bool{0: true, 1: true}, c.drained)
	c.reassign(first, []int32{0})
	c.reassign(second, []int32{1})
	require.Equal(t, map[int32]bool{0: true}, c.drained)
	c.drainedBy(first, []int32{1}) // heard late
	require.Equal(t, map[int32]bool{0: true}, c.drained)
	c.drainedBy(second, []int32{1})
	require.Equal(t, map[int32]bool{0: true, 1: true}, c.drained)
}
