package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

var update = flag.Bool("update", false, "write what the reports are now into testdata")

// golden compares with testdata/name, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run go test ./bench/report -update once")
	require.Equal(t, string(want), string(got))
}

func tableOf(t require.TestingT, run *result.Run, o Options) string {
	var b bytes.Buffer
	require.NoError(t, Table(&b, run, o))
	return b.String()
}

// charts is a folder with two small figures.
func charts() fstest.MapFS {
	svg := func(title string) []byte {
		return []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><title>` + title +
			`</title><desc>Scenario &lt;saturated&gt;</desc><rect width="10" height="10"/></svg>`)
	}
	return fstest.MapFS{
		"charts/losses.svg": {Data: svg("Lost: as predicted")}, "charts/throughput.svg": {Data: svg("0.6× the messages &amp; less")},
		"charts/throughput.png": {Data: []byte("png")},
	}
}

func TestGoldens(t *testing.T) {
	for name, run := range fixtures() {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".txt", []byte(tableOf(t, run, Options{Heading: true})))
			var markdown, page bytes.Buffer
			require.NoError(t, Markdown(&markdown, run, charts()))
			golden(t, name+".md", markdown.Bytes())
			require.NoError(t, HTML(&page, run, charts()))
			golden(t, name+".html", page.Bytes())
		})
	}
}

func TestEveryFormSaysTheSameVerdict(t *testing.T) {
	for name, run := range fixtures() {
		if name == "hostile" {
			continue // there it is escaped, differently in each form
		}
		var markdown, page bytes.Buffer
		require.NoError(t, Markdown(&markdown, run, nil))
		require.NoError(t, HTML(&page, run, nil))
		require.Contains(t, strings.ReplaceAll(tableOf(t, run, Options{Width: 1000}), "\n", ""), Verdict(run))
		require.Contains(t, markdown.String(), md(Verdict(run)))
		require.Contains(t, page.String(), Verdict(run))
	}
}

func TestVerdict(t *testing.T) {
	one := func(change func(*result.Trial)) *result.Run {
		b := newBuild("one", "steady")
		change(b.trial(b.cell("arm", "at-least-once"), "steady"))
		return &b.run
	}
	nothing := one(func(t *result.Trial) { t.Status, t.Reason = result.Omitted, "no" })
	failed := one(func(t *result.Trial) { t.Status, t.Verdict, t.Promise = result.Failed, nil, "" })
	for want, run := range map[string]*result.Run{
		"Nothing was measured.":                                   empty(),
		"Nothing was measured: everything was omitted.":           nothing,
		"Inconclusive: none of 1 trial completed.":                failed,
		"The promise held; nothing was claimed.":                  one(func(*result.Trial) {}),
		"The promise was violated (arm); nothing was claimed.":    one(func(t *result.Trial) { t.Promise = result.Violated }),
		"The promise is inconclusive (arm); nothing was claimed.": one(func(t *result.Trial) { t.Promise = result.PromiseInconclusive }),
		"No promise was made; nothing was claimed.":               one(func(t *result.Trial) { t.Promise = result.NoPromise }),
		"All 3 promises held; all 18 claims were met.":            semantics(),
		"Interrupted after 7 of 12 trials. The promise was violated (careful); 3 of 8 claims not met, 2 inconclusive.": trouble(),
	} {
		require.Equal(t, want, Verdict(run))
	}
}

// A trial that did not complete cannot show that a promise held.
func TestAPromiseIsItsWorstTrial(t *testing.T) {
	b := newBuild("worst", "steady")
	c := b.cell("arm", "exactly-once")
	require.Equal(t, result.NoPromise, promiseOf(c))
	require.Equal(t, "–", promiseText(c))
	for _, step := range []struct {
		status  result.Status
		promise result.Promise
		want    result.Promise
	}{
		{result.Omitted, result.Violated, result.NoPromise},
		{result.Completed, result.Held, result.Held},
		{result.Failed, result.Held, result.PromiseInconclusive},
		{result.Inconclusive, "", result.PromiseInconclusive},
		{result.Completed, result.Violated, result.Violated},
		{result.Completed, result.Held, result.Violated},
	} {
		tr := b.trial(c, "steady")
		tr.Status, tr.Promise = step.status, step.promise
		require.Equal(t, step.want, promiseOf(c))
	}
}

func TestColorOnlyWhenAsked(t *testing.T) {
	escape := regexp.MustCompile("\x1b\\[[0-9]*m")
	for _, run := range []*result.Run{semantics(), trouble()} {
		bare, colored := tableOf(t, run, Options{}), tableOf(t, run, Options{Color: true})
		require.NotContains(t, bare, "\x1b")
		require.Contains(t, colored, "\x1b[3")
		require.Equal(t, bare, escape.ReplaceAllString(colored, ""), "colours must not move anything")
	}
}

func TestGeneratorLimitedIsMarkedAndExplained(t *testing.T) {
	text := tableOf(t, matrix(), Options{})
	require.Contains(t, text, "1.20M*")
	require.Contains(t, text, "! * Generator-limited in 4 trials of 4 cells: processor time near the machine's. Lower load.rate")

	// Counts have no mark: only a crash scenario was limited here.
	b := newBuild("crash", "crash")
	tr := b.trial(b.cell("arm", "at-least-once"), "crash")
	strike(tr, "kill consumer", true, 0, 500, 0, 500)
	tr.Generator = result.Generator{Limited: true, CPU: 0.995}
	tr.Latency = map[string]latency.Summary{result.SendLag: {Count: 1, P99: 63_100}}
	text = tableOf(t, &b.run, Options{Width: 200})
	require.NotContains(t, text, "*")
	require.Contains(t, text, "! Generator-limited in 1 trial of 1 cell (arm): the load was up to 63 ms late (p99), the processors up to 100 % busy.")
}

func TestLatencyIsPooledOrSaysThatItIsNot(t *testing.T) {
	b := newBuild("paced", "paced")
	c := b.cell("arm", "none")
	for _, p99 := range []float64{2000, 4000, 90_000} {
		pace(b.trial(c, "paced"), 1000, p99, 95_000)
	}
	text := tableOf(t, &b.run, Options{Width: 200})
	require.Contains(t, text, "4.0 ms")
	require.Contains(t, text, "median of 3 repeats' percentiles (saved before they were pooled)")

	c.Latency = map[string]map[string]latency.Summary{"paced": {result.EndToEnd: {Count: 120_000, P50: 1000, P99: 81_000, P999: 95_000}}}
	b.run.Claims = []result.Claim{{Cell: "arm", Scenario: "paced", Expression: "end_to_end.p99 <= 50ms", Status: result.Met}}
	text = tableOf(t, &b.run, Options{Width: 200})
	require.Contains(t, text, "81 ms")
	require.Contains(t, text, "Latency: intended send → effect, 3 repeats pooled; claims take the repeats' median.")
}

// A lost message is in the percentiles, and the advice is not to lower the load.
func TestMessagesThatNeverArrivedAreExplained(t *testing.T) {
	b := newBuild("lost", "crash")
	tr := b.trial(b.cell("arm", "at-most-once"), "crash")
	pace(tr, 1000, 2000, 3000)
	strike(tr, "kill consumer", true, 500, 0, 500, 0)
	tr.Latency[result.EndToEnd] = latency.Summary{Count: 39_500, P50: 1000, P99: latency.OverRange, Over: 500}
	text := tableOf(t, &b.run, Options{Width: 200})
	require.Contains(t, text, "Latency percentiles count the 500 lost messages as longer than all others.")
	require.NotContains(t, text, "or never arrived")
	tr.Verdict.Lost = ledger.Lost{}
	text = tableOf(t, &b.run, Options{Width: 200})
	require.Contains(t, text, "! 500 messages took over 10 min or never arrived")
	require.NotContains(t, text, "Latency percentiles count")
}

func TestHighVarianceIsWarnedOf(t *testing.T) {
	b := newBuild("noisy", "saturated")
	calm, noisy := b.cell("calm", "none"), (*result.Cell)(nil)
	for _, speed := range []float64{90e3, 100e3, 110e3} {
		saturate(b.trial(calm, "saturated"), speed)
	}
	require.NotContains(t, tableOf(t, &b.run, Options{}), "varies")
	noisy = b.cell("noisy", "none")
	for _, speed := range []float64{20e3, 100e3, 130e3} {
		saturate(b.trial(noisy, "saturated"), speed)
	}
	text := tableOf(t, &b.run, Options{Width: 200})
	require.Contains(t, text, "! msg/s varies much between repeats: −80 % to +30 % around the median in noisy. Keep other work off the machine")
	require.Contains(t, text, "! At 3 repeats there is no 95 % interval of msg/s. Set repeats: 6.")
}

// A scenario's name is what the reader looks for: it is whole wherever it fits.
func TestScenarioNamesAreWhole(t *testing.T) {
	names := []string{"paced", "crash-begun", "crash-produced", "crash-offsets-sent", "crash-commit-requested"}
	b := newBuild("exactly-once", names...)
	for _, arm := range []string{"exactly-once", "at-least-once-after-processing"} {
		c := b.cell(arm, "at-least-once")
		for _, name := range names {
			tr := b.trial(c, name)
			pace(tr, 1000, 2000, 3000)
			if name != "paced" {
				strike(tr, "kill relay at "+name, true, 0, 0, 0, 0)
			}
		}
	}
	for _, columns := range []int{60, 80, 100, 140} {
		text := tableOf(t, &b.run, Options{Width: columns})
		require.NotContains(t, text, "…", "%d columns", columns)
		blocks := 0
		for _, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "exactly-once ") {
				blocks++
			}
		}
		require.Equal(t, blocks, strings.Count(text, "\nat-least-once-after-processing "))
		for _, name := range names {
			require.Contains(t, text, "── "+name+" ")
		}
	}
}

func TestPromiseIsExplained(t *testing.T) {
	b := newBuild("promise", "paced")
	pace(b.trial(b.cell("careful", "at-least-once"), "paced"), 1, 2, 3)
	require.Contains(t, tableOf(t, &b.run, Options{}), "promise: whether the arm's guarantee held in every trial.\n")
	pace(b.trial(b.cell("none", "none"), "paced"), 1, 2, 3)
	b.cell("late", "at-least-once")
	b.run.Run.Finished, b.run.Run.TrialsPlanned = time.Time{}, 3
	text := tableOf(t, &b.run, Options{Width: 200})
	require.Contains(t, text, "; none: the arm guarantees nothing; –: it did not run.")
	require.Regexp(t, `late .* –\n`, text)
	require.Equal(t, "Not finished: 2 of 3 trials so far. The promise held; claims are judged at the end.", Verdict(&b.run))
	require.Equal(t, result.PromiseInconclusive, outcomeOf(&b.run))
}

func TestChartsAreInOrderAndNamed(t *testing.T) {
	run := &newBuild("order", "saturated", "crash", "crash-begun", "paced").run
	for _, arm := range []string{"b", "a"} {
		run.Cells = append(run.Cells, result.Cell{Name: arm, Arm: arm})
	}
	folder := fstest.MapFS{}
	want := []string{"throughput-saturated", "throughput-saturated-2", "losses", "losses-2", "latency-crash", "latency-crash-begun", "latency-paced",
		"timeline-b-crash", "timeline-a-crash", "timeline-b-crash-begun", "mine"}
	for _, name := range want {
		folder["charts/"+name+".svg"] = &fstest.MapFile{Data: []byte("<svg><g>not a title</g><title>late</title></svg>")}
	}
	all, err := figures(run, folder)
	require.NoError(t, err)
	var got []string
	for _, f := range all {
		got = append(got, stem(f.file))
		require.Equal(t, strings.ReplaceAll(stem(f.file), "-", " "), f.title, "without a title the file's name")
	}
	require.Equal(t, want, got)
	all, err = figures(run, charts())
	require.NoError(t, err)
	require.Equal(t, "Throughput chart: 0.6× the messages & less. Scenario <saturated>", all[0].alt())
}

func TestNothingHiddenInASteadyScenario(t *testing.T) {
	b := newBuild("steady", "paced")
	tr := b.trial(b.cell("arm", "none"), "paced")
	pace(tr, 100, 200, 300)
	require.NotContains(t, tableOf(t, &b.run, Options{}), "lost")
	tr.Verdict.Lost.Total = 7
	require.Regexp(t, `lost`, tableOf(t, &b.run, Options{}))
}

// A spotless record is given its worth where theory does not give the number.
func TestUpperBoundOnlyForInexactFaults(t *testing.T) {
	b := newBuild("bound", "crash")
	c := b.cell("arm", "at-least-once")
	for range 10 {
		strike(b.trial(c, "crash"), "kill broker", false, 0, 0, 0, 0)
	}
	// 1 − 0.05^(1/10) = 0.2589
	require.Contains(t, tableOf(t, &b.run, Options{Width: 200}), "at most 26 % of such faults violate")
	require.NotContains(t, tableOf(t, semantics(), Options{}), "of such faults violate")
}

// No line is ever wider than asked for, whatever the names and numbers are.
func TestTableFitsItsWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run := randomRun(t)
		columns := rapid.SampledFrom([]int{40, 60, 100, 100, 100, 140}).Draw(t, "width")
		for _, line := range strings.Split(tableOf(t, run, Options{Width: columns, Heading: true}), "\n") {
			if width(line) > columns {
				t.Fatalf("%d columns, at most %d: %q", width(line), columns, line)
			}
		}
		var page bytes.Buffer
		require.NoError(t, HTML(&page, run, nil))
		require.NoError(t, wellFormed(page.Bytes()))
	})
}

func randomRun(t *rapid.T) *result.Run {
	name := rapid.OneOf(rapid.StringN(0, 60, 200), rapid.StringMatching(`[a-z.-]{1,80}`), rapid.Just("consumer.commit.every"))
	scenarios := rapid.SliceOfNDistinct(name, 0, 5, rapid.ID[string]).Draw(t, "scenarios")
	axes := rapid.SliceOfNDistinct(name, 0, 8, rapid.ID[string]).Draw(t, "axes")
	b := newBuild(name.Draw(t, "profile"), scenarios...)
	b.run.Run.Interrupted = rapid.Bool().Draw(t, "interrupted")
	big := rapid.Int64Range(0, 1<<62)
	micros := rapid.Float64Range(0, 1e12)
	for range rapid.IntRange(0, 5).Draw(t, "cells") {
		var matrix []string
		for _, a := range axes {
			matrix = append(matrix, a, name.Draw(t, "value"))
		}
		c := b.cell(name.Draw(t, "arm"), rapid.SampledFrom([]string{"none", "at-least-once"}).Draw(t, "guarantee"), matrix...)
		b.run.Run.Baseline = c.Arm
		if rapid.IntRange(0, 5).Draw(t, "omit") == 0 {
			c.Omitted = name.Draw(t, "reason")
		}
		for _, s := range scenarios {
			what := rapid.IntRange(0, 3).Draw(t, "kind")
			for range rapid.IntRange(0, 7).Draw(t, "repeats") {
				tr := b.trial(c, s)
				tr.Status = rapid.SampledFrom([]result.Status{result.Completed, result.Completed, result.Failed, result.Omitted, result.Inconclusive}).Draw(t, "status")
				tr.Reason, tr.Warnings = name.Draw(t, "reason"), []string{name.Draw(t, "warning")}
				switch what {
				case 0:
					saturate(tr, micros.Draw(t, "speed"))
				case 1:
					pace(tr, micros.Draw(t, "p50"), micros.Draw(t, "p99"), micros.Draw(t, "p999"))
				default:
					strike(tr, rapid.SampledFrom([]string{"freeze ", "kill "}).Draw(t, "fault")+name.Draw(t, "who"), false,
						big.Draw(t, "lost"), big.Draw(t, "dups"), big.Draw(t, "lost"), big.Draw(t, "dups"))
				}
				tr.Verdict.Saturated, tr.Unrecorded = big.Draw(t, "saturated"), big.Draw(t, "unrecorded")
				tr.Generator.Limited, tr.Generator.Why = rapid.Bool().Draw(t, "limited"), name.Draw(t, "why")
			}
		}
	}
	for range rapid.IntRange(0, 20).Draw(t, "claims") {
		b.run.Claims = append(b.run.Claims, result.Claim{Cell: name.Draw(t, "c"), Scenario: name.Draw(t, "s"), Expression: name.Draw(t, "e"),
			Expected: name.Draw(t, "x"), Observed: name.Draw(t, "o"),
			Status: rapid.SampledFrom([]result.ClaimStatus{result.Met, result.NotMet, result.ClaimInconclusive}).Draw(t, "status")})
	}
	return &b.run
}

// wellFormed reads a page as strict XML: every element is closed where it must
// be, and every < and & is escaped.
func wellFormed(page []byte) error {
	d := xml.NewDecoder(bytes.NewReader(page))
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestPageIsWellFormedAndAlone(t *testing.T) {
	for name, run := range fixtures() {
		var page bytes.Buffer
		require.NoError(t, HTML(&page, run, charts()))
		require.NoError(t, wellFormed(page.Bytes()), name)
		require.NotRegexp(t, `(?i)(src|href|url)\s*[=(]\s*["']?(http|//|charts/)`, page.String(), name)
		require.Equal(t, 2, strings.Count(page.String(), "data:image/svg"), name)
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	var page, markdown bytes.Buffer
	require.NoError(t, HTML(&page, hostile(), fstest.MapFS{"charts/x\" onerror=alert(1).svg": {Data: []byte("<script>")}}))
	require.NotContains(t, page.String(), "<script")
	require.NotContains(t, page.String(), `" onerror`)
	require.NoError(t, Markdown(&markdown, hostile(), nil))
	// The command at the end stands in a code block, which shows its text as it is.
	body, code, _ := strings.Cut(markdown.String(), "## Run it again\n\n    ")
	require.NotContains(t, body, "<script")
	require.Equal(t, 1, strings.Count(code, "\n"))
	require.NotRegexp(t, `[^\\]\]\(javascript`, body)
	for _, out := range []string{page.String(), markdown.String(), tableOf(t, hostile(), Options{})} {
		require.NotContains(t, out, "\x1b")
	}
}

// failing is a writer without room.
type failing struct{ room int }

func (f *failing) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, fmt.Errorf("disk full")
	}
	return len(p), nil
}

func TestWriterErrorsAreReturned(t *testing.T) {
	run := semantics()
	require.ErrorContains(t, Table(&failing{100}, run, Options{}), "disk full")
	require.ErrorContains(t, Markdown(&failing{100}, run, nil), "disk full")
	require.ErrorContains(t, HTML(&failing{100}, run, nil), "disk full")
}

func TestReportsNeedNoKafkaClient(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "deliverybench/bench/result")
	for _, forbidden := range []string{"confluent", "franz-go"} {
		require.NotContains(t, string(out), forbidden)
	}
}

func TestCommandIsQuotedForAShell(t *testing.T) {
	run := empty()
	run.Run.Command = []string{"deliverybench", "-only", "a b", "it's", "$(rm -rf)", ""}
	require.Equal(t, `deliverybench -only 'a b' 'it'\''s' '$(rm -rf)' ''`, command(run))
}

func TestShortestTellsSettingsApart(t *testing.T) {
	names := []string{"consumer.commit.every", "producer.transaction.every", "producer.acks"}
	require.Equal(t, "commit.every", shortest(names[0], names))
	require.Equal(t, "acks", shortest(names[2], names))
	require.Equal(t, "every", shortest("every", []string{"every", "commit.every"}))
}

func TestPercentilesOfMessagesThatNeverArrived(t *testing.T) {
	run := trouble()
	require.Contains(t, tableOf(t, run, Options{}), "> 10 min")
}

func TestVerdictRowsNameEveryNonZeroCell(t *testing.T) {
	tr := &result.Trial{Verdict: &ledger.Verdict{Due: 3, Reordered: 2, Table: map[string]int64{"acked/absent/unprocessed": 1, "acked/present/processed": 0}}}
	require.Contains(t, verdictRows(tr), [2]string{"reordered", "2"})
	require.Contains(t, verdictRows(tr), [2]string{"acked, absent, unprocessed", "1"})
	require.NotContains(t, verdictRows(tr), [2]string{"acked, present, processed", "0"})
}
