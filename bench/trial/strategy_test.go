package trial_test

import (
	"testing"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"

	"github.com/stretchr/testify/require"
)

// strategies are all ways to commit.
func strategies() []profile.Commit {
	sync := profile.Commit{Every: batch, Mode: profile.Sync}
	with := func(when profile.CommitWhen, change func(*profile.Commit)) profile.Commit {
		c := sync
		c.When = when
		change(&c)
		return c
	}
	byTimer := func(c *profile.Commit) { c.Interval = profile.Duration(100 * time.Millisecond) }
	return []profile.Commit{
		with(profile.BeforeProcessing, func(*profile.Commit) {}),
		with(profile.AfterProcessing, func(*profile.Commit) {}),
		with(profile.AfterProcessing, func(c *profile.Commit) { c.Mode = profile.Async }),
		with(profile.Automatic, byTimer),
		with(profile.AutomaticStored, byTimer),
		with(profile.InTransaction, func(*profile.Commit) {}),
	}
}

// pipelines in which the strategy can be used.
func pipelines(c profile.Commit) []profile.Pipeline {
	if c.When == profile.InTransaction {
		return []profile.Pipeline{profile.RelayTo}
	}
	return []profile.Pipeline{profile.Consume, profile.RelayTo}
}

// calm is a short trial without a fault.
func calm(pipeline profile.Pipeline, c profile.Commit) profile.Settings {
	s := short()
	s.Load.Duration = profile.Duration(400 * time.Millisecond)
	s.Pipeline = pipeline
	s.Consumer.Count = 2
	s.Consumer.Commit = c
	s.Guarantee = guarantee(c.When)
	return s
}

// Without a fault nothing is lost, duplicated or reordered: whatever the
// strategy, the assignor, the group protocol and the membership are.
func TestEveryStrategyIsFlawlessWithoutAFault(t *testing.T) {
	t.Parallel()
	groups := map[string]func(*profile.Consumer){
		"range static":                   func(*profile.Consumer) {},
		"range dynamic":                  func(c *profile.Consumer) { c.Membership = profile.Dynamic },
		"cooperative":                    func(c *profile.Consumer) { c.Assignor = profile.CooperativeSticky },
		"round robin":                    func(c *profile.Consumer) { c.Assignor = profile.RoundRobinAssignor },
		"KIP-848":                        func(c *profile.Consumer) { c.Protocol, c.Membership = profile.ConsumerProtocol, profile.Dynamic },
		"KIP-848 static":                 func(c *profile.Consumer) { c.Protocol = profile.ConsumerProtocol },
		"more consumers than partitions": func(c *profile.Consumer) { c.Count = 4 },
	}
	rare := map[string]bool{"round robin": true, "KIP-848 static": true, "more consumers than partitions": true}
	b := newBench(t)
	for _, c := range strategies() {
		for _, pipeline := range pipelines(c) {
			for group, set := range groups {
				if group != "range static" && (pipeline != profile.RelayTo || c.Mode == profile.Async || c.Interval > 0) {
					continue // the groups are tried with the three orders of commit and effect
				}
				if rare[group] && c.When != profile.AfterProcessing {
					continue
				}
				t.Run(name(c.When, c.Mode, pipeline, group), func(t *testing.T) {
					t.Parallel()
					s := calm(pipeline, c)
					set(&s.Consumer)
					r := b.complete(t, s)
					requireFlawless(t, r)
					require.Zero(t, r.Verdict.Reordered)
					require.Zero(t, r.Unrecorded, "effects without a latency")
					if c.When == profile.InTransaction {
						// The group's epoch may move on, which aborts a transaction: it
						// is executed again, and has its effect once.
						require.GreaterOrEqual(t, r.Verdict.Executions, r.Verdict.Due)
					} else {
						require.Equal(t, r.Verdict.Due, r.Verdict.Executions)
					}
					require.Len(t, r.Workers, workers(s))
				})
			}
		}
	}
}

// Nothing of the load's own settings loses or repeats a message either.
func TestEveryLoadIsFlawlessWithoutAFault(t *testing.T) {
	t.Parallel()
	loads := map[string]func(*profile.Settings){
		"uniform keys":     func(s *profile.Settings) { s.Load.Message.Key = profile.UniformKey },
		"zipf keys":        func(s *profile.Settings) { s.Load.Message.Key, s.Load.Message.Keys = profile.ZipfKey, 100 },
		"smallest message": func(s *profile.Settings) { s.Load.Message.Size = profile.MinMessageSize },
		"large messages":   func(s *profile.Settings) { s.Load.Message.Size, s.Load.Rate = 200_000, 100 },
		"gzip":             func(s *profile.Settings) { s.Producer.Compression, s.Load.Message.Entropy = "gzip", 0.5 },
		"snappy":           func(s *profile.Settings) { s.Producer.Compression, s.Load.Message.Entropy = "snappy", 0.5 },
		"lz4":              func(s *profile.Settings) { s.Producer.Compression, s.Load.Message.Entropy = "lz4", 0.5 },
		"zstd":             func(s *profile.Settings) { s.Producer.Compression, s.Load.Message.Entropy = "zstd", 0.5 },
		"acks 0":           func(s *profile.Settings) { plain(s, profile.AcksNone) },
		"acks 1":           func(s *profile.Settings) { plain(s, profile.AcksLeader) },
		"acks all":         func(s *profile.Settings) { plain(s, profile.AcksAll) },
		"three producers":  func(s *profile.Settings) { s.Producer.Count = 3 },
		"poisson":          func(s *profile.Settings) { s.Load.Arrivals = profile.Poisson },
		"ramp":             func(s *profile.Settings) { s.Load.Arrivals, s.Load.RampFrom = profile.Ramp, 500 },
		"burst":            func(s *profile.Settings) { s.Load.Arrivals = profile.Burst },
		"one outstanding":  func(s *profile.Settings) { s.Producer.Outstanding, s.Producer.Linger = 1, 0 },
		"as fast as taken": func(s *profile.Settings) {
			s.Load.Rate, s.Producer.Outstanding = profile.RateMax, 1000
		},
		"no warm-up":         func(s *profile.Settings) { s.Load.Warmup = 0 },
		"one partition":      func(s *profile.Settings) { s.Topic.Partitions = 1 },
		"commit by time":     func(s *profile.Settings) { s.Consumer.Commit.Every, s.Consumer.Commit.Interval = 0, s.Load.Warmup },
		"never a full batch": func(s *profile.Settings) { s.Consumer.Commit.Every = 100_000 },
		"slow processing":    func(s *profile.Settings) { s.Consumer.ProcessingTime = profile.Duration(time.Millisecond) },
	}
	b := newBench(t)
	for load, set := range loads {
		t.Run(load, func(t *testing.T) {
			t.Parallel()
			s := calm(profile.Consume, profile.Commit{When: profile.AfterProcessing, Every: batch, Mode: profile.Sync})
			set(&s)
			r := b.complete(t, s)
			requireFlawless(t, r)
			require.Zero(t, r.Verdict.Reordered)
			require.Zero(t, r.Unrecorded, "effects without a latency")
		})
	}
}

// plain is a producer without idempotence; one request in flight keeps the order.
func plain(s *profile.Settings, acks profile.Acks) {
	s.Producer.Acks, s.Producer.Idempotence, s.Producer.MaxInFlight = acks, false, 1
}

// A member that joins, and one that leaves again, cost nothing: what is in hand
// is settled or dropped before a partition goes, and never committed after it.
func TestAMemberJoinsAndLeaves(t *testing.T) {
	t.Parallel()
	groups := map[string]func(*profile.Consumer){
		"range":       func(*profile.Consumer) {},
		"cooperative": func(c *profile.Consumer) { c.Assignor = profile.CooperativeSticky },
		"KIP-848":     func(c *profile.Consumer) { c.Protocol = profile.ConsumerProtocol },
		// A static member does not leave: its partitions wait for its session's end.
		"static": func(c *profile.Consumer) {
			c.Membership, c.SessionTimeout = profile.Static, shortSession
		},
	}
	b := newBench(t)
	for _, c := range strategies() {
		if c.When == profile.Automatic {
			continue // the client commits what the application never saw
		}
		for group, set := range groups {
			if group == "static" && c.When != profile.AfterProcessing {
				continue
			}
			if group != "cooperative" && (c.Mode == profile.Async || c.Interval > 0) {
				continue
			}
			t.Run(name(c.When, c.Mode, group), func(t *testing.T) {
				t.Parallel()
				s := calm(profile.RelayTo, c)
				s.Load.Duration = profile.Duration(2500 * time.Millisecond)
				s.Load.Rate = 1000
				s.Consumer.Membership = profile.Dynamic
				set(&s.Consumer)
				s.Faults = []profile.Fault{{
					Join: profile.ConsumerRole, At: profile.Moment{Share: 0.1}, For: profile.Duration(1500 * time.Millisecond),
				}}
				r := b.complete(t, s)
				requireFlawlessRebalance(t, s, r)
				require.Len(t, r.Workers, workers(s)+1)
			})
		}
	}
}

// A member that ignores rebalances goes on with what it has in hand of partitions
// that are somebody else's now, who begins before it: those messages have two
// effects, in transactions too. Under every protocol those who settle or drop what
// they have in hand show none of that.
func TestAMemberJoinsANaiveGroup(t *testing.T) {
	t.Parallel()
	groups := map[string]func(*profile.Consumer){
		"range":       func(*profile.Consumer) {},
		"cooperative": func(c *profile.Consumer) { c.Assignor = profile.CooperativeSticky },
		"KIP-848":     func(c *profile.Consumer) { c.Protocol = profile.ConsumerProtocol },
	}
	onEach(t, func(t *testing.T, b *bench) {
		for _, when := range []profile.CommitWhen{profile.BeforeProcessing, profile.AfterProcessing, profile.InTransaction} {
			for group, set := range groups {
				for _, naive := range []bool{true, false} {
					if naive && group != "range" {
						continue // whether anything of it is done twice is then a draw
					}
					b.sample(t, name(when, group, "naive", naive), func(t *testing.T) {
						s := calm(profile.RelayTo, profile.Commit{When: when, Every: 1000, Mode: profile.Sync})
						s.Load.Rate, s.Load.Duration, s.Topic.Partitions = 1000, profile.Duration(3*time.Second), 6
						s.Consumer.Membership, s.Consumer.RebalanceCallback = profile.Dynamic, !naive
						set(&s.Consumer)
						s.Faults = []profile.Fault{{Join: profile.ConsumerRole, At: profile.Moment{Share: 0.15}, For: profile.Duration(time.Second)}}
						r := b.complete(t, s)
						require.Equal(t, ledger.Lost{}, r.Verdict.Lost)
						if naive {
							require.Positive(t, r.Verdict.Duplicates.Redelivered)
							return
						}
						requireFlawlessRebalance(t, s, r)
					})
				}
			}
		}
	})
}
