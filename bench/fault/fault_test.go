package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

// What a killed broker loses is not a killed consumer's batch.
func TestABrokersKillIsNotPredictedAsAConsumers(t *testing.T) {
	s := profile.Defaults()
	s.Faults = []profile.Fault{{Kill: profile.BrokerRole}, {Kill: profile.ConsumerRole, When: profile.PointProcessed}}
	scheduled := Schedule(s)
	require.Nil(t, scheduled[0].Predicted)
	require.Equal(t, exactly(0, 500), scheduled[1].Predicted)
}
