package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"deliverybench/bench/broker"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink/postgres"
)

// keeping registers the flags of the broker verb.
func (f *flags) keeping(set *flag.FlagSet) {
	set.StringVar(&f.broker, "broker", "local", "which to start: `NAME` is embedded, local, local3, compose or compose3")
	set.StringVar(&f.scratch, "scratch", "", "the `folder` for its data (default: the folder for temporary files)")
	set.StringVar(&f.out, "out", "", "the `folder` for its logs (default: one that is removed at the end)")
}

// keepBroker starts a broker and keeps it until the interrupt: for a look at
// it, or for other tools beside this one.
func (p *program) keepBroker(ctx context.Context, args []string) int {
	var f flags
	if code, ended := p.read("broker", &f, args, noneBut("a broker is named with -broker")); ended {
		return code
	}
	if cluster, err := profile.ClusterOf(f.broker); err != nil || cluster.Foreign {
		return p.usage("-broker %s is none that can be started: use embedded, local, local3, compose or compose3", f.broker)
	}
	p.prepareScratch(&f)
	logs := f.out
	if logs == "" {
		folder, err := os.MkdirTemp("", "deliverybench-logs-")
		if err != nil {
			return p.failed(err)
		}
		defer os.RemoveAll(folder)
		logs = folder
	}
	spawner := process.NewSpawner(p.executable)
	defer spawner.Close()
	b, err := p.open(ctx, &f, spawner, logs)
	switch {
	case err != nil && ctx.Err() != nil:
		return exitInterrupted
	case err != nil:
		return p.failed(err)
	}
	defer b.Close()
	fmt.Fprintf(p.stdout, "%s\n", b.Endpoint().Bootstrap)
	fmt.Fprintf(p.stderr, "%s, %s: until Ctrl-C\n", b.Describe().Kind, b.Describe().Version)
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return exitMet
		case <-look.C:
			if err := b.Failed(); err != nil {
				return p.failed(err)
			}
		}
	}
}

// open starts the broker that the flags name, or connects to it.
func (p *program) open(ctx context.Context, f *flags, spawner *process.Spawner, logs string) (broker.Broker, error) {
	clients, err := f.endpoint(p.getenv)
	if err != nil {
		return nil, err
	}
	spawner.Withhold(clients.Variables...)
	folder, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return broker.Open(ctx, f.broker, broker.Options{
		Spawner: spawner, Getenv: p.getenv, Folder: folder, Scratch: p.scratch, Logs: logs, Clients: clients,
	})
}

// unreachable is why somebody else's cluster could not be planned for: nothing
// is wrong with how the program was called.
type unreachable struct{ error }

// plan resolves the profile that the flags name.
func (p *program) plan(ctx context.Context, f *flags) (*profile.Plan, string, error) {
	return f.plan(p.survey(ctx, f))
}

// survey asks somebody else's cluster what it is, and whether there is a PostgreSQL.
func (p *program) survey(ctx context.Context, f *flags) func(*profile.Cluster) error {
	return func(known *profile.Cluster) error {
		if err := postgres.Installed(p.getenv); f.database == "" && errors.Is(err, postgres.ErrMissing) {
			known.NoPostgres = err.Error()
		}
		if !known.Foreign {
			return nil
		}
		clients, err := f.endpoint(p.getenv)
		if err != nil {
			return err
		}
		clients.Bootstrap = f.broker
		cluster, err := broker.OpenExternal(ctx, clients)
		if err != nil {
			return unreachable{err}
		}
		defer cluster.Close()
		known.Nodes, known.Encrypted = cluster.Describe().Nodes, clients.Encrypted()
		return nil
	}
}

// refused reports why there is no plan.
func (p *program) refused(ctx context.Context, err error) int {
	var away unreachable
	switch {
	case errors.As(err, &away) && ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &away):
		return p.failed(err)
	}
	return p.usage("%v", err)
}
