package sink

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// postgresLeftovers are the schemas with the mark, and whether a session of
// their trial is open.
const postgresLeftovers = `SELECT nspname, EXISTS (SELECT FROM pg_stat_activity WHERE application_name = nspname AND datname = current_database()) FROM pg_namespace
	WHERE obj_description(oid, 'pg_namespace') = 'deliverybench: tables of one trial' ORDER BY nspname`

// Leftover is a schema that Create made and nobody has dropped.
type Leftover struct {
	Schema string
	// InUse says that the trial goes on: it, or its workers, have sessions.
	InUse bool
}

// Leftovers are those in the PostgreSQL of a target, whatever its schema.
func Leftovers(ctx context.Context, t Target) (found []Leftover, err error) {
	t.Schema = ""
	err = within(ctx, createWithin, "the database to list what runs left", t.place(), func(ctx context.Context) error {
		return inPostgres(ctx, t, func(tx pgx.Tx) error {
			rows, err := tx.Query(ctx, postgresLeftovers)
			if err == nil {
				found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Leftover])
			}
			return err
		})
	})
	return found, err
}
