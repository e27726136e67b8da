package worker

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/client"
)

// A partition that is lost while its commit is under way is not committed
// again when that commit is refused: its new owner would be rewound.
func TestALostPartitionIsNotCommittedAgain(t *testing.T) {
	entered, refuse := make(chan struct{}), make(chan struct{})
	var sent []client.Offsets
	c := newCommits(func(next client.Offsets) error {
		sent = append(sent, next)
		if len(sent) > 1 {
			return nil
		}
		close(entered)
		<-refuse
		return errors.New("the generation is over")
	}, true)
	require.NoError(t, c.add(client.Offsets{0: 10, 1: 20}))
	<-entered
	c.forget([]int32{0})
	close(refuse)
	require.NoError(t, c.finish())
	require.Equal(t, []client.Offsets{{0: 10, 1: 20}, {1: 20}}, sent)
}

// What came while a commit failed is newer than what that carried.
func TestAFailedCommitIsMergedIntoTheNext(t *testing.T) {
	refused := errors.New("refused")
	answer := refused
	var last client.Offsets
	c := newCommits(func(next client.Offsets) error {
		last = next
		return answer
	}, false)
	require.ErrorIs(t, c.add(client.Offsets{0: 10, 1: 20}), refused)
	answer = nil
	require.NoError(t, c.add(client.Offsets{0: 15}))
	require.Equal(t, client.Offsets{0: 15, 1: 20}, last)
}
