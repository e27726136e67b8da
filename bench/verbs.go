package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"deliverybench/bench/catalogue"
	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/report"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
	"deliverybench/profiles"
)

// verbs are what help lists, in its order.
var verbs = []struct{ name, arguments, about string }{
	{"run", "-profile NAME [flags]", "run a profile (the verb may be left out)"},
	{"check", "-profile NAME [flags]", "validate a profile and print its plan: cells, trials, the time it will take"},
	{"list", "", "the profiles that ship, and the suites of them"},
	{"show", "NAME", "print a profile or suite that ships"},
	{"report", "DIR", "redraw table, charts and reports from the saved files of a run or suite"},
	{"compare", "BASE RUN [-fail-if BOUND]", "set two runs side by side, and gate a script on what differs"},
	{"capacity", "-profile NAME [flags]", "step through rates until the SLO breaks: how much load it holds, and what a target needs"},
	{"broker", "[-broker NAME]", "start a broker and keep it until Ctrl-C, for other tools or for a look"},
	{"clean", "-broker HOST:PORT [-database URL] [flags]", "list what earlier runs left on a cluster or in a database; with -yes delete that, and only that"},
	{"version", "", "versions of this program and of what it is built on"},
	{"help", "[VERB]", "explain a verb and its flags"},
}

func verbNames() string {
	names := make([]string, len(verbs))
	for i, v := range verbs {
		names[i] = v.name
	}
	return strings.Join(names, ", ")
}

const exitHelp = `
Exit codes: 0 every claim met; 1 could not run; 2 bad usage or profile; 3 a claim was not met, a bound
of -fail-if was passed, or the target of capacity is not carried; 4 inconclusive, or everything was omitted; 130 interrupted (what was measured is saved).
"go run" turns every failure into 1: scripts and CI build the program first.
`

func (p *program) help(args []string) int {
	if len(args) > 0 {
		return p.helpVerb(args[0])
	}
	fmt.Fprint(p.stdout, "deliverybench measures what a Kafka delivery guarantee costs, and whether it holds.\n\n")
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, v := range verbs {
		fmt.Fprintf(w, "  %s %s\t%s\n", v.name, v.arguments, v.about)
	}
	_ = w.Flush()
	fmt.Fprint(p.stdout, "\nStart with: go run ./bench -profile at-most-once.yaml\n", exitHelp)
	return exitMet
}

func (p *program) helpVerb(name string) int {
	for _, v := range verbs {
		if v.name != name {
			continue
		}
		fmt.Fprintf(p.stdout, "%s\n\nUsage: bench %s %s\n", v.about, v.name, v.arguments)
		set := flag.NewFlagSet(name, flag.ContinueOnError)
		register(name, &flags{}, set)
		flagHelp(p.stdout, set)
		fmt.Fprint(p.stdout, exitHelp)
		return exitMet
	}
	return p.usage("no verb %q to explain: use one of %s", name, verbNames())
}

// register adds a verb's flags, for parsing and help alike.
func register(verb string, f *flags, set *flag.FlagSet) {
	switch verb {
	case "run", "capacity":
		f.running(set)
	case "check":
		f.planning(set)
	case "broker":
		f.keeping(set)
	case "clean":
		f.cleaning(set)
	case "report":
		f.output(set)
	case "compare":
		f.comparing(set)
	}
}

func flagHelp(w io.Writer, set *flag.FlagSet) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	first := true
	set.VisitAll(func(f *flag.Flag) {
		if first {
			fmt.Fprint(table, "\nFlags, before or after other arguments:\n")
			first = false
		}
		name, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(table, "  -%s %s\t%s\n", f.Name, name, usage)
	})
	_ = table.Flush()
}

func (p *program) list(args []string) int {
	if len(args) > 0 {
		return p.usage("list takes no arguments")
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, name := range profiles.List() {
		parsed, _, err := profile.Open(name, profiles.FS)
		if err != nil {
			return p.failed(err)
		}
		fmt.Fprintf(w, "%s\t%s\n", name, parsed.About)
	}
	for _, name := range profiles.Suites() {
		s, _, err := catalogue.Open(name, profiles.FS)
		if err != nil {
			return p.failed(err)
		}
		fmt.Fprintf(w, "%s\ta suite of %s: %s\n", name, count(len(s.Profiles), "profile"), s.About)
	}
	if err := w.Flush(); err != nil {
		return p.failed(err)
	}
	return exitMet
}

func (p *program) show(args []string) int {
	if len(args) != 1 {
		return p.usage("show takes the name of one profile; %q shows them", "list")
	}
	source, err := profiles.Find(args[0])
	if err != nil {
		return p.usage("no profile %q ships: use one of %s", args[0], strings.Join(append(profiles.List(), profiles.Suites()...), ", "))
	}
	if _, err := p.stdout.Write(source); err != nil {
		return p.failed(err)
	}
	return exitMet
}

// check prints the plan without running it.
func (p *program) check(ctx context.Context, args []string) int {
	var f flags
	code, ended := p.read("check", &f, args, func(positional []string) error {
		if len(positional) == 0 {
			return nil
		}
		if f.profile != "" || len(positional) > 1 {
			return fmt.Errorf("unexpected argument %q", positional[len(positional)-1])
		}
		f.profile = positional[0]
		return nil
	})
	if ended {
		return code
	}
	s, took, err := catalogue.Open(f.profile, profiles.FS)
	switch {
	case err != nil:
		return p.usage("%v", err)
	case s != nil:
		return p.checkSuite(ctx, &f, s, took)
	}
	survey := once(p.survey(ctx, &f))
	plan, took, err := f.plan(survey)
	if err != nil {
		return p.refused(ctx, err)
	}
	lines := planLines(plan)
	if plan.Profile.Capacity != nil {
		options, err := f.options(plan.Profile, survey)
		if err != nil {
			return p.refused(ctx, err)
		}
		more, err := checkCapacity(plan.Profile, options)
		if err != nil {
			return p.refused(ctx, err)
		}
		lines = append(lines, more...)
	}
	fmt.Fprintf(p.stdout, "%s is valid: %s, %s, about %s.\n", took, size(plan), count(len(plan.Profile.Claims), "claim"), stats.Seconds(plan.Estimate().Seconds()))
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	if err := w.Flush(); err != nil {
		return p.failed(err)
	}
	return exitMet
}

// planLines lists each cell's scenarios with repeats and time, then what is omitted.
func planLines(plan *profile.Plan) []string {
	lines := []string{"", "cell\tscenario\ttrials\ttime"}
	for _, c := range plan.Cells {
		for _, scenario := range plan.Profile.Scenarios {
			var trials int
			var seconds float64
			for _, t := range plan.Trials {
				if t.Cell == c.Name && t.Scenario == scenario.Name {
					trials++
					seconds += t.Estimate().Seconds()
				}
			}
			if trials > 0 {
				lines = append(lines, fmt.Sprintf("%s\t%s\t%d\t%s", c.Name, scenario.Name, trials, stats.Seconds(seconds)))
			}
		}
	}
	if len(plan.Omissions) > 0 {
		lines = append(lines, "", "omitted\tscenario\tbecause")
	}
	for _, o := range plan.Omissions {
		scenario := o.Scenario
		if scenario == "" {
			scenario = "all"
		}
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s", o.Cell, scenario, o.Reason))
	}
	for i, warning := range plan.Warnings() {
		if i == 0 {
			lines = append(lines, "", "warned\tscenario\tthat")
		}
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s", warning.Cell, warning.Scenario, warning.Text))
	}
	return lines
}

// report redraws everything from the saved files alone.
func (p *program) report(args []string) int {
	var f flags
	var dir string
	code, ended := p.read("report", &f, args, func(positional []string) error {
		if len(positional) != 1 {
			return errors.New("report takes one folder of a run, for example results/semantics-20261121T101500Z")
		}
		dir = positional[0]
		return nil
	})
	if ended {
		return code
	}
	if catalogue.HasRecord(dir) {
		return p.reportSuite(&f, dir)
	}
	store, run, err := result.Open(dir)
	if err != nil {
		return p.usage("%v", err)
	}
	if err := draw(store, run); err != nil {
		return p.failed(err)
	}
	if err := p.print(&f, store, run); err != nil {
		return p.failed(err)
	}
	return exitCode(run)
}

func (p *program) tableOptions() report.Options {
	width := p.stdoutWidth()
	options := report.Options{Width: 100, Color: width > 0 && p.getenv("NO_COLOR") == "" && p.getenv("TERM") != "dumb"}
	if width > 0 {
		options.Width = min(options.Width, width)
	}
	return options
}

func (p *program) version(args []string) int {
	if len(args) > 0 {
		return p.usage("version takes no arguments")
	}
	binding, librdkafka := client.Version()
	fmt.Fprintf(p.stdout, "deliverybench %s\n%s %s/%s\n%s (librdkafka %s)\n", programVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH, binding, librdkafka)
	return exitMet
}
