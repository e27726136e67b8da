package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Name says what strikes whom and where: "kill consumer at mid-batch",
// "freeze broker for 1s", "stop leader of partition 2", "join consumer".
func (f Fault) Name() string {
	verb, role := f.deed()
	name := verb + " " + string(role)
	if f.Partition > 0 {
		name += fmt.Sprintf(" of partition %d", f.Partition)
	}
	switch {
	case f.When != "":
		return fmt.Sprintf("%s at %s", name, f.When)
	case f.Freeze != "" || f.Isolate != "":
		return fmt.Sprintf("%s for %s", name, f.For)
	default:
		return name
	}
}

// deed is what is done, and to whom.
func (f Fault) deed() (verb string, to Role) {
	switch {
	case f.Kill != "":
		return "kill", f.Kill
	case f.Stop != "":
		return "stop", f.Stop
	case f.Freeze != "":
		return "freeze", f.Freeze
	case f.Isolate != "":
		return "isolate", f.Isolate
	default:
		return "join", f.Join
	}
}

// Broker returns the role of the brokers that the fault strikes; "" when it
// strikes a worker or nobody.
func (f Fault) Broker() Role {
	if _, role := f.deed(); role.broker() {
		return role
	}
	return ""
}

// broker reports whether brokers have this role.
func (r Role) broker() bool {
	return r != "" && r != ProducerRole && r != ConsumerRole && r != RelayRole
}

// partitioned reports whether brokers have this role for a partition.
func (r Role) partitioned() bool {
	return r == LeaderRole || r == FollowerRole || r == FollowersRole
}

// String is the whole fault on one line: "kill consumer at mid-batch, 50%, restart 200ms".
func (f Fault) String() string {
	parts := []string{f.Name(), f.At.String()}
	if f.Kill != "" || f.Stop != "" || f.Isolate != "" {
		parts = append(parts, "restart "+f.Restart.String())
	}
	if f.Join != "" && f.For > 0 {
		parts = append(parts, "for "+f.For.String())
	}
	return strings.Join(parts, ", ")
}

func faultsText(faults []Fault) string {
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "; ")
}

// check refuses a fault that means nothing, whatever the pipeline is.
func (f Fault) check() error {
	kinds := 0
	for _, role := range []Role{f.Kill, f.Stop, f.Freeze, f.Isolate, f.Join} {
		if role != "" {
			kinds++
		}
	}
	_, role := f.deed()
	switch {
	case kinds == 0:
		return errors.New("a fault needs one of kill, stop, freeze, isolate and join")
	case kinds > 1:
		return errors.New("a fault has only one of kill, stop, freeze, isolate and join; write several faults")
	case f.At.Share >= 1:
		return errors.New("at: 100% is the end of the window; the fault would never strike")
	case f.Partition != 0 && !role.partitioned():
		return fmt.Errorf("partition belongs to %s; a %s has none", orList(words(LeaderRole, FollowerRole, FollowersRole)), role)
	case f.When != "" && role.broker():
		return errors.New("a broker has no crash points; leave when out, it is struck at the moment at")
	case f.Kill != "":
		return f.checkKill()
	case f.When != "":
		return errors.New("when is the crash point of a kill; nothing else has one")
	case f.Join != "":
		return f.checkJoin()
	default:
		return f.checkBroker(role)
	}
}

func (f Fault) checkKill() error {
	switch {
	case f.For != 0:
		return errors.New("for belongs to a freeze, isolate or join; what was killed returns after restart")
	case !f.Kill.broker() && f.When == "":
		return fmt.Errorf("kill: %s needs its crash point; write when: %s", f.Kill, orList(pointsOf(f.Kill)))
	}
	return nil
}

func (f Fault) checkJoin() error {
	switch {
	case f.Restart != 0:
		return errors.New("restart belongs to a kill, stop or isolate; a member that joins leaves after for")
	case f.Join != ConsumerRole && f.Join != RelayRole:
		return fmt.Errorf("a %s cannot join a consumer group; write join: consumer", f.Join)
	}
	return nil
}

// checkBroker is about what only brokers are struck by.
func (f Fault) checkBroker(role Role) error {
	verb, _ := f.deed()
	switch {
	case f.Isolate != "" && role != LeaderRole:
		return fmt.Errorf("only a leader has followers to be cut off from; write isolate: %s", LeaderRole)
	case !role.broker():
		return fmt.Errorf("only brokers can be struck by %s, not the %s; write %s: %s", verb, role, verb, BrokerRole)
	case f.Stop != "" && f.For != 0:
		return errors.New("for belongs to a freeze, isolate or join; what was stopped returns after restart")
	case f.Freeze != "" && f.Restart != 0:
		return errors.New("restart belongs to a kill, stop or isolate; a freeze ends after for")
	case f.Stop == "" && f.For == 0:
		return fmt.Errorf("%s needs its length; write for: 1s", verb)
	}
	return nil
}

// pointsOf are the crash points that a role has in some configuration.
func pointsOf(role Role) []string {
	switch role {
	case ProducerRole:
		return words(PointSent)
	case ConsumerRole:
		return words(PointPolled, PointCommitted, PointMidBatch, PointProcessed)
	case RelayRole:
		return words(PointPolled, PointCommitted, PointMidBatch, PointProcessed,
			PointBegun, PointProduced, PointOffsetsSent, PointCommitRequested)
	}
	return nil
}

// CrashPoints returns the points at which a worker of the role can be killed
// under these settings, in the order in which it passes them; none when the
// pipeline has no such worker. In a relay pipeline "consumer" is the relay.
func CrashPoints(role Role, s Settings) []Point {
	if role == ProducerRole {
		return []Point{PointSent}
	}
	consuming := role == ConsumerRole && s.Pipeline != Produce
	relaying := (role == ConsumerRole || role == RelayRole) && s.Pipeline == RelayTo
	if !consuming && !relaying {
		return nil
	}
	switch s.Consumer.Commit.When {
	case InTransaction:
		if !relaying {
			return nil
		}
		return []Point{PointPolled, PointBegun, PointProduced, PointProcessed, PointOffsetsSent,
			PointMidBatch, PointCommitRequested, PointCommitted}
	case BeforeProcessing:
		return appendProduced(relaying, PointPolled, PointCommitted, PointMidBatch, PointProcessed)
	case AfterProcessing:
		return appendProduced(relaying, PointPolled, PointProcessed, PointMidBatch, PointCommitted)
	default: // the client commits by its own timer, so no worker is ever right after a commit
		return appendProduced(relaying, PointPolled, PointMidBatch, PointProcessed)
	}
}

// appendProduced puts the point "produced" before "processed" where the worker is a relay.
func appendProduced(relaying bool, points ...Point) []Point {
	if !relaying {
		return points
	}
	return slices.Insert(points, slices.Index(points, PointProcessed), PointProduced)
}

// unreachable says why the fault cannot strike under these settings; "" when it can.
func (f Fault) unreachable(s Settings) string {
	role := f.Kill
	if f.Join != "" {
		role = f.Join
	}
	switch {
	case f.Broker() != "":
		return f.brokerUnreachable(s)
	case role == ProducerRole && f.When == PointSent:
		return ""
	case role == RelayRole && s.Pipeline != RelayTo:
		return fmt.Sprintf("%s: pipeline: %s has no relay", f.Name(), s.Pipeline)
	case role == ConsumerRole && s.Pipeline == Produce:
		return fmt.Sprintf("%s: pipeline: produce has no consumer", f.Name())
	case f.Join != "":
		return ""
	}
	points := CrashPoints(role, s)
	if slices.Contains(points, f.When) {
		return ""
	}
	if role == ProducerRole {
		return fmt.Sprintf("%s: a producer never reaches %s, only %s", f.Name(), f.When, PointSent)
	}
	return fmt.Sprintf("%s: a %s worker with commit.when: %s never reaches %s, only %s",
		f.Name(), s.Pipeline, s.Consumer.Commit.When, f.When, orList(words(points...)))
}

// brokerUnreachable says why no broker has the role under these settings.
func (f Fault) brokerUnreachable(s Settings) string {
	transactions := s.Producer.Transaction.Enabled() || s.Pipeline != Produce && s.Consumer.Commit.When == InTransaction
	switch role := f.Broker(); {
	case role == GroupCoordinatorRole && s.Pipeline == Produce:
		return fmt.Sprintf("%s: pipeline: produce has no group", f.Name())
	case role == TransactionCoordinatorRole && !transactions:
		return fmt.Sprintf("%s: nothing here uses transactions", f.Name())
	case role.partitioned() && f.Partition >= s.Topic.Partitions:
		return fmt.Sprintf("%s: the topic has partitions 0 to %d", f.Name(), s.Topic.Partitions-1)
	}
	return ""
}
