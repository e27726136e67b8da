package result

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// WriteBench writes the run in the Go benchmark format, one line per completed
// trial, so that benchstat compares cells within a run (-col /arm) and runs
// with each other:
//
//	BenchmarkSemantics/arm=at-most-once/scenario=saturated-2 1 4716.98 ns/msg 212000 msg/s 39000 p50-us …
//
// The number after the last dash is the machine's processors. Trials without a
// verdict have no line: their numbers mean something else.
//
// Format: https://go.dev/design/14313-benchmark-format
func WriteBench(w io.Writer, run *Run) error {
	out := bufio.NewWriter(w)
	for _, kv := range benchConfig(run) {
		if value := oneLine(kv[1]); value != "" {
			fmt.Fprintf(out, "%s: %s\n", kv[0], value)
		}
	}
	for _, unit := range []string{"msg/s", "B/s"} {
		fmt.Fprintf(out, "Unit %s better=higher\n", unit)
	}
	fmt.Fprintln(out)
	for i := range run.Cells {
		c := &run.Cells[i]
		for _, scenario := range c.Scenarios(run) {
			name := benchName(run, c, scenario)
			for _, t := range c.InScenario(scenario) {
				if t.Status == Completed && t.Verdict != nil {
					fmt.Fprintf(out, "%s 1%s\n", name, benchValues(t))
				}
			}
		}
	}
	return out.Flush()
}

func benchConfig(run *Run) [][2]string {
	e := run.Environment
	return [][2]string{
		{"profile", run.Run.Profile},
		{"profile-sha256", run.Run.ProfileSHA256},
		{"run", run.Run.ID},
		{"seed", strconv.FormatUint(run.Run.Seed, 10)},
		{"version", run.Run.Version},
		{"broker", e.Broker.Kind},
		{"broker-version", e.Broker.Version},
		{"broker-nodes", strconv.Itoa(e.Broker.Nodes)},
		{"client", e.Client},
		{"librdkafka", e.Librdkafka},
		{"go", e.Go},
		{"os", e.OS},
		{"cpu", e.CPU},
	}
}

// benchName is the benchmark's name: BenchmarkProfile/key=value/…-processors.
func benchName(run *Run, c *Cell, scenario string) string {
	var b strings.Builder
	b.WriteString("Benchmark" + camelCase(run.Run.Profile))
	part := func(key, value string) {
		b.WriteString("/" + namePart(key) + "=" + namePart(value))
	}
	part("arm", c.Arm)
	for _, setting := range slices.Sorted(maps.Keys(c.Matrix)) {
		part(setting, c.Matrix[setting])
	}
	part("scenario", scenario)
	// Written always: without it a scenario called "load-2" would be read as 2 processors.
	fmt.Fprintf(&b, "-%d", max(run.Environment.Cores, 1))
	return b.String()
}

// benchValues are the pairs of number and unit of one trial.
func benchValues(t *Trial) string {
	var b strings.Builder
	pair := func(value float64, unit string) { fmt.Fprintf(&b, " %s %s", number(value), unit) }
	p := t.Throughput
	if p.PipelinePerSecond > 0 {
		pair(1e9/p.PipelinePerSecond, "ns/msg")
	}
	if p.WindowSeconds > 0 {
		pair(p.PipelinePerSecond, "msg/s")
		pair(p.BytesPerSecond, "B/s")
	}
	for _, role := range Roles() {
		s, ok := t.Latency[role]
		if !ok || s.Count == 0 {
			continue
		}
		prefix := strings.ReplaceAll(role, "_", "-") + "-"
		if role == EndToEnd { // what "latency" means unless something else is said
			prefix = ""
		}
		pair(s.P50, prefix+"p50-us")
		pair(s.P99, prefix+"p99-us")
		pair(s.P999, prefix+"p999-us")
		pair(s.Max, prefix+"max-us")
	}
	pair(float64(t.Verdict.Lost.Total), "lost-msgs")
	pair(float64(t.Verdict.Duplicates.Total), "duplicate-effects")
	return b.String()
}

// camelCase turns "acks-and-replicas" into "AcksAndReplicas".
func camelCase(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, word := range words {
		runes := []rune(word)
		runes[0] = unicode.ToUpper(runes[0])
		words[i] = string(runes)
	}
	return strings.Join(words, "")
}

// namePart keeps what separates the parts of a benchmark's name out of them.
func namePart(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '=' || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, s)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
