package fault

import "deliverybench/bench/profile"

// predictOutbox: one transaction of n rows lies between the two writes of a dual
// write, and whoever is killed there leaves one side alone. An outbox has both
// sides in the transaction; what its publisher had not cleared it publishes again.
func predictOutbox(s profile.Settings, f profile.Fault) *Prediction {
	switch {
	case f.Kill == profile.ProducerRole && f.When != profile.PointAnywhere:
		return predictWriterKill(s.Outbox, f.When)
	case f.Kill == profile.PublisherRole && f.When == profile.PointPublished:
		return agreeing(0, int64(s.Outbox.PublishEvery))
	case f.Kill == profile.PublisherRole && f.When != profile.PointAnywhere:
		return agreeing(0, 0)
	case f.Freeze != "" && f.For < shortestTimeout(s) && f.For < shortFreeze:
		return agreeing(0, 0) // everything waits, nothing times out
	case f.Database() && s.Publishes():
		// A commit whose answer did not come is of both sides or none, and clearing
		// the outbox again clears it once.
		return agreeing(0, 0)
	}
	return nil
}

func predictWriterKill(o profile.Outbox, at profile.Point) *Prediction {
	rows := int64(o.RowsPerTransaction)
	switch {
	case o.Write == profile.RowFirst && at == profile.PointBetweenWrites:
		p := agreeing(rows, 0)
		p.RowsWithoutMessage = &rows
		return p
	case o.Write == profile.MessageFirst && (at == profile.PointBetweenWrites || at == profile.PointInserted):
		p := agreeing(0, 0)
		p.MessagesWithoutRow = &rows
		return p
	}
	return agreeing(0, 0)
}

// agreeing predicts no row without its message, and no message without its row.
func agreeing(lost, duplicates int64) *Prediction {
	p := exactly(lost, duplicates)
	p.RowsWithoutMessage, p.MessagesWithoutRow = new(int64), new(int64)
	return p
}
