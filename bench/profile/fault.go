package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Name says what strikes whom and where: "kill consumer at mid-batch",
// "freeze broker for 1s", "join consumer".
func (f Fault) Name() string {
	switch {
	case f.Kill != "" && f.When != "":
		return fmt.Sprintf("kill %s at %s", f.Kill, f.When)
	case f.Kill != "":
		return fmt.Sprintf("kill %s", f.Kill)
	case f.Freeze != "":
		return fmt.Sprintf("freeze %s for %s", f.Freeze, f.For)
	default:
		return fmt.Sprintf("join %s", f.Join)
	}
}

// String is the whole fault on one line: "kill consumer at mid-batch, 50%, restart 200ms".
func (f Fault) String() string {
	parts := []string{f.Name(), f.At.String()}
	if f.Kill != "" {
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
	for _, role := range []Role{f.Kill, f.Freeze, f.Join} {
		if role != "" {
			kinds++
		}
	}
	switch {
	case kinds == 0:
		return errors.New("a fault needs one of kill, freeze and join")
	case kinds > 1:
		return errors.New("a fault has only one of kill, freeze and join; write several faults")
	case f.At.Share >= 1:
		return errors.New("at: 100% is the end of the window; the fault would never strike")
	case f.Kill != "":
		return f.checkKill()
	case f.When != "":
		return errors.New("when is the crash point of a kill; a freeze or join has none")
	case f.Restart != 0:
		return errors.New("restart belongs to a kill; a freeze or join ends after for")
	case f.Freeze != "" && f.Freeze != BrokerRole:
		return fmt.Errorf("only the broker can be frozen, not the %s; write freeze: broker", f.Freeze)
	case f.Freeze != "" && f.For == 0:
		return errors.New("a freeze needs its length; write for: 1s")
	case f.Join == BrokerRole || f.Join == ProducerRole:
		return fmt.Errorf("a %s cannot join a consumer group; write join: consumer", f.Join)
	}
	return nil
}

func (f Fault) checkKill() error {
	switch {
	case f.For != 0:
		return errors.New("for belongs to a freeze or join; a killed worker returns after restart")
	case f.Kill == BrokerRole && f.When != "":
		return errors.New("the broker has no crash points; leave when out, it is killed at the moment at")
	case f.Kill != BrokerRole && f.When == "":
		return fmt.Errorf("kill: %s needs its crash point; write when: %s", f.Kill, orList(pointsOf(f.Kill)))
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
	case f.Kill == BrokerRole:
		return fmt.Sprintf("%s: the embedded broker keeps its log in memory, so nothing would survive", f.Name())
	case f.Freeze != "" || role == ProducerRole && f.When == PointSent:
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
