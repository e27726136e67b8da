package ledger

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

// trial is a ledger under test, used only through its exported methods.
type trial struct {
	t        require.TestingT
	dir      string
	layout   Layout
	outcomes []*Outcomes
	audit    *Audit
	offsets  [5]map[int32]int64
}

func newTrial(t testing.TB, l Layout) *trial { return openTrial(t, t.TempDir(), l) }

func openTrial(t require.TestingT, dir string, l Layout) *trial {
	tr := &trial{t: t, dir: dir, layout: l}
	require.NoError(t, Create(tr.dir, l))
	for p := range l.Producers {
		o, err := OpenOutcomes(tr.dir, p)
		require.NoError(t, err)
		tr.outcomes = append(tr.outcomes, o)
	}
	var err error
	tr.audit, err = OpenAudit(tr.dir)
	require.NoError(t, err)
	for i := range tr.offsets {
		tr.offsets[i] = map[int32]int64{}
	}
	return tr
}

// record gives the message the partition's next offset in the pass.
func (tr *trial) record(pass int, index int64, partition int32) Record {
	offset := tr.offsets[pass][partition]
	tr.offsets[pass][partition]++
	return Record{Index: index, Partition: partition, Offset: offset}
}

// copy puts one copy into the input log.
func (tr *trial) copy(index int64, attempt uint32, visible, past bool) {
	r := tr.record(0, index, 0)
	r.Attempt, r.Past = attempt, past
	tr.audit.Uncommitted(r)
	if visible {
		r.Offset = tr.record(1, index, 0).Offset
		tr.audit.Committed(r)
	}
}

// output puts one copy into the relay's output log.
func (tr *trial) output(index int64, visible bool) {
	tr.audit.OutputUncommitted(tr.record(2, index, 0))
	if visible {
		tr.audit.OutputCommitted(tr.record(3, index, 0))
	}
}

// deadLetter puts one copy into the dead-letter topic.
func (tr *trial) deadLetter(index int64) { tr.audit.DeadLettered(tr.record(4, index, 0)) }

// effects marks each index once, in an incarnation of its own.
func (tr *trial) effects(worker, incarnation int, indexes ...int64) {
	e, err := OpenEffects(tr.dir, worker, incarnation)
	require.NoError(tr.t, err)
	for _, index := range indexes {
		e.Mark(index)
	}
	require.NoError(tr.t, e.Close())
}

func (tr *trial) close() {
	for _, o := range tr.outcomes {
		require.NoError(tr.t, o.Close())
	}
	require.NoError(tr.t, tr.audit.Finish())
	require.NoError(tr.t, tr.audit.Close())
}

func (tr *trial) settle(in Inputs) Verdict {
	tr.close()
	v, err := Settle(tr.dir, in)
	require.NoError(tr.t, err)
	return v
}

// end gives message seq of producer 0 the outcome.
func (tr *trial) end(seq int64, o Outcome) {
	if o == NotSent {
		return
	}
	tr.outcomes[0].Begin(seq)
	tr.outcomes[0].Settle(seq, o)
}

func consume(due ...int64) Inputs {
	return Inputs{Due: due, Pipeline: profile.Consume, Drained: true}
}

// sparse drops the cells that are zero.
func sparse(table map[string]int64) map[string]int64 {
	some := map[string]int64{}
	for name, n := range table {
		if n != 0 {
			some[name] = n
		}
	}
	return some
}

// Every cell of the table alone: one message, brought there through the API.
func TestEveryCell(t *testing.T) {
	for o := range Outcome(outcomes) {
		for p := range presence(presences) {
			for h := range handling(handlings) {
				name := cellName(o, p, h)
				t.Run(name, func(t *testing.T) {
					tr := newTrial(t, Layout{Producers: 1, Capacity: 1})
					tr.end(0, o)
					if p != absent {
						tr.copy(0, 0, p == present, false)
					}
					if h != unprocessed { // whoever processes it may have set it aside before
						tr.deadLetter(0)
					}
					if h == processed {
						tr.effects(0, 0, 0)
					}
					v := tr.settle(consume(1))
					require.Len(t, v.Table, 54)
					require.Equal(t, map[string]int64{name: 1}, sparse(v.Table))
					require.EqualValues(t, 1, v.Due)

					promised := o == Acked || o == Sent
					require.Equal(t, promised && p != present, v.Lost.Log == 1, "lost.log")
					require.Equal(t, promised && p == present && h == unprocessed, v.Lost.Skipped == 1, "lost.skipped")
					require.Equal(t, promised && h == unprocessed, v.WithoutEffect() == 1, "without effect")
					require.Equal(t, o == Unknown && p == absent, v.UnknownAbsent == 1, "unknown_absent")
					require.Equal(t, o == Aborted && (p == present || h == processed), v.AbortedDelivered == 1, "aborted_delivered")
					require.Equal(t, o == NotSent && (p != absent || h != unprocessed), v.NeverBegun() == 1, "never begun")
					require.Equal(t, h == setAside, v.DeadLettered == 1, "dead-lettered")
					require.Zero(t, v.Duplicates)
					require.Zero(t, v.MultipleEffects)
					require.Zero(t, v.Undrained)
				})
			}
		}
	}
}

// class is one way in which a message can go wrong, alone: what provokes it, and
// the verdict's numbers that it changes.
type class struct {
	name    string
	in      Inputs
	provoke func(tr *trial)
	want    func(v *Verdict)
}

var (
	relay           = Inputs{Due: []int64{1}, Pipeline: profile.RelayTo, Drained: true}
	unpublished     = Inputs{Due: []int64{1}, Pipeline: profile.ByOutbox, Unpublished: true}
	readUncommitted = Inputs{Due: []int64{1}, Pipeline: profile.Consume, Drained: true, ReadUncommitted: true}
)

var classes = []class{
	{"lost.log", consume(1), func(tr *trial) { tr.end(0, Acked) },
		func(v *Verdict) { v.Acked, v.Lost = 1, Lost{Total: 1, Log: 1} }},
	{"lost.log of a sent message", consume(1), func(tr *trial) { tr.end(0, Sent) },
		func(v *Verdict) { v.Sent, v.Lost = 1, Lost{Total: 1, Log: 1} }},
	{"lost.log of an acked but invisible message", consume(1), func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, false, false)
	}, func(v *Verdict) { v.Acked, v.Lost = 1, Lost{Total: 1, Log: 1} }},
	{"processed and then truncated", consume(1), func(tr *trial) {
		tr.end(0, Acked)
		tr.effects(0, 0, 0)
	}, func(v *Verdict) {
		v.Acked, v.Lost, v.Executions, v.Effects = 1, Lost{Total: 1, Log: 1}, 1, 1
	}},
	{"lost.skipped", consume(1), func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
	}, func(v *Verdict) { v.Acked, v.Lost = 1, Lost{Total: 1, Skipped: 1} }},
	{"lost.skipped although an aborted copy is past the committed offset", consume(1), func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.copy(0, 0, false, true)
	}, func(v *Verdict) {
		v.Acked, v.Lost, v.Duplicates = 1, Lost{Total: 1, Skipped: 1}, Dups{Total: 1, Retried: 1}
	}},
	{"undrained", consume(1), func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, true)
	}, func(v *Verdict) { v.Acked, v.Undrained = 1, 1 }},
	{"undrained through one of two copies", consume(1), func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.copy(0, 1, true, true)
	}, func(v *Verdict) { v.Acked, v.Undrained, v.Duplicates = 1, 1, Dups{Total: 1, Resent: 1} }},
	{"undrained through an aborted copy that is read uncommitted", readUncommitted, func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.copy(0, 1, false, true)
	}, func(v *Verdict) { v.Acked, v.Undrained, v.Duplicates = 1, 1, Dups{Total: 1, Resent: 1} }},
	{"undrained before the committed offset", Inputs{Due: []int64{1}, Pipeline: profile.Consume}, func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
	}, func(v *Verdict) { v.Acked, v.Undrained = 1, 1 }},
	{"unknown_absent", consume(1), func(tr *trial) { tr.outcomes[0].Begin(0) },
		func(v *Verdict) { v.Unknown, v.UnknownAbsent = 1, 1 }},
	{"aborted_delivered", consume(1), func(tr *trial) {
		tr.end(0, Aborted)
		tr.copy(0, 0, true, false)
		tr.effects(0, 0, 0)
	}, func(v *Verdict) { v.Aborted, v.AbortedDelivered, v.Executions, v.Effects = 1, 1, 1, 1 }},
	{"retried", consume(1), func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.copy(0, 0, true, false)
		tr.copy(0, 0, true, false)
		tr.effects(0, 0, 0, 0, 0)
	}, func(v *Verdict) {
		v.Acked, v.Executions, v.Effects, v.MultipleEffects = 1, 3, 3, 1
		v.Duplicates = Dups{Total: 2, Retried: 2}
	}},
	{"resent", consume(1), func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.copy(0, 3, true, false)
		tr.effects(0, 0, 0, 0)
	}, func(v *Verdict) {
		v.Acked, v.Executions, v.Effects, v.MultipleEffects = 1, 2, 2, 1
		v.Duplicates = Dups{Total: 1, Resent: 1}
	}},
	{"redelivered to another incarnation", consume(1), func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.effects(0, 0, 0)
		tr.effects(0, 1, 0)
		tr.effects(7, 0, 0)
	}, func(v *Verdict) {
		v.Acked, v.Executions, v.Effects, v.MultipleEffects = 1, 3, 3, 1
		v.Duplicates = Dups{Total: 2, Redelivered: 2}
	}},
	{"an aborted copy read uncommitted is not redelivered", readUncommitted, func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, false, false)
		tr.copy(0, 1, true, false)
		tr.effects(0, 0, 0, 0)
	}, func(v *Verdict) {
		v.Acked, v.Executions, v.Effects, v.MultipleEffects = 1, 2, 2, 1
		v.Duplicates = Dups{Total: 1, Resent: 1}
	}},
	{"relay: redelivered, executed twice", relay, func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.effects(0, 0, 0, 0)
		tr.output(0, true)
		tr.output(0, true)
	}, func(v *Verdict) {
		v.Acked, v.Executions, v.Effects, v.MultipleEffects = 1, 2, 2, 1
		v.Duplicates = Dups{Total: 1, Redelivered: 1}
	}},
	{"relay: retried, executed once and written twice", relay, func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.effects(0, 0, 0)
		tr.output(0, true)
		tr.output(0, true)
	}, func(v *Verdict) {
		v.Acked, v.Executions, v.Effects, v.MultipleEffects = 1, 1, 2, 1
		v.Duplicates = Dups{Total: 1, Retried: 1}
	}},
	{"relay: executed twice, one output aborted", relay, func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.effects(0, 0, 0, 0)
		tr.output(0, false)
		tr.output(0, true)
	}, func(v *Verdict) { v.Acked, v.Executions, v.Effects = 1, 2, 1 }},
	{"relay: executed, never visible", relay, func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.effects(0, 0, 0)
		tr.output(0, false)
	}, func(v *Verdict) { v.Acked, v.Executions, v.Lost = 1, 1, Lost{Total: 1, Skipped: 1} }},
	{"produce: copies are the effects", Inputs{Due: []int64{1}, Pipeline: profile.Produce, Drained: true}, func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.copy(0, 0, true, true)
	}, func(v *Verdict) { v.Acked, v.MultipleEffects, v.Duplicates = 1, 1, Dups{Total: 1, Retried: 1} }},
	{"acks=0: acked is no more than sent", Inputs{Due: []int64{1}, Pipeline: profile.Consume, Drained: true, AcksNone: true}, func(tr *trial) {
		tr.end(0, Acked)
	}, func(v *Verdict) { v.Sent, v.Lost = 1, Lost{Total: 1, Log: 1} }},
	{"undrained: acknowledged, and it may wait in the outbox", unpublished, func(tr *trial) {
		tr.end(0, Acked)
	}, func(v *Verdict) { v.Acked, v.Undrained = 1, 1 }},
	{"undrained: the outbox's message was aborted, and may be published again", unpublished, func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, false, false)
	}, func(v *Verdict) { v.Acked, v.Undrained = 1, 1 }},
	{"unknown_absent, whatever the outbox has", unpublished, func(tr *trial) { tr.outcomes[0].Begin(0) },
		func(v *Verdict) { v.Unknown, v.UnknownAbsent = 1, 1 }},
	{"lost.log, though somebody did not come to the end: nobody was to publish it", Inputs{Due: []int64{1}, Pipeline: profile.ByOutbox}, func(tr *trial) {
		tr.end(0, Acked)
	}, func(v *Verdict) { v.Acked, v.Lost = 1, Lost{Total: 1, Log: 1} }},
	{"dead-lettered, twice", consume(1), func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, true)
		tr.deadLetter(0)
		tr.deadLetter(0)
	}, func(v *Verdict) { v.Acked, v.DeadLettered = 1, 1 }},
	{"dead-lettered, and processed after all", consume(1), func(tr *trial) {
		tr.end(0, Acked)
		tr.copy(0, 0, true, false)
		tr.deadLetter(0)
		tr.effects(0, 0, 0)
	}, func(v *Verdict) { v.Acked, v.Executions, v.Effects = 1, 1, 1 }},
	{"foreign: dead-lettered, never due", consume(0), func(tr *trial) { tr.deadLetter(0) },
		func(v *Verdict) { v.Foreign = 1 }},
	{"corrupt", consume(0), func(tr *trial) { tr.audit.Corrupt() }, func(v *Verdict) { v.Corrupt = 1 }},
	{"foreign", consume(0), func(tr *trial) { tr.audit.Foreign() }, func(v *Verdict) { v.Foreign = 1 }},
	{"foreign: out of range, once in both passes", consume(0), func(tr *trial) {
		tr.copy(-1, 0, true, false)
		tr.copy(1, 0, true, false)
		tr.output(0, true) // there is no relay
	}, func(v *Verdict) { v.Foreign = 3 }},
	{"foreign: beyond the messages due", consume(0), func(tr *trial) { tr.copy(0, 0, true, false) },
		func(v *Verdict) { v.Foreign = 1 }},
}

func TestEveryClass(t *testing.T) {
	for _, test := range classes {
		t.Run(test.name, func(t *testing.T) {
			tr := newTrial(t, Layout{Producers: 1, Capacity: 1, Relay: test.in.Pipeline == profile.RelayTo})
			test.provoke(tr)
			v := tr.settle(test.in)
			want := Verdict{Table: v.Table, Due: test.in.Due[0]}
			test.want(&want)
			require.Equal(t, want, v)
		})
	}
}

func TestReordered(t *testing.T) {
	tr := newTrial(t, Layout{Producers: 2, Capacity: 10})
	read := func(partition int32, indexes ...int64) {
		for _, index := range indexes {
			tr.audit.Uncommitted(tr.record(0, index, partition))
		}
	}
	read(0, 0, 2, 1, 3) // 1 stands behind 2
	read(0, 2, 0)       // further copies are duplicates, not reorderings
	read(1, 5, 4)       // 4 stands behind 5
	read(0, 12, 11)     // producer 1 has an order of its own
	read(1, 10)         // and every partition
	require.EqualValues(t, 3, tr.audit.totals.Reordered)
}

func TestSaturation(t *testing.T) {
	tr := newTrial(t, Layout{Producers: 1, Capacity: 3})
	tr.end(0, Acked)
	tr.end(1, Acked)
	tr.copy(2, 0, true, false)
	tr.effects(2, 0, slices.Repeat([]int64{2}, 300)...) // in one incarnation
	for range 300 {
		tr.copy(0, 0, true, false)
	}
	tr.copy(1, 9, true, false)
	many := make([]int64, 200)
	tr.effects(0, 0, many...)
	tr.effects(0, 1, many...)
	tr.effects(1, 0, 1)
	v := tr.settle(consume(3))
	// Copies, visible and executions of message 0; the attempt of message 1;
	// executions of message 2.
	require.EqualValues(t, 5, v.Saturated)
	require.Equal(t, Dups{Total: 2 * 254, Retried: 254, Redelivered: 254}, v.Duplicates)
	require.EqualValues(t, 255+1+255, v.Executions)
	require.EqualValues(t, 2, v.MultipleEffects)
}

func TestSettleRefuses(t *testing.T) {
	one := Layout{Producers: 1, Capacity: 10}
	finished := func(t *testing.T) *trial {
		tr := newTrial(t, one)
		tr.outcomes[0].Begin(0)
		tr.copy(3, 0, true, false)
		tr.close()
		return tr
	}
	tests := []struct {
		name  string
		in    Inputs
		spoil func(t *testing.T, dir string)
		want  string
	}{
		{"another number of producers", consume(1, 1), nil, "due for 2 producers, but the layout has 1"},
		{"more due than capacity", consume(11), nil, "11 messages due for producer 0: the layout's capacity is 10"},
		{"an unknown pipeline", Inputs{Due: []int64{1}, Pipeline: "pipe"}, nil, "use consume, relay, produce or outbox"},
		{"a relay without output planes", Inputs{Due: []int64{1}, Pipeline: profile.RelayTo}, nil, "create the layout with Relay"},
		{"messages begun beyond those due", consume(0), nil, "producer 0 began 1 messages beyond the 0 that were due"},
		{"an unfinished audit", consume(1), func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, auditFile)))
		}, "the audit did not finish"},
		{"a plane that lost a record", consume(10), func(t *testing.T, dir string) {
			for _, name := range []string{"copies", "attempts", "visible"} {
				poke(t, filepath.Join(dir, name), 3, 0)
			}
		}, "the audit read 1 records under read_uncommitted, but its plane holds 0"},
		{"visible and never read", consume(10), func(t *testing.T, dir string) {
			poke(t, filepath.Join(dir, "visible"), 4, 1)
		}, "audit the input topic again"},
		{"dead-lettered and never read", consume(10), func(t *testing.T, dir string) {
			poke(t, filepath.Join(dir, "past"), 4, deadLettered)
		}, "the audit found 0 messages in the dead-letter topic, but its plane holds 1"},
		{"visible output and never read", consume(10), func(t *testing.T, dir string) {
			pokeNew(t, filepath.Join(dir, "output-visible"), 4, 1)
		}, "audit the output topic again"},
		{"a copy without an attempt", consume(10), func(t *testing.T, dir string) {
			poke(t, filepath.Join(dir, "copies"), 4, 1)
		}, "copies without an attempt"},
		{"a damaged outcome", consume(10), func(t *testing.T, dir string) {
			poke(t, filepath.Join(dir, outcomesFile(0)), 4, 0xee)
		}, "the plane's file is damaged"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tr := finished(t)
			if test.spoil != nil {
				test.spoil(t, tr.dir)
			}
			v, err := Settle(tr.dir, test.in)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), "\n")
			require.Zero(t, v.Due, "no verdict beside an error")
		})
	}
}

func poke(t *testing.T, path string, offset int64, value byte) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{value}, offset)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func pokeNew(t *testing.T, path string, offset int64, value byte) {
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	poke(t, path, offset, value)
}

// A record that the auditor reads twice would look like a duplicate.
func TestAuditOutOfLogOrder(t *testing.T) {
	for name, read := range map[string]func(a *Audit, r Record){
		"uncommitted":        (*Audit).Uncommitted,
		"committed":          (*Audit).Committed,
		"output uncommitted": (*Audit).OutputUncommitted,
		"output committed":   (*Audit).OutputCommitted,
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t, Layout{Producers: 1, Capacity: 10, Relay: true})
			read(tr.audit, Record{Index: 1, Partition: 2, Offset: 7})
			read(tr.audit, Record{Index: 1, Partition: 2, Offset: 7})
			require.ErrorContains(t, tr.audit.Finish(), "partition 2, offset 7, out of log order")
			require.NoFileExists(t, filepath.Join(tr.dir, auditFile))
		})
	}
}

// An audit that is begun again starts from nothing.
func TestAuditAgain(t *testing.T) {
	tr := newTrial(t, Layout{Producers: 1, Capacity: 10})
	tr.end(0, Acked)
	tr.copy(0, 0, true, false)
	tr.audit.Foreign()
	tr.close()
	again, err := OpenAudit(tr.dir)
	require.NoError(t, err)
	_, err = Settle(tr.dir, consume(10))
	require.ErrorContains(t, err, "the audit did not finish")
	again.Uncommitted(Record{Index: 0})
	again.Committed(Record{Index: 0})
	require.NoError(t, again.Finish())
	require.NoError(t, again.Close())
	v, err := Settle(tr.dir, consume(1))
	require.NoError(t, err)
	require.Zero(t, v.Foreign)
	require.Zero(t, v.Duplicates)
	require.EqualValues(t, 1, v.Table["acked/present/unprocessed"])
}

func TestAddSaturating(t *testing.T) {
	sum, addend := make([]byte, 1<<16+3), make([]byte, 1<<16+3)
	for i := range sum {
		sum[i], addend[i] = byte(i), byte(i>>8)
	}
	addSaturating(sum, addend)
	for i := range sum {
		require.EqualValues(t, min(i&255+i>>8&255, 255), sum[i], "byte %d", i)
	}
}

// Holes, windows and words: messages far apart in a large sparse ledger.
func TestSettleSparse(t *testing.T) {
	const capacity = 10 << 20
	tr := newTrial(t, Layout{Producers: 3, Capacity: capacity})
	far := []int64{0, 7, windowBytes - 1, windowBytes, 5<<20 + 3, capacity - 1}
	for p := range int64(3) {
		for _, seq := range far {
			tr.outcomes[p].Begin(seq)
			tr.outcomes[p].Acked(seq)
			tr.copy(p*capacity+seq, 0, true, false)
			tr.effects(int(p), int(seq), p*capacity+seq)
		}
	}
	v := tr.settle(consume(capacity, capacity, capacity))
	require.Equal(t, map[string]int64{
		"acked/present/processed":     int64(3 * len(far)),
		"not_sent/absent/unprocessed": 3*capacity - int64(3*len(far)),
	}, sparse(v.Table))
}

func BenchmarkSettle(b *testing.B) {
	const messages = 1 << 24
	for _, kind := range []string{"all good", "every tenth redelivered"} {
		b.Run(kind, func(b *testing.B) {
			dir := goodLedger(b, messages)
			if kind != "all good" {
				e, err := OpenEffects(dir, 0, 1)
				require.NoError(b, err)
				for i := int64(0); i < messages; i += 10 {
					e.Mark(i)
				}
				require.NoError(b, e.Close())
			}
			for b.Loop() {
				v, err := Settle(dir, consume(messages))
				require.NoError(b, err)
				require.EqualValues(b, messages, v.Acked)
			}
			b.ReportMetric(float64(messages)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// goodLedger writes the planes of a trial without fault straight to their files.
func goodLedger(tb testing.TB, messages int) string {
	dir := tb.TempDir()
	require.NoError(tb, Create(dir, Layout{Producers: 1, Capacity: int64(messages)}))
	fill := func(name string, value byte) {
		plane := make([]byte, messages)
		for i := range plane {
			plane[i] = value
		}
		require.NoError(tb, os.WriteFile(filepath.Join(dir, name), plane, 0o600))
	}
	fill(outcomesFile(0), byte(Acked))
	fill(effectsPrefix+"0.0", 1)
	for _, name := range auditPlanes[:3] {
		fill(name, 1)
	}
	fill("past", 0)
	n := int64(messages)
	require.NoError(tb, saveJSON(filepath.Join(dir, auditFile), auditTotals{Uncommitted: n, Committed: n}))
	return dir
}

func TestSignature(t *testing.T) {
	sig := signature(binary.LittleEndian.Uint64([]byte{1, 2, 3, 4, 5, 6, 7, 8}))
	for k := range signatureBytes {
		require.EqualValues(t, k+1, sig.at(k), fmt.Sprintf("byte %d", k))
	}
}

// What a short file does not hold is zero, not what the buffer held before.
func TestSourceShortFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "plane"), []byte{1, 2, 3}, 0o600))
	s, err := openSource(dir, "plane", false)
	require.NoError(t, err)
	buf := []byte{9, 9, 9, 9, 9}
	data, err := s.read(buf, 0)
	require.NoError(t, err)
	require.True(t, data)
	require.Equal(t, []byte{1, 2, 3, 0, 0}, buf)
	require.NoError(t, s.close())
}
