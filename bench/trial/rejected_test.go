package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// A message that is too large is rejected, whether the client refuses it or
// the broker: it is certainly not in the log, and its sender knows.
func TestATooLargeMessageIsRejected(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for by, properties := range map[string]map[string]string{
		"the client": {"message.max.bytes": "100000"},
		"the broker": {"message.max.bytes": "10000000"},
	} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			s := short()
			s.Load.Rate, s.Load.Message.Size = 50, 1_500_000
			s.Load.Duration = profile.Duration(300 * time.Millisecond)
			s.Guarantee = profile.AtLeastOnce
			s.Producer.Librdkafka = properties
			out := b.run(t, s)
			v := out.Result.Verdict
			require.NotNil(t, v, out.Result.Reason)
			require.Equal(t, due(t, s), v.Rejected)
			require.Equal(t, v.Due, v.Table["rejected/absent/unprocessed"])
			require.Equal(t, ledger.Lost{}, v.Lost)
			// Nothing was exposed to the guarantee.
			require.Equal(t, result.Inconclusive, out.Result.Status)
			require.Contains(t, out.Result.Reason, "nothing was acknowledged")
		})
	}
}
