package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"deliverybench/bench/broker"
	"deliverybench/bench/catalogue"
	"deliverybench/bench/chart"
	"deliverybench/bench/client"
	"deliverybench/bench/metrics"
	"deliverybench/bench/pace"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/report"
	"deliverybench/bench/result"
	"deliverybench/bench/scratch"
	"deliverybench/bench/stats"
	"deliverybench/bench/suite"
	"deliverybench/bench/trial"
	"deliverybench/profiles"
)

// runProfile is the main job: it runs a profile's trials, or those of a suite of
// profiles, and reports them.
func (p *program) runProfile(ctx context.Context, args []string) int {
	var f flags
	if code, ended := p.read("run", &f, args, noneBut("a profile is named with -profile")); ended {
		return code
	}
	stop, err := p.serve(&f)
	if err != nil {
		return p.usage("%v", err)
	}
	defer stop()
	s, took, err := catalogue.Open(f.profile, profiles.FS)
	switch {
	case err != nil:
		return p.usage("%v", err)
	case s != nil:
		return p.runSuite(ctx, &f, s, took)
	}
	plan, took, err := p.plan(ctx, &f)
	if err != nil {
		return p.refused(ctx, err)
	}
	return p.execute(ctx, &f, plan, took)
}

// serve tells Prometheus of the run where -metrics asks for it, until stop.
func (p *program) serve(f *flags) (stop func(), err error) {
	if f.metrics == "" {
		return func() {}, nil
	}
	if f.watch, err = metrics.Listen(f.metrics); err != nil {
		return nil, fmt.Errorf("-metrics: %w", err)
	}
	if !f.quiet && !f.json {
		fmt.Fprintln(p.stdout, "metrics: "+f.watch.URL())
	}
	return func() {
		if err := f.watch.Close(); err != nil {
			fmt.Fprintln(p.stderr, "warning: -metrics:", err)
		}
	}, nil
}

// execute makes or opens the run's folder, measures and writes every output.
func (p *program) execute(ctx context.Context, f *flags, plan *profile.Plan, took string) int {
	open := func() (*result.Store, *result.Run, error) { return p.openRun(f, plan) }
	return p.within(f, plan, took, open, func(o suite.Options) int {
		err := p.carryOut(ctx, f, o)
		return p.conclude(ctx, f, o, err, leftOf(o))
	})
}

// within works in a run's folder, which nobody else does meanwhile.
func (p *program) within(f *flags, plan *profile.Plan, took string, open func() (*result.Store, *result.Run, error), work func(suite.Options) int) int {
	p.prepareScratch(f)
	store, run, err := open()
	switch {
	case err != nil && f.resume != "":
		return p.usage("%v", err)
	case err != nil:
		return p.failed(err)
	}
	release, err := hold(store.Dir())
	if err != nil {
		return p.usage("%v", err)
	}
	defer release()
	if !f.quiet && !f.json {
		fmt.Fprintf(p.stdout, "profile: %s\n", took)
	}
	o := suite.Options{Plan: plan, Store: store, Run: run, Progress: p.progress(f)}
	defer o.Progress.End()
	return work(o)
}

// leftOf is "3 trials", or "" when the run has all of its plan's.
func leftOf(o suite.Options) string {
	if n := suite.Left(o.Run, o.Plan); n > 0 {
		return count(n, "trial")
	}
	return ""
}

// carryOut runs the trials that are left and draws what there is. The error is
// the first thing to mend; what was measured is saved and drawn all the same.
func (p *program) carryOut(ctx context.Context, f *flags, o suite.Options) (err error) {
	if suite.Left(o.Run, o.Plan) == 0 {
		err = suite.Run(ctx, o) // nothing but the claims: no broker is needed
	} else {
		err = p.measure(ctx, f, o, heading, suite.Run)
	}
	return p.drawAll(o, err)
}

// drawAll draws what there is, whatever kept the rest from being measured.
func (p *program) drawAll(o suite.Options, err error) error {
	o.Progress.Doing("drawing charts and reports")
	drawn := draw(o.Store, o.Run)
	o.Progress.End()
	return cmp.Or(err, drawn)
}

// prepareScratch takes the folder of -scratch and removes what killed runs left
// of theirs.
func (p *program) prepareScratch(f *flags) {
	if f.scratch != "" {
		p.scratch = []string{f.scratch}
	}
	if _, err := scratch.CleanStale(p.scratch); err != nil {
		fmt.Fprintln(p.stderr, "warning:", err)
	}
}

// hold keeps other programs from resuming the run of a folder until it is
// released or this program has ended, in whatever way.
func hold(dir string) (release func(), err error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(folder.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		_ = folder.Close()
		return nil, fmt.Errorf("cannot resume %s: another deliverybench is measuring there; wait for its end", dir)
	}
	// A file system without locks is none to refuse for.
	return func() { _ = folder.Close() }, nil
}

// measure starts the broker and runs the trials on it, under a title.
func (p *program) measure(ctx context.Context, f *flags, o suite.Options, title func(suite.Options) string, trials func(context.Context, suite.Options) error) error {
	spawner := process.NewSpawner(p.executable)
	defer spawner.Close()
	b, err := p.open(ctx, f, spawner, o.Store.Dir())
	if err != nil && ctx.Err() != nil {
		o.Run.Run.Interrupted = true
		return o.Store.Save(o.Run)
	}
	if err != nil {
		return err
	}
	defer b.Close()
	if theirs, is := b.(*broker.External); is {
		if err := theirs.Permit(ctx, o.Plan.Trials); err != nil {
			return err
		}
	}
	if before := o.Run.Environment.Broker; before.Kind != "" && before != b.Describe() {
		return fmt.Errorf("cannot resume %s: it was measured on the %s broker %s, and this is %s %s", o.Run.Run.ID, before.Kind, before.Version, b.Describe().Kind, b.Describe().Version)
	}
	o.Run.Environment.Broker = b.Describe()
	suite.RecordClients(o.Run, o.Plan, b.Endpoint())
	if !f.quiet && !f.json {
		fmt.Fprintln(p.stdout, title(o))
	}
	database, closeDatabase, err := p.openDatabase(ctx, f, spawner, o)
	if err != nil && ctx.Err() != nil {
		o.Run.Run.Interrupted = true
		return o.Store.Save(o.Run)
	}
	if err != nil {
		return err
	}
	defer closeDatabase()
	o.Trials = trial.Environment{
		Spawner: spawner, Broker: b, Database: database, Clock: pace.NewClock(), RunID: client.RunTag(o.Run.Run.Started, os.Getpid()), Scratch: p.scratch,
		KeepLogs: o.Store.Path("logs"),
	}
	if startedJava(b) {
		o.WarmUp = time.Duration(b.Describe().Nodes) * warmUpNode
	}
	return trials(ctx, o)
}

// warmUpNode is about how long the nodes of a broker of Java's are under load before
// the first trial, each: they share the machine. Without it the first half dozen
// trials of three nodes on two cores were up to three times as slow as the later ones
// (docs/METHOD.md).
const warmUpNode = 20 * time.Second

// startedJava reports whether the broker is Java that this program has just started.
func startedJava(b broker.Broker) bool {
	switch b.(type) {
	case *broker.Local, *broker.Compose:
		return true
	}
	return false
}

// openRun makes the run's folder, or opens that of -resume.
func (p *program) openRun(f *flags, plan *profile.Plan) (*result.Store, *result.Run, error) {
	if f.resume != "" {
		return resumeRun(f.resume, plan)
	}
	return p.newRun(plan, func(run *result.Run) (*result.Store, error) { return result.Create(f.out, run) })
}

func resumeRun(dir string, plan *profile.Plan) (*result.Store, *result.Run, error) {
	store, run, err := result.Open(dir)
	if err == nil && run.Capacity != nil {
		err = fmt.Errorf("cannot resume %s: it is a capacity run; go on with it by %q", run.Run.ID, "capacity -resume")
	}
	if err == nil {
		err = suite.Adopt(run, plan, sha256Of(plan.Profile.Source), machine())
	}
	return store, run, err
}

func sha256Of(source []byte) string {
	sum := sha256.Sum256(source)
	return hex.EncodeToString(sum[:])
}

// command is what was typed, as it may be saved.
func (p *program) command() []string { return append([]string{"bench"}, redactSets(p.args)...) }

// newRun makes a run in the folder that create makes for it.
func (p *program) newRun(plan *profile.Plan, create func(*result.Run) (*result.Store, error)) (*result.Store, *result.Run, error) {
	run := suite.NewRun(plan, result.Header{
		Started: time.Now().UTC(), Command: p.command(), Version: programVersion(), ProfileSHA256: sha256Of(plan.Profile.Source),
	}, machine())
	store, err := create(run)
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

// urlPassword is where a database's URL has its password, and all else up to the host.
var urlPassword = regexp.MustCompile(`(postgres(?:ql)?://[^:@/]*:).*@`)

// redactSets keeps secrets given with -set out of the saved command.
func redactSets(args []string) []string {
	out := append([]string(nil), args...)
	for i, arg := range out {
		name, _, found := strings.Cut(strings.TrimPrefix(strings.TrimLeft(arg, "-"), "set="), "=")
		if found && profile.IsSecret(name) {
			out[i] = arg[:strings.Index(arg, name)+len(name)] + "=[redacted]"
		}
		out[i] = urlPassword.ReplaceAllString(out[i], "${1}[redacted]@")
	}
	return out
}

func (p *program) progress(f *flags) suite.Progress {
	if f.watch != nil {
		return suite.Several{p.display(f), f.watch}
	}
	return p.display(f)
}

// display is the progress for whoever waits before it.
func (p *program) display(f *flags) suite.Progress {
	switch {
	case f.quiet || f.json:
		return suite.Quiet{}
	case p.stderrWidth() > 0 && p.getenv("TERM") != "dumb":
		return &suite.Live{W: p.stderr, Width: p.stderrWidth, Now: time.Now}
	default:
		return &suite.Lines{W: p.stderr}
	}
}

// conclude prints and returns the exit code. err is why the run did not
// come to its end; what it has is shown all the same. left is what is not measured,
// "" for nothing.
func (p *program) conclude(ctx context.Context, f *flags, o suite.Options, err error, left string) int {
	store, run := o.Store, o.Run
	err = cmp.Or(err, p.print(f, store, run))
	switch {
	case run.Run.Interrupted:
		fmt.Fprintf(p.stderr, "interrupted with %s left; what was measured is in %s: the same flags and -resume %s go on with it\n", left, store.Dir(), store.Dir())
		return exitInterrupted
	case err != nil && left != "":
		code := p.failed(err)
		fmt.Fprintf(p.stderr, "what was measured is in %s: the same flags and -resume %s go on with it\n", store.Dir(), store.Dir())
		return code
	case err != nil:
		return p.failed(err)
	case ctx.Err() != nil:
		fmt.Fprintf(p.stderr, "interrupted; everything was measured before and is in %s\n", store.Dir())
		return exitInterrupted
	}
	if n, first := failures(run); n > 0 {
		return p.failed(fmt.Errorf("%s could not be run; the first is %s: %s", count(n, "trial"), first.ID, first.Reason))
	}
	return exitCode(run)
}

// draw makes the charts and writes the reports.
func draw(store *result.Store, run *result.Run) error {
	if _, err := chart.Draw(store.Dir(), run); err != nil {
		return fmt.Errorf("charts: %w", err)
	}
	folder := os.DirFS(store.Dir())
	if err := store.WriteFile("report.md", func(w io.Writer) error { return report.Markdown(w, run, folder) }); err != nil {
		return err
	}
	return store.WriteFile(result.PageFile, func(w io.Writer) error { return report.HTML(w, run, folder) })
}

// print writes the table, or the whole result, for the one who waits.
func (p *program) print(f *flags, store *result.Store, run *result.Run) error {
	if f.json {
		return result.Encode(p.stdout, run)
	}
	if err := report.Table(p.stdout, run, p.tableOptions()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.stdout, filepath.Join(store.Dir(), result.PageFile))
	return err
}

// failures counts the trials that could not be run.
func failures(run *result.Run) (n int, first result.Trial) {
	for _, c := range run.Cells {
		for _, t := range c.Trials {
			if t.Status != result.Failed {
				continue
			}
			if n++; n == 1 || t.ID < first.ID {
				first = t
			}
		}
	}
	return n, first
}

// exitCode is what scripts and CI decide by.
func exitCode(run *result.Run) int {
	if run.Capacity != nil {
		return capacityCode(run)
	}
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
func heading(o suite.Options) string {
	plan, run := o.Plan, o.Run
	line := fmt.Sprintf("%s: %s, about %s. ", plan.Profile.Name, size(plan), stats.Seconds(plan.Estimate().Seconds()))
	if left := suite.Left(run, plan); left < len(plan.Trials) {
		line += fmt.Sprintf("%s left to do. ", count(left, "trial"))
	}
	return line + run.Environment.BrokerHeadline() + "."
}

func size(plan *profile.Plan) string {
	scenarios := map[string]bool{}
	for _, t := range plan.Trials {
		scenarios[t.Scenario] = true
	}
	return fmt.Sprintf("%s × %s, %s", count(len(plan.Cells), "cell"), count(len(scenarios), "scenario"), count(len(plan.Trials), "trial"))
}

func count(n int, what string) string { return stats.Plural(n, what) }
