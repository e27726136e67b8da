package ledger

import (
	"fmt"
	"math/bits"
)

// Presence is whether the input topic holds a message.
type presence int

const (
	absent presence = iota
	present
	presentButAborted // in the log, but read_committed does not show it
	presences         = iota
)

func (p presence) String() string {
	return [presences]string{"absent", "present", "present_but_aborted"}[p]
}

// handling is what the consumers did with a message.
type handling int

const (
	unprocessed handling = iota
	setAside             // it has no effect, and the dead-letter topic has it
	processed            // it has an effect
	handlings   = iota
)

func (h handling) String() string {
	return [handlings]string{"unprocessed", "dead_lettered", "processed"}[h]
}

// cells is the size of the table: outcome × presence × handling.
const cells = outcomes * presences * handlings

func cell(o Outcome, p presence, h handling) int {
	return (int(o)*presences+int(p))*handlings + int(h)
}

// cellName returns a cell's key in Verdict.Table.
func cellName(o Outcome, p presence, h handling) string {
	return fmt.Sprintf("%v/%v/%v", o, p, h)
}

// fate is what became of one message, decoded from its signature.
type fate struct {
	outcome    Outcome
	presence   presence
	handling   handling
	executions int64 // effects begun
	effects    int64 // effects that count
	copies     int64 // in the input topic, aborted ones included
	attempts   int64 // distinct ones among the copies
	visible    int64 // copies that read_committed shows
	reaching   int64 // copies that the consumers' isolation level shows
	past       bool  // one of those is at or past the committed offset
}

func (in *Inputs) fate(sig signature) fate {
	f := fate{
		outcome:    merged(byte(sig.at(outcomeByte))),
		executions: sig.at(executionsByte),
		copies:     sig.at(copiesByte),
		attempts:   int64(bits.OnesCount8(uint8(sig.at(attemptsByte)))),
		visible:    sig.at(visibleByte),
	}
	if in.AcksNone && f.outcome == Acked {
		f.outcome = Sent
	}
	switch {
	case f.visible > 0:
		f.presence = present
	case f.copies > 0:
		f.presence = presentButAborted
	}
	f.effects = f.executions
	if in.effective() != ByMarks {
		f.effects = sig.at(outVisibleByte)
	}
	switch {
	case f.effects > 0:
		f.handling = processed
	case sig.at(pastByte)&deadLettered != 0:
		f.handling = setAside
	}
	f.reaching, f.past = f.visible, sig.at(pastByte)&pastVisible != 0
	if in.ReadUncommitted {
		f.reaching, f.past = f.copies, sig.at(pastByte)&(pastAny|pastVisible) != 0
	}
	return f
}

// tally adds up fates.
type tally struct {
	in          Inputs
	v           Verdict
	table       [cells]int64
	begunBeyond int64
	// deadLettered are the messages in the dead-letter topic.
	deadLettered int64
	// audited are the records in the audit's counting planes, by signature
	// byte, to be compared with the audit's own totals.
	audited [signatureBytes]int64
	// inexact says that an audited counter stands at the ceiling.
	inexact bool
	broken  string
}

// add counts n messages that were due.
func (t *tally) add(sig signature, n int64) {
	if !t.sound(sig, n) {
		return
	}
	f := t.in.fate(sig)
	v := &t.v
	v.Due += n
	t.table[cell(f.outcome, f.presence, f.handling)] += n
	*v.outcome(f.outcome) += n
	v.Executions += n * f.executions
	v.Effects += n * f.effects
	v.Saturated += n * sig.saturated()
	if f.handling == setAside {
		v.DeadLettered += n
	}
	t.addLost(f, n)
	t.addDuplicates(f, n)
	if f.outcome == Aborted && (f.effects > 0 || f.visible > 0) {
		v.AbortedDelivered += n
	}
}

// outcome returns the verdict's number for the outcome.
func (v *Verdict) outcome(o Outcome) *int64 {
	return [outcomes]*int64{&v.NotSent, &v.Rejected, &v.Aborted, &v.Unknown, &v.Sent, &v.Acked}[o]
}

func (t *tally) addLost(f fate, n int64) {
	promised := f.outcome == Acked || f.outcome == Sent
	switch {
	case f.presence != present:
		switch {
		case promised && t.in.Unpublished:
			t.v.Undrained += n
		case promised:
			t.v.Lost.Log += n
		}
		if f.outcome == Unknown && f.presence == absent {
			t.v.UnknownAbsent += n
		}
	case !t.in.Pipeline.Consumes() || f.handling != unprocessed:
		// Nobody was to process it, or somebody did, or set it aside.
	case f.past || !t.in.Drained:
		t.v.Undrained += n
	case promised:
		t.v.Lost.Skipped += n
	}
}

func (t *tally) addDuplicates(f fate, n int64) {
	d := &t.v.Duplicates
	d.Retried += n * max(0, f.copies-f.attempts)
	d.Resent += n * max(0, f.attempts-1)
	// A message that was processed and then truncated has had one effect for
	// one copy: it is missing from the log, not redelivered.
	again := max(0, f.effects-max(1, f.reaching))
	retried := int64(0)
	if t.in.effective() != ByMarks {
		// More outputs or rows than executions: the relay's own client sent them
		// twice, or the worker itself wrote them again.
		retried = min(again, max(0, f.effects-f.executions))
	}
	d.Retried += n * retried
	d.Redelivered += n * (again - retried)
	multiple := f.effects
	if !t.in.Pipeline.Consumes() {
		multiple = f.reaching
	}
	if multiple > 1 {
		t.v.MultipleEffects += n
	}
}

// addBeyond notices what has no business to be there: messages beyond those due.
func (t *tally) addBeyond(sig signature, n int64) {
	if sig == 0 || !t.sound(sig, n) {
		return
	}
	if merged(byte(sig.at(outcomeByte))) != NotSent {
		t.begunBeyond += n
		return
	}
	t.v.Foreign += n
}

// sound checks n messages' bytes against each other.
func (t *tally) sound(sig signature, n int64) bool {
	copies, visible := sig.at(copiesByte), sig.at(visibleByte)
	switch {
	case int(merged(byte(sig.at(outcomeByte)))) >= outcomes:
		t.broken = fmt.Sprintf("an outcome byte of %#x: the plane's file is damaged", sig.at(outcomeByte))
	case visible > copies:
		t.broken = "messages that read_committed shows and read_uncommitted did not: audit the input topic again"
	case sig.at(outVisibleByte) > sig.at(outCopiesByte):
		t.broken = "messages that read_committed shows and read_uncommitted did not: audit the output topic again"
	case (copies == 0) != (sig.at(attemptsByte) == 0):
		t.broken = "copies without an attempt, or attempts without a copy: the audit's files are damaged"
	}
	if t.broken != "" {
		return false
	}
	for _, k := range [...]int{copiesByte, visibleByte, outCopiesByte, outVisibleByte} {
		t.audited[k] += n * sig.at(k)
		t.inexact = t.inexact || sig.at(k) == ceiling
	}
	if sig.at(pastByte)&deadLettered != 0 {
		t.deadLettered += n
	}
	return true
}

// saturated returns how many of a message's counters stand at the ceiling.
func (s signature) saturated() (n int64) {
	for _, k := range [...]int{executionsByte, copiesByte, visibleByte, outCopiesByte, outVisibleByte} {
		if s.at(k) == ceiling {
			n++
		}
	}
	if s.at(attemptsByte)>>(attemptBits-1) != 0 {
		n++
	}
	return n
}

// verdict closes the tally: totals, the table's names, and the checks that
// nothing was dropped on the way.
func (t *tally) verdict(a auditTotals) (Verdict, error) {
	v := t.v
	v.Reordered, v.Corrupt = a.Reordered, a.Corrupt
	v.Foreign += a.Foreign
	v.Lost.Total = v.Lost.Log + v.Lost.Skipped
	v.Duplicates.Total = v.Duplicates.Retried + v.Duplicates.Resent + v.Duplicates.Redelivered
	v.Table = make(map[string]int64, cells)
	sum := int64(0)
	for o := range Outcome(outcomes) {
		for p := range presence(presences) {
			for h := range handling(handlings) {
				n := t.table[cell(o, p, h)]
				v.Table[cellName(o, p, h)] = n
				sum += n
			}
		}
	}
	due := int64(0)
	for _, n := range t.in.Due {
		due += n
	}
	if sum != due || v.Due != due {
		return Verdict{}, fmt.Errorf("ledger: the table has %d messages, but %d were due", sum, due)
	}
	if err := t.compare(a); err != nil {
		return Verdict{}, err
	}
	return v, nil
}

// compare checks the audit's planes against the number of records it read.
func (t *tally) compare(a auditTotals) error {
	if a.DeadLettered != t.deadLettered {
		return fmt.Errorf("ledger: the audit found %d messages in the dead-letter topic, but its plane holds %d: audit again", a.DeadLettered, t.deadLettered)
	}
	if t.inexact {
		return nil
	}
	uncommitted, committed := "the output's read_uncommitted", "the output's read_committed"
	if t.in.effective() == ByRows {
		uncommitted, committed = "the database's rows", "the database's rows"
	}
	for _, c := range [...]struct {
		name          string
		records, held int64
	}{
		{"read_uncommitted", a.Uncommitted, t.audited[copiesByte]},
		{"read_committed", a.Committed, t.audited[visibleByte]},
		{uncommitted, a.OutputUncommitted, t.audited[outCopiesByte]},
		{committed, a.OutputCommitted, t.audited[outVisibleByte]},
	} {
		if c.records != c.held {
			return fmt.Errorf("ledger: the audit read %d records under %s, but its plane holds %d: audit again", c.records, c.name, c.held)
		}
	}
	return nil
}
