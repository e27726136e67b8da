package ledger

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/profile"
)

// Attempts merge acked > sent > unknown > aborted > rejected, and an attempt
// without a report is unknown.
func TestAttemptsMerge(t *testing.T) {
	const none = NotSent // no report
	tests := []struct {
		attempts []Outcome
		want     Outcome
	}{
		{nil, NotSent},
		{[]Outcome{none}, Unknown},
		{[]Outcome{Acked}, Acked},
		{[]Outcome{Sent}, Sent},
		{[]Outcome{Rejected}, Rejected},
		{[]Outcome{Aborted}, Aborted},
		{[]Outcome{Unknown}, Unknown},
		{[]Outcome{Rejected, none}, Unknown},
		{[]Outcome{Rejected, Rejected}, Rejected},
		{[]Outcome{none, Rejected}, Unknown},
		{[]Outcome{none, Aborted}, Unknown},
		{[]Outcome{Unknown, Rejected}, Unknown},
		{[]Outcome{Unknown, Acked}, Acked},
		{[]Outcome{none, Acked}, Acked},
		{[]Outcome{Acked, none}, Acked},
		{[]Outcome{Acked, Rejected}, Acked},
		{[]Outcome{Acked, Unknown}, Acked},
		{[]Outcome{Aborted, Rejected}, Aborted},
		{[]Outcome{Rejected, Aborted}, Aborted},
		{[]Outcome{Rejected, Acked}, Acked},
		{[]Outcome{Sent, none}, Sent},
	}
	o := &Outcomes{bytes: make([]byte, len(tests))}
	for i, test := range tests {
		seq := int64(i)
		for _, attempt := range test.attempts {
			o.Begin(seq)
			if attempt != none {
				o.Settle(seq, attempt)
			}
		}
		require.Equal(t, test.want, o.Outcome(seq), "attempts %v", test.attempts)
	}
}

// A transaction's messages share one outcome, and their neighbours keep theirs.
func TestSettleRange(t *testing.T) {
	o := &Outcomes{bytes: make([]byte, 10)}
	for seq := range int64(8) {
		o.Begin(seq)
	}
	require.EqualValues(t, 8, o.Next())
	o.Rejected(3) // by the client: the transaction never held it
	o.Acked(4)
	o.SettleRange(2, 6, Aborted)
	want := []Outcome{Unknown, Unknown, Aborted, Rejected, Acked, Aborted, Unknown, Unknown, NotSent, NotSent}
	for seq, outcome := range want {
		require.Equal(t, outcome, o.Outcome(int64(seq)), "sequence %d", seq)
	}
	require.Panics(t, func() { o.Begin(10) })
}

// One goroutine begins, another handles reports: what they need from each
// other is the order that the client gives. The plane is ordinary memory here,
// because the race detector does not watch mapped files.
func TestBeginAndAckedConcurrently(t *testing.T) {
	const messages = 100_000
	o := &Outcomes{bytes: make([]byte, messages)}
	reports := make(chan int64, 100)
	var handler sync.WaitGroup
	handler.Go(func() {
		for seq := range reports {
			if seq%3 == 0 {
				o.Rejected(seq)
			} else {
				o.Acked(seq)
			}
		}
	})
	for seq := range int64(messages) {
		o.Begin(seq)
		reports <- seq
	}
	close(reports)
	handler.Wait()
	require.EqualValues(t, messages, o.Next())
	for seq := range int64(messages) {
		want := Acked
		if seq%3 == 0 {
			want = Rejected
		}
		require.Equal(t, want, o.Outcome(seq))
	}
}

// What is called once per message costs no call and no allocation.
func TestHotPathInlines(t *testing.T) {
	text, err := exec.CommandContext(t.Context(), "go", "build", "-gcflags=-m", ".").CombinedOutput()
	require.NoError(t, err, "%s", text)
	for _, method := range []string{"(*Outcomes).Begin", "(*Outcomes).Acked", "(*Outcomes).Sent", "(*Effects).Mark", "(*Mark).Fired", "Layout.Index"} {
		require.Contains(t, string(text), "can inline "+method+"\n")
	}
}

// Marks are made while messages are under way: none of them allocates.
func TestMarksAllocateNothing(t *testing.T) {
	tr := newTrial(t, Layout{Producers: 1, Capacity: 1 << 20})
	effects, err := OpenEffects(tr.dir, 0, 0)
	require.NoError(t, err)
	defer effects.Close()
	mark, err := OpenMark(tr.dir, "polled")
	require.NoError(t, err)
	defer mark.Close()
	o := tr.outcomes[0]
	r := Record{Partition: 0}
	tr.audit.Uncommitted(r) // a partition's first record makes room for it
	tr.audit.Committed(r)
	for name, step := range map[string]func(seq int64){
		"begin":        o.Begin,
		"acked":        o.Acked,
		"sent":         o.Sent,
		"rejected":     o.Rejected,
		"unknown":      o.Unknown,
		"aborted":      o.Aborted,
		"settle range": func(seq int64) { o.SettleRange(seq, seq+1, Acked) },
		"effect":       effects.Mark,
		"crash point":  mark.Fired,
		"uncommitted":  func(seq int64) { tr.audit.Uncommitted(Record{Index: seq, Offset: seq}) },
		"committed":    func(seq int64) { tr.audit.Committed(Record{Index: seq, Offset: seq}) },
	} {
		seq := int64(0)
		require.Zero(t, testing.AllocsPerRun(1000, func() {
			seq++
			step(seq)
		}), name)
	}
}

func TestLayout(t *testing.T) {
	l := Layout{Producers: 3, Capacity: 100, Relay: true}
	for _, test := range []struct {
		producer int
		seq      int64
		want     int64
		ok       bool
	}{
		{0, 0, 0, true}, {2, 99, 299, true}, {1, 7, 107, true},
		{3, 0, -1, false}, {-1, 0, -1, false}, {0, 100, -1, false}, {0, -1, -1, false},
	} {
		index, ok := l.Index(test.producer, test.seq)
		require.Equal(t, test.ok, ok)
		require.Equal(t, test.want, index)
	}
	dir := t.TempDir()
	_, err := OpenEffects(dir, 0, 0)
	require.ErrorContains(t, err, "call ledger.Create first")
	require.NoError(t, Create(dir, l))
	require.ErrorContains(t, Create(dir, l), "give every trial a directory of its own")
	read, err := ReadLayout(dir)
	require.NoError(t, err)
	require.Equal(t, l, read)
	_, err = OpenOutcomes(dir, 3)
	require.ErrorContains(t, err, "producer 3: the layout has 0 to 2")
	_, err = OpenEffects(dir, -1, 0)
	require.ErrorContains(t, err, "both count from 0")
	for _, bad := range []Layout{{Capacity: 1}, {Producers: 1}, {Producers: 1 << 20, Capacity: 1 << 21}} {
		require.Error(t, Create(t.TempDir(), bad))
	}
}

// A plane of another size is another ledger's; an empty one is a fresh one.
func TestPlaneSize(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, Create(dir, Layout{Producers: 1, Capacity: 10}))
	path := filepath.Join(dir, outcomesFile(0))
	require.NoError(t, os.WriteFile(path, []byte("short"), 0o600))
	_, err := OpenOutcomes(dir, 0)
	require.ErrorContains(t, err, "belongs to another ledger")
	require.NoError(t, os.Truncate(path, 0))
	begun, err := Begun(dir)
	require.NoError(t, err)
	require.Equal(t, []int64{0}, begun)
	o, err := OpenOutcomes(dir, 0)
	require.NoError(t, err)
	require.EqualValues(t, 10, o.Capacity())
	require.NoError(t, o.Close())
}

// The memory that design promises, and the blocks that the files really take.
func TestBytesPerMessage(t *testing.T) {
	require.Equal(t, 6, Layout{}.BytesPerMessage(1))
	require.Equal(t, 8, Layout{Relay: true}.BytesPerMessage(1))
	require.Equal(t, 9, Layout{Relay: true}.BytesPerMessage(2))

	const used = 1 << 18
	tr := newTrial(t, Layout{Producers: 2, Capacity: 1 << 26, Relay: true})
	e, err := OpenEffects(tr.dir, 0, 0)
	require.NoError(t, err)
	for seq := range int64(used) {
		tr.outcomes[0].Begin(seq)
		tr.outcomes[0].Acked(seq)
		tr.copy(seq, 0, true, true)
		tr.output(seq, true)
		e.Mark(seq)
	}
	require.NoError(t, e.Close())
	tr.close()
	_, err = Settle(tr.dir, Inputs{Due: []int64{used, 0}, Pipeline: profile.RelayTo, Drained: true})
	require.NoError(t, err)
	allocated := int64(0)
	require.NoError(t, filepath.WalkDir(tr.dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		allocated += info.Sys().(*syscall.Stat_t).Blocks * 512
		return nil
	}))
	require.GreaterOrEqual(t, allocated, int64(8*used))
	require.LessOrEqual(t, allocated, tr.layout.Bytes(used, 1))
}

func TestMark(t *testing.T) {
	dir := t.TempDir()
	for _, nanos := range []int64{0, 1, -1, 1<<62 - 1, -1 << 62} {
		m, err := OpenMark(dir, "polled")
		require.NoError(t, err)
		m.Fired(nanos)
		require.NoError(t, m.Close())
		read, fired, err := ReadMark(dir, "polled")
		require.NoError(t, err)
		require.True(t, fired)
		require.Equal(t, nanos, read)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mark-new"), nil, 0o600))
	_, fired, err := ReadMark(dir, "new")
	require.NoError(t, err)
	require.False(t, fired)
	for _, name := range []string{"", "a/b"} {
		_, err = OpenMark(dir, name)
		require.ErrorContains(t, err, "part of a file name")
	}
}

func TestJudge(t *testing.T) {
	good := Verdict{Due: 10, Acked: 10, Table: map[string]int64{"acked/present/processed": 10}}
	with := func(change func(v *Verdict)) Verdict {
		v := good
		v.Table = map[string]int64{}
		change(&v)
		return v
	}
	twice := with(func(v *Verdict) { v.MultipleEffects = 3 })
	lost := with(func(v *Verdict) { v.Lost = Lost{Total: 2, Log: 1, Skipped: 1} })
	truncated := with(func(v *Verdict) {
		v.Lost = Lost{Total: 2, Log: 2}
		v.Table["acked/absent/processed"] = 1
		v.Table["sent/present_but_aborted/processed"] = 1
	})
	aborted := with(func(v *Verdict) { v.AbortedDelivered = 4 })
	tests := []struct {
		name      string
		verdict   Verdict
		guarantee profile.Guarantee
		drained   bool
		fired     int // of one planned
		want      Judgement
		reason    string
	}{
		{"no guarantee", lost, profile.NoGuarantee, true, 1, NoPromise, ""},
		{"an unknown one", good, "twice", true, 1, Inconclusive, `unknown guarantee "twice"`},
		{"all good", good, profile.ExactlyOnce, true, 1, Held, ""},
		{"at-most-once may lose", lost, profile.AtMostOnce, true, 1, Held, ""},
		{"at-least-once may repeat", twice, profile.AtLeastOnce, true, 1, Held, ""},
		{"at-most-once repeats", twice, profile.AtMostOnce, true, 1, Violated, "3 messages have more than one effect"},
		{"at-least-once loses", lost, profile.AtLeastOnce, true, 1, Violated, "2 acknowledged messages have no effect"},
		{"exactly-once repeats", twice, profile.ExactlyOnce, true, 1, Violated, "3 messages have more than one effect"},
		{"exactly-once loses", lost, profile.ExactlyOnce, true, 1, Violated, "2 acknowledged messages have no effect"},
		{"exactly-once delivers aborted", aborted, profile.ExactlyOnce, true, 1, Violated, "4 aborted messages were delivered"},
		{"at-least-once delivers aborted", aborted, profile.AtLeastOnce, true, 1, Held, ""},
		{"processed before truncation", truncated, profile.AtLeastOnce, true, 1, Held, ""},
		{"not drained", good, profile.AtMostOnce, false, 1, Inconclusive, "the consumers did not come to the end"},
		{"undrained", with(func(v *Verdict) { v.Undrained = 5 }), profile.AtLeastOnce, true, 1, Inconclusive, "5 messages were not drained"},
		{"corrupt", with(func(v *Verdict) { v.Corrupt = 1 }), profile.AtLeastOnce, true, 1, Inconclusive, "1 records are corrupt"},
		{"foreign", with(func(v *Verdict) { v.Foreign = 1 }), profile.AtLeastOnce, true, 1, Inconclusive, "1 records are foreign"},
		{"never sent", with(func(v *Verdict) { v.NotSent = 1 }), profile.AtLeastOnce, true, 1, Inconclusive, "1 messages that were never sent are in the log or processed"},
		{"nothing exposed", with(func(v *Verdict) { v.Acked = 0 }), profile.AtLeastOnce, true, 1, Inconclusive, "nothing was acknowledged or sent"},
		{"the fault did not fire", good, profile.AtLeastOnce, true, 0, Inconclusive, "0 of 1 faults fired"},
		{"a violation is one though not drained", lost, profile.AtLeastOnce, false, 0, Violated, "2 acknowledged messages have no effect"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, reason := test.verdict.Judge(test.guarantee, test.drained, 1, test.fired)
			require.Equal(t, test.want, got)
			require.Equal(t, test.reason, reason)
		})
	}
}

// The saved form keeps the names that results promise.
func TestVerdictJSON(t *testing.T) {
	text, err := json.Marshal(Verdict{})
	require.NoError(t, err)
	for _, name := range strings.Fields("due not_sent sent acked rejected unknown aborted lost total log skipped duplicates retried resent redelivered unknown_absent reordered corrupt foreign aborted_delivered multiple_effects undrained executions effects table") {
		require.Contains(t, string(text), `"`+name+`":`)
	}
}

// Index is the inverse of its own division, for every identity in range.
func TestIndexProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Layout{Producers: rapid.IntRange(1, 1000).Draw(t, "producers"), Capacity: rapid.Int64Range(1, 1<<30).Draw(t, "capacity")}
		p := rapid.IntRange(0, l.Producers-1).Draw(t, "producer")
		s := rapid.Int64Range(0, l.Capacity-1).Draw(t, "seq")
		index, ok := l.Index(p, s)
		require.True(t, ok)
		require.EqualValues(t, p, index/l.Capacity)
		require.Equal(t, s, index%l.Capacity)
		require.Less(t, index, l.Messages())
	})
}

func BenchmarkBegin(b *testing.B) {
	o := &Outcomes{bytes: make([]byte, 1<<16)}
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		o.Begin(i & (1<<16 - 1))
	}
}

func BenchmarkAcked(b *testing.B) {
	o := &Outcomes{bytes: make([]byte, 1<<16)}
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		o.Acked(i & (1<<16 - 1))
	}
}

func BenchmarkEffectMark(b *testing.B) {
	e := &Effects{bytes: make([]byte, 1<<16)}
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		e.Mark(i & (1<<16 - 1))
	}
}

func BenchmarkAuditObserve(b *testing.B) {
	tr := newTrial(b, Layout{Producers: 4, Capacity: 1 << 20})
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		r := Record{Index: i & (1<<22 - 1), Partition: int32(i & 7), Offset: i}
		tr.audit.Uncommitted(r)
		tr.audit.Committed(r)
	}
}
