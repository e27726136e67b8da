package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"deliverybench/bench/capacity"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
	"deliverybench/bench/suite"
	"deliverybench/profiles"
)

// findCapacity steps through rates until the SLO of a profile breaks, and
// reports the knee and what a target needs.
func (p *program) findCapacity(ctx context.Context, args []string) int {
	var f flags
	if code, ended := p.read("capacity", &f, args, noneBut("a profile is named with -profile")); ended {
		return code
	}
	stop, err := p.serve(&f)
	if err != nil {
		return p.usage("%v", err)
	}
	defer stop()
	base, study, took, err := f.study(p.survey(ctx, &f))
	if err != nil {
		return p.refused(ctx, err)
	}
	open := func() (*result.Store, *result.Run, error) { return p.openCapacity(&f, base, study) }
	return p.within(&f, base, took, open, func(o suite.Options) int {
		err := p.stepUp(ctx, &f, o, study)
		return p.conclude(ctx, &f, o, err, leftToMeasure(study, o.Run))
	})
}

// study opens the profile and plans what its capacity block asks.
func (f *flags) study(survey func(*profile.Cluster) error) (base *profile.Plan, study *capacity.Study, took string, err error) {
	parsed, took, err := f.open()
	if err != nil {
		return nil, nil, "", err
	}
	if parsed.Capacity == nil {
		return nil, nil, "", fmt.Errorf("%s says nothing of capacity: add for example\n"+
			"capacity:\n  slo: [end_to_end.p99 < 50ms, lost == 0]\n  rates: {from: 1000/s, to: 100000/s, step: 20%%}", parsed.Path)
	}
	options, err := f.options(parsed, survey)
	if err != nil {
		return nil, nil, "", err
	}
	base, study, err = sized(parsed, options)
	return base, study, took, err
}

func sized(p *profile.Profile, options profile.Options) (*profile.Plan, *capacity.Study, error) {
	base, err := p.CapacityPlan(options)
	if err != nil {
		return nil, nil, err
	}
	study, err := capacity.NewStudy(base)
	return base, study, err
}

// openCapacity makes the run's folder, or opens that of -resume.
func (p *program) openCapacity(f *flags, base *profile.Plan, study *capacity.Study) (*result.Store, *result.Run, error) {
	if f.resume == "" {
		return p.newRun(base, func(run *result.Run) (*result.Store, error) {
			run.Capacity = study.Question()
			study.Next(run) // notes what is planned first
			return result.Create(f.out, run)
		})
	}
	store, run, err := result.Open(f.resume)
	switch {
	case err != nil:
		return nil, nil, err
	case run.Capacity == nil:
		return nil, nil, fmt.Errorf("cannot resume %s: it is no capacity run; go on with it by %q", run.Run.ID, "run -resume")
	}
	return store, run, suite.Adopt(run, base, sha256Of(base.Profile.Source), machine())
}

// stepUp measures what is left and draws what there is.
func (p *program) stepUp(ctx context.Context, f *flags, o suite.Options, study *capacity.Study) (err error) {
	if study.Next(o.Run) != nil {
		title := func(o suite.Options) string { return capacityHeading(study, o) }
		err = p.measure(ctx, f, o, title, func(ctx context.Context, o suite.Options) error { return climb(ctx, o, study) })
	}
	return p.drawAll(o, err)
}

// climb runs the study's trials round by round. A trial that failed ends it:
// what comes next would follow from nothing.
func climb(ctx context.Context, o suite.Options, study *capacity.Study) error {
	for {
		plan := study.Next(o.Run)
		if plan == nil {
			return nil
		}
		o.Plan, o.Run.Run.Finished = plan, time.Time{}
		if err := suite.Run(ctx, o); err != nil || o.Run.Run.Interrupted {
			return err
		}
		if n, _ := failures(o.Run); n > 0 {
			return nil // conclude tells it
		}
		o.WarmUp = 0 // it is warm now
	}
}

// leftToMeasure is "" when nothing is.
func leftToMeasure(study *capacity.Study, run *result.Run) string {
	plan := study.Next(run)
	if plan == nil {
		return ""
	}
	left := count(suite.Left(run, plan), "trial")
	if strings.HasPrefix(plan.Profile.Scenarios[0].Name, string(result.Searched)) {
		left += " of the search, and the ladder,"
	}
	return left
}

// capacityHeading is the first line: what will be measured, for how long, on what.
func capacityHeading(study *capacity.Study, o suite.Options) string {
	return fmt.Sprintf("%s: capacity of %s. %s.", o.Run.Run.Profile, capacityText(study, o.Plan), o.Run.Environment.BrokerHeadline())
}

// capacityText is "3 cells, up to 5 trials each to search 9 rates and then 6 × about 5 rungs, 4.1 min to 5.6 min".
func capacityText(study *capacity.Study, base *profile.Plan) string {
	least, most := study.Estimate()
	ends := stats.Between(stats.Seconds(least.Seconds()), stats.Seconds(most.Seconds()))
	return fmt.Sprintf("%s: up to %s each search %s, then up to %s %s; about %s", count(len(base.Trials), "cell"),
		count(study.Searches(), "trial"), count(study.Rungs(), "rate"), count(study.MostRungs(), "rung"), repeated(base.Profile.Capacity.Repeats), ends)
}

func repeated(times int) string {
	if times == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", times)
}

// checkCapacity says what the verb capacity would do with a profile.
func checkCapacity(p *profile.Profile, options profile.Options) ([]string, error) {
	options.Only = nil // is about the scenarios of a run
	base, study, err := sized(p, options)
	if err != nil {
		return nil, fmt.Errorf("capacity: %w", err)
	}
	var slo []string
	for _, o := range p.Capacity.SLO {
		slo = append(slo, o.Expression)
	}
	return []string{"", fmt.Sprintf("capacity measures %s.", capacityText(study, base)), "SLO: " + strings.Join(slo, ", ")}, nil
}

// capacityCode is the exit code of a capacity run.
func capacityCode(run *result.Run) int {
	if n, _ := failures(run); n > 0 {
		return exitFailed
	}
	switch capacity.Analyse(run).Conclude() {
	case capacity.Missed:
		return exitNotMet
	case capacity.Inconclusive:
		return exitInconclusive
	}
	return exitMet
}

// once asks a survey a single time.
func once(survey func(*profile.Cluster) error) func(*profile.Cluster) error {
	var known *profile.Cluster
	return func(c *profile.Cluster) error {
		if known != nil {
			*c = *known
			return nil
		}
		if err := survey(c); err != nil {
			return err
		}
		found := *c
		known = &found
		return nil
	}
}

// open reads the profile that the flags name.
func (f *flags) open() (p *profile.Profile, took string, err error) {
	if f.profile == "" {
		return nil, "", errors.New(`no profile: name one with -profile, for example -profile at-most-once.yaml ("list" shows those that ship)`)
	}
	return profile.Open(f.profile, profiles.FS)
}
