package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"text/tabwriter"
	"time"

	"deliverybench/bench/catalogue"
	"deliverybench/bench/profile"
	"deliverybench/bench/report"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
	"deliverybench/bench/suite"
)

// part is one profile of a suite, as these flags run it.
type part struct {
	profile *profile.Profile
	flags   flags
	plan    *profile.Plan
	// leftOut is why it is not run: the broker cannot show it, or -only.
	leftOut  string
	selected bool
}

// parts plans every profile of a suite, so that a mistake is told before anything
// is measured.
func (p *program) parts(ctx context.Context, f *flags, s *catalogue.Suite) ([]part, error) {
	if len(f.set) > 0 {
		return nil, fmt.Errorf("-set %s would change what the claims of a suite are about; change a single profile, as in -profile %s -set %s", f.set[0], s.Profiles[0].Name, f.set[0])
	}
	only, err := regexp.Compile(f.only)
	if err != nil {
		return nil, fmt.Errorf("-only %s is no regular expression (%w): write for example -only '4|zombie'", f.only, err)
	}
	number := regexp.MustCompile("^(?:" + f.only + ")$")
	var parts []part
	for _, one := range s.Profiles {
		t := part{profile: one, flags: *f, selected: f.only == ""}
		t.flags.only = ""
		for _, row := range s.Rows {
			named := number.MatchString(fmt.Sprint(row.Number)) || only.MatchString(one.Name)
			if f.only != "" && row.Profile == one.Name && named {
				t.selected = true
			}
		}
		if t.plan, err = t.flags.resolve(one, p.survey(ctx, &t.flags)); err != nil {
			return nil, err
		}
		if t.leftOut = catalogue.Unfit(one, t.flags.broker); t.leftOut == "" && !t.selected {
			t.leftOut = "left out by -only " + f.only
		}
		parts = append(parts, t)
	}
	if !slices.ContainsFunc(parts, func(t part) bool { return t.selected }) {
		return nil, fmt.Errorf("-only %s matches no row's number and no profile; %q lists them", f.only, "check -profile "+s.Name)
	}
	return parts, nil
}

// suiteRun is one command that runs a suite.
type suiteRun struct {
	*program
	flags  *flags
	suite  *catalogue.Suite
	parts  []part
	dir    string
	record *catalogue.Record
	// failed is why something could not be run, the first of it.
	failed error
}

// runSuite runs the profiles of a suite one after another and judges its rows.
func (p *program) runSuite(ctx context.Context, f *flags, s *catalogue.Suite, took string) int {
	parts, err := p.parts(ctx, f, s)
	if err != nil {
		return p.refused(ctx, err)
	}
	p.prepareScratch(f)
	r := &suiteRun{program: p, flags: f, suite: s, parts: parts}
	if err := r.open(); err != nil {
		if f.resume != "" {
			return p.usage("%v", err)
		}
		return p.failed(err)
	}
	release, err := hold(r.dir)
	if err != nil {
		return p.usage("%v", err)
	}
	defer release()
	r.tell("suite: %s\n%s\n", took, sizeOf(s, parts))
	err = r.run(ctx)
	return r.conclude(ctx, err)
}

// tell says how it goes, to a person.
func (r *suiteRun) tell(format string, args ...any) {
	if !r.flags.quiet && !r.flags.json {
		fmt.Fprintf(r.stdout, format, args...)
	}
}

// sizeOf is "claims: 21 claims in 17 profiles, 240 trials, about 34 min.".
func sizeOf(s *catalogue.Suite, parts []part) string {
	trials, profiles := 0, 0
	var length time.Duration
	for _, t := range parts {
		if t.leftOut == "" {
			profiles++
			trials += len(t.plan.Trials)
			length += t.plan.Estimate()
		}
	}
	return fmt.Sprintf("%s: %s in %s, %s, about %s.", s.Name, count(len(s.Rows), "claim"),
		count(profiles, "profile"), count(trials, "trial"), stats.Seconds(length.Seconds()))
}

// open makes the suite's folder, or opens that of -resume.
func (r *suiteRun) open() (err error) {
	f, sum := r.flags, sha256Of(r.suite.Source)
	if f.resume != "" {
		r.dir = filepath.Clean(f.resume)
		if r.record, err = catalogue.Load(r.dir); err != nil {
			return err
		}
		h := &r.record.Suite
		if h.SuiteSHA256 != sum || h.Seed != f.seed || h.Broker != f.broker || h.Scale != f.scale {
			return fmt.Errorf("cannot resume %s: it was made with another suite, seed, broker or scale; use the same flags as then", h.ID)
		}
		if err := suite.SameMachine(h.ID, r.record.Environment, machine()); err != nil {
			return err
		}
		if err := r.adopt(); err != nil {
			return fmt.Errorf("cannot resume %s: %w; run without -resume", h.ID, err)
		}
		h.Interrupted, h.Finished = false, time.Time{}
		return nil
	}
	started := time.Now().UTC()
	id, err := result.MakeFolder(f.out, r.suite.Name, started)
	if err != nil {
		return err
	}
	r.dir = filepath.Join(f.out, id)
	r.record = &catalogue.Record{Schema: catalogue.Schema, Environment: machine(), Suite: catalogue.Header{
		ID: id, Name: r.suite.Name, About: r.suite.About, Started: started, Command: r.command(), Version: programVersion(),
		SuiteSHA256: sum, Seed: f.seed, Broker: f.broker, Scale: f.scale,
	}}
	for _, t := range r.parts {
		r.record.Profiles = append(r.record.Profiles, catalogue.Entry{Profile: t.profile.Name, State: catalogue.Waiting})
	}
	for _, row := range r.suite.Rows {
		r.record.Rows = append(r.record.Rows, row.NotRun(""))
	}
	err = result.WriteFile(filepath.Join(r.dir, catalogue.SuiteFile), func(w io.Writer) error {
		_, err := w.Write(r.suite.Source)
		return err
	})
	return cmp.Or(err, r.record.Save(r.dir))
}

// adopt wants the record to go with its suite, and what was measured to be of
// the same profiles: those that are finished are not looked at again.
func (r *suiteRun) adopt() error {
	unknown := func(t part) bool { return r.record.Entry(t.profile.Name) == nil }
	if len(r.record.Rows) != len(r.suite.Rows) || slices.ContainsFunc(r.parts, unknown) {
		return fmt.Errorf("its %s does not go with its suite", catalogue.RecordFile)
	}
	for _, t := range r.parts {
		dir := filepath.Join(r.dir, t.profile.Name)
		if !begun(dir) {
			continue
		}
		run, err := result.Load(dir)
		switch {
		case err != nil:
			return err
		case run.Run.ProfileSHA256 != sha256Of(t.profile.Source):
			return fmt.Errorf("%s was another profile then", t.profile.Name)
		}
	}
	return nil
}

// begun reports whether a folder of a suite's holds a run, finished or not.
func begun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, result.RunFile))
	return !errors.Is(err, os.ErrNotExist)
}

// run runs every profile that is not finished, and saves the record after each.
// The error is that of saving; what could not be run does not keep the others
// from running.
func (r *suiteRun) run(ctx context.Context) error {
	for i, t := range r.parts {
		entry := r.record.Entry(t.profile.Name)
		switch {
		case entry.State == catalogue.Finished, !t.selected && entry.State != catalogue.Waiting:
			continue // what is there stays
		case t.leftOut != "":
			r.leaveOut(t, entry)
		case ctx.Err() != nil:
			r.record.Suite.Interrupted = true
			return r.record.Save(r.dir)
		default:
			r.tell("\nprofile %d of %d: %s\n", i+1, len(r.parts), t.profile.Name)
			r.one(ctx, t, entry)
		}
		if err := r.record.Save(r.dir); err != nil {
			return err
		}
	}
	r.record.Suite.Finished = time.Now().UTC()
	return r.record.Save(r.dir)
}

func (r *suiteRun) leaveOut(t part, entry *catalogue.Entry) {
	if !t.selected {
		r.judge(t.profile.Name, func(row catalogue.Row) catalogue.Judgement { return row.NotRun(t.leftOut) })
		return
	}
	entry.State, entry.Reason = catalogue.LeftOut, t.leftOut
	r.judge(t.profile.Name, func(row catalogue.Row) catalogue.Judgement { return row.Omit(t.leftOut) })
}

// one runs a profile in its own folder, and goes on with what is there.
func (r *suiteRun) one(ctx context.Context, t part, entry *catalogue.Entry) {
	run, err := r.measureOne(ctx, t)
	if err == nil {
		if n, first := failures(run); n > 0 {
			err = fmt.Errorf("%s could not be run; the first is %s: %s", count(n, "trial"), first.ID, first.Reason)
		}
	}
	entry.State, entry.Reason = catalogue.Finished, ""
	switch {
	case err != nil:
		entry.State, entry.Reason = catalogue.Unfinished, err.Error()
		r.failed = cmp.Or(r.failed, fmt.Errorf("%s: %w", t.profile.Name, err))
	case run.Run.Interrupted:
		entry.State, entry.Reason = catalogue.Unfinished, "interrupted"
		r.record.Suite.Interrupted = true
	}
	if run == nil {
		r.judge(t.profile.Name, func(row catalogue.Row) catalogue.Judgement { return row.NotRun(entry.Reason) })
		return
	}
	entry.Measure(run)
	r.judge(t.profile.Name, func(row catalogue.Row) catalogue.Judgement { return row.Judge(run) })
	r.tell("%s\n", report.Verdict(run))
}

func (r *suiteRun) measureOne(ctx context.Context, t part) (*result.Run, error) {
	dir := filepath.Join(r.dir, t.profile.Name)
	f := t.flags
	var store *result.Store
	var run *result.Run
	var err error
	if !begun(dir) {
		store, run, err = r.newRun(t.plan, func(run *result.Run) (*result.Store, error) { return result.CreateIn(dir, run) })
	} else {
		store, run, err = resumeRun(dir, t.plan)
	}
	if err != nil {
		return nil, err
	}
	release, err := hold(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	o := suite.Options{Plan: t.plan, Store: store, Run: run, Progress: r.progress(&f)}
	defer o.Progress.End()
	return run, r.carryOut(ctx, &f, o)
}

// judge replaces what the record says of a profile's rows.
func (r *suiteRun) judge(profile string, of func(catalogue.Row) catalogue.Judgement) {
	for i, row := range r.suite.Rows {
		if row.Profile == profile {
			r.record.Rows[i] = of(row)
		}
	}
}

// conclude writes and prints what came out, and returns the exit code.
func (r *suiteRun) conclude(ctx context.Context, err error) int {
	r.tell("\n")
	err = cmp.Or(err, writeClaims(r.dir, r.record), r.printClaims(r.flags, r.dir, r.record))
	goOn := fmt.Sprintf("what was measured is in %s: the same flags and -resume %s go on with it\n", r.dir, r.dir)
	switch {
	case err != nil:
		return r.program.failed(err)
	case r.record.Suite.Interrupted:
		fmt.Fprintf(r.stderr, "interrupted; %s", goOn)
		return exitInterrupted
	case r.failed != nil:
		code := r.program.failed(r.failed)
		fmt.Fprint(r.stderr, goOn)
		return code
	case ctx.Err() != nil:
		fmt.Fprintf(r.stderr, "interrupted; everything was measured before and is in %s\n", r.dir)
		return exitInterrupted
	}
	return claimsCode(r.record)
}

// writeClaims writes the claim table, which leads to the runs that stand beside it.
func writeClaims(dir string, record *catalogue.Record) error {
	runs := map[string]*result.Run{}
	for _, entry := range record.Profiles {
		folder := filepath.Join(dir, entry.Profile)
		if !begun(folder) {
			continue
		}
		run, err := result.Load(folder)
		if err != nil {
			return err
		}
		runs[entry.Profile] = run
	}
	return result.WriteFile(filepath.Join(dir, catalogue.TableFile), func(w io.Writer) error { return report.ClaimMarkdown(w, record, runs) })
}

// printClaims prints the claim table, or the whole record.
func (p *program) printClaims(f *flags, dir string, record *catalogue.Record) error {
	if f.json {
		return catalogue.Encode(p.stdout, record)
	}
	if err := report.ClaimTable(p.stdout, record, p.tableOptions()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.stdout, filepath.Join(dir, catalogue.TableFile))
	return err
}

// claimsCode is what scripts and CI decide by. What a broker cannot show, or
// -only left out, is no failure, unless nothing is left; what was to be run and
// was not is.
func claimsCode(record *catalogue.Record) int {
	code, judged := exitMet, 0
	unfinished := func(e catalogue.Entry) bool { return e.State == catalogue.Unfinished }
	if record.Suite.Interrupted || slices.ContainsFunc(record.Profiles, unfinished) {
		code = exitInconclusive
	}
	for _, row := range record.Rows {
		switch row.Outcome {
		case catalogue.NotMet:
			return exitNotMet
		case catalogue.Inconclusive:
			code = exitInconclusive
		case catalogue.Confirmed, catalogue.MoreSubtle, catalogue.Refuted:
			judged++
		}
	}
	if judged == 0 {
		return exitInconclusive
	}
	return code
}

// reportSuite redraws a suite run and its runs from the saved files alone.
func (p *program) reportSuite(f *flags, dir string) int {
	record, err := catalogue.Load(dir)
	if err != nil {
		return p.usage("%v", err)
	}
	path := filepath.Join(dir, catalogue.SuiteFile)
	source, err := os.ReadFile(path)
	if err != nil {
		return p.usage("%v", err)
	}
	s, err := catalogue.Parse(source, path, nil)
	if err != nil {
		return p.usage("%v", err)
	}
	for i, row := range s.Rows[:min(len(s.Rows), len(record.Rows))] {
		folder := filepath.Join(dir, row.Profile)
		if !begun(folder) {
			continue // it was not run, and the record says why
		}
		store, run, err := result.Open(folder)
		if err != nil {
			return p.usage("%v", err)
		}
		record.Rows[i] = row.Judge(run)
		if i == slices.IndexFunc(s.Rows, func(other catalogue.Row) bool { return other.Profile == row.Profile }) {
			if entry := record.Entry(row.Profile); entry != nil {
				entry.Measure(run)
			}
			if err := draw(store, run); err != nil {
				return p.failed(err)
			}
		}
	}
	if err := cmp.Or(record.Save(dir), writeClaims(dir, record), p.printClaims(f, dir, record)); err != nil {
		return p.failed(err)
	}
	return claimsCode(record)
}

// checkSuite prints what a suite would run.
func (p *program) checkSuite(ctx context.Context, f *flags, s *catalogue.Suite, took string) int {
	parts, err := p.parts(ctx, f, s)
	if err != nil {
		return p.refused(ctx, err)
	}
	fmt.Fprintf(p.stdout, "%s is valid. %s\n\n", took, sizeOf(s, parts))
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "row\tprofile\tshows\tclaim")
	for _, row := range s.Rows {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", row.Number, row.Profile, row.Shows, row.Claim)
	}
	fmt.Fprintln(w, "\nprofile\tbroker\ttrials\ttime")
	for _, t := range parts {
		if t.leftOut != "" {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.profile.Name, t.flags.broker, stats.None, t.leftOut)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", t.profile.Name, t.flags.broker, len(t.plan.Trials), stats.Seconds(t.plan.Estimate().Seconds()))
	}
	if err := w.Flush(); err != nil {
		return p.failed(err)
	}
	return exitMet
}
