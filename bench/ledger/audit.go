package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

const auditFile = "audit.json"

// attemptBits is how many attempt numbers the attempts plane tells apart.
const attemptBits = 8

// Bits of the past plane.
const (
	pastAny      = 1 << iota // some copy is at or past the committed offset
	pastVisible              // and one that read_committed shows
	deadLettered             // the dead-letter topic has it
)

// Record is one message of ours that the auditor read.
type Record struct {
	Index     int64  // Layout.Index of its identity; -1 or any other out of range is foreign
	Attempt   uint32 // counts from 0
	Partition int32
	Offset    int64
	// Past says that the offset is at or past the consumer group's committed
	// offset in this partition. It means nothing in the other topics.
	Past bool
}

// Audit is what the topics hold, read by a client that is none of the
// workers. Each topic is read twice, whole: under read_uncommitted and under
// read_committed, each partition in log order. One goroutine may use it.
type Audit struct {
	layout Layout
	dir    string
	totals auditTotals
	planes []*plane

	copies, attempts, visible, past []byte
	outCopies, outVisible           []byte

	// highest is, per producer and partition, the highest sequence among the
	// first copies so far.
	highest [][]int64
	// read is, per pass and partition, one more than the last offset.
	read [5][]int64
	// again is the first record that came out of log order.
	again error
}

// auditTotals is audit.json: what the planes do not hold, and how many
// records they must add up to.
type auditTotals struct {
	Reordered         int64 `json:"reordered"`
	Corrupt           int64 `json:"corrupt"`
	Foreign           int64 `json:"foreign"`
	Uncommitted       int64 `json:"uncommitted"`
	Committed         int64 `json:"committed"`
	OutputUncommitted int64 `json:"output_uncommitted"`
	OutputCommitted   int64 `json:"output_committed"`
	// DeadLettered are messages: each counts once, however often it is there.
	DeadLettered int64 `json:"dead_lettered"`
}

// OpenAudit begins an audit; what an earlier one left in the directory is emptied.
func OpenAudit(dir string) (*Audit, error) {
	l, err := ReadLayout(dir)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(filepath.Join(dir, auditFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	a := &Audit{layout: l, dir: dir, highest: make([][]int64, l.Producers)}
	targets := []*[]byte{&a.copies, &a.attempts, &a.visible, &a.past}
	if l.Relay {
		targets = append(targets, &a.outCopies, &a.outVisible)
	}
	for i, target := range targets {
		p, err := openPlane(dir, auditPlanes[i], l.Messages(), true)
		if err != nil {
			return nil, errors.Join(err, a.Close())
		}
		a.planes = append(a.planes, p)
		*target = p.bytes[:l.Messages():l.Messages()]
	}
	return a, nil
}

// auditPlanes are the files of the audit, in the order in which Settle reads
// them; the last two are a relay's only.
var auditPlanes = [...]string{"copies", "attempts", "visible", "past", "output-copies", "output-visible"}

// Uncommitted takes a record of the input topic read under read_uncommitted.
func (a *Audit) Uncommitted(r Record) {
	if !a.inOrder(0, r) || !a.known(r.Index, a.copies) {
		return
	}
	a.totals.Uncommitted++
	if a.copies[r.Index] == 0 {
		a.firstCopy(r)
	}
	count(a.copies, r.Index)
	a.attempts[r.Index] |= 1 << min(r.Attempt, attemptBits-1)
	if r.Past {
		a.past[r.Index] |= pastAny
	}
}

// Committed takes a record of the input topic read under read_committed.
// Foreign ones are not counted again: the other pass has seen them.
func (a *Audit) Committed(r Record) {
	if !a.inOrder(1, r) || uint64(r.Index) >= uint64(len(a.visible)) {
		return
	}
	a.totals.Committed++
	count(a.visible, r.Index)
	if r.Past {
		a.past[r.Index] |= pastVisible
	}
}

// OutputUncommitted takes a record of the relay's output topic read under
// read_uncommitted. Its Index is the input message's.
func (a *Audit) OutputUncommitted(r Record) {
	if !a.inOrder(2, r) || !a.known(r.Index, a.outCopies) {
		return
	}
	a.totals.OutputUncommitted++
	count(a.outCopies, r.Index)
}

// OutputCommitted takes a record of the relay's output topic read under
// read_committed. Foreign ones are not counted again.
func (a *Audit) OutputCommitted(r Record) {
	if !a.inOrder(3, r) || uint64(r.Index) >= uint64(len(a.outVisible)) {
		return
	}
	a.totals.OutputCommitted++
	count(a.outVisible, r.Index)
}

// DeadLettered takes a record of the dead-letter topic, which is read once,
// under read_committed. Its Index is the input message's.
func (a *Audit) DeadLettered(r Record) {
	if !a.inOrder(4, r) || !a.known(r.Index, a.past) || a.past[r.Index]&deadLettered != 0 {
		return
	}
	a.past[r.Index] |= deadLettered
	a.totals.DeadLettered++
}

// Foreign counts a record that is not of this trial. Call it, and Corrupt, in
// one pass of each topic only, so that each record counts once.
func (a *Audit) Foreign() { a.totals.Foreign++ }

// Corrupt counts a record whose checksum does not match.
func (a *Audit) Corrupt() { a.totals.Corrupt++ }

// known counts a record out of the plane's range as foreign.
func (a *Audit) known(index int64, plane []byte) bool {
	if uint64(index) < uint64(len(plane)) {
		return true
	}
	a.totals.Foreign++
	return false
}

func count(plane []byte, index int64) {
	if plane[index] != ceiling {
		plane[index]++
	}
}

// inOrder refuses a record that was read before: counted twice it would look
// like a duplicate. Finish reports the first such record.
func (a *Audit) inOrder(pass int, r Record) bool {
	if r.Partition < 0 || r.Offset < 0 {
		a.outOfOrder(r)
		return false
	}
	next := at(&a.read[pass], r.Partition)
	if r.Offset < *next {
		a.outOfOrder(r)
		return false
	}
	*next = r.Offset + 1
	return true
}

func (a *Audit) outOfOrder(r Record) {
	if a.again == nil {
		a.again = fmt.Errorf("ledger: the audit read partition %d, offset %d, out of log order: audit again", r.Partition, r.Offset)
	}
}

// firstCopy counts a message as reordered when a later one of the same
// producer stands before it in the partition. A further copy is a duplicate,
// not a reordering.
func (a *Audit) firstCopy(r Record) {
	producer, seq := r.Index/a.layout.Capacity, r.Index%a.layout.Capacity
	highest := at(&a.highest[producer], r.Partition)
	if seq < *highest {
		a.totals.Reordered++
		return
	}
	*highest = seq
}

// at returns the partition's number and makes room for it.
func at(numbers *[]int64, partition int32) *int64 {
	if missing := int(partition) + 1 - len(*numbers); missing > 0 {
		*numbers = append(slices.Grow(*numbers, missing), make([]int64, missing)...)
	}
	return &(*numbers)[partition]
}

// Finish says that both passes of every topic reached the end offset, and
// saves the totals. Without it there is no verdict: in an audit that stopped
// halfway everything unread would look lost.
func (a *Audit) Finish() error {
	if a.again != nil {
		return a.again
	}
	return saveJSON(filepath.Join(a.dir, auditFile), a.totals)
}

// Close unmaps the planes. It does not finish the audit.
func (a *Audit) Close() error {
	var errs []error
	for _, p := range a.planes {
		errs = append(errs, p.close())
	}
	a.planes = nil
	a.copies, a.attempts, a.visible, a.past, a.outCopies, a.outVisible = nil, nil, nil, nil, nil, nil
	return errors.Join(errs...)
}

func readAudit(dir string) (auditTotals, error) {
	path := filepath.Join(dir, auditFile)
	var t auditTotals
	if err := readJSON(path, &t, "the audit did not finish, so nothing absent is proven lost"); err != nil {
		return t, err
	}
	if min(t.Reordered, t.Corrupt, t.Foreign) < 0 {
		return t, fmt.Errorf("ledger: %s has a negative count: the file is damaged, audit again", path)
	}
	return t, nil
}
