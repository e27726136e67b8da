package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"deliverybench/bench/broker"
	"deliverybench/bench/chart"
	"deliverybench/bench/ledger"
	"deliverybench/bench/pace"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/report"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
	"deliverybench/bench/suite"
	"deliverybench/bench/trial"
)

// runProfile is the main job: it runs a profile's trials and reports them.
func (p *program) runProfile(ctx context.Context, args []string) int {
	var f flags
	positional, err := parse("run", args, f.running)
	if errors.Is(err, flag.ErrHelp) {
		return p.help([]string{"run"})
	}
	if err != nil {
		return p.usage("%v", err)
	}
	if len(positional) > 0 {
		return p.usage("unexpected argument %q: a profile is named with -profile", positional[0])
	}
	if f.broker != "embedded" {
		return p.usage("-broker %s: this version knows the broker %q only", f.broker, "embedded")
	}
	plan, took, err := f.plan()
	if err != nil {
		return p.usage("%v", err)
	}
	if !f.quiet && !f.json {
		fmt.Fprintf(p.stdout, "profile: %s\n", took)
	}
	return p.execute(ctx, &f, plan)
}

// execute starts the broker, runs the plan and writes every output.
func (p *program) execute(ctx context.Context, f *flags, plan *profile.Plan) int {
	scratch := scratchFolders(p.getenv)
	if _, err := ledger.CleanStale(scratch); err != nil {
		fmt.Fprintln(p.stderr, "warning:", err)
	}
	store, run, err := p.openRun(f, plan)
	if err != nil {
		return p.failed(err)
	}
	if len(plan.Trials) == 0 {
		return p.conclude(f, store, run, nil)
	}
	spawner := process.NewSpawner(p.executable)
	defer spawner.Close()
	logPath := store.Path("broker.log")
	b, err := broker.StartEmbedded(ctx, spawner, logPath)
	if err != nil {
		if ctx.Err() != nil {
			run.Run.Interrupted = true
			return p.conclude(f, store, run, store.Save(run))
		}
		return p.failed(err)
	}
	defer b.Close()
	run.Environment.Broker = b.Describe()
	suite.RecordClients(run, plan, b.Endpoint())
	if !f.quiet && !f.json {
		fmt.Fprintln(p.stdout, heading(plan, run))
	}
	err = suite.Run(ctx, suite.Options{
		Plan: plan, Store: store, Run: run, Progress: p.progress(f),
		Trials: trial.Environment{
			Spawner: spawner, Broker: b, Clock: pace.NewClock(), RunID: runTag(run), Scratch: scratch,
			KeepLogs: store.Path("logs"),
		},
	})
	b.Close()
	removeEmpty(logPath)
	return p.conclude(f, store, run, err)
}

// openRun makes the run's folder, or opens that of -resume.
func (p *program) openRun(f *flags, plan *profile.Plan) (*result.Store, *result.Run, error) {
	sum := sha256.Sum256(plan.Profile.Source)
	sha := hex.EncodeToString(sum[:])
	if f.resume != "" {
		store, run, err := result.Open(f.resume)
		if err == nil {
			err = suite.Adopt(run, plan, sha)
		}
		return store, run, err
	}
	run := suite.NewRun(plan, result.Header{
		Started: time.Now().UTC(), Command: append([]string{"bench"}, redactSets(p.args)...), Version: programVersion(), ProfileSHA256: sha,
	}, machine())
	store, err := result.Create(f.out, run)
	if err != nil {
		return nil, nil, err
	}
	given, err := plan.Profile.Redacted()
	if err != nil {
		return nil, nil, err
	}
	resolved, err := suite.Resolved(plan)
	if err != nil {
		return nil, nil, err
	}
	return store, run, store.SaveProfile(given, resolved)
}

// redactSets keeps secrets given with -set out of the saved command.
func redactSets(args []string) []string {
	out := append([]string(nil), args...)
	for i, arg := range out {
		name, _, found := strings.Cut(strings.TrimPrefix(strings.TrimLeft(arg, "-"), "set="), "=")
		if found && profile.IsSecret(name) {
			out[i] = arg[:strings.Index(arg, name)+len(name)] + "=[redacted]"
		}
	}
	return out
}

func (p *program) progress(f *flags) suite.Progress {
	switch {
	case f.quiet || f.json:
		return suite.Quiet{}
	case p.terminalWidth > 0:
		return &suite.Live{W: p.stderr, Width: p.terminalWidth, Now: time.Now}
	default:
		return &suite.Lines{W: p.stderr}
	}
}

// conclude draws, prints and returns the exit code. runErr is why the run did
// not come to its end.
func (p *program) conclude(f *flags, store *result.Store, run *result.Run, runErr error) int {
	err := errors.Join(runErr, p.publish(f, store, run))
	if err != nil {
		fmt.Fprintln(p.stderr, "deliverybench:", err)
	}
	switch {
	case run.Run.Interrupted:
		fmt.Fprintf(p.stderr, "interrupted; what was measured is in %s, and -resume %s goes on with it\n", store.Dir(), store.Dir())
		return exitInterrupted
	case err != nil:
		return exitFailed
	default:
		return exitCode(run)
	}
}

// publish draws the charts, writes the reports and prints the table.
func (p *program) publish(f *flags, store *result.Store, run *result.Run) error {
	if _, err := chart.Draw(store.Dir(), run); err != nil {
		return fmt.Errorf("charts: %w", err)
	}
	folder := os.DirFS(store.Dir())
	if err := store.WriteFile("report.md", func(w io.Writer) error { return report.Markdown(w, run, folder) }); err != nil {
		return err
	}
	if err := store.WriteFile("report.html", func(w io.Writer) error { return report.HTML(w, run, folder) }); err != nil {
		return err
	}
	if f.json {
		return result.Encode(p.stdout, run)
	}
	if err := report.Table(p.stdout, run, p.tableOptions()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.stdout, filepath.Join(store.Dir(), "report.html"))
	return err
}

// exitCode is what scripts and CI decide by.
func exitCode(run *result.Run) int {
	code, ran := exitMet, 0
	for _, c := range run.Cells {
		for _, t := range c.Trials {
			switch t.Status {
			case result.Completed:
				ran++
			case result.Inconclusive:
				ran++
				code = exitInconclusive
			case result.Failed:
				return exitFailed
			}
		}
	}
	if ran == 0 {
		return exitInconclusive
	}
	for _, c := range run.Claims {
		switch c.Status {
		case result.NotMet:
			return exitNotMet
		case result.ClaimInconclusive:
			code = exitInconclusive
		}
	}
	return code
}

// heading is the first line: what will run, for how long, on what.
func heading(plan *profile.Plan, run *result.Run) string {
	b := run.Environment.Broker
	name := strings.ToUpper(b.Kind[:1]) + b.Kind[1:]
	line := fmt.Sprintf("%s: %s, about %s. %s broker", plan.Profile.Name, size(plan), stats.Seconds(plan.Estimate().Seconds()), name)
	if b.SharesHost {
		line += fmt.Sprintf(", shares %d cores with the load", run.Environment.Cores)
	}
	return line + "."
}

func size(plan *profile.Plan) string {
	scenarios := map[string]bool{}
	for _, t := range plan.Trials {
		scenarios[t.Scenario] = true
	}
	return fmt.Sprintf("%s × %s, %s", count(len(plan.Cells), "cell"), count(len(scenarios), "scenario"), count(len(plan.Trials), "trial"))
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// runTag is the part of topic names that tells runs apart.
func runTag(run *result.Run) string {
	return fmt.Sprintf("%s-%d", run.Run.Started.Format("20060102T150405"), os.Getpid())
}

// removeEmpty removes a log in which nothing stands.
func removeEmpty(path string) {
	if info, err := os.Stat(path); err == nil && info.Size() == 0 {
		_ = os.Remove(path)
	}
}
