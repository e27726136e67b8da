package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	rowsFile   = "rows"
	rowsTotals = "rows.json"
)

// Rows is what a database holds of the messages, told by somebody who asked it
// when all workers had ended. One goroutine may use it.
type Rows struct {
	dir    string
	plane  *plane
	bytes  []byte
	totals rowTotals
}

// rowTotals is rows.json: what the plane must add up to.
type rowTotals struct {
	Rows    int64 `json:"rows"`
	Foreign int64 `json:"foreign"`
}

// OpenRows begins the count; what an earlier one left is emptied.
func OpenRows(dir string) (*Rows, error) {
	l, err := ReadLayout(dir)
	if err != nil {
		return nil, err
	}
	if !l.Rows {
		return nil, errors.New("ledger: rows need their plane: create the layout with Rows")
	}
	if err := os.Remove(filepath.Join(dir, rowsTotals)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	p, err := openPlane(dir, rowsFile, l.Messages(), true)
	if err != nil {
		return nil, err
	}
	return &Rows{dir: dir, plane: p, bytes: p.bytes[:l.Messages():l.Messages()]}, nil
}

// Add counts n rows of the message with this Layout.Index, up to 255. Those of
// an index out of range are foreign.
func (r *Rows) Add(index, n int64) {
	if uint64(index) >= uint64(len(r.bytes)) {
		r.totals.Foreign += n
		return
	}
	before := int64(r.bytes[index])
	r.bytes[index] = byte(min(before+n, ceiling))
	r.totals.Rows += int64(r.bytes[index]) - before
}

// Finish says that the database told everything, and saves the totals.
func (r *Rows) Finish() error { return saveJSON(filepath.Join(r.dir, rowsTotals), r.totals) }

// Close unmaps the plane. It does not finish the count.
func (r *Rows) Close() error {
	r.bytes = nil
	return r.plane.close()
}

func readRows(dir string) (t rowTotals, err error) {
	err = readJSON(filepath.Join(dir, rowsTotals), &t, "the database was not asked to its end, so nothing without a row is proven lost")
	return t, err
}

// inRows are the totals with the database's in the place of the outputs'.
func (a auditTotals) inRows(t rowTotals) auditTotals {
	a.OutputUncommitted, a.OutputCommitted = t.Rows, t.Rows
	a.Foreign += t.Foreign
	return a
}

// Entry is what the books should say of one message.
type Entry struct {
	Producer int
	Sequence int64
	// Owed says that the message has to have its effect: it has one, or it was
	// acknowledged and neither set aside nor is it still to be drained.
	Owed bool
	Rows int64
	// Visible are the message's copies in the topic that read_committed shows.
	Visible int64
	// Waiting says that it has a row, and that its message, which is not in the
	// topic, may yet be published.
	Waiting bool
}

// EachEntry visits every message that was due, in order, with the rows that a
// database holds of it.
func EachEntry(dir string, in Inputs, visit func(Entry)) (err error) {
	in.Effects = ByRows
	s, err := newSettler(dir, in, windowBytes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for p, due := range in.Due {
		var sequence int64
		err := s.scan(p, 0, due, func(sig signature, n int64) {
			entry := in.fate(sig).entry(in)
			entry.Producer = p
			for ; n > 0; n-- {
				entry.Sequence = sequence
				visit(entry)
				sequence++
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f fate) entry(in Inputs) Entry {
	promised := f.outcome == Acked || f.outcome == Sent
	undrained := in.Pipeline.Consumes() && f.presence == present && (f.past || !in.Drained)
	return Entry{
		Owed:    f.effects > 0 || promised && f.handling == unprocessed && !undrained,
		Rows:    f.effects,
		Visible: f.visible,
		Waiting: in.Unpublished && f.effects > 0 && f.presence != present,
	}
}
