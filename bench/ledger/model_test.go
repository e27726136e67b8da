package ledger

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/profile"
)

// The model: a trial's history as plain lists, and a verdict worked out from
// it one message at a time, straight from the definitions in doc.go.

type identity struct {
	producer int
	seq      int64
}

type logRecord struct {
	id        identity
	attempt   uint32
	partition int32
	offset    int64
	committed bool
}

type execution struct {
	worker, incarnation int
	id                  identity
}

type history struct {
	layout Layout
	in     Inputs
	// reports are, per message, how each attempt ended; NotSent is no report.
	reports    map[identity][]Outcome
	log        []logRecord // as the audit finds it, in the order of reading
	executions []execution
	output     []logRecord
	dead       []logRecord // in the dead-letter topic
	rows       map[identity]int64
	committed  map[int32]int64 // offsets by partition
	foreign    int64
	corrupt    int64
}

func drawHistory(t *rapid.T) *history {
	h := &history{reports: map[identity][]Outcome{}, committed: map[int32]int64{}}
	h.in.Pipeline = rapid.SampledFrom([]profile.Pipeline{profile.Consume, profile.RelayTo, profile.Produce, profile.ByOutbox}).Draw(t, "pipeline")
	h.layout = Layout{
		Producers: rapid.IntRange(1, 3).Draw(t, "producers"),
		Capacity:  rapid.Int64Range(1, 40).Draw(t, "capacity"),
		Relay:     h.in.Pipeline == profile.RelayTo,
	}
	h.in.AcksNone = rapid.Bool().Draw(t, "acks none")
	h.in.ReadUncommitted = rapid.Bool().Draw(t, "read uncommitted")
	h.in.Drained = rapid.Bool().Draw(t, "drained")
	h.in.Unpublished = h.in.Pipeline == profile.ByOutbox && rapid.Bool().Draw(t, "unpublished")
	for p := range h.layout.Producers {
		due := rapid.Int64Range(0, h.layout.Capacity).Draw(t, "due")
		h.in.Due = append(h.in.Due, due)
		for s := range due {
			ends := rapid.SliceOfN(rapid.SampledFrom([]Outcome{Acked, Acked, Acked, NotSent, Rejected, Aborted, Unknown, Sent}), 0, 4)
			if reports := ends.Draw(t, "reports"); len(reports) > 0 {
				h.reports[identity{p, s}] = reports
			}
		}
	}
	h.drawLog(t)
	if h.layout.Relay {
		for range rapid.IntRange(0, 60).Draw(t, "outputs") {
			h.output = append(h.output, logRecord{id: h.drawID(t), committed: rapid.Bool().Draw(t, "visible")})
		}
		number(h.output)
	}
	h.drawRows(t)
	for range rapid.IntRange(0, 20).Draw(t, "dead letters") {
		h.dead = append(h.dead, logRecord{id: h.drawID(t)})
	}
	number(h.dead)
	h.foreign = rapid.Int64Range(0, 2).Draw(t, "foreign")
	h.corrupt = rapid.Int64Range(0, 2).Draw(t, "corrupt")
	return h
}

// drawRows fills a database, which one of the trials asks for its rows.
func (h *history) drawRows(t *rapid.T) {
	if h.layout.Rows = rapid.Bool().Draw(t, "database"); !h.layout.Rows {
		return
	}
	h.in.Effects = rapid.SampledFrom([]Effective{ByPipeline, ByMarks, ByRows, ByRows}).Draw(t, "effects")
	h.rows = map[identity]int64{}
	for range rapid.IntRange(0, 60).Draw(t, "messages with rows") {
		h.rows[h.drawID(t)] += rapid.SampledFrom([]int64{1, 1, 1, 2, 5}).Draw(t, "rows")
	}
}

// effects are those that count.
func (h *history) effects(id identity) (n int64) {
	switch {
	case h.in.Effects == ByRows:
		return h.rows[id]
	case h.in.Effects == ByMarks || h.in.Pipeline != profile.RelayTo:
		return h.executed(id)
	}
	for _, r := range h.output {
		if r.id == id && r.committed {
			n++
		}
	}
	return n
}

func (h *history) drawID(t *rapid.T) identity {
	return identity{
		producer: rapid.IntRange(0, h.layout.Producers-1).Draw(t, "producer"),
		seq:      rapid.Int64Range(0, h.layout.Capacity-1).Draw(t, "seq"),
	}
}

// drawLog appends records, lets consumers execute some of them, truncates
// partitions after that, and draws the committed offsets.
func (h *history) drawLog(t *rapid.T) {
	var log []logRecord
	for range rapid.IntRange(0, 80).Draw(t, "records") {
		r := logRecord{
			id:        h.drawID(t),
			attempt:   rapid.Uint32Range(0, 10).Draw(t, "attempt"),
			partition: rapid.Int32Range(0, 2).Draw(t, "partition"),
			committed: rapid.IntRange(0, 3).Draw(t, "committed") > 0,
		}
		for range rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "copies") {
			log = append(log, r)
		}
	}
	number(log)
	end := map[int32]int64{}
	for _, r := range log {
		end[r.partition] = r.offset + 1
		for range rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(t, "executions") {
			h.executions = append(h.executions, execution{
				worker: rapid.IntRange(0, 2).Draw(t, "worker"), incarnation: rapid.IntRange(0, 1).Draw(t, "incarnation"), id: r.id,
			})
		}
	}
	for partition := range int32(3) {
		h.committed[partition] = rapid.Int64Range(0, end[partition]).Draw(t, "committed offset")
		if rapid.IntRange(0, 4).Draw(t, "truncate") == 0 {
			end[partition] = rapid.Int64Range(0, end[partition]).Draw(t, "truncated to")
		}
	}
	for _, r := range log {
		if r.offset < end[r.partition] {
			h.log = append(h.log, r)
		}
	}
}

// number gives the records their offsets.
func number(log []logRecord) {
	next := map[int32]int64{}
	for i := range log {
		log[i].offset = next[log[i].partition]
		next[log[i].partition]++
	}
}

// apply tells the ledger the history through its exported methods.
func (h *history) apply(t *rapid.T, dir string) {
	tr := openTrial(t, dir, h.layout)
	for id, reports := range h.reports {
		o := tr.outcomes[id.producer]
		for _, outcome := range reports {
			o.Begin(id.seq)
			switch outcome {
			case NotSent:
			case Acked:
				o.Acked(id.seq)
			case Sent:
				o.Sent(id.seq)
			case Rejected:
				o.Rejected(id.seq)
			case Unknown:
				o.Unknown(id.seq)
			case Aborted:
				o.SettleRange(id.seq, id.seq+1, Aborted)
			}
		}
	}
	index := func(id identity) int64 {
		i, ok := h.layout.Index(id.producer, id.seq)
		require.True(t, ok)
		return i
	}
	for _, x := range h.executions {
		tr.effects(x.worker, x.incarnation, index(x.id))
	}
	for _, r := range h.log {
		record := Record{Index: index(r.id), Attempt: r.attempt, Partition: r.partition, Offset: r.offset, Past: r.offset >= h.committed[r.partition]}
		tr.audit.Uncommitted(record)
		if r.committed {
			tr.audit.Committed(record)
		}
	}
	for _, r := range h.output {
		record := Record{Index: index(r.id), Offset: r.offset}
		tr.audit.OutputUncommitted(record)
		if r.committed {
			tr.audit.OutputCommitted(record)
		}
	}
	for _, r := range h.dead {
		tr.audit.DeadLettered(Record{Index: index(r.id), Offset: r.offset})
	}
	for range h.foreign {
		tr.audit.Foreign()
	}
	for range h.corrupt {
		tr.audit.Corrupt()
	}
	tr.close()
	if h.layout.Rows {
		rows, err := OpenRows(dir)
		require.NoError(t, err)
		for id, n := range h.rows {
			rows.Add(index(id), n)
		}
		require.NoError(t, errors.Join(rows.Finish(), rows.Close()))
	}
}

// verdict is the model's answer.
func (h *history) verdict() Verdict {
	v := Verdict{Table: map[string]int64{}, Foreign: h.foreign, Corrupt: h.corrupt, Reordered: h.reordered()}
	for p, due := range h.in.Due {
		for s := range h.layout.Capacity {
			if s < due {
				h.judge(&v, identity{p, s})
			} else if h.exists(identity{p, s}) {
				v.Foreign++
			}
		}
	}
	v.Lost.Total = v.Lost.Log + v.Lost.Skipped
	v.Duplicates.Total = v.Duplicates.Retried + v.Duplicates.Resent + v.Duplicates.Redelivered
	return v
}

func (h *history) exists(id identity) bool {
	lists := [][]logRecord{h.log, h.output, h.dead}
	if h.in.Effects == ByRows { // the outputs are not looked at then
		lists = [][]logRecord{h.log, h.dead}
	}
	for _, list := range lists {
		for _, r := range list {
			if r.id == id {
				return true
			}
		}
	}
	return h.executed(id) > 0 || h.in.Effects == ByRows && h.rows[id] > 0
}

func (h *history) executed(id identity) (n int64) {
	for _, x := range h.executions {
		if x.id == id {
			n++
		}
	}
	return n
}

func (h *history) reordered() (n int64) {
	seen := map[identity]bool{}
	var firsts []logRecord
	for _, r := range h.log {
		if seen[r.id] {
			continue
		}
		seen[r.id] = true
		for _, before := range firsts {
			if before.id.producer == r.id.producer && before.partition == r.partition && before.id.seq > r.id.seq {
				n++
				break
			}
		}
		firsts = append(firsts, r)
	}
	return n
}

func (h *history) outcome(id identity) string {
	ends := map[Outcome]bool{}
	for _, o := range h.reports[id] {
		ends[o] = true
	}
	switch {
	case len(ends) == 0:
		return "not_sent"
	case ends[Acked] && h.in.AcksNone:
		return "sent"
	case ends[Acked]:
		return "acked"
	case ends[Sent]:
		return "sent"
	case ends[Unknown] || ends[NotSent]:
		return "unknown"
	case ends[Aborted]:
		return "aborted"
	}
	return "rejected"
}

// judge adds one message to the verdict.
func (h *history) judge(v *Verdict, id identity) {
	var copies, visible, reaching int64
	attempts := map[uint32]bool{}
	past := false
	for _, r := range h.log {
		if r.id != id {
			continue
		}
		copies++
		attempts[min(r.attempt, 7)] = true
		if r.committed {
			visible++
		}
		if r.committed || h.in.ReadUncommitted {
			reaching++
			past = past || r.offset >= h.committed[r.partition]
		}
	}
	executions, effects := h.executed(id), h.effects(id)

	outcome, presence, processed := h.outcome(id), "absent", "unprocessed"
	if visible > 0 {
		presence = "present"
	} else if copies > 0 {
		presence = "present_but_aborted"
	}
	switch {
	case effects > 0:
		processed = "processed"
	case slices.ContainsFunc(h.dead, func(r logRecord) bool { return r.id == id }):
		processed = "dead_lettered"
		v.DeadLettered++
	}
	v.Due++
	v.Table[outcome+"/"+presence+"/"+processed]++
	v.Executions += executions
	v.Effects += effects
	map[string]func(){
		"not_sent": func() { v.NotSent++ }, "sent": func() { v.Sent++ }, "acked": func() { v.Acked++ },
		"rejected": func() { v.Rejected++ }, "unknown": func() { v.Unknown++ }, "aborted": func() { v.Aborted++ },
	}[outcome]()

	consumed := h.in.Pipeline.Consumes()
	h.judgeLost(v, outcome, presence, processed, past)
	if outcome == "unknown" && presence == "absent" {
		v.UnknownAbsent++
	}
	if outcome == "aborted" && (processed == "processed" || presence == "present") {
		v.AbortedDelivered++
	}
	if effects > 1 && consumed || reaching > 1 && !consumed {
		v.MultipleEffects++
	}
	if attempts[7] {
		v.Saturated++
	}
	h.judgeDuplicates(v, copies, int64(len(attempts)), reaching, effects, executions)
}

func (h *history) judgeLost(v *Verdict, outcome, presence, processed string, past bool) {
	ours := outcome == "acked" || outcome == "sent"
	switch {
	case ours && presence != "present" && h.in.Unpublished:
		v.Undrained++
	case ours && presence != "present":
		v.Lost.Log++
	}
	if presence == "present" && processed == "unprocessed" && h.in.Pipeline.Consumes() {
		if past || !h.in.Drained {
			v.Undrained++
		} else if ours {
			v.Lost.Skipped++
		}
	}
}

func (h *history) judgeDuplicates(v *Verdict, copies, attempts, reaching, effects, executions int64) {
	v.Duplicates.Retried += copies - attempts
	if attempts > 0 {
		v.Duplicates.Resent += attempts - 1
	}
	expected := reaching
	if expected == 0 {
		expected = 1
	}
	for extra := expected + 1; extra <= effects; extra++ {
		// The last outputs or rows, those beyond the executions, are retries.
		written := effects - (extra - expected) + 1
		if written > executions {
			v.Duplicates.Retried++
		} else {
			v.Duplicates.Redelivered++
		}
	}
}

// The ledger and the model agree on every history, whatever the window.
func TestModel(t *testing.T) {
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		dir, err := os.MkdirTemp(root, "")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		h.apply(t, dir)
		v, err := settle(dir, h.in, rapid.IntRange(1, 50).Draw(t, "window"))
		require.NoError(t, err)
		v.Table = sparse(v.Table)
		require.Equal(t, h.verdict(), v)
	})
}
