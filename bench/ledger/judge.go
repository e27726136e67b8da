package ledger

import (
	"fmt"
	"strings"

	"deliverybench/bench/profile"
)

// Judgement is whether a guarantee was kept.
type Judgement string

const (
	Held         Judgement = "held"
	Violated     Judgement = "violated"
	Inconclusive Judgement = "inconclusive"
	NoPromise    Judgement = "none" // there was no guarantee to judge
)

// Judge says whether the guarantee held, and in one line why not.
//
//   - at-most-once: no message has more than one effect.
//   - at-least-once: no acked message (or, with acks=0, sent one) is without
//     an effect. One that was processed and then lost from the log had it.
//   - exactly-once: both, and nothing aborted on purpose was delivered.
//
// A proven violation is a violation whatever else went wrong. Otherwise the
// trial is inconclusive when it could have hidden one: consumers that did not
// come to the end, records that are corrupt or foreign, messages in the log
// that nobody sent, nothing exposed to the guarantee, a fault that did not fire.
// For pipeline produce, which has no consumers, drained is true.
func (v Verdict) Judge(guarantee profile.Guarantee, drained bool, faultsPlanned, faultsFired int) (Judgement, string) {
	atMostOnce := guarantee == profile.AtMostOnce || guarantee == profile.ExactlyOnce
	atLeastOnce := guarantee == profile.AtLeastOnce || guarantee == profile.ExactlyOnce
	if guarantee == profile.NoGuarantee || guarantee == "" {
		return NoPromise, ""
	}
	if !atMostOnce && !atLeastOnce {
		return Inconclusive, fmt.Sprintf("unknown guarantee %q", guarantee)
	}
	var why []string
	because := func(n int64, format string) {
		if n > 0 {
			why = append(why, fmt.Sprintf(format, n))
		}
	}
	if atMostOnce {
		because(v.MultipleEffects, "%d messages have more than one effect")
	}
	if atLeastOnce {
		because(v.WithoutEffect(), "%d acknowledged messages have no effect")
	}
	if guarantee == profile.ExactlyOnce {
		because(v.AbortedDelivered, "%d aborted messages were delivered")
	}
	if len(why) > 0 {
		return Violated, strings.Join(why, "; ")
	}
	because(v.Undrained, "%d messages were not drained")
	if !drained && v.Undrained == 0 {
		why = append(why, "the consumers did not come to the end")
	}
	because(v.Corrupt, "%d records are corrupt")
	because(v.Foreign, "%d records are foreign")
	because(v.NeverBegun(), "%d messages that were never sent are in the log or processed")
	if v.Acked+v.Sent == 0 {
		why = append(why, "nothing was acknowledged or sent")
	}
	if faultsFired < faultsPlanned {
		why = append(why, fmt.Sprintf("%d of %d faults fired", faultsFired, faultsPlanned))
	}
	if len(why) > 0 {
		return Inconclusive, strings.Join(why, "; ")
	}
	return Held, ""
}

// WithoutEffect returns the lost messages that never had an effect: Lost.Total
// without those that were processed, or set aside, before they went missing from
// the log.
func (v Verdict) WithoutEffect() int64 {
	n := v.Lost.Total
	for _, o := range []Outcome{Acked, Sent} {
		for _, h := range []handling{setAside, processed} {
			n -= v.Table[cellName(o, absent, h)] + v.Table[cellName(o, presentButAborted, h)]
		}
	}
	return n
}

// NeverBegun returns the messages due that no producer began and that are in
// the log, or processed, all the same. There should be none: the ledger and
// the log disagree.
func (v Verdict) NeverBegun() int64 {
	return v.NotSent - v.Table[cellName(NotSent, absent, unprocessed)]
}
