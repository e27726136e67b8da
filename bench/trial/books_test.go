package trial_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/trial"

	"github.com/stretchr/testify/require"
)

// tamper has somebody else write into the SQLite file of the bench's trial when
// its workers have ended and before it is audited.
func tamper(t *testing.T, b *bench, statement string, arguments ...any) {
	t.Helper()
	b.env.Observe = func(at trial.Snapshot) {
		if at.Phase != "auditing the database" {
			return
		}
		var files []string
		for _, folder := range b.env.Scratch {
			found, err := filepath.Glob(filepath.Join(folder, "*", "effects.sqlite"))
			require.NoError(t, err)
			files = append(files, found...)
		}
		require.Len(t, files, 1)
		db, err := sql.Open("sqlite3", files[0])
		require.NoError(t, err)
		_, err = db.Exec(statement, arguments...)
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}
}

// booked is a short trial with its effects in an SQLite file.
func booked(effect profile.SinkEffect) profile.Settings {
	s := calm(profile.Consume, profile.Commit{When: profile.AfterProcessing, Every: batch, Mode: profile.Sync})
	s.Sink = profile.Sink{Database: profile.SQLite, Write: profile.Insert, Effect: effect, Accounts: 50}
	return s
}

// The books are proved account by account: cents that moved from one to another
// leave the total as it should be.
func TestEveryAccountIsProved(t *testing.T) {
	t.Parallel()
	const shift = `UPDATE accounts SET balance_cents = balance_cents + CASE account WHEN 7 THEN 5 ELSE -5 END WHERE account IN (7, 9)`
	for what, c := range map[string]struct {
		effect profile.SinkEffect
		change string
		want   string
	}{
		"moved":      {profile.AddToBalance, shift, "2 of 50 are off, first account 7, which holds "},
		"added":      {profile.AddToBalance, `UPDATE accounts SET balance_cents = balance_cents + 1 WHERE account = 49`, "1 of 50 are off, first account 49, which holds "},
		"set-status": {profile.SetStatus, shift, "the accounts hold 0 cents, and expected are 0 − 0 lost + 0 redelivered; 2 of 50 are off, first account 7, which holds 5 and should hold 0"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			tamper(t, b, c.change)
			r := b.run(t, booked(c.effect)).Result
			require.Equal(t, result.Failed, r.Status)
			require.Contains(t, r.Reason, "the books do not add up: the accounts hold ")
			require.Contains(t, r.Reason, c.want)
			require.NotNil(t, r.Database)
		})
	}
}

// Amounts lie on the accounts that the ledger says, with and without keys, and in
// every way of writing.
func TestTheBooksAddUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, write := range []profile.SinkWrite{profile.Insert, profile.UniqueKey, profile.CheckThenAct} {
		for _, key := range []profile.Key{profile.NoKey, profile.ZipfKey} {
			t.Run(name(write, key), func(t *testing.T) {
				t.Parallel()
				s := booked(profile.AddToBalance)
				s.Producer.Count, s.Sink.Write = 2, write
				s.Load.Message.Key, s.Load.Message.Keys = key, 500
				r := b.complete(t, s)
				requireBooks(t, s, r.Database, r.Verdict, 0, 0)
			})
		}
	}
}

// Rows that the ledger does not tell of, another's or more than it can count of one
// message, take the ground from a promise that held, and hide none that was broken.
func TestRowsThatTheLedgerDoesNotTellOf(t *testing.T) {
	t.Parallel()
	const (
		// Of the journal's first row 299 more.
		again = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 299)
			INSERT INTO journal SELECT producer, sequence, incarnation, account, amount_cents FROM journal, n WHERE journal.rowid = 1;`
		others = `INSERT INTO journal VALUES (77, 1, 0, 3, 5);`
		gone   = `DELETE FROM journal WHERE rowid = 1;`
	)
	for what, c := range map[string]struct {
		guarantee profile.Guarantee
		pipeline  profile.Pipeline
		change    string
		promise   result.Promise
		multiple  int64
		lost      int64
	}{
		"300 rows, exactly-once":            {profile.ExactlyOnce, profile.Consume, again, result.Violated, 1, 0},
		"300 rows, at-most-once":            {profile.AtMostOnce, profile.Consume, again, result.Violated, 1, 0},
		"300 rows, at-least-once":           {profile.AtLeastOnce, profile.Consume, again, result.PromiseInconclusive, 1, 0},
		"another's, one gone":               {profile.AtLeastOnce, profile.Consume, others + gone, result.Violated, 0, 1},
		"another's, one gone, at-most-once": {profile.AtMostOnce, profile.Consume, others + gone, result.PromiseInconclusive, 0, 1},
		"another's":                         {profile.ExactlyOnce, profile.Consume, others, result.PromiseInconclusive, 0, 0},
		"another's, nothing promised":       {profile.NoGuarantee, profile.Consume, others, result.NoPromise, 0, 0},
		"another's beside a relay":          {profile.AtLeastOnce, profile.RelayTo, others, result.PromiseInconclusive, 0, 0},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			tamper(t, b, c.change)
			s := booked(profile.AddToBalance)
			s.Guarantee, s.Pipeline = c.guarantee, c.pipeline
			r := b.run(t, s).Result
			require.Equal(t, result.Inconclusive, r.Status)
			require.Contains(t, r.Reason, "the journal has ")
			v := r.Verdict
			require.NotNil(t, v)
			require.Equal(t, [2]int64{c.multiple, c.lost}, [2]int64{v.MultipleEffects, v.Lost.Total})
			require.Equal(t, c.promise, r.Promise)
		})
	}
}
