package trial

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/fault"
	"deliverybench/bench/fault/wire"
	"deliverybench/bench/profile"
)

// What a client never heard of belongs to the fault that struck it last; what it
// had not heard of before any struck is counted all the same, for it is sent again
// too.
func TestWhatWasNeverHeardOfBelongsToTheFaultThatStruckLast(t *testing.T) {
	const first, second = 100, 200
	for _, test := range []struct {
		name                 string
		client               string
		at                   int64
		first, second, early int64
	}{
		{"after the first", "producer-0.0", 150, 7, 0, 0},
		{"at once", "producer-0.0", first, 7, 0, 0},
		{"after both", "producer-0.0", 250, 0, 7, 0},
		{"before both", "producer-0.0", 50, 7, 0, 7},
		{"another role", "consumer-0.0", 250, 0, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &conductor{}
			for _, fired := range []int64{first, second} {
				f := profile.Fault{LoseResponse: "produce", Of: profile.ProducerRole}
				c.faults = append(c.faults, &activeFault{Scheduled: fault.Scheduled{Fault: f}, fired: fired, disturbance: disturbance{rule: &wire.Armed{}}})
			}
			c.unanswered(wire.Unanswered{
				At: test.at, Client: test.client, Records: wire.Fates{
					Applied: wire.PerPartition{"t": {0: 3, 1: 4}}, Unknown: wire.PerPartition{"t": {2: 2}}, Absent: wire.PerPartition{"t": {3: 1}},
				},
			})
			require.Equal(t, []int64{test.first, test.second, test.early}, []int64{c.faults[0].appended, c.faults[1].appended, c.faults[0].early})
			require.Equal(t, test.first > 0, c.faults[0].doubtful == 2)
			require.Equal(t, test.second > 0, c.faults[1].doubtful == 2)
		})
	}
}
