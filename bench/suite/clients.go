package suite

import (
	"fmt"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// RecordClients notes in each cell the librdkafka properties that its clients
// are made with, those set by this program included: what a property is worth
// to a result is for the reader to judge. Secrets are replaced; names of this
// run's own (bootstrap servers, group, transactional id) are left out.
func RecordClients(run *result.Run, plan *profile.Plan, endpoint client.Endpoint) {
	for _, c := range plan.Cells {
		for i := range run.Cells {
			if run.Cells[i].Name == c.Name {
				run.Cells[i].Clients = clientsOf(c.Settings, endpoint)
			}
		}
	}
}

func clientsOf(s profile.Settings, endpoint client.Endpoint) map[string]map[string]string {
	id := ""
	if s.Producer.Transaction.Enabled() {
		id = "producer"
	}
	clients := map[string]map[string]string{
		"producer": shown(endpoint, client.ProducerProperties(endpoint, s.Producer, id, time.Minute)),
	}
	if s.Publishes() { // with the same properties
		clients["publisher"] = clients["producer"]
		delete(clients, "producer")
	}
	if s.Pipeline.Consumes() {
		clients["consumer"] = shown(endpoint, client.ConsumerProperties(endpoint, s.Consumer, "group", ""))
	}
	if s.Pipeline == profile.RelayTo {
		id = ""
		if s.Consumer.Commit.When == profile.InTransaction {
			id = "relay"
		}
		clients["relay"] = shown(endpoint, client.ProducerProperties(endpoint, s.Producer, id, time.Duration(s.Relay.TransactionTimeout), s.Relay.Librdkafka))
	}
	return clients
}

func shown(endpoint client.Endpoint, p client.Properties) map[string]string {
	out := map[string]string{}
	for name, value := range p {
		switch {
		case name == "bootstrap.servers" || name == "group.id" || name == "transactional.id":
		case endpoint.IsSecret(name):
			out[name] = "[redacted]"
		default:
			out[name] = fmt.Sprint(value)
		}
	}
	return out
}
