package fault

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

// What a database's own commit covers costs nothing; what it does not costs what
// lies between it and Kafka's.
func TestPredictionsWithADatabase(t *testing.T) {
	kill := profile.Fault{Kill: profile.DatabaseRole, Restart: profile.Duration(time.Second)}
	freeze := profile.Fault{Freeze: profile.DatabaseRole, For: profile.Duration(time.Second)}
	sleep := profile.Fault{Freeze: profile.DatabaseRole, For: shortFreeze}
	at := func(p profile.Point) profile.Fault { return profile.Fault{Kill: profile.ConsumerRole, When: p} }
	none, b, all := int64(0), int64(500), int64(1000)
	nothing := exactly(0, 0)
	for _, c := range []struct {
		pipeline profile.Pipeline
		when     profile.CommitWhen
		write    profile.SinkWrite
		fault    profile.Fault
		want     *Prediction
	}{
		{profile.Consume, profile.AfterProcessing, profile.Insert, at(profile.PointProcessed), exactly(0, b)},
		{profile.Consume, profile.AfterProcessing, profile.UniqueKey, at(profile.PointProcessed), nothing},
		{profile.Consume, profile.AfterProcessing, profile.UniqueKey, at(profile.PointMidBatch), nothing},
		{profile.Consume, profile.AfterProcessing, profile.CheckThenAct, at(profile.PointPolled), nothing},
		{profile.Consume, profile.AfterProcessing, profile.CheckThenAct, at(profile.PointChecked), nothing},
		{profile.Consume, profile.AfterProcessing, profile.CheckThenAct, at(profile.PointProcessed), nothing}, // the rows are found
		{profile.Consume, profile.AfterProcessing, profile.CheckThenAct, at(profile.PointMidBatch), nothing},
		{profile.Consume, profile.AfterProcessing, profile.CheckThenAct, at(profile.PointCommitted), nothing},
		{profile.Consume, profile.BeforeProcessing, profile.CheckThenAct, at(profile.PointChecked), exactly(b, 0)},
		{profile.Consume, profile.BeforeProcessing, profile.UniqueKey, at(profile.PointMidBatch), exactly(b, 0)},
		{profile.Consume, profile.WithEffect, profile.Insert, at(profile.PointProcessed), nothing},
		// A relay is judged by its output, which no database keeps from being there twice.
		{profile.RelayTo, profile.AfterProcessing, profile.UniqueKey, at(profile.PointProduced), exactly(0, b)},
		{profile.RelayTo, profile.AfterProcessing, profile.CheckThenAct, at(profile.PointProduced), exactly(0, b)},
		{profile.RelayTo, profile.AfterProcessing, profile.CheckThenAct, at(profile.PointProcessed), exactly(0, b)},
		// How many of its outputs are out when it asks the database is a draw.
		{profile.RelayTo, profile.AfterProcessing, profile.CheckThenAct, at(profile.PointChecked), lossless()},
		{profile.RelayTo, profile.BeforeProcessing, profile.CheckThenAct, at(profile.PointChecked), &Prediction{Duplicates: &none, Exact: true}},
		{profile.RelayTo, profile.InTransaction, profile.CheckThenAct, at(profile.PointChecked), nothing},
		{profile.RelayTo, profile.WithEffect, profile.Insert, at(profile.PointProduced), exactly(0, b)},
		{profile.RelayTo, profile.WithEffect, profile.Insert, at(profile.PointProcessed), nothing},
		{profile.RelayTo, profile.InTransaction, profile.Insert, at(profile.PointProduced), nothing},
		{profile.Consume, profile.AfterProcessing, profile.Insert, kill, &Prediction{Lost: &none, Duplicates: &all}},
		{profile.Consume, profile.AfterProcessing, profile.Insert, freeze, nothing},
		{profile.Consume, profile.AfterProcessing, profile.UniqueKey, kill, nothing},
		{profile.Consume, profile.WithEffect, profile.Insert, kill, nothing},
		{profile.Consume, profile.AfterProcessing, profile.CheckThenAct, kill, nothing},
		{profile.Consume, profile.AfterProcessing, profile.CheckThenAct, freeze, nothing},
		// An attempt that was given up may be done while the next one asks.
		{profile.Consume, profile.AfterProcessing, profile.CheckThenAct, sleep, &Prediction{Lost: &none, Duplicates: &all}},
		{profile.Consume, profile.AfterProcessing, profile.UniqueKey, sleep, nothing},
		{profile.RelayTo, profile.InTransaction, profile.Insert, kill, nothing},
	} {
		s := profile.Defaults()
		s.Pipeline, s.Consumer.Commit.When, s.Consumer.Count = c.pipeline, c.when, 2
		s.Sink.Database, s.Sink.Write = profile.Postgres, c.write
		s.Faults = []profile.Fault{c.fault}
		require.Equal(t, c.want, Schedule(s)[0].Predicted, "%s %s %s: %s", c.pipeline, c.when, c.write, c.fault.Name())
	}
}

// Check-then-act finds what was written before: by a batch whose commit was still
// on its way, and by one that was not full. Only two who write at once do not find
// each other's rows, which a static member's successor is no part of.
func TestCheckThenActIsExactWhereOneWrites(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   func(*profile.Consumer)
		exact bool
	}{
		{"static", func(*profile.Consumer) {}, true},
		{"asynchronous commits", func(c *profile.Consumer) { c.Commit.Mode = profile.Async }, true},
		{"batches by the clock", func(c *profile.Consumer) { c.Commit.Interval = second }, true},
		{"dynamic", func(c *profile.Consumer) { c.Membership = profile.Dynamic }, false},
		{"no callback", func(c *profile.Consumer) { c.RebalanceCallback = false }, false},
	} {
		s := profile.Defaults()
		s.Pipeline, s.Consumer.Commit.When = profile.Consume, profile.AfterProcessing
		s.Sink.Database, s.Sink.Write = profile.SQLite, profile.CheckThenAct
		c.set(&s.Consumer)
		want := exactly(0, 0)
		want.Exact = c.exact
		require.Equal(t, want, predicted(s, profile.Fault{Kill: profile.ConsumerRole, When: profile.PointProcessed}), c.name)
	}
}
