package sink

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"deliverybench/bench/profile"
)

// The tables, in the schema that the connection searches alone.
const (
	createSchema = `CREATE SCHEMA `
	// Drop and Leftovers know by it what is ours.
	markSchema   = ` IS 'deliverybench: tables of one trial'`
	schemaOfOurs = `SELECT count(*) > 0 AS there, coalesce(bool_or(obj_description(oid, 'pg_namespace') = 'deliverybench: tables of one trial'), false) AS ours FROM pg_namespace WHERE nspname = $1`

	createJournal       = `CREATE TABLE journal (producer bigint NOT NULL, sequence bigint NOT NULL, incarnation bigint NOT NULL, account bigint NOT NULL, amount_cents bigint NOT NULL)`
	uniqueJournal       = `ALTER TABLE journal ADD PRIMARY KEY (producer, sequence)`
	searchableJournal   = `CREATE INDEX ON journal (producer, sequence)`
	createAccounts      = `CREATE TABLE accounts (account bigint PRIMARY KEY, balance_cents bigint NOT NULL, status text NOT NULL)`
	fillAccounts        = `INSERT INTO accounts SELECT n, 0, 'open' FROM generate_series(0, $1::bigint - 1) AS n`
	createOffsets       = `CREATE TABLE offsets (partition bigint PRIMARY KEY, next_offset bigint NOT NULL)`
	createOutbox        = `CREATE TABLE outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_key bytea, message bytea NOT NULL)`
	dropTables          = `DROP TABLE journal, accounts, offsets, outbox`
	dropSchema          = `DROP SCHEMA `
	commentOnSchema     = `COMMENT ON SCHEMA `
	postgresKnown       = `SELECT DISTINCT journal.producer, journal.sequence FROM journal JOIN unnest($1::bigint[], $2::bigint[]) AS b (producer, sequence) USING (producer, sequence)`
	postgresOffsets     = `SELECT partition, next_offset FROM offsets WHERE partition = ANY($1::bigint[])`
	postgresVersion     = `SHOW server_version`
	journalCopies       = `SELECT producer, sequence, count(*) FROM journal GROUP BY producer, sequence ORDER BY producer, sequence`
	booksOfAll          = `SELECT account, balance_cents, status FROM accounts ORDER BY account`
	postgresSeedOffsets = `INSERT INTO offsets SELECT * FROM unnest($1::bigint[], $2::bigint[]) ON CONFLICT DO NOTHING`
	postgresLockOffsets = `SELECT count(*) FROM (SELECT FROM offsets WHERE partition = ANY($1::bigint[]) ORDER BY partition FOR UPDATE) AS locked`
	postgresMoveOffsets = `UPDATE offsets SET next_offset = m.next FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS m (partition, start, next) WHERE offsets.partition = m.partition AND offsets.next_offset = m.start`
	// Locks are taken in the order of the accounts, or two writers could each
	// wait for the other.
	postgresLockAccounts = `SELECT count(*) FROM (SELECT FROM accounts WHERE account = ANY($1::bigint[]) ORDER BY account FOR UPDATE) AS locked`
)

// A batch is one statement: what becomes a row of the journal changes its account.
const (
	postgresInsert = `WITH fresh AS (INSERT INTO journal SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])`
	unlessKnown    = ` ON CONFLICT DO NOTHING`
	postgresAdd    = ` RETURNING account, amount_cents), sums AS (SELECT account, sum(amount_cents)::bigint AS cents FROM fresh GROUP BY account)
		UPDATE accounts SET balance_cents = balance_cents + sums.cents FROM sums WHERE accounts.account = sums.account`
	postgresSet = ` RETURNING account) UPDATE accounts SET status = 'active' FROM (SELECT DISTINCT account FROM fresh) AS changed WHERE accounts.account = changed.account`

	postgresInsertAdd = postgresInsert + postgresAdd
	postgresInsertSet = postgresInsert + postgresSet
	postgresUniqueAdd = postgresInsert + unlessKnown + postgresAdd
	postgresUniqueSet = postgresInsert + unlessKnown + postgresSet
)

// retryEvery is how often a server that is gone is asked again.
const retryEvery = 50 * time.Millisecond

type postgres struct {
	config  *pgx.ConnConfig
	place   string
	effects string // the statement of a batch
	conn    *pgx.Conn
}

// configOf is how to connect to a target. The schema is the only one searched.
func configOf(t Target) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(t.Address)
	if err != nil {
		return nil, fmt.Errorf("sink: the database's URL: %w", err)
	}
	if t.Password != "" {
		config.Password = t.Password
	}
	config.ConnectTimeout = connectWithin
	if t.Schema != "" {
		config.RuntimeParams["search_path"] = pgx.Identifier{t.Schema}.Sanitize()
	}
	// Leftovers knows by it that the trial goes on.
	config.RuntimeParams["application_name"] = cmp.Or(t.Schema, "deliverybench")
	// A writer that is frozen in a transaction does not hold the others for ever.
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "30000"
	return config, nil
}

func createPostgres(ctx context.Context, t Target) error {
	return inPostgres(ctx, t, func(tx pgx.Tx) error {
		there, _, err := schemaThere(ctx, tx, t.Schema)
		if err != nil {
			return err
		}
		if there {
			return fmt.Errorf("sink: %s is there already, of another run or another program, and is kept: use another name, or drop it if nobody needs it", t.place())
		}
		if _, err := tx.Exec(ctx, createSchema+pgx.Identifier{t.Schema}.Sanitize()); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, commentOnSchema+pgx.Identifier{t.Schema}.Sanitize()+markSchema); err != nil {
			return err
		}
		statements := []string{createJournal, createAccounts, createOffsets, createOutbox}
		switch t.Write {
		case profile.UniqueKey:
			statements = append(statements, uniqueJournal)
		case profile.CheckThenAct:
			statements = append(statements, searchableJournal)
		}
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, fillAccounts, t.Accounts)
		return err
	})
}

// dropPostgres drops the tables and then the schema, which fails while
// somebody else's things are in it: then all stays.
func dropPostgres(ctx context.Context, t Target) error {
	return inPostgres(ctx, t, func(tx pgx.Tx) error {
		there, ours, err := schemaThere(ctx, tx, t.Schema)
		switch {
		case err != nil || !there:
			return err
		case !ours:
			return fmt.Errorf("sink: %s was not made by this program and is kept", t.place())
		}
		if _, err := tx.Exec(ctx, dropTables); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, dropSchema+pgx.Identifier{t.Schema}.Sanitize())
		return err
	})
}

func schemaThere(ctx context.Context, tx pgx.Tx, schema string) (there, ours bool, err error) {
	err = tx.QueryRow(ctx, schemaOfOurs, schema).Scan(&there, &ours)
	return there, ours, err
}

// inPostgres does something in one transaction on a connection of its own.
func inPostgres(ctx context.Context, t Target, do func(pgx.Tx) error) error {
	config, err := configOf(t)
	if err != nil {
		return err
	}
	// A server that nobody has reached yet may be none: its address may be wrong.
	conn, err := connect(ctx, config, t.place(), recovers)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return explain(pgx.BeginFunc(ctx, conn, do), t.place())
}

func openPostgres(ctx context.Context, t Target) (database, error) {
	config, err := configOf(t)
	if err != nil {
		return nil, err
	}
	p := &postgres{config: config, place: t.place(), effects: postgresInsertAdd}
	switch unique, set := t.Write == profile.UniqueKey, t.Effect == profile.SetStatus; {
	case unique && set:
		p.effects = postgresUniqueSet
	case unique:
		p.effects = postgresUniqueAdd
	case set:
		p.effects = postgresInsertSet
	}
	p.conn, err = connect(ctx, p.config, p.place, passes)
	return p, err
}

// ensure has the connection open, anew where it broke. A server that did not come
// back in time has applied nothing, and may come back yet.
func (p *postgres) ensure(ctx context.Context) error {
	if p.conn != nil && !p.conn.IsClosed() {
		return nil
	}
	conn, err := connect(ctx, p.config, p.place, passes)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", ErrLost, err)
		}
		return err
	}
	p.conn = conn
	return nil
}

// connect tries until the server lets it in, as long as what keeps it out passes.
func connect(ctx context.Context, config *pgx.ConnConfig, place string, passes func(error) bool) (*pgx.Conn, error) {
	var why error
	for {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err == nil {
			return conn, nil
		}
		if why == nil || ctx.Err() == nil {
			why = err // of an attempt that was cut off only if there is no other
		}
		if !passes(err) {
			return nil, explainConnect(why, place)
		}
		select {
		case <-ctx.Done():
			return nil, explainConnect(why, place)
		case <-time.After(retryEvery):
		}
	}
}

func (p *postgres) apply(ctx context.Context, c change) error {
	if err := p.ensure(ctx); err != nil {
		return err
	}
	tx, err := p.conn.Begin(ctx)
	if err != nil {
		return p.before(err)
	}
	if err := p.write(ctx, tx, c); err != nil {
		err = p.before(err)
		_ = tx.Rollback(context.WithoutCancel(ctx))
		return err
	}
	if c.written != nil {
		c.written()
	}
	err = tx.Commit(ctx)
	switch {
	case err == nil:
		return nil
	case refused(err):
		return p.before(err)
	}
	// pgconn.SafeToRetry does not help: it is true of an answer that did not come.
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}

// before is an error that came before the commit, or instead: nothing is applied.
func (p *postgres) before(err error) error {
	if p.conn.IsClosed() {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return explain(err, p.place)
}

// write has all statements of a change under way at once.
func (p *postgres) write(ctx context.Context, tx pgx.Tx, c change) error {
	var queue pgx.Batch
	if len(c.move) > 0 {
		queueMove(&queue, c.move)
	}
	if len(c.effects) > 0 {
		p.queueEffects(&queue, c.effects)
	}
	if len(c.outbox) > 0 {
		queueOutbox(&queue, c.outbox)
	}
	return tx.SendBatch(ctx, &queue).Close()
}

func queueMove(queue *pgx.Batch, move []step) {
	partitions, start, next := make([]int64, len(move)), make([]int64, len(move)), make([]int64, len(move))
	for i, step := range move {
		partitions[i], start[i], next[i] = int64(step.partition), step.from, step.next
	}
	queue.Queue(postgresSeedOffsets, partitions, start)
	queue.Queue(postgresLockOffsets, partitions)
	queue.Queue(postgresMoveOffsets, partitions, start, next).Exec(func(done pgconn.CommandTag) error {
		if done.RowsAffected() != int64(len(move)) {
			return ErrFenced
		}
		return nil
	})
}

func (p *postgres) queueEffects(queue *pgx.Batch, batch []Effect) {
	var columns [5][]int64
	for i := range columns {
		columns[i] = make([]int64, len(batch))
	}
	for i, e := range batch {
		columns[0][i], columns[1][i], columns[2][i] = int64(e.Producer), e.Sequence, int64(e.Incarnation)
		columns[3][i], columns[4][i] = e.Account, e.Amount
	}
	accounts := slices.Clone(columns[3])
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	queue.Queue(postgresLockAccounts, accounts).QueryRow(func(row pgx.Row) error {
		var locked int
		if err := row.Scan(&locked); err != nil {
			return err
		}
		return allThere(locked, len(accounts), p.place)
	})
	queue.Queue(p.effects, columns[0], columns[1], columns[2], columns[3], columns[4])
}

// allThere fails when some of a batch's accounts are not in the database.
func allThere(found, wanted int, place string) error {
	if found != wanted {
		return fmt.Errorf("sink: %d of a batch's %d accounts are not in %s: something else wrote there, or the target names fewer accounts than the messages", wanted-found, wanted, place)
	}
	return nil
}

func (p *postgres) known(ctx context.Context, batch []Effect) (map[identity]bool, error) {
	if err := p.ensure(ctx); err != nil {
		return nil, err
	}
	producers, sequences := make([]int64, len(batch)), make([]int64, len(batch))
	for i, e := range batch {
		producers[i], sequences[i] = int64(e.Producer), e.Sequence
	}
	known := make(map[identity]bool, len(batch))
	rows, err := p.conn.Query(ctx, postgresKnown, producers, sequences)
	if err == nil {
		var id identity
		_, err = pgx.ForEachRow(rows, []any{&id.producer, &id.sequence}, func() error {
			known[id] = true
			return nil
		})
	}
	if err != nil {
		return nil, p.before(err)
	}
	return known, nil
}

func (p *postgres) offsets(ctx context.Context, partitions []int32) (map[int32]int64, error) {
	if err := p.ensure(ctx); err != nil {
		return nil, err
	}
	next := map[int32]int64{}
	rows, err := p.conn.Query(ctx, postgresOffsets, partitions)
	if err == nil {
		var partition int32
		var offset int64
		_, err = pgx.ForEachRow(rows, []any{&partition, &offset}, func() error {
			next[partition] = offset
			return nil
		})
	}
	if err != nil {
		return nil, p.before(err)
	}
	return next, nil
}

func (p *postgres) audit(ctx context.Context, row func(producer int, sequence int64, copies int64) error) (Books, error) {
	var books Books
	// What row says is the caller's error, and passed on as it is.
	var refused error
	err := pgx.BeginTxFunc(ctx, p.conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, postgresVersion).Scan(&books.Version); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, journalCopies)
		if err != nil {
			return err
		}
		var producer int
		var sequence, copies int64
		if _, err := pgx.ForEachRow(rows, []any{&producer, &sequence, &copies}, func() error {
			books.Rows += copies
			refused = row(producer, sequence, copies)
			return refused
		}); err != nil {
			return err
		}
		rows, err = tx.Query(ctx, booksOfAll)
		if err != nil {
			return err
		}
		var account int64
		var state AccountState
		_, err = pgx.ForEachRow(rows, []any{&account, &state.BalanceCents, &state.Status}, func() error {
			books.Accounts = append(books.Accounts, state)
			return inOrder(account, len(books.Accounts), p.place)
		})
		return err
	})
	if refused != nil {
		return Books{}, refused
	}
	return books, explain(err, p.place)
}

// inOrder fails when the account is not the one that the nth row should be.
func inOrder(account int64, n int, place string) error {
	if account != int64(n-1) {
		return fmt.Errorf("sink: account %d stands where %d should in %s: something else wrote there", account, n-1, place)
	}
	return nil
}

func (p *postgres) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), connectWithin)
	defer cancel()
	_ = p.conn.Close(ctx) // an error says that it had broken already
	return nil
}
