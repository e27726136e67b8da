package result

import (
	"strings"

	"deliverybench/bench/stats"
)

// Description is the broker among the conditions of a run: "embedded, kfake, 1 node,
// on the machine of the load".
func (b Broker) Description() string {
	var parts []string
	for _, part := range []string{b.Kind, b.Version} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if b.Nodes > 0 {
		parts = append(parts, stats.Plural(b.Nodes, "node"))
	}
	if b.SharesHost {
		parts = append(parts, "on the machine of the load")
	}
	return stats.Plain(strings.Join(parts, ", "))
}

// BrokerHeadline is the broker in the heading of a run: "Embedded broker, shares 2
// cores with the load"; "" where none is known.
func (e Environment) BrokerHeadline() string {
	b := e.Broker
	if b.Kind == "" {
		return ""
	}
	text := stats.Sentence(stats.Plain(b.Kind)) + " broker"
	if b.SharesHost {
		text += ", shares " + stats.Plural(e.Cores, "core") + " with the load"
	}
	return text
}

// BrokerCaveat is what speeds of this broker must not be taken for; "" of one that
// has machines of its own.
func (e Environment) BrokerCaveat() string {
	switch {
	case e.Broker.Kind == "embedded":
		return "Embedded broker: the guarantees are real, the speeds are not your cluster's"
	case e.Broker.SharesHost:
		return "Broker and load share " + stats.Plural(e.Cores, "core") + ": the speeds are this machine's"
	}
	return ""
}
