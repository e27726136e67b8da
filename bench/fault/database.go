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

// finds reports whether a worker asks the database what it has of a batch, and so
// writes nothing that was committed before.
func finds(s profile.Settings) bool {
	return rowsCount(s) && s.Sink.Write == profile.CheckThenAct
}

// oneWrites reports whether a message's next consumer begins only when the one
// before it writes no more: what a member leaves is its own successor's.
func oneWrites(s profile.Settings) bool {
	return s.Consumer.Membership == profile.Static && s.Consumer.RebalanceCallback
}

// shortFreeze is a pause of the database that no client mistakes for its end.
const shortFreeze = profile.Duration(5 * time.Second)

// predictDatabase: no worker goes on before its batch is in the database, so that
// nothing is lost. A commit whose answer did not come is tried again: each worker
// has one batch under way. To ask first is no help when the attempt that was given
// up is still under way, in a server that stood still.
func predictDatabase(s profile.Settings, f profile.Fault) *Prediction {
	away := f.For + f.Restart
	switch {
	case s.Pipeline == profile.RelayTo && s.Consumer.Commit.When == profile.InTransaction && away >= s.Relay.TransactionTimeout,
		s.Pipeline.Consumes() && away >= s.Consumer.MaxPollInterval:
		return nil // the worker is given up meanwhile
	case !rowsCount(s), onceInRows(s), finds(s) && f.Freeze == "",
		f.Freeze != "" && f.For < shortFreeze:
		return exactly(0, 0)
	}
	none, most := int64(0), int64(s.Consumer.Commit.Every*s.Consumer.Count)
	return &Prediction{Lost: &none, Duplicates: &most}
}
