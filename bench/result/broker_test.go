package result

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheBrokerInWords(t *testing.T) {
	for _, c := range []struct {
		e                             Environment
		description, headline, caveat string
	}{
		{Environment{}, "", "", ""},
		{Environment{Cores: 2, Broker: Broker{Kind: "embedded", Version: "kfake", Nodes: 1, SharesHost: true}},
			"embedded, kfake, 1 node, on the machine of the load", "Embedded broker, shares 2 cores with the load",
			"Embedded broker: the guarantees are real, the speeds are not your cluster's"},
		{Environment{Cores: 1, Broker: Broker{Kind: "local3", Version: "4.3.1", Nodes: 3, SharesHost: true}},
			"local3, 4.3.1, 3 nodes, on the machine of the load", "Local3 broker, shares 1 core with the load",
			"Broker and load share 1 core: the speeds are this machine's"},
		{Environment{Cores: 2, Broker: Broker{Kind: "external", Nodes: 5}}, "external, 5 nodes", "External broker", ""},
	} {
		require.Equal(t, c.description, c.e.Broker.Description())
		require.Equal(t, c.headline, c.e.BrokerHeadline())
		require.Equal(t, c.caveat, c.e.BrokerCaveat())
	}
}
