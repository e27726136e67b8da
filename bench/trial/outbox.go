package trial

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/worker"
)

// observedTopic is where readers see what the pipeline did: the output of a relay,
// the topic that an outbox, or a dual write, writes to; "" of all others.
func (c *conductor) observedTopic() string {
	if c.trial.Settings.Pipeline == profile.ByOutbox {
		return c.input
	}
	return c.output
}

// emptyOutbox lets the publisher publish what is left.
func (c *conductor) emptyOutbox(ctx context.Context) error {
	c.finishing, c.unpublished = true, true
	c.brief(c.latest(worker.PublisherRole, 0))
	s := c.trial.Settings
	b := bound{total: cmp.Or(c.env.DrainWithin, drainWithin), stall: stallWithin + c.longestPause() + time.Duration(s.Producer.MessageTimeout+s.Outbox.PollEvery)}
	err := c.until(ctx, "the publisher to empty the outbox", b, func() bool {
		return c.latest(worker.PublisherRole, 0).done && !c.missing()
	})
	c.unpublished = err != nil
	return err
}

// compare counts a message on the side, or sides, on which it is; nil takes none.
func compare(o *result.Outbox, e ledger.Entry) {
	switch {
	case o == nil:
	case e.Rows > 0 && e.Visible > 0:
		o.Agreed++
	case e.Waiting:
		o.Waiting++
	case e.Rows > 0:
		o.RowsWithoutMessage++
	case e.Visible > 0:
		o.MessagesWithoutRow++
	}
}

// identity makes sure that both sides are told whole: what the database says of
// its rows and the verdict of its messages, without those that stand alone, are the
// same messages.
func identity(d *result.Database, v *ledger.Verdict) error {
	if d == nil || d.Outbox == nil {
		return nil
	}
	rows := d.Effects - d.Duplicates - d.Outbox.RowsWithoutMessage - d.Outbox.Waiting
	messages := v.Present() - d.Outbox.MessagesWithoutRow
	if rows != d.Outbox.Agreed || messages != d.Outbox.Agreed {
		return fmt.Errorf("rows and messages do not add up: the database has %d rows that have a message, the topic %d messages that have a row, and the ledger counts %d",
			rows, messages, d.Outbox.Agreed)
	}
	return nil
}

// disagreement is why rows and messages break the guarantee, "" when they do not:
// at least once and at most once are owed on both sides. A row whose message may
// yet be published proves nothing, and is not among them.
func disagreement(d *result.Database, g profile.Guarantee) string {
	if d == nil || d.Outbox == nil {
		return ""
	}
	var why []string
	because := func(n int64, format string) {
		if n > 0 {
			why = append(why, fmt.Sprintf(format, n))
		}
	}
	if g == profile.AtLeastOnce || g == profile.ExactlyOnce {
		because(d.Outbox.MessagesWithoutRow, "%d messages tell of rows that are not there")
		because(d.Outbox.RowsWithoutMessage, "%d rows have no message")
	}
	if g == profile.AtMostOnce || g == profile.ExactlyOnce {
		because(d.Duplicates, "%d rows are there beyond a message's first")
	}
	return strings.Join(why, "; ")
}
