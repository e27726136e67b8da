package fault

import (
	"time"

	"deliverybench/bench/profile"
)

// rowsCount reports whether the effect that counts is a database's row.
func rowsCount(s profile.Settings) bool {
	return s.Sink.Enabled() && s.Pipeline == profile.Consume
}

// onceInRows reports whether the database itself refuses a message's second effect.
func onceInRows(s profile.Settings) bool {
	return rowsCount(s) && (s.Sink.Write == profile.UniqueKey || s.Consumer.Commit.When == profile.WithEffect)
}

// shortFreeze is a pause of the database that no client mistakes for its end.
const shortFreeze = profile.Duration(5 * time.Second)

// predictDatabase: no worker goes on before its batch is in the database, so that
// nothing is lost. A commit whose answer did not come is tried again: each worker
// has one batch under way.
func predictDatabase(s profile.Settings, f profile.Fault) *Prediction {
	away := f.For + f.Restart
	switch {
	case s.Pipeline == profile.RelayTo && s.Consumer.Commit.When == profile.InTransaction && away >= s.Relay.TransactionTimeout,
		s.Pipeline.Consumes() && away >= s.Consumer.MaxPollInterval:
		return nil // the worker is given up meanwhile
	case !rowsCount(s), s.Sink.Write != profile.Insert, s.Consumer.Commit.When == profile.WithEffect,
		f.Freeze != "" && f.For < shortFreeze:
		return exactly(0, 0)
	}
	none, most := int64(0), int64(s.Consumer.Commit.Every*s.Consumer.Count)
	return &Prediction{Lost: &none, Duplicates: &most}
}
