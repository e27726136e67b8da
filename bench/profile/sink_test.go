package profile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// omittedBecause is the first reason for which something of a plan is omitted.
func omittedBecause(made *Plan) string {
	if len(made.Omissions) == 0 {
		return ""
	}
	return made.Omissions[0].Reason
}

// What no sink can be is omitted with the reason.
func TestCellsWithoutASink(t *testing.T) {
	for settings, want := range map[string]string{
		"{}":                      "",
		"{sink.database: sqlite}": "",
		"{sink.database: sqlite, consumer.commit.when: with-effect}":                                   "",
		"{sink.database: sqlite, consumer.commit.when: with-effect, pipeline: relay}":                  "",
		"{sink.database: sqlite, pipeline: produce}":                                                   "sink.database: sqlite needs a consumer, and pipeline: produce has none",
		"{consumer.commit.when: with-effect}":                                                          "commit.when: with-effect keeps its offsets in the sink's database, and sink.database is none",
		"{sink: {database: postgres, write: check-then-act}, consumer.commit.when: with-effect}":       "commit.when: with-effect writes effect and offset in one transaction, sink.write: check-then-act the effect in two",
		"{sink: {database: sqlite}, faults: [{kill: consumer, when: checked}]}":                        "kill consumer at checked: only sink.write: check-then-act passes checked, not insert",
		"{sink: {database: sqlite, write: check-then-act}, faults: [{kill: consumer, when: checked}]}": "",
		"{faults: [{kill: database}]}":                                                                 "kill database: sink.database: none has no server; write sink.database: postgres",
		"{sink.database: postgres, faults: [{freeze: database, for: 1s}]}":                             "",
	} {
		made := plan(t, parse(t, "name: t\narms: {t: "+settings+"}"), Options{})
		require.Equal(t, want, omittedBecause(made), settings)
	}
}

// The server of -database is somebody else's.
func TestADatabaseThatIsNotOursIsNotStruck(t *testing.T) {
	p := parse(t, "name: t\nsink.database: postgres\nfaults: [{kill: database, at: 50%}]")
	made := plan(t, p, Options{Cluster: Cluster{ForeignDatabase: true}})
	require.Empty(t, made.Trials)
	require.Equal(t, "kill database: the database of -database is not this program's to strike; leave -database out, and it starts one", made.Omissions[0].Reason)
	require.Len(t, plan(t, p, Options{}).Trials, 1)
}

// Without a PostgreSQL the rest of a profile is measured all the same.
func TestWithoutPostgres(t *testing.T) {
	p := parse(t, "name: t\nmatrix: {sink.database: [sqlite, postgres]}")
	made := plan(t, p, Options{Cluster: Cluster{NoPostgres: "install one"}})
	require.Len(t, made.Trials, 1)
	require.Equal(t, SQLite, made.Trials[0].Settings.Sink.Database)
	require.Equal(t, "sink.database: postgres: install one", made.Omissions[0].Reason)
}

// A database has no points, and is killed or frozen, nothing else.
func TestFaultsOnADatabase(t *testing.T) {
	f := Fault{Kill: DatabaseRole}
	require.True(t, f.Database())
	require.Empty(t, f.Broker())
	require.Empty(t, f.Worker())
	require.Empty(t, f.Placed())
	for fault, want := range map[string]string{
		"{kill: database, when: processed}": "a database has no crash points; leave when out, it is struck at the moment at",
		"{stop: database}":                  "a database can be killed or frozen; write kill: database or freeze: database",
		"{cut: database}":                   "a database can be killed or frozen; write kill: database or freeze: database",
		"{freeze: database}":                "freeze needs its length; write for: 1s",
		"{kill: database, restart: 90s}":    "kill database: it is away for 1m30s, and workers give up a database that does not answer for 1m30s; write less than that, with room to recover",
		"{freeze: database, for: 1h}":       "it is away for 1h, and workers give up",
	} {
		_, err := Parse([]byte("name: t\nsink.database: postgres\nfaults: ["+fault+"]"), "my.yaml")
		require.ErrorContains(t, err, want, fault)
	}
	parse(t, "name: t\nsink.database: postgres\nfaults: [{kill: database, restart: 89s}, {freeze: database, for: 89s}]")
	p := parse(t, "name: t\nsink.database: sqlite")
	_, err := p.Plan(Options{Set: []string{"faults=[{kill: database}]"}})
	require.ErrorContains(t, err, "SQLite is a file of the workers and no server to strike")
}

// The points of a worker with a sink, in the order in which it passes them.
func TestPointsOfASink(t *testing.T) {
	s := Defaults()
	s.Sink.Database, s.Sink.Write = SQLite, CheckThenAct
	require.Equal(t, []Point{PointPolled, PointChecked, PointProcessed, PointMidBatch, PointCommitted}, CrashPoints(ConsumerRole, s))
	s.Pipeline, s.Consumer.Commit.When = RelayTo, WithEffect
	s.Sink.Write = Insert
	require.Equal(t, []Point{PointPolled, PointMidBatch, PointProduced, PointProcessed, PointCommitted}, CrashPoints(ConsumerRole, s))
}
