package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each mistake in how the program is called ends with exit code 2, before
// anything runs, and one line that says what to do.
func TestMistakes(t *testing.T) {
	p := newPlace(t)
	good := p.profile("good", tiny)
	bad := func(source string) string { return p.profile("my", source) }
	none := t.TempDir()
	unknown := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(unknown, "run.json"), []byte(`{"schema":"deliverybench/run/v9"}`), 0o600))
	broken := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(broken, "run.json"), []byte(`{"schema":`), 0o600))

	for _, m := range []struct{ command, want string }{
		// The command line.
		{"-quiet", `deliverybench: no profile: name one with -profile, for example -profile at-most-once.yaml ("list" shows those that ship)`},
		{"run", `deliverybench: no profile: name one with -profile, for example -profile at-most-once.yaml ("list" shows those that ship)`},
		{"messure", `deliverybench: unknown verb "messure": use one of run, check, list, `},
		{"help messure", `deliverybench: no verb "messure" to explain: use one of run, check, list, `},
		{"-profil x", `deliverybench: flag provided but not defined: -profil; "help run" lists the flags`},
		{"-profile", `deliverybench: flag needs an argument: -profile; "help run" lists the flags`},
		{"-profile " + good + " extra", `deliverybench: unexpected argument "extra": a profile is named with -profile`},
		{"check " + good + " extra", `deliverybench: unexpected argument "extra"`},
		{"-profile " + good + " -broker kubernetes", `deliverybench: -broker kubernetes: `},
		{"-profile " + good + " -scale 0", `deliverybench: -scale 0: use a factor over 0 and up to 1000`},
		{"-profile " + good + " -scale -1", `deliverybench: -scale -1: use a factor over 0 and up to 1000`},
		{"-profile " + good + " -scale NaN", `deliverybench: -scale NaN: use a factor over 0 and up to 1000`},
		{"-profile " + good + " -scale big", `deliverybench: invalid value "big" for flag -scale: parse error; "help run" lists the flags`},
		{"-profile " + good + " -only [", `deliverybench: -only [ is no regular expression (error parsing regexp: missing closing ]: ` + "`[`" + `): write for example -only 'crash|paced'`},
		{"-profile " + good + " -only crash", `deliverybench: -only crash matches nothing; the first that there is: good/steady`},
		{"-profile " + good + " -seed one", `deliverybench: -seed "one" is not a whole number from 0`},
		{"-profile " + good + " -seed -1", `deliverybench: -seed "-1" is not a whole number from 0`},
		{"-profile " + good + " -seed 1x", `deliverybench: -seed "1x" is not a whole number from 0`},
		{"-profile " + good + " -set producer.ack=1", `deliverybench: -set producer.ack=1: unknown key "producer.ack"; did you mean "producer.acks"?`},
		{"-profile " + good + " -set acks", `deliverybench: -set acks`},
		{"-profile " + good + " -set load.duration=5", `deliverybench: -set load.duration=5: `},
		{"broker -broker 127.0.0.1:9092", `deliverybench: -broker 127.0.0.1:9092 is none that can be started: use embedded, local, `},
		{"broker local", `deliverybench: unexpected argument "local": a broker is named with -broker`},
		{"show", `deliverybench: show takes the name of one profile; "list" shows them`},
		{"show nothing", `deliverybench: no profile "nothing" ships: use one of acks-failover, application-resend, at-least-once, `},
		{"list x", `deliverybench: list takes no arguments`},
		{"version x", `deliverybench: version takes no arguments`},
		// Profiles.
		{"-profile semantix", `deliverybench: there is no file semantix and no profile of that name ships; did you mean semantics?`},
		{"check at-most-onse.yaml", `deliverybench: there is no file at-most-onse.yaml and no profile of that name ships; did you mean at-most-once`},
		{"check " + filepath.Join(none, "my.yaml"), `deliverybench: there is no file ` + filepath.Join(none, "my.yaml") + ` and no profile of that name ships ("`},
		{"check " + bad("load: [\n"), `my.yaml:`},
		{"check " + bad("scenaros: {}\n"), `my.yaml:2:1: unknown key "scenaros"; did you mean "scenarios"?`},
		{"check " + bad("load: {rate: 5 apples/s}\n"), `my.yaml:2:14: "load.rate": `},
		{"check " + bad("load: {duration: 5 parsecs}\n"), `my.yaml:2:18: "load.duration": `},
		{"check " + bad(tiny+"claims: {\"*/crash\": [lost == 0]}\n"), `my.yaml:6:22: "*/crash" matches no cell and scenario; arms: my; scenarios: steady`},
		{"check " + bad(tiny+"claims: {\"*/*\": [losst == 0]}\n"), `my.yaml: `},
		// Folders of runs.
		{"report", `deliverybench: report takes one folder of a run, for example results/semantics-20261121T101500Z`},
		{"report " + none, `deliverybench: ` + none + ` holds no run.json: give the folder of a run`},
		{"report " + filepath.Join(none, "gone"), `deliverybench: ` + none + `/gone holds no run.json: give the folder of a run`},
		{"report " + good, `deliverybench: ` + good + ` holds no run.json: give the folder of a run`},
		{"report " + unknown, `deliverybench: ` + unknown + `/run.json: its schema is "deliverybench/run/v9" and this program reads "deliverybench/run/v1": use the version of deliverybench that wrote it`},
		{"report " + broken, `deliverybench: ` + broken + `/run.json: not a saved run: unexpected end of JSON input`},
		{"-profile " + good + " -resume " + none, `deliverybench: ` + none + ` holds no run.json: give the folder of a run`},
	} {
		p.requireMistake(m.command, m.want)
	}
	entries, err := os.ReadDir("results")
	require.True(t, os.IsNotExist(err) || len(entries) == 0, "a mistake makes no folder of results")
}

// requireMistake: a command is refused with one line that says what to do.
func (p *place) requireMistake(command, want string) {
	p.t.Helper()
	t := p.t
	got := (&place{t: t, scratch: p.scratch, executable: "/nowhere"}).bench(strings.Fields(command)...)
	require.Equal(t, exitUsage, got.code, "%s: %s", command, got.stderr)
	require.Empty(t, got.stdout, command)
	require.Equal(t, 1, strings.Count(got.stderr, "\n"), "%s: one line: %s", command, got.stderr)
	require.True(t, strings.HasPrefix(got.stderr, "deliverybench: "), "%s: %s", command, got.stderr)
	require.Contains(t, got.stderr, want, command)
}

func TestEveryMistakeOfAProfileIsTold(t *testing.T) {
	p := newPlace(t)
	path := p.profile("my", "load: {rate: fast}\nbad: 1\n")
	got := p.bench("check", path)
	require.Equal(t, exitUsage, got.code)
	require.Contains(t, got.stderr, path+`:2:14: "load.rate"`)
	require.Contains(t, got.stderr, path+`:3:1: unknown key "bad"`)
}

func TestVerbsThatRunNothing(t *testing.T) {
	p := newPlace(t)
	for command, want := range map[string][]string{
		"":                        {"deliverybench measures", "run -profile NAME", "Exit codes: 0 every claim met; 1 could not run;"},
		"help":                    {"deliverybench measures", "go run ./bench -profile at-most-once.yaml"},
		"-h":                      {"deliverybench measures"},
		"--help":                  {"deliverybench measures"},
		"help run":                {"-profile path", "-resume folder", "-scratch folder", "Exit codes"},
		"run -h":                  {"-profile path"},
		"-profile x -help":        {"-profile path"},
		"help check":              {"-only regexp"},
		"check --help":            {"-only regexp"},
		"report -h":               {"-json"},
		"list":                    {"semantics", "at-most-once", "naive-rebalance", "a suite of 23 profiles: What articles"},
		"show semantics":          {"name: semantics\n"},
		"show claims":             {"suite: claims\n"},
		"check claims":            {"claims.yaml (ships with deliverybench) is valid. claims: 25 claims in 23 profiles, ", "acks-failover", "local3"},
		"show semantics.yaml":     {"name: semantics\n"},
		"version":                 {"deliverybench ", "go1.", "confluent-kafka-go", "librdkafka 2."},
		"check semantics -seed 3": {"semantics.yaml (ships with deliverybench) is valid: 3 cells × 3 scenarios, 30 trials, ", "at-most-once", "crash"},
		// Flags stand before and after positional arguments.
		"check -only crash semantics -set load.rate=100/s": {"3 cells × 1 scenario, 3 trials"},
		"check -profile semantics -scale 0.5":              {"is valid"},
	} {
		t.Run(command, func(t *testing.T) {
			p := &place{t: t, scratch: p.scratch, executable: "/nowhere"}
			got := p.bench(strings.Fields(command)...)
			require.Equal(t, exitMet, got.code, got.stderr)
			require.Empty(t, got.stderr)
			for _, text := range want {
				require.Contains(t, got.stdout, text)
			}
			requirePlain(t, got)
		})
	}
}

// Nothing is measured before the folder for the results is there.
func TestResultsThatCannotBeWritten(t *testing.T) {
	p := newPlace(t)
	file := p.profile("tiny", tiny)
	p.out = filepath.Join(file, "below") // a folder below a file: not for root either
	got := p.measure(file)
	require.Equal(t, exitFailed, got.code)
	require.Equal(t, "deliverybench: cannot create the results folder "+p.out+" (not a directory): name one that can be written with -out\n", got.stderr)
}

func TestABrokerThatCannotStart(t *testing.T) {
	p := newPlace(t)
	p.executable = filepath.Join(t.TempDir(), "gone")
	got := p.measure(p.profile("tiny", tiny))
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stderr, "deliverybench: start embedded broker: ")
}

// The ledger of a trial must fit before the trial begins: a full file system
// would kill its workers.
func TestNoRoomForTheLedger(t *testing.T) {
	p := newPlace(t)
	got := p.measure(p.profile("huge", strings.NewReplacer("1000/s", "1000000000/s", "200ms", "168h").Replace(tiny)))
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stderr, "deliverybench: 1 trial could not be run; the first is 001-huge-steady-1: ledger: no folder has room for ")
	require.Contains(t, got.stderr, p.scratch+" has ")
	require.Contains(t, got.stderr, ": free some, send fewer messages, or name another folder with -scratch")

	got = p.measure(p.profile("tiny", tiny), "-scratch", filepath.Join(p.scratch, "gone"))
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stderr, "/gone: no such file or directory")
}
