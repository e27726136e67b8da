package metrics_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/metrics"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
	"deliverybench/bench/trial"
)

func scrape(t *testing.T, s *metrics.Server) string {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	r, err := client.Get(s.URL())
	require.NoError(t, err)
	defer r.Body.Close()
	require.Equal(t, http.StatusOK, r.StatusCode)
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(text)
}

func listen(t *testing.T) *metrics.Server {
	t.Helper()
	s, err := metrics.Listen("0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// lines are those of a scrape that begin so.
func lines(text, prefix string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

// What a run's progress is told is what Prometheus reads, in base units; a trial
// that is done is under way no more, and its losses stay counted.
func TestARunIsTold(t *testing.T) {
	s := listen(t)
	run := &result.Run{Run: result.Header{ID: "orders-20261121T101500Z", Profile: "orders", Version: "v1"}}
	run.Environment.Broker = result.Broker{Kind: "local3", Version: "4.3.1"}
	s.Begin(run, &profile.Plan{Trials: make([]profile.Trial, 3)})
	one := profile.Trial{ID: "001-a-crash-1", Cell: "a", Scenario: "crash", Repeat: 1}
	s.Trial(0, one)
	s.Observe(trial.Snapshot{Phase: "measuring", Produced: 1200, Effects: 1100, P99: 15 * time.Millisecond, Faults: []string{"kill consumer at mid-batch: fired"}})
	text := scrape(t, s)
	for _, want := range []string{
		`deliverybench_run_info{broker="local3",broker_version="4.3.1",profile="orders",run="orders-20261121T101500Z",version="v1"} 1`,
		"deliverybench_trials_planned 3",
		`deliverybench_trial_running{cell="a",phase="measuring",repeat="1",scenario="crash",trial="001-a-crash-1"} 1`,
		"deliverybench_trial_produced_messages 1200",
		"deliverybench_trial_effects 1100",
		"deliverybench_trial_end_to_end_p99_seconds 0.015",
		`deliverybench_trial_fault{fault="kill consumer at mid-batch",state="fired"} 1`,
	} {
		require.Contains(t, text, want+"\n")
	}
	require.Len(t, lines(text, "deliverybench_trial_running{"), 1, "no phase that is over")

	for repeat := range 2 {
		s.Done(repeat, one, result.Trial{
			Status: result.Completed, Promise: result.Violated,
			Verdict:    &ledger.Verdict{Lost: ledger.Lost{Total: 500}, Duplicates: ledger.Dups{Total: 7}},
			Throughput: result.Throughput{PipelinePerSecond: 20000, WindowSeconds: 1},
			Latency: map[string]latency.Summary{
				result.EndToEnd: {Count: 10, P50: 1500, P90: 2500, P99: 3500, P999: stats.OverRange, Max: stats.OverRange}, result.Ack: {},
			},
		})
	}
	s.Done(2, one, result.Trial{Status: result.Failed})
	text = scrape(t, s)
	require.Empty(t, lines(text, "deliverybench_trial_running{"))
	require.Empty(t, lines(text, "deliverybench_trial_fault{"))
	require.Contains(t, text, "deliverybench_trial_end_to_end_p99_seconds NaN\n")
	for _, want := range []string{
		`deliverybench_trials_finished_total{status="completed"} 2`,
		`deliverybench_trials_finished_total{status="failed"} 1`,
		`deliverybench_promises_total{cell="a",promise="violated",scenario="crash"} 2`,
		`deliverybench_lost_messages_total{cell="a",scenario="crash"} 1000`,
		`deliverybench_duplicate_effects_total{cell="a",scenario="crash"} 14`,
		`deliverybench_throughput_messages_per_second{cell="a",scenario="crash"} 20000`,
		`deliverybench_latency_seconds{cell="a",percentile="99",role="end_to_end",scenario="crash"} 0.0035`,
		`deliverybench_latency_seconds{cell="a",percentile="99.9",role="end_to_end",scenario="crash"} +Inf`,
	} {
		require.Contains(t, text, want+"\n")
	}
	require.Empty(t, lines(text, `deliverybench_latency_seconds{cell="a",percentile="50",role="ack"`), "nothing was measured")

	problems, err := promlint.New(strings.NewReader(text)).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestWhereItListens(t *testing.T) {
	s := listen(t)
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/metrics$`, s.URL(), "the loopback interface alone")
	client := http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	r, err := client.Get(strings.TrimSuffix(s.URL(), "metrics"))
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	require.Equal(t, http.StatusNotFound, r.StatusCode)

	taken := strings.TrimSuffix(strings.TrimPrefix(s.URL(), "http://"), "/metrics")
	_, err = metrics.Listen(taken)
	require.ErrorContains(t, err, "address already in use; name another port, or 0 for any that is free")
	for _, wrong := range []string{"", "127.0.0.1:", "a:b:c"} {
		_, err = metrics.Listen(wrong)
		require.ErrorContains(t, err, "is no address: write a port, such as 9100, or HOST:PORT", wrong)
	}
	_, err = metrics.Listen("port")
	require.Error(t, err)
}

// The dashboard asks for nothing that is not told.
func TestTheDashboardsMetricsAreThere(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "docs", "grafana-dashboard.json"))
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(source, &dashboard))
	require.NotEmpty(t, dashboard.Panels)
	s := listen(t)
	one := profile.Trial{Cell: "a", Scenario: "crash", Repeat: 1}
	s.Begin(&result.Run{}, &profile.Plan{})
	s.Done(0, one, result.Trial{Status: result.Completed, Verdict: &ledger.Verdict{}, Latency: map[string]latency.Summary{result.EndToEnd: {Count: 1}}})
	s.Trial(1, one)
	s.Observe(trial.Snapshot{Faults: []string{"kill consumer: armed"}})
	text := scrape(t, s)
	asked := map[string]bool{}
	for _, panel := range dashboard.Panels {
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			for _, name := range regexp.MustCompile(`deliverybench_\w+`).FindAllString(target.Expr, -1) {
				require.NotEmpty(t, lines(text, name), "%s asks for %s", panel.Title, name)
				asked[name] = true
			}
		}
	}
	for _, line := range lines(text, "# TYPE ") {
		name := strings.Fields(line)[2]
		require.True(t, asked[name] || name == "deliverybench_run_info", "no panel shows %s", name)
	}
}
