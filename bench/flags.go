package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"deliverybench/bench/capacity"
	"deliverybench/bench/claim"
	"deliverybench/bench/client"
	"deliverybench/bench/metrics"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// flags are those of every verb; each verb registers the ones it knows.
type flags struct {
	profile string
	broker  string
	clients string
	// database is the URL of -database, as it was given.
	database string
	out      string
	resume   string
	scratch  string
	only     string
	set      values
	gates    values
	seed     string
	scale    float64
	quiet    bool
	// metrics is the address of -metrics; watch what serves there, nil without.
	metrics string
	watch   *metrics.Server
	json    bool
	yes     bool
}

// values collects a flag that may be given several times.
type values []string

func (v *values) String() string     { return strings.Join(*v, ",") }
func (v *values) Set(s string) error { *v = append(*v, s); return nil }

// planning registers the flags that decide what a plan holds.
func (f *flags) planning(set *flag.FlagSet) {
	set.StringVar(&f.profile, "profile", "", "the profile or suite: a `path`, or the name of one that ships")
	set.Var(&f.set, "set", "change a setting, `[scenario/]setting=value`, everywhere or in the scenarios of that name; may be given several times")
	set.StringVar(&f.seed, "seed", "", "`number` that fixes the order of trials and every random choice (default: the profile's)")
	set.StringVar(&f.only, "only", "", "run only the trials whose cell/scenario matches this `regexp`; of a suite, the rows with this number or profile")
	set.StringVar(&f.broker, "broker", "", "what to put the load on: `NAME` is "+profile.BrokerUsage+" (default: the profile's, else "+profile.DefaultBroker+")")
	f.access(set)
	set.StringVar(&f.database, "database", "", "the PostgreSQL for sink.database: postgres, `postgres://USER@HOST/NAME`; the password in PGPASSWORD or PGPASSFILE (default: one that the program starts)")
	set.Float64Var(&f.scale, "scale", 1, "multiply load.duration, load.warmup and the faults' times by this `factor`")
}

// access registers those that let clients into somebody else's cluster.
func (f *flags) access(set *flag.FlagSet) {
	set.StringVar(&f.clients, "client-config", "", "`file` of librdkafka properties that a cluster at HOST:PORT asks for: TLS, SASL; ${NAME} and ${file:PATH} stand for secrets")
}

// endpoint reads the file of -client-config.
func (f *flags) endpoint(getenv func(string) string) (client.Endpoint, error) {
	if f.clients == "" {
		return client.Endpoint{}, nil
	}
	file, err := os.Open(f.clients)
	if err != nil {
		return client.Endpoint{}, fmt.Errorf("-client-config: %w", err)
	}
	defer file.Close()
	e, err := client.ReadProperties(file, getenv)
	if err != nil {
		return client.Endpoint{}, fmt.Errorf("-client-config %s: %w", f.clients, err)
	}
	return e, nil
}

// running registers those of the run verb.
func (f *flags) running(set *flag.FlagSet) {
	f.planning(set)
	set.StringVar(&f.out, "out", "results", "the `folder` in which the run's own folder is made")
	set.StringVar(&f.resume, "resume", "", "go on with the run in this `folder`: trials that it has are not repeated")
	set.StringVar(&f.scratch, "scratch", "", "the `folder` for the ledger, which workers write at full speed (default: /dev/shm, then the folder for temporary files)")
	set.BoolVar(&f.quiet, "quiet", false, "no progress")
	set.StringVar(&f.metrics, "metrics", "", "serve the run in progress to Prometheus at this `address`: a port of the loopback interface, or HOST:PORT")
	f.output(set)
}

func (f *flags) output(set *flag.FlagSet) {
	set.BoolVar(&f.json, "json", false, "print the result as JSON (run.json) instead of the table")
}

// read parses a verb's arguments into the flags. When that ends the program, for
// a mistake or because help was asked for, ended is true and code its exit code.
func (p *program) read(verb string, f *flags, args []string, accept func(positional []string) error) (code int, ended bool) {
	positional, err := parse(verb, args, func(set *flag.FlagSet) { register(verb, f, set) })
	if errors.Is(err, flag.ErrHelp) {
		return p.helpVerb(verb), true
	}
	if err == nil {
		err = accept(positional)
	}
	if err != nil {
		return p.usage("%v", err), true
	}
	return exitMet, false
}

// noneBut accepts no argument but flags; hint says where what was given belongs.
func noneBut(hint string) func([]string) error {
	return func(positional []string) error {
		if len(positional) > 0 {
			return fmt.Errorf("unexpected argument %q: %s", positional[0], hint)
		}
		return nil
	}
}

// parse reads flags before and after positional arguments.
func parse(verb string, args []string, register func(*flag.FlagSet)) (positional []string, err error) {
	set := flag.NewFlagSet(verb, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	register(set)
	for {
		if err := set.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, fmt.Errorf("%w; %q lists the flags", err, "help "+verb)
		}
		args = set.Args()
		if len(args) == 0 {
			return positional, nil
		}
		positional = append(positional, args[0])
		args = args[1:]
	}
}

// plan opens the profile and resolves it; took says which profile that was.
func (f *flags) plan(survey func(*profile.Cluster) error) (plan *profile.Plan, took string, err error) {
	p, took, err := f.open()
	if err != nil {
		return nil, "", err
	}
	plan, err = f.resolve(p, survey)
	return plan, took, err
}

// resolve makes a plan of a profile for its broker.
func (f *flags) resolve(p *profile.Profile, survey func(*profile.Cluster) error) (*profile.Plan, error) {
	options, err := f.options(p, survey)
	if err != nil {
		return nil, err
	}
	return p.Plan(options)
}

// options are what the command line adds to a profile. survey finds out what
// else decides what can be shown.
func (f *flags) options(p *profile.Profile, survey func(*profile.Cluster) error) (options profile.Options, err error) {
	options = profile.Options{Set: f.set, Scale: f.scale}
	f.broker = cmp.Or(f.broker, p.Broker, profile.DefaultBroker)
	if options.Cluster, err = profile.ClusterOf(f.broker); err != nil {
		return options, fmt.Errorf("-broker %s: %w", f.broker, err)
	}
	if options.Cluster.ForeignDatabase = f.database != ""; f.database != "" {
		if _, _, err := sink.ParseURL(f.database); err != nil {
			return options, fmt.Errorf("-database: %w", err)
		}
	}
	if f.clients != "" && !options.Cluster.Foreign {
		return options, fmt.Errorf("-client-config is for a cluster at HOST:PORT; the %s broker lets this program's clients in", f.broker)
	}
	if f.seed != "" {
		var seed uint64
		if _, err := fmt.Sscanf(f.seed, "%d", &seed); err != nil || fmt.Sprint(seed) != f.seed {
			return options, fmt.Errorf("-seed %q is not a whole number from 0", f.seed)
		}
		options.Seed = &seed
	}
	if !(f.scale > 0 && f.scale <= 1000) { // NaN is neither
		return options, fmt.Errorf("-scale %v: use a factor over 0 and up to 1000", f.scale)
	}
	if f.only != "" {
		if options.Only, err = regexp.Compile(f.only); err != nil {
			return options, fmt.Errorf("-only %s is no regular expression (%w): write for example -only 'crash|paced'", f.only, err)
		}
	}
	errs := claim.Check(p)
	for i, err := range errs {
		errs[i] = fmt.Errorf("%s: %w", p.Path, err)
	}
	if errs = append(errs, capacity.Check(p)...); len(errs) > 0 {
		return options, errors.Join(errs...)
	}
	return options, survey(&options.Cluster)
}
