package profile

import (
	"fmt"
	"slices"
	"time"
)

// Warning is what somebody should know of a cell's scenario that can be run, but
// may cost more than its settings promise.
type Warning struct {
	Cell     string
	Scenario string
	Text     string
}

// Warnings are those of the planned trials, once for each cell and scenario.
func (p *Plan) Warnings() []Warning {
	var all []Warning
	for _, t := range p.Trials {
		for _, text := range t.Settings.Warnings(SocketTimeout) {
			if w := (Warning{t.Cell, t.Scenario, text}); !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Warning) int { return p.place(a.Cell) - p.place(b.Cell) })
	return all
}

// place is a cell's in the plan, which the trials' random order hides.
func (p *Plan) place(cell string) int {
	return slices.IndexFunc(p.Cells, func(c Cell) bool { return c.Name == cell })
}

// Warnings are what the settings risk without saying so. patience is how long
// clients wait for an answer where the settings say nothing of it.
//
// librdkafka numbers an idempotent producer's batches anew, under a new epoch,
// when one of its messages times out: it can no longer fill the gap. What had
// reached the broker and was not answered is then appended again
// (confluentinc/librdkafka#4953). A request that is given up before its messages
// are is sent again under its old number, which the broker knows. A transaction
// is aborted instead.
func (s Settings) Warnings(patience Duration) []string {
	p := s.Producer
	if !p.Idempotence {
		return nil
	}
	var all []string
	for _, one := range []struct {
		role     Role
		plain    bool // without transactions
		settings string
	}{
		{ProducerRole, !p.Transaction.Enabled(), "producer.librdkafka"},
		{RelayRole, s.Pipeline == RelayTo && s.Consumer.Commit.When != InTransaction, "relay.librdkafka"},
	} {
		wait := s.SocketTimeout(one.role, patience)
		if one.plain && p.MessageTimeout <= wait && s.unanswered(one.role) {
			all = append(all, fmt.Sprintf("the %s may write copies, though it is idempotent: producer.message_timeout %s is not above "+
				"socket.timeout.ms %s, so a message is given up before its unanswered request is, and what is left is written again "+
				"under a new producer epoch; write %s: {socket.timeout.ms: %d}, or anything well below producer.message_timeout",
				one.role, p.MessageTimeout, wait, one.settings, max(10, time.Duration(p.MessageTimeout/4).Milliseconds())))
		}
	}
	return all
}

// unanswered reports whether a fault may keep an answer from a producing client
// until a message's time is over. Faults of a storm come together.
func (s Settings) unanswered(role Role) bool {
	return slices.ContainsFunc(s.Faults, func(f Fault) bool {
		api, of := f.Wired()
		lasts := s.StormEvery > 0 || f.For+f.Restart >= s.Producer.MessageTimeout
		switch {
		case f.Broker() != "":
			return lasts
		case of != "" && of != role:
			return false
		case f.LoseRequest != "" || f.LoseResponse != "":
			return api == "produce"
		case f.DelayRequest != "":
			return api == "produce" && lasts
		}
		return f.Blackhole != "" && lasts
	})
}
