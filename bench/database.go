package main

import (
	"context"
	"fmt"
	"slices"

	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
	"deliverybench/bench/sink/postgres"
	"deliverybench/bench/suite"
	"deliverybench/bench/trial"
)

// passwordVariables are the environment's for PostgreSQL: no child needs them.
var passwordVariables = []string{"PGPASSWORD", "PGPASSFILE"}

// openDatabase starts a PostgreSQL where a trial's effects go to one, or takes
// that of -database. It returns nil where no trial needs one.
func (p *program) openDatabase(ctx context.Context, f *flags, spawner *process.Spawner, o suite.Options) (*trial.Database, func(), error) {
	needed := slices.ContainsFunc(o.Plan.Trials, func(t profile.Trial) bool { return t.Settings.Sink.Database == profile.Postgres })
	spawner.Withhold(passwordVariables...)
	switch {
	case f.database != "":
		address, password, err := sink.ParseURL(f.database)
		if err != nil {
			return nil, nil, fmt.Errorf("-database: %w", err)
		}
		if !needed {
			fmt.Fprintln(p.stderr, "warning: -database is not used: no trial has sink.database: postgres")
		}
		return &trial.Database{Address: address, Password: password}, func() {}, nil
	case !needed:
		return nil, func() {}, nil
	}
	server, err := postgres.Start(ctx, postgres.Options{Spawner: spawner, Getenv: p.getenv, Scratch: p.scratch, Logs: o.Store.Dir()})
	if err != nil {
		return nil, nil, fmt.Errorf("sink.database: postgres: %w", err)
	}
	release := func() {
		if err := server.Close(); err != nil {
			fmt.Fprintln(p.stderr, "warning:", err)
		}
	}
	return &trial.Database{Address: server.Address(), Password: server.Password(), Server: server, InMemory: server.InMemory()}, release, nil
}
