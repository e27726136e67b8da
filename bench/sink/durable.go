package sink

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"deliverybench/bench/profile"
)

const postgresDurability = `SELECT current_setting('fsync'), current_setting('synchronous_commit')`

// Undurable tells, a sentence each, why a commit of this target may return before
// it is on a disk: by settings of somebody else's server, or of the user there.
func Undurable(ctx context.Context, t Target) (why []string, err error) {
	if t.Database == profile.SQLite {
		return nil, nil // each connection says how it commits
	}
	var fsync, synchronous string
	err = within(ctx, createWithin, "the database to tell how it commits", t.place(), func(ctx context.Context) error {
		return inPostgres(ctx, t, func(tx pgx.Tx) error { return tx.QueryRow(ctx, postgresDurability).Scan(&fsync, &synchronous) })
	})
	for _, setting := range []struct{ name, value string }{{"fsync", fsync}, {"synchronous_commit", synchronous}} {
		if setting.value == "off" {
			why = append(why, fmt.Sprintf("PostgreSQL has %s = off: a commit returns before it is on a disk, so durable latencies and commits/s "+
				"are not those of durable commits, and a crash of the server may lose rows; set it to on", setting.name))
		}
	}
	return why, err
}
