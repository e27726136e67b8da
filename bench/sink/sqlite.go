package sink

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/mattn/go-sqlite3"

	"deliverybench/bench/profile"
)

// Rows go to SQLite as one JSON array, so that a batch of any size is one
// prepared statement with one argument.
const (
	// The application id in the file's header ("dbn1") says that the file is ours.
	sqliteMark     = `PRAGMA application_id = 1684172337`
	sqliteMarkOf   = `PRAGMA application_id`
	applicationID  = 1684172337
	sqliteFill     = `WITH RECURSIVE n (account) AS (SELECT 0 UNION ALL SELECT account + 1 FROM n WHERE account + 1 < ?) INSERT INTO accounts SELECT account, 0, 'open' FROM n`
	sqliteUnique   = `CREATE UNIQUE INDEX journal_identity ON journal (producer, sequence)`
	sqliteSearch   = `CREATE INDEX journal_identity ON journal (producer, sequence)`
	sqliteBegin    = `BEGIN IMMEDIATE`
	sqliteCommit   = `COMMIT`
	sqliteRollback = `ROLLBACK`
	sqliteVersion  = `SELECT sqlite_version()`
	sqliteInsert   = `INSERT INTO journal SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE true`
	// What became a row is returned: it alone changes its account.
	sqliteInsertUnique = sqliteInsert + unlessKnown + ` RETURNING account, amount_cents`
	sqliteAdd          = `UPDATE accounts SET balance_cents = balance_cents + sums.cents FROM (SELECT value ->> 0 AS account, value ->> 1 AS cents FROM json_each(?)) AS sums WHERE accounts.account = sums.account`
	sqliteSet          = `UPDATE accounts SET status = 'active' WHERE account IN (SELECT value ->> 0 FROM json_each(?))`
	sqliteKnown        = `SELECT DISTINCT journal.producer, journal.sequence FROM json_each(?) AS b JOIN journal ON journal.producer = b.value ->> 0 AND journal.sequence = b.value ->> 1`
	sqliteSeedOffsets  = `INSERT INTO offsets SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`
	sqliteMoveOffsets  = `UPDATE offsets SET next_offset = m.next FROM (SELECT value ->> 0 AS partition, value ->> 1 AS start, value ->> 2 AS next FROM json_each(?)) AS m WHERE offsets.partition = m.partition AND offsets.next_offset = m.start`
	sqliteOffsets      = `SELECT partition, next_offset FROM offsets WHERE partition IN (SELECT value ->> 0 FROM json_each(?))`
)

// lockedWithin is a little less than what anybody waits for, so that SQLite says
// itself that the file is locked.
const lockedWithin = answerWithin - 5*time.Second

type sqlite struct {
	place  string
	unique bool
	set    bool

	pool *sql.DB
	conn *sql.Conn // the only one of the pool
	// Statements of the connection.
	prepared map[string]*sql.Stmt
}

// sqliteURI opens a file that exists. Every commit is on the disk when it
// returns (synchronous=FULL); other processes' writers are waited for.
func sqliteURI(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	options := url.Values{
		"mode":          {"rw"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_busy_timeout": {strconv.FormatInt(lockedWithin.Milliseconds(), 10)},
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: options.Encode()}).String(), nil
}

func createSQLite(ctx context.Context, t Target) error {
	file, err := os.OpenFile(t.Address, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("sink: %s is there already, of another run or another program, and is kept: use another name, or remove it if nobody needs it", t.Address)
	}
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	if err := errors.Join(file.Close(), fillSQLite(ctx, t)); err != nil {
		return errors.Join(err, removeSQLite(t.Address)) // it was made here
	}
	return nil
}

func fillSQLite(ctx context.Context, t Target) error {
	s, err := connectSQLite(ctx, t)
	if err != nil {
		return err
	}
	_, err = s.conn.ExecContext(ctx, sqliteMark)
	if err == nil {
		err = s.transaction(ctx, func() error { return s.makeTables(ctx, t) })
	}
	return errors.Join(s.explain(err), s.close())
}

func (s *sqlite) makeTables(ctx context.Context, t Target) error {
	statements := []string{createJournal, createAccounts, createOffsets, sqliteCreateOutbox}
	switch t.Write {
	case profile.UniqueKey:
		statements = append(statements, sqliteUnique)
	case profile.CheckThenAct:
		statements = append(statements, sqliteSearch)
	}
	for _, statement := range statements {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	_, err := s.conn.ExecContext(ctx, sqliteFill, t.Accounts)
	return err
}

func dropSQLite(ctx context.Context, t Target) error {
	if _, err := os.Stat(t.Address); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := openSQLite(ctx, t)
	if err != nil {
		return err
	}
	if err := db.close(); err != nil {
		return err
	}
	return removeSQLite(t.Address)
}

// removeSQLite removes the file with what SQLite keeps beside it.
func removeSQLite(path string) error {
	var errs []error
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("sink: %w", err))
		}
	}
	return errors.Join(errs...)
}

func openSQLite(ctx context.Context, t Target) (database, error) {
	s, err := connectSQLite(ctx, t)
	if err != nil {
		return nil, err
	}
	var id int64
	err = s.explain(s.conn.QueryRowContext(ctx, sqliteMarkOf).Scan(&id))
	if err == nil && id != applicationID {
		err = fmt.Errorf("sink: %s was not made by this program and is kept", t.Address)
	}
	if err == nil {
		err = s.explain(s.prepare(ctx))
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func connectSQLite(ctx context.Context, t Target) (*sqlite, error) {
	s := &sqlite{place: t.place(), unique: t.Write == profile.UniqueKey, set: t.Effect == profile.SetStatus, prepared: map[string]*sql.Stmt{}}
	uri, err := sqliteURI(t.Address)
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	if s.pool, err = sql.Open("sqlite3", uri); err != nil {
		return nil, s.explain(err)
	}
	if s.conn, err = s.pool.Conn(ctx); err != nil {
		return nil, errors.Join(s.explain(err), s.pool.Close())
	}
	return s, nil
}

func (s *sqlite) prepare(ctx context.Context) error {
	for _, text := range []string{sqliteInsert, sqliteInsertUnique,
		sqliteAdd, sqliteSet, sqliteKnown, sqliteSeedOffsets, sqliteMoveOffsets, sqliteOffsets, sqliteEnlist, sqliteOutbox, sqliteClear} {
		statement, err := s.conn.PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		s.prepared[text] = statement
	}
	return nil
}

// transaction does something between begin and commit. Begin is where other
// writers are waited for.
func (s *sqlite) transaction(ctx context.Context, do func() error) error {
	if _, err := s.conn.ExecContext(ctx, sqliteBegin); err != nil {
		return err
	}
	err := do()
	if err == nil {
		// Not to be interrupted: its outcome would not be known.
		_, err = s.conn.ExecContext(context.WithoutCancel(ctx), sqliteCommit)
	}
	if err != nil {
		// After some errors SQLite has rolled back by itself.
		_, _ = s.conn.ExecContext(context.WithoutCancel(ctx), sqliteRollback)
	}
	return err
}

func (s *sqlite) apply(ctx context.Context, c change) error {
	return s.explain(s.transaction(ctx, func() error {
		if err := s.write(ctx, c); err != nil {
			return err
		}
		if c.written != nil {
			c.written()
		}
		return nil
	}))
}

func (s *sqlite) write(ctx context.Context, c change) error {
	if len(c.move) > 0 {
		if err := s.move(ctx, c.move); err != nil {
			return err
		}
	}
	if len(c.effects) > 0 {
		sums, err := s.insert(ctx, c.effects)
		if err != nil {
			return err
		}
		if err := s.change(ctx, sums); err != nil {
			return err
		}
	}
	return s.enlist(ctx, c.outbox)
}

func (s *sqlite) move(ctx context.Context, move []step) error {
	rows := jsonRows(len(move), func(i int) []int64 {
		return []int64{int64(move[i].partition), move[i].from, move[i].next}
	})
	if _, err := s.prepared[sqliteSeedOffsets].ExecContext(ctx, rows); err != nil {
		return err
	}
	moved, err := s.prepared[sqliteMoveOffsets].ExecContext(ctx, rows)
	if err != nil {
		return err
	}
	if n, _ := moved.RowsAffected(); n != int64(len(move)) {
		return ErrFenced
	}
	return nil
}

// insert writes the journal and returns what each account gets.
func (s *sqlite) insert(ctx context.Context, batch []Effect) (sums map[int64]int64, err error) {
	rows := jsonRows(len(batch), func(i int) []int64 {
		e := batch[i]
		return []int64{int64(e.Producer), e.Sequence, int64(e.Incarnation), e.Account, e.Amount}
	})
	sums = make(map[int64]int64, len(batch))
	if !s.unique {
		for _, e := range batch {
			sums[e.Account] += e.Amount
		}
		_, err := s.prepared[sqliteInsert].ExecContext(ctx, rows)
		return sums, err
	}
	err = s.each(ctx, sqliteInsertUnique, rows, func(account, cents int64) { sums[account] += cents })
	return sums, err
}

func (s *sqlite) change(ctx context.Context, sums map[int64]int64) error {
	statement := sqliteAdd
	if s.set {
		statement = sqliteSet
	}
	accounts := slices.Sorted(maps.Keys(sums))
	changed, err := s.prepared[statement].ExecContext(ctx, jsonRows(len(accounts), func(i int) []int64 {
		return []int64{accounts[i], sums[accounts[i]]}
	}))
	if err != nil {
		return err
	}
	n, _ := changed.RowsAffected()
	return allThere(int(n), len(accounts), s.place)
}

// each runs a prepared query of two numbers.
func (s *sqlite) each(ctx context.Context, query string, argument any, row func(a, b int64)) error {
	rows, err := s.prepared[query].QueryContext(ctx, argument)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b int64
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		row(a, b)
	}
	return rows.Err()
}

func (s *sqlite) known(ctx context.Context, batch []Effect) (map[identity]bool, error) {
	known := make(map[identity]bool, len(batch))
	err := s.each(ctx, sqliteKnown, jsonRows(len(batch), func(i int) []int64 {
		return []int64{int64(batch[i].Producer), batch[i].Sequence}
	}), func(producer, sequence int64) { known[identity{int(producer), sequence}] = true })
	return known, s.explain(err)
}

func (s *sqlite) offsets(ctx context.Context, partitions []int32) (map[int32]int64, error) {
	next := map[int32]int64{}
	err := s.each(ctx, sqliteOffsets, jsonRows(len(partitions), func(i int) []int64 {
		return []int64{int64(partitions[i])}
	}), func(partition, offset int64) { next[int32(partition)] = offset })
	return next, s.explain(err)
}

func (s *sqlite) audit(ctx context.Context, row func(producer int, sequence int64, copies int64) error) (Books, error) {
	books := Books{}
	books.Version, _, _ = sqlite3.Version()
	rows, err := s.conn.QueryContext(ctx, journalCopies)
	if err != nil {
		return Books{}, s.explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var producer int
		var sequence, copies int64
		if err := rows.Scan(&producer, &sequence, &copies); err != nil {
			return Books{}, s.explain(err)
		}
		books.Rows += copies
		if err := row(producer, sequence, copies); err != nil {
			return Books{}, err
		}
	}
	if err := rows.Err(); err != nil {
		return Books{}, s.explain(err)
	}
	books.Accounts, err = s.accounts(ctx)
	return books, s.explain(err)
}

func (s *sqlite) accounts(ctx context.Context) (all []AccountState, err error) {
	rows, err := s.conn.QueryContext(ctx, booksOfAll)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var account int64
		var state AccountState
		if err := rows.Scan(&account, &state.BalanceCents, &state.Status); err != nil {
			return nil, err
		}
		all = append(all, state)
		if err := inOrder(account, len(all), s.place); err != nil {
			return nil, err
		}
	}
	return all, rows.Err()
}

func (s *sqlite) close() error {
	return s.explain(errors.Join(s.conn.Close(), s.pool.Close()))
}

// explain adds to an error of SQLite what to do; any other stays as it is.
func (s *sqlite) explain(err error) error {
	var failed sqlite3.Error
	if !errors.As(err, &failed) {
		return err
	}
	remedy := ""
	switch failed.Code {
	case sqlite3.ErrFull:
		remedy = ": free some space on its disk, or name a folder on another; nothing of the batch was applied"
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		remedy = fmt.Sprintf(": another process has had it locked for %s, end that", lockedWithin)
	case sqlite3.ErrNotADB, sqlite3.ErrCorrupt:
		remedy = ": it is not a database of this program and is kept; use another name"
	case sqlite3.ErrCantOpen, sqlite3.ErrReadonly, sqlite3.ErrPerm:
		remedy = ": the file and its folder have to be there, and writable"
	case sqlite3.ErrIoErr:
		remedy = ": look at its disk"
	}
	return fmt.Errorf("sink: %s: %w%s", s.place, err, remedy)
}

// jsonRows is an array of n rows of numbers.
func jsonRows(n int, row func(i int) []int64) string {
	text := make([]byte, 0, 2+n*40)
	text = append(text, '[')
	for i := range n {
		if i > 0 {
			text = append(text, ',')
		}
		before := byte('[')
		for _, number := range row(i) {
			text = strconv.AppendInt(append(text, before), number, 10)
			before = ','
		}
		text = append(text, ']')
	}
	return string(append(text, ']'))
}
