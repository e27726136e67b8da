package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/profile"

	"github.com/stretchr/testify/require"
)

// Two faults that strike one worker at the same moment: it is started again once
// for both.
func TestAWorkerThatIsStruckTwiceAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	restart := profile.Duration(100 * time.Millisecond)
	kill := anywhere(profile.Fault{Kill: profile.ConsumerRole, Restart: restart})
	for what, second := range map[string]profile.Fault{
		"kill":   kill,
		"freeze": anywhere(profile.Fault{Freeze: profile.ConsumerRole, For: restart}),
		"stop":   {Stop: profile.ConsumerRole, At: kill.At, Restart: restart},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := calm(profile.Consume, profile.Commit{When: profile.AfterProcessing, Every: batch, Mode: profile.Sync})
			s.Consumer.Count = 1
			s.Guarantee = profile.AtLeastOnce
			s.Faults = []profile.Fault{kill, second}
			r := b.run(t, s).Result
			require.Equal(t, "", r.Reason)
			for _, f := range r.Faults {
				requireStages(t, f)
			}
		})
	}
}
