package result

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecoveryOfAnIsolationStartsWithTheKill(t *testing.T) {
	steps := []Step{{"node 1 frozen", 2}, {"node 2 killed", 4}, {Elected, 5}}
	isolation := Fault{Name: "isolate leader for 2s", Fired: pointer(2.0), Steps: steps}
	require.Equal(t, pointer(4.0), isolation.RecoveryStart())
	isolation.Steps = steps[:1]
	require.Nil(t, isolation.RecoveryStart())
	require.Equal(t, pointer(3.0), Fault{Name: "kill leader", Fired: pointer(3.0), Steps: steps}.RecoveryStart())
	require.Equal(t, pointer(5.0), Fault{Steps: steps}.StepAt(Elected))
	require.Nil(t, Fault{Steps: steps}.StepAt(AckedAgain))
}
