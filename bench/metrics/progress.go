package metrics

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"deliverybench/bench/latency"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
	"deliverybench/bench/suite"
	"deliverybench/bench/trial"
)

// Progress is a run as Prometheus sees it. Its methods are those of suite.Progress.
type Progress struct {
	registry *prometheus.Registry

	run, running, fault           *prometheus.GaugeVec
	planned                       prometheus.Gauge
	produced, effects, runningP99 prometheus.Gauge
	finished, promises            *prometheus.CounterVec
	lost, duplicates              *prometheus.CounterVec
	throughput, latency           *prometheus.GaugeVec
	underWay                      profile.Trial
}

var _ suite.Progress = (*Progress)(nil)

// NewProgress has no run yet.
func NewProgress() *Progress {
	p := &Progress{registry: prometheus.NewRegistry()}
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "deliverybench", Name: name, Help: help}, labels)
		p.registry.MustRegister(v)
		return v
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "deliverybench", Name: name, Help: help}, labels)
		p.registry.MustRegister(v)
		return v
	}
	one := func(name, help string) prometheus.Gauge { return gauges(name, help).WithLabelValues() }
	p.run = gauges("run_info", "The run in progress; always 1.", "run", "profile", "broker", "broker_version", "version")
	p.planned = one("trials_planned", "Trials that the run's plan holds.")
	p.finished = counters("trials_finished_total", "Trials that are done, by how they ended.", "status")
	p.running = gauges("trial_running", "The trial under way; always 1.", "trial", "cell", "scenario", "repeat", "phase")
	p.fault = gauges("trial_fault", "Faults of the trial under way; always 1.", "fault", "state")
	p.produced = one("trial_produced_messages", "Messages that the trial under way has produced.")
	p.effects = one("trial_effects", "Effects that the trial under way has had.")
	p.runningP99 = one("trial_end_to_end_p99_seconds", "99th percentile of the last interval of the trial under way; NaN where there is none.")
	p.promises = counters("promises_total", "Trials by what became of their guarantee.", "cell", "scenario", "promise")
	p.lost = counters("lost_messages_total", "Acknowledged messages without an effect, in finished trials.", "cell", "scenario")
	p.duplicates = counters("duplicate_effects_total", "Effects beyond a message's first, in finished trials.", "cell", "scenario")
	p.throughput = gauges("throughput_messages_per_second", "Pipeline throughput of the last finished trial.", "cell", "scenario")
	p.latency = gauges("latency_seconds", "Latency of the last finished trial; +Inf is over range.", "cell", "scenario", "role", "percentile")
	return p
}

// Begin is told of each run of a suite; the counters go on.
func (p *Progress) Begin(run *result.Run, plan *profile.Plan) {
	b := run.Environment.Broker
	p.run.Reset()
	p.run.WithLabelValues(run.Run.ID, run.Run.Profile, b.Kind, b.Version, run.Run.Version).Set(1)
	p.planned.Set(float64(len(plan.Trials)))
}

// Trial begins the numbers of the trial under way anew.
func (p *Progress) Trial(_ int, t profile.Trial) {
	p.underWay = t
	p.Observe(trial.Snapshot{Phase: "starting"})
}

// Observe shows how the trial goes.
func (p *Progress) Observe(s trial.Snapshot) {
	t := p.underWay
	p.running.Reset()
	p.running.WithLabelValues(t.ID, t.Cell, t.Scenario, fmt.Sprint(t.Repeat), s.Phase).Set(1)
	p.produced.Set(float64(s.Produced))
	p.effects.Set(float64(s.Effects))
	p.runningP99.Set(secondsOrNaN(s.P99))
	p.fault.Reset()
	for _, f := range s.Faults {
		name, state, _ := strings.Cut(f, ": ")
		p.fault.WithLabelValues(name, state).Set(1)
	}
}

// Done adds what became of a trial.
func (p *Progress) Done(_ int, t profile.Trial, r result.Trial) {
	p.rest()
	p.finished.WithLabelValues(string(r.Status)).Inc()
	if r.Verdict == nil {
		return
	}
	p.promises.WithLabelValues(t.Cell, t.Scenario, string(r.Promise)).Inc()
	p.lost.WithLabelValues(t.Cell, t.Scenario).Add(float64(r.Verdict.Lost.Total))
	p.duplicates.WithLabelValues(t.Cell, t.Scenario).Add(float64(r.Verdict.Duplicates.Total))
	p.throughput.WithLabelValues(t.Cell, t.Scenario).Set(r.Throughput.PipelinePerSecond)
	for role, s := range r.Latency {
		for percentile, micros := range percentiles(s) {
			p.latency.WithLabelValues(t.Cell, t.Scenario, role, percentile).Set(seconds(micros))
		}
	}
}

// rest is no trial under way.
func (p *Progress) rest() {
	p.running.Reset()
	p.fault.Reset()
	p.produced.Set(0)
	p.effects.Set(0)
	p.runningP99.Set(secondsOrNaN(0))
}

// percentiles are a summary's, in microseconds; none of no values.
func percentiles(s latency.Summary) map[string]float64 {
	if s.Count+s.Over == 0 {
		return nil
	}
	return map[string]float64{"50": s.P50, "90": s.P90, "99": s.P99, "99.9": s.P999, "100": s.Max}
}

// Doing tells nothing.
func (p *Progress) Doing(string) {}

// End tells nothing: the last numbers stay until the program ends.
func (p *Progress) End() {}

// seconds of microseconds; what is over range has no number.
func seconds(micros float64) float64 {
	if micros >= stats.OverRange {
		return math.Inf(1)
	}
	return micros / 1e6
}

// secondsOrNaN is for a latency of which 0 is unknown.
func secondsOrNaN(d time.Duration) float64 {
	if d == 0 {
		return math.NaN()
	}
	return d.Seconds()
}
