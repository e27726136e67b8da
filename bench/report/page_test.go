package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/chart"
	"deliverybench/bench/result"
)

func pageOf(t *testing.T, run *result.Run) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, HTML(&b, run, charts()))
	return b.String()
}

// A part of a run is run again as the run was, with its seed, and never into it.
func TestTheCommandThatRunsAPartAgain(t *testing.T) {
	for _, c := range []struct{ command, want string }{
		{"bench -profile p.yaml", "bench -profile p.yaml -only ^a/ -seed 7"},
		{"bench run p.yaml --set repeats=1", "bench run p.yaml --set repeats=1 -only ^a/ -seed 7"},
		{"bench -only b -profile p.yaml -seed 3 -resume results/x", "bench -profile p.yaml -only ^a/ -seed 7"},
		{"bench -only=b --seed=3 -resume=results/x -profile=p.yaml", "bench -profile=p.yaml -only ^a/ -seed 7"},
		{"bench -profile p.yaml -only", "bench -profile p.yaml -only ^a/ -seed 7"},
		{"", "bench -profile empty -only ^a/ -seed 7"},
	} {
		run := empty()
		run.Run.Command = strings.Fields(c.command)
		require.Equal(t, strings.ReplaceAll(c.want, "^a/", "'^a/'"), again(run, "^a/"), c.command)
	}
}

// What is in the expression is the cell's name, not an expression itself.
func TestTheCommandNamesItsCellAlone(t *testing.T) {
	b := newBuild("dots", "s.1")
	pace(b.trial(b.cell("a.b(c)", "none"), "s.1"), 1, 2, 3)
	d := cellDetail(&b.run, &b.run.Cells[0], 0)
	require.Contains(t, d.Command, `-only '^a\.b\(c\)/'`)
	require.Contains(t, d.Scenarios[0].Command, `-only '^a\.b\(c\)/s\.1$'`)
}

// One trial is led to directly, several by the table of their repeats.
func TestWhereACountLeads(t *testing.T) {
	b := newBuild("counts", "crash")
	c := b.cell("arm", "at-least-once")
	strike(b.trial(c, "crash"), "kill consumer", true, 0, 5, 0, 5)
	require.Equal(t, "trial-001-arm-crash-1", countAnchor(0, "crash", c.InScenario("crash")))
	failed := b.trial(c, "crash")
	failed.Status, failed.Verdict = result.Failed, nil
	require.Equal(t, "trial-001-arm-crash-1", countAnchor(0, "crash", c.InScenario("crash")), "the one that was counted")
	strike(b.trial(c, "crash"), "kill consumer", true, 0, 5, 0, 7)
	require.Equal(t, "cell-1-crash", countAnchor(0, "crash", c.InScenario("crash")))
	b.cell("other", "none") // one row alone is not sorted
	page := pageOf(t, &b.run)
	require.Contains(t, page, `<td data-value="7"><a href="#cell-1-crash">5–7</a></td>`)
	require.Contains(t, page, `<h4 id="cell-1-crash">`)
	require.Contains(t, page, `<td><a href="#trial-003-arm-crash-3">7</a></td>`, "in the table of repeats")
}

// Each table and list of a page leads to what there is.
func TestEveryLinkOfAPageHasItsTarget(t *testing.T) {
	link, id := regexp.MustCompile(`href="#([^"]*)"`), regexp.MustCompile(` id="([^"]*)"`)
	for name, run := range fixtures() {
		page := pageOf(t, run)
		there := map[string]int{}
		for _, m := range id.FindAllStringSubmatch(page, -1) {
			there[html.UnescapeString(m[1])]++
		}
		for target, n := range there {
			require.Equal(t, 1, n, "%s: #%s", name, target)
		}
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			require.Contains(t, there, html.UnescapeString(m[1]), name)
		}
	}
}

// Faults stand with their own predictions, beside what came of all of them.
func TestPredictedBesideObserved(t *testing.T) {
	b := newBuild("beside", "crash")
	tr := b.trial(b.cell("arm", "none"), "crash")
	strike(tr, "kill consumer", true, 3, 0, 3, 0)
	strike(tr, "isolate leader", false, 10_000, 0, 10_004, 0)
	tr.Faults[1].Fired, tr.Faults[1].Recovered = nil, nil
	table := faultsOf(tr)
	require.Equal(t, []string{"lost", "duplicates"}, table.Kinds)
	require.Equal(t, []string{"10,004", "0"}, table.Observed)
	require.Equal(t, pageFault{"kill consumer", "1.0 s", "1.2 s", "1.5 s", []string{"3", "0"}}, table.Faults[0])
	require.Equal(t, pageFault{"isolate leader", "1.0 s", "never", "never", []string{"≈ 10,000", "≈ 0"}}, table.Faults[1])
	require.Contains(t, pageOf(t, &b.run), `<td>3</td><td rowspan="2">10,004</td><td>0</td><td rowspan="2">0</td>`)

	rows := int64(9)
	tr.Faults[0].Predicted.RowsWithoutMessage = &rows
	tr.Database = &result.Database{Outbox: &result.Outbox{RowsWithoutMessage: 8}}
	table = faultsOf(tr)
	require.Equal(t, []string{"lost", "duplicates", "rows alone"}, table.Kinds)
	require.Equal(t, []string{"3", "0", "9"}, table.Faults[0].Predicted)
	require.Equal(t, []string{"≈ 10,000", "≈ 0", "–"}, table.Faults[1].Predicted)
	require.Equal(t, "8", table.Observed[2])

	tr.Verdict = nil
	require.Equal(t, []string{"–", "–", "–"}, faultsOf(tr).Observed)
	require.Nil(t, faultsOf(&result.Trial{}))
}

// The policy's hashes are those of what stands in the page, byte for byte.
func TestThePolicyIsOfThisPage(t *testing.T) {
	for name, run := range fixtures() {
		page := pageOf(t, run)
		policy := html.UnescapeString(regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)[1])
		for _, part := range []string{"script", "style"} {
			_, text, _ := strings.Cut(page, "<"+part+">")
			text, _, _ = strings.Cut(text, "</"+part+">")
			sum := sha256.Sum256([]byte(text))
			require.Contains(t, policy, part+"-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';", name)
			require.Equal(t, 1, strings.Count(page, "<"+part), name)
		}
		require.Contains(t, policy, "default-src 'none';")
		require.NotContains(t, policy, "unsafe")
		require.NotRegexp(t, ` style="`, page, name)
	}
}

// A chart taken along says whose numbers it shows, and how to get them.
func TestAChartInMarkdown(t *testing.T) {
	run := semantics()
	all, err := figures(run, charts())
	require.NoError(t, err)
	require.Equal(t, `![Throughput chart: 0.6× the messages &amp; less. Scenario &lt;saturated&gt;](charts/throughput.svg)

**0.6× the messages &amp; less**  
Scenario &lt;saturated&gt;

Broker: embedded, kfake, 1 node, on the machine of the load; Client: confluent-kafka-go v2.15.0, librdkafka 2.15.0; `+
		`Machine: Example CPU @ 3.00GHz, 2 cores, 8 GiB; Started: 2026-11-21 10:15 UTC, took 118 s; Seed: 7.

    deliverybench -profile semantics.yaml
`, snippet(run, all[0]))
	require.Equal(t, "A chart: mine", all[2].alt(), "somebody's own")
}

// Every colour that a chart of ours can have has its dark one in the page.
func TestDarkStyle(t *testing.T) {
	colours := chart.DarkColours()
	require.NotEmpty(t, colours)
	style := darkStyle(colours)
	for light, dark := range colours {
		require.Contains(t, style, fmt.Sprintf("svg [fill=%q]{fill:%s}\n", light, dark))
		require.Contains(t, style, fmt.Sprintf("svg [stroke=%q]{stroke:%s}\n", light, dark))
	}
	require.True(t, strings.HasPrefix(style, "@media screen and (prefers-color-scheme: dark) {"))
	require.Empty(t, darkStyle(nil))
}
