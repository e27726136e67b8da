// Package ledger records what became of every message of a trial and settles
// it into a Verdict. It is told what happened by four kinds of writers, none
// of which reads what another wrote, and it compares them message by message.
//
// # Messages
//
// A producer numbers its messages densely from 0. Message s of producer p has
// the index p·Capacity + s (Layout.Index), and every plane holds one byte for
// every index. A plane is a sparse file in the trial's directory, mapped shared,
// so that marks made before a SIGKILL survive it; each has one writer, which
// locks it. Power loss is not survived: nothing is synchronised to a disk.
//
//	layout.json          Create            the numbers above
//	outcomes-P           OpenOutcomes      the producer: how each message ended
//	effects-W.I          OpenEffects       worker W in its incarnation I: effects begun
//	copies, attempts,    OpenAudit         the auditor: what the topics hold
//	visible, past,
//	output-copies, output-visible, audit.json
//	rows, rows.json      OpenRows          what a database holds of the messages
//	mark-NAME            OpenMark          a crash point: when it fired
//
// That is 5 bytes a message, 1 for each incarnation, 2 for a relay's output, and
// 1 for a database's rows. A byte counts up to 255 and stays there; Verdict.Saturated says how
// many do, and the verdict's numbers are then lower bounds.
//
// # Fate
//
// Every message due has one outcome, one presence, and one handling.
// The numbers below are per message:
//
//	C  copies in the input topic, read under read_uncommitted
//	A  distinct attempt numbers among them (7 and above are one)
//	V  copies visible under read_committed
//	R  copies that reach the consumers: V, or C when they read uncommitted
//	X  executions: effects begun, over all workers and incarnations
//	E  effects: X; in a relay, output copies visible under read_committed;
//	   where a database is asked (Inputs.Effects), its rows
//
// Outcome: attempts merge acked > sent > unknown > aborted > rejected. An
// attempt that has no report is unknown. In a transaction the outcome is the
// commit's. Presence: present when V > 0, present_but_aborted when only C > 0,
// absent otherwise. Handling: processed when E > 0, dead_lettered when not and the
// dead-letter topic has it under read_committed, unprocessed otherwise.
// Verdict.Table counts the messages in each of the 6 × 3 × 3 cells, and Settle
// fails unless they add up to those due.
//
// # Lost
//
//	log      acked or sent, and V = 0
//	skipped  acked or sent, V > 0, unprocessed, and every copy that reaches
//	         the consumers lies before their committed offset
//
// An acked message whose only copies were aborted is invisible to readers: it
// is lost from the log. One that was processed before it went missing is too,
// and stands in its own cell ("acked/absent/processed"); it had its effect, so
// it does not break at-least-once. UnknownAbsent (unknown, C = 0) is nobody's
// promise and never in Lost. Undrained are unprocessed messages with V > 0 and such
// a copy at or past the committed offset: a consumer may yet process them. When
// the consumers did not come to the end, no message is proven skipped and all
// of them are undrained. Pipelines produce and outbox have no consumers: nothing
// is skipped there. When the publisher of an outbox did not come to its end
// (Inputs.Unpublished), what is acked and has V = 0 may wait in the outbox: it is
// undrained, and nothing is proven lost from the log.
//
// # Duplicates
//
// Extra copies and effects by cause, of messages of any outcome:
//
//	retried      C − A: the client library sent one attempt again
//	resent       A − 1, when A > 0: the application tried again
//	redelivered  E − max(1, R), when positive: more effects than copies
//
// C and A include aborted copies: the log's own duplicates are shown even when
// no consumer ran. The 1 keeps a message that was processed once and then
// truncated from looking redelivered. In a relay, of the redelivered as many
// as E exceeds X by were executed once and written twice by the relay's own
// client: they are retried. So are a database's rows that a worker wrote again
// because it did not know whether they were committed. MultipleEffects counts messages, not effects:
// those with E > 1, or R > 1 where there are no consumers.
//
// Also: Reordered (a first copy behind a later message of the same producer in
// one partition), AbortedDelivered (aborted on purpose, and E > 0 or V > 0),
// Corrupt and Foreign records. A message beyond those due that has copies or
// effects is foreign; one that was begun fails Settle.
//
// Verdict.Judge says from the numbers whether the guarantee held.
package ledger
