package sink

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// remedies say what to do about an error of PostgreSQL, by its SQLSTATE
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
var remedies = map[string]string{
	"28P01": "give the user's password with PGPASSWORD or PGPASSFILE",
	"28000": "let the user in with a line in the server's pg_hba.conf, or name another in -database",
	"3D000": "create the database, or name another in -database",
	"3F000": "another program removed the trial's schema: run the trial again",
	"42P01": "another program removed the trial's tables: run the trial again",
	"42501": "let the user make schemas there: GRANT CREATE ON DATABASE",
	"42P06": "it is there already and is kept: use another name",
	"2BP01": "something else is in the trial's schema: nothing was removed, look at it and drop the schema yourself",
	"53100": "free some space on the database's disk; nothing of the batch was applied",
	"53300": "raise the server's max_connections, or run fewer consumers",
	"55P03": "another session holds the trial's rows locked: end it",
	"25006": "the server is read-only, a standby perhaps: name its primary in -database",
}

// explain adds to an error of the server what to do; any other stays as it is.
func explain(err error, place string) error {
	var failed *pgconn.PgError
	if !errors.As(err, &failed) {
		return err
	}
	text := fmt.Sprintf("sink: %s: %s (SQLSTATE %s)", place, failed.Message, failed.Code)
	if remedy := remedies[failed.Code]; remedy != "" {
		text += ": " + remedy
	}
	return &explained{text, err}
}

// explainConnect does so with an error of connecting, which the server may not
// have heard of.
func explainConnect(err error, place string) error {
	if told := explain(err, place); told != err {
		return told
	}
	return &explained{"sink: " + strings.Join(strings.Fields(err.Error()), " ") + ": check that the server runs, and its address", err}
}

// explained is an error of the server with its remedy.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }

// passes reports whether a server that could not be reached may be there soon:
// it is down, or recovers from a crash.
func passes(err error) bool {
	var failed *pgconn.PgError
	if errors.As(err, &failed) {
		return atEnd(failed)
	}
	var unreachable net.Error
	for _, passing := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return errors.As(err, &unreachable) && unreachable.Timeout()
}

// recovers reports whether it is the server itself that lets nobody in yet.
func recovers(err error) bool {
	var failed *pgconn.PgError
	return errors.As(err, &failed) && atEnd(failed)
}

// refused reports whether the server said that a commit failed and went on. One
// that ends its process with that (FATAL), or all of them (PANIC), may have
// committed, or find the commit in its log when it recovers.
func refused(err error) bool {
	var failed *pgconn.PgError
	return errors.Is(err, pgx.ErrTxCommitRollback) || errors.As(err, &failed) && failed.SeverityUnlocalized == "ERROR"
}

// atEnd reports whether the server's error is that it ends or begins
// (class 57P: admin_shutdown, crash_shutdown, cannot_connect_now).
func atEnd(failed *pgconn.PgError) bool { return strings.HasPrefix(failed.Code, "57P0") }
