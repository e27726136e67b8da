package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// layout is the order of the packages: each imports only what stands before
// it. A new package takes its place here and in docs/DESIGN.md.
var layout = []string{
	"profile", "pace", "message", "latency", "ledger", "fault", "stats", "result", "claim", "comparison", "capacity", "catalogue", "chart", "report",
	"client", "process", "scratch", "broker", "sink", "worker", "trial", "suite", "metrics",
}

const (
	ours        = "deliverybench/bench"
	kafkaClient = "github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// goList returns for each package what the template's words say of it.
func goList(t *testing.T, words string, patterns ...string) map[string][]string {
	t.Helper()
	command := exec.Command("go", append([]string{"list", "-f", "{{.ImportPath}} {{join " + words + ` " "}}`}, patterns...)...)
	command.Stderr = os.Stderr
	text, err := command.Output()
	require.NoError(t, err)
	found := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		found[fields[0]] = fields[1:]
	}
	return found
}

func TestEachPackageImportsOnlyThoseBeforeIt(t *testing.T) {
	for path, imports := range goList(t, ".Imports", "./...") {
		name := strings.TrimPrefix(strings.TrimPrefix(path, ours), "/")
		place := len(layout) // the program itself may import all
		if name != "" {
			// A package below another belongs to it: fault/wire to fault.
			above, _, _ := strings.Cut(name, "/")
			place = slices.Index(layout, above)
			require.GreaterOrEqual(t, place, 0, "give the package %s its place in layout", name)
		}
		for _, imported := range imports {
			other, isOurs := strings.CutPrefix(imported, ours+"/")
			if !isOurs {
				continue
			}
			above, _, _ := strings.Cut(other, "/")
			same := strings.HasPrefix(name+"/", above+"/")
			require.True(t, same || slices.Index(layout, above) < place, "%s imports %s, which stands after it in the layout", path, imported)
		}
	}
}

func TestOnlyTheClientPackageImportsTheKafkaClient(t *testing.T) {
	for path, imports := range goList(t, ".Imports", "deliverybench/...") {
		require.Equal(t, path == ours+"/client", slices.Contains(imports, kafkaClient), path)
	}
}

// Results outlive the machine that made them: reading and drawing them needs
// no Kafka client, no C compiler, and touches nothing that runs.
func TestReportsNeedNoKafkaClient(t *testing.T) {
	deps := goList(t, ".Deps", "./report", "./chart")
	require.Len(t, deps, 2)
	for path, all := range deps {
		require.NotContains(t, all, kafkaClient, path)
		require.NotContains(t, all, ours+"/client", path)
	}
	build := exec.Command("go", "build", "./report", "./chart")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
}

func TestResultsHoldNothingLive(t *testing.T) {
	imports := goList(t, ".Imports", "./result")[ours+"/result"]
	deps := goList(t, ".Deps", "./result")[ours+"/result"]
	for _, live := range []string{"os/exec", "os/signal", "net", "net/http"} {
		require.NotContains(t, imports, live)
	}
	for _, live := range []string{"client", "process", "scratch", "broker", "sink", "worker", "trial", "suite"} {
		require.NotContains(t, deps, ours+"/"+live)
	}
}
