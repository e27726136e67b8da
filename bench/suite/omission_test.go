package suite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/suite"
)

// What a kind of broker cannot show is in the result before anything runs: cells
// with their reason, and a scenario of a cell as a trial that was omitted.
func TestWhatABrokerCannotShowIsInTheResult(t *testing.T) {
	p, err := profile.Parse([]byte(`
name: omissions
guarantee: none
load: {rate: 1000/s, duration: 1s}
arms: {leader: {producer: {acks: 1}}, all: {}}
scenarios: {paced: {}, killed: {faults: [{kill: leader, at: 50%, restart: 1s}]}}
`), "omissions.yaml")
	require.NoError(t, err)
	plan, err := p.Plan(profile.Options{Cluster: profile.Cluster{Kind: "embedded", Nodes: 1, OneLog: true, Forgets: true}})
	require.NoError(t, err)
	run := suite.NewRun(plan, result.Header{}, result.Environment{})
	require.Equal(t, []result.Omission{
		{
			Reason: "the embedded broker has one log per partition, so acks=1 and acks=all are the same to it; try -broker local3",
			What:   "leader", Names: []string{"leader"},
		},
		{
			Reason: "kill leader: the embedded broker keeps its log in memory, so nothing would survive; try -broker local",
			What:   "all/killed", Names: []string{"all/killed"},
		},
	}, result.Omissions(run, nil))
}
