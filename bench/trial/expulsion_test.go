package trial_test

import (
	"strings"
	"testing"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"

	"github.com/stretchr/testify/require"
)

// overworked is a trial in which one message takes a member longer than it may
// work without asking for more.
func overworked(c profile.Commit, group func(*profile.Consumer)) profile.Settings {
	s := calm(profile.RelayTo, c)
	s.Topic.Partitions = 2
	s.Load.Rate, s.Load.Duration = 400, profile.Duration(10*time.Second)
	s.Consumer.Membership = profile.Dynamic
	s.Consumer.SessionTimeout = shortSession
	s.Consumer.MaxPollInterval = shortSession
	s.Consumer.OnError = profile.RetryMessage
	s.Consumer.RetryBackoff = 2 * shortSession
	group(&s.Consumer)
	s.Faults = []profile.Fault{{Fail: profile.ConsumerRole, Messages: 1, At: profile.Moment{Share: 0.1}}}
	return s
}

// A member that works for too long is thrown out of the group. It gives up what
// it has in hand, comes back, and its strategy keeps its promise. A static one has
// come back under its name before it commits, and by that is fenced by itself
// (librdkafka 2.15 with Kafka 4.3): it ends, and is started again.
func TestAMemberThatWorksTooLong(t *testing.T) {
	t.Parallel()
	groups := map[string]func(*profile.Consumer){
		"range":       func(*profile.Consumer) {},
		"cooperative": func(c *profile.Consumer) { c.Assignor = profile.CooperativeSticky },
		"static":      func(c *profile.Consumer) { c.Membership = profile.Static },
		"KIP-848":     func(c *profile.Consumer) { c.Protocol, c.SessionTimeout = profile.ConsumerProtocol, shortSession },
	}
	onEach(t, func(t *testing.T, b *bench) {
		for _, c := range strategies() {
			if c.When == profile.Automatic {
				continue // it promises nothing
			}
			for group, set := range groups {
				if group != "range" && (c.Mode == profile.Async || c.Interval > 0) {
					continue
				}
				b.sample(t, name(c.When, c.Mode, group), func(t *testing.T) {
					out := b.run(t, overworked(c, set))
					r, v := &out.Result, out.Result.Verdict
					require.Equal(t, result.Completed, r.Status, r.Reason)
					require.Equal(t, result.Held, r.Promise)
					require.Equal(t, ledger.Lost{}, v.Lost)
					said := strings.Join(steps(r.Faults[0]), "; ")
					require.Contains(t, said, "thrown out of the group: ")
					switch c.When {
					case profile.BeforeProcessing, profile.InTransaction:
						require.Equal(t, ledger.Dups{}, v.Duplicates)
						require.Equal(t, &result.Predicted{Lost: new(int64), Duplicates: new(int64), Exact: true}, r.Faults[0].Predicted)
					case profile.AfterProcessing:
						// Under KIP-848 the client keeps its partitions until it is polled.
						require.Equal(t, group != "KIP-848", v.Duplicates.Redelivered > 0, "%+v", v.Duplicates)
					}
				})
			}
		}
	})
}
