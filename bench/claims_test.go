package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/catalogue"
	"deliverybench/bench/result"
)

// Two profiles of a suite: an order of commit and processing that loses a batch
// in a crash beside one that does not, and one where nothing happens to either.
const (
	orders = `guarantee: none
pipeline: consume
load: {rate: 2000/s, warmup: 50ms, duration: 400ms, message: {size: 64B}}
consumer: {commit: {every: 50}}
arms: {early: {consumer.commit.when: before-processing}, late: {consumer.commit.when: after-processing}}
scenarios: {crash: {faults: [{kill: consumer, when: mid-batch, at: 50%, restart: 10ms}]}}
claims: {early/crash: [lost == consumer.commit.every], late/crash: [lost == 0]}
`
	spared = `guarantee: none
pipeline: consume
load: {rate: 1000/s, warmup: 50ms, duration: 200ms, message: {size: 64B}}
arms: {early: {consumer.commit.when: before-processing}, late: {consumer.commit.when: after-processing}}
scenarios: {calm: {}}
claims: {early/calm: [lost > 0], late/calm: [lost == 0]}
`
	pair = `suite: pair
about: Two claims.
rows:
  - {row: 1, claim: Early commits lose., profile: orders, breaks: early/crash, holds: late/crash, shows: confirmed, conclude: Commit late.}
  - {row: 7, claim: They lose whatever happens., profile: spared, breaks: early/calm, holds: late/calm, shows: refuted, conclude: They do not.}
`
)

// suite writes profiles and a suite of them, and returns the suite's path.
func (p *place) suite(source string, profiles map[string]string) string {
	p.t.Helper()
	dir := p.t.TempDir()
	for name, profile := range profiles {
		require.NoError(p.t, os.WriteFile(filepath.Join(dir, name+".yaml"), []byte("name: "+name+"\n"+profile), 0o600))
	}
	path := filepath.Join(dir, "pair.yaml")
	require.NoError(p.t, os.WriteFile(path, []byte(source), 0o600))
	return path
}

// record is that of the one suite run below out.
func (p *place) record() (dir string, record *catalogue.Record) {
	p.t.Helper()
	dirs, err := filepath.Glob(filepath.Join(p.out, "*"))
	require.NoError(p.t, err)
	require.Len(p.t, dirs, 1)
	record, err = catalogue.Load(dirs[0])
	require.NoError(p.t, err)
	return dirs[0], record
}

func outcomes(record *catalogue.Record) map[int]catalogue.Outcome {
	all := map[int]catalogue.Outcome{}
	for _, row := range record.Rows {
		all[row.Row] = row.Outcome
	}
	return all
}

// holding is spared with claims that come out.
var holding = strings.Replace(strings.Replace(orders, "crash", "again", -1), "every: 50", "every: 20", 1)

func TestASuite(t *testing.T) {
	p := newPlace(t)
	path := p.suite(strings.NewReplacer("spared", "holding", "/calm", "/again").Replace(pair), map[string]string{"orders": orders, "holding": holding})
	got := p.measure(path)
	require.Equal(t, exitMet, got.code, got.stdout+got.stderr)
	requirePlain(t, got)
	require.True(t, strings.HasPrefix(got.stdout, "suite: "+path+"\npair: 2 claims in 2 profiles, 4 trials, about "), got.stdout)
	require.Contains(t, got.stdout, "\nprofile 2 of 2: holding\n")
	require.Contains(t, got.stdout, " 1  confirmed     Early commits lose.\n                  breaks early/crash: lost 50 (1 trial)\n                  holds late/crash: lost 0 (1 trial)\n                  run: orders\n")
	require.Contains(t, got.stdout, " 7  refuted       They lose whatever happens.\n                  breaks early/again: lost 20 (1 trial)\n")
	dir, record := p.record()
	require.True(t, strings.HasSuffix(got.stdout, "\n\n2 claims: 1 confirmed, 1 refuted.\n"+filepath.Join(dir, "claims.md")+"\n"), got.stdout)
	for line := range strings.Lines(got.stdout) {
		if !strings.Contains(line, p.out) && !strings.Contains(line, path) {
			require.LessOrEqual(t, utf8.RuneCountInString(line), 100+1, line)
		}
	}
	require.Equal(t, map[int]catalogue.Outcome{1: catalogue.Confirmed, 7: catalogue.Refuted}, outcomes(record))
	for _, entry := range record.Profiles {
		require.Equal(t, catalogue.Finished, entry.State)
		require.FileExists(t, filepath.Join(dir, entry.Profile, "report.html"))
		run, err := result.Load(filepath.Join(dir, entry.Profile))
		require.NoError(t, err)
		require.Equal(t, filepath.Base(dir)+"/"+entry.Profile, run.Run.ID)
	}

	// Every row leads to its trials, and to where they are.
	written, err := os.ReadFile(filepath.Join(dir, "claims.md"))
	require.NoError(t, err)
	require.Equal(t, []string{
		"confirmed → orders/report.html#trial-002-early-crash-1", "refuted → holding/report.html#trial-002-early-again-1",
		"early/crash → orders/report.html#trial-002-early-crash-1", "late/crash → orders/report.html#trial-001-late-crash-1",
		"early/again → holding/report.html#trial-002-early-again-1", "late/again → holding/report.html#trial-001-late-again-1",
	}, pageLinks(t, dir, string(written)))

	// What was saved can be drawn again, with the same exit code.
	for _, file := range []string{"claims.md", "orders/report.html"} {
		require.NoError(t, os.Remove(filepath.Join(dir, file)))
	}
	again := p.bench("report", dir)
	require.Equal(t, exitMet, again.code, again.stderr)
	require.Equal(t, got.stdout[strings.Index(got.stdout, " 1  confirmed"):], again.stdout)
	redrawn, err := os.ReadFile(filepath.Join(dir, "claims.md"))
	require.NoError(t, err)
	require.Equal(t, string(written), string(redrawn))
	require.FileExists(t, filepath.Join(dir, "orders", "report.html"))

	// All was measured: nothing is run again.
	p.executable = "/nowhere"
	again = p.measure(path, "-resume", dir, "-quiet")
	require.Equal(t, exitMet, again.code, again.stderr)
	require.Empty(t, again.stderr)
	again = p.measure(path, "-resume", dir, "-scale", "2")
	require.Equal(t, exitUsage, again.code)
	require.Equal(t, "deliverybench: cannot resume "+record.Suite.ID+": it was made with another suite, seed, broker or scale; use the same flags as then\n", again.stderr)
}

// pageLinks are the links of a claim table to pages beside it, whose targets are there.
func pageLinks(t *testing.T, dir, table string) []string {
	t.Helper()
	var links []string
	for _, m := range regexp.MustCompile(`\[([^\]]*)\]\(([^)#]+)#([^)]+)\)`).FindAllStringSubmatch(table, -1) {
		page, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(m[2])))
		require.NoError(t, err)
		require.Contains(t, string(page), `id="`+m[3]+`"`)
		links = append(links, m[1]+" → "+m[2]+"#"+m[3])
	}
	return links
}

// A side that is to break and stays clean fails its row, and the suite.
func TestABreakingArmThatStaysClean(t *testing.T) {
	p := newPlace(t)
	path := p.suite(pair, map[string]string{"orders": orders, "spared": spared})
	got := p.measure(path, "-json")
	require.Equal(t, exitNotMet, got.code, got.stderr)
	require.Empty(t, got.stderr)
	var record catalogue.Record
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &record))
	require.Equal(t, map[int]catalogue.Outcome{1: catalogue.Confirmed, 7: catalogue.NotMet}, outcomes(&record))
	require.Equal(t, "early/calm: lost > 0: expected > 0, observed 0", record.Rows[1].Reason)
}

// An interrupted suite goes on with the profile and trial that it was in.
func TestAnInterruptedSuite(t *testing.T) {
	p := newPlace(t)
	path := p.suite(pair, map[string]string{"orders": orders, "spared": "repeats: 2\n" + spared})
	r := p.start("-profile", path, "-out", p.out, "-scratch", p.scratch)
	r.screen.await(t, "trial 2/4[^\x00]*load ")
	r.signal(syscall.SIGINT)
	require.Equal(t, exitInterrupted, r.end(), r.screen)
	p.requireNothingLeft()
	dir, record := p.record()
	require.Contains(t, r.screen.String(), "interrupted; what was measured is in "+dir+": the same flags and -resume "+dir+" go on with it")
	require.Contains(t, r.stdout.String(), "Interrupted. 2 claims: 1 confirmed, 1 ")
	require.True(t, record.Suite.Interrupted)
	require.Equal(t, catalogue.Finished, record.Entry("orders").State)
	require.Equal(t, catalogue.Unfinished, record.Entry("spared").State)
	before, err := result.Load(filepath.Join(dir, "orders"))
	require.NoError(t, err)

	got := p.measure(path, "-resume", dir)
	require.Equal(t, exitNotMet, got.code, got.stderr)
	require.NotContains(t, got.stdout, "profile 1 of 2")
	_, record = p.record()
	require.False(t, record.Suite.Interrupted)
	require.Equal(t, map[int]catalogue.Outcome{1: catalogue.Confirmed, 7: catalogue.NotMet}, outcomes(record))
	after, err := result.Load(filepath.Join(dir, "orders"))
	require.NoError(t, err)
	require.Equal(t, before, after)
	run, err := result.Load(filepath.Join(dir, "spared"))
	require.NoError(t, err)
	require.Len(t, trials(run), 4)
}

// What a broker cannot show is omitted, and what -only leaves out is not run;
// neither is a failure.
func TestPartOfASuite(t *testing.T) {
	p := newPlace(t)
	path := p.suite(pair, map[string]string{"orders": orders, "spared": "broker: local\n" + spared})
	got := p.measure(path, "-broker", "embedded")
	require.Equal(t, exitMet, got.code, got.stderr)
	require.Contains(t, got.stdout, "omitted: it needs -broker local, and this is embedded\n")
	dir, record := p.record()
	require.Equal(t, map[int]catalogue.Outcome{1: catalogue.Confirmed, 7: catalogue.Omitted}, outcomes(record))
	require.NoDirExists(t, filepath.Join(dir, "spared"))
	require.NoError(t, os.RemoveAll(dir))

	for _, only := range []string{"1", "orders"} {
		got = p.measure(path, "-only", only)
		require.Equal(t, exitMet, got.code, got.stderr)
		require.Contains(t, got.stdout, "\nNot run: left out by -only "+only+" (7).\n")
		dir, record = p.record()
		require.Equal(t, map[int]catalogue.Outcome{1: catalogue.Confirmed, 7: catalogue.NotRun}, outcomes(record))
		require.NoError(t, os.RemoveAll(dir))
	}

	// A number is matched whole, also by the second of two that begin alike.
	tens := p.suite(strings.Replace(pair, "row: 7", "row: 17", 1), map[string]string{"orders": orders, "spared": spared})
	for only, want := range map[string]string{"1": "1 profile", "17": "1 profile", "1|17": "2 profiles", "^spared$|1": "2 profiles"} {
		got = p.bench("check", tens, "-only", only)
		require.Equal(t, exitMet, got.code, got.stderr)
		require.Contains(t, got.stdout, "pair: 2 claims in "+want+", ", only)
	}

	got = p.bench("check", path, "-broker", "embedded")
	require.Equal(t, exitMet, got.code, got.stderr)
	require.Contains(t, got.stdout, "is valid. pair: 2 claims in 1 profile, 2 trials, about ")
	require.Contains(t, got.stdout, "1    orders   confirmed  Early commits lose.\n")
	require.Contains(t, got.stdout, "spared   embedded  –       it needs -broker local, and this is embedded\n")
}

func TestMistakesWithASuite(t *testing.T) {
	p := newPlace(t)
	path := p.suite(pair, map[string]string{"orders": orders, "spared": spared})
	for arguments, want := range map[string]string{
		"-set load.rate=1/s": "deliverybench: -set load.rate=1/s would change what the claims of a suite are about; change a single profile, as in -profile orders -set load.rate=1/s\n",
		"-only [":            "deliverybench: -only [ is no regular expression (error parsing regexp: missing closing ]: `[`): write for example -only '4|zombie'\n",
		"-only 2":            "deliverybench: -only 2 matches no row's number and no profile; \"check -profile pair\" lists them\n",
		"-scale 0":           "deliverybench: -scale 0: use a factor over 0 and up to 1000\n",
		"-broker nobody":     "deliverybench: -broker nobody: there is no broker nobody; use embedded, local, local3, compose, compose3 or HOST:PORT\n",
		"-resume " + p.out:   "deliverybench: " + p.out + " holds no claims.json: give the folder of a suite's run, such as results/claims-20261121T101500Z\n",
	} {
		got := p.measure(path, strings.Fields(arguments)...)
		require.Equal(t, exitUsage, got.code, arguments)
		require.Equal(t, want, got.stderr, arguments)
		require.Empty(t, got.stdout)
	}
	entries, err := os.ReadDir(p.out)
	require.NoError(t, err)
	require.Empty(t, entries)
	got := p.bench("check", p.suite(strings.Replace(pair, "holds", "hold", 1), nil))
	require.Equal(t, exitUsage, got.code)
	require.Contains(t, got.stderr, `pair.yaml:4:`)
	require.Contains(t, got.stderr, `unknown key "hold"; did you mean "holds"?`)
}

// What could not be run does not keep the others from running.
func TestAProfileOfASuiteThatCannotRun(t *testing.T) {
	p := newPlace(t)
	p.executable = filepath.Join(t.TempDir(), "gone")
	got := p.measure(p.suite(pair, map[string]string{"orders": orders, "spared": spared}))
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stdout, "profile 2 of 2: spared")
	require.Contains(t, got.stderr, "deliverybench: orders: start embedded broker: ")
	require.Contains(t, got.stderr, "go on with it\n")
	_, record := p.record()
	require.Equal(t, catalogue.Unfinished, record.Entry("orders").State)
	require.Equal(t, map[int]catalogue.Outcome{1: catalogue.Inconclusive, 7: catalogue.Inconclusive}, outcomes(record))
}

// A suite of which something is missing is not met, however what is there came out.
func TestClaimsCode(t *testing.T) {
	rows := func(outcomes ...catalogue.Outcome) *catalogue.Record {
		record := &catalogue.Record{Profiles: []catalogue.Entry{{Profile: "a", State: catalogue.Finished}, {Profile: "b", State: catalogue.Waiting}}}
		for _, o := range outcomes {
			record.Rows = append(record.Rows, catalogue.Judgement{Outcome: o})
		}
		return record
	}
	interrupted, unfinished := rows(catalogue.Confirmed, catalogue.NotRun), rows(catalogue.Confirmed, catalogue.NotRun)
	interrupted.Suite.Interrupted = true
	unfinished.Profiles[1].State = catalogue.Unfinished
	refuted := rows(catalogue.NotMet, catalogue.NotRun)
	refuted.Suite.Interrupted = true
	for _, c := range []struct {
		record *catalogue.Record
		want   int
	}{
		{rows(catalogue.Confirmed, catalogue.NotRun, catalogue.Omitted), exitMet},
		{rows(catalogue.NotRun, catalogue.Omitted), exitInconclusive},
		{rows(catalogue.Refuted, catalogue.Inconclusive), exitInconclusive},
		{rows(catalogue.Inconclusive, catalogue.NotMet), exitNotMet},
		{interrupted, exitInconclusive}, {unfinished, exitInconclusive}, {refuted, exitNotMet},
	} {
		require.Equal(t, c.want, claimsCode(c.record), "%+v", c.record)
	}
}

// What a suite's folder holds has to be what was measured for it.
func TestASuiteThatWasTamperedWith(t *testing.T) {
	p := newPlace(t)
	path := p.suite(pair, map[string]string{"orders": orders, "spared": spared})
	require.Equal(t, exitMet, p.measure(path, "-only", "1", "-quiet").code)
	dir, record := p.record()

	// A profile that was changed since.
	changed := filepath.Join(filepath.Dir(path), "orders.yaml")
	require.NoError(t, os.WriteFile(changed, []byte("name: orders\n"+strings.Replace(orders, "every: 50", "every: 40", 1)), 0o600))
	got := p.measure(path, "-resume", dir, "-only", "1")
	require.Equal(t, exitUsage, got.code, got.stdout)
	require.Equal(t, "deliverybench: cannot resume "+record.Suite.ID+": orders was another profile then; run without -resume\n", got.stderr)
	require.NoError(t, os.WriteFile(changed, []byte("name: orders\n"+orders), 0o600))

	// A run that cannot be read is none to keep silent about.
	run := filepath.Join(dir, "orders", result.RunFile)
	whole, err := os.ReadFile(run)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(run, whole[:len(whole)/2], 0o600))
	for _, got := range []said{p.bench("report", dir), p.measure(path, "-resume", dir)} {
		require.Equal(t, exitUsage, got.code)
		require.Contains(t, got.stderr, run)
	}
	require.NoError(t, os.WriteFile(run, whole, 0o600))

	// A record that does not go with its suite.
	record.Rows, record.Profiles = record.Rows[:1], record.Profiles[:1]
	require.NoError(t, record.Save(dir))
	got = p.measure(path, "-resume", dir)
	require.Equal(t, exitUsage, got.code, got.stdout)
	require.Equal(t, "deliverybench: cannot resume "+record.Suite.ID+": its claims.json does not go with its suite; run without -resume\n", got.stderr)
}
