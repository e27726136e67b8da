package claim

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Read returns a number of a trial by its metric's name; ok is false when the
// trial has none, or there is no such metric.
func Read(t *result.Trial, metric string) (value float64, ok bool) {
	m, known := findMetric(metric)
	if !known || m.read == nil {
		return 0, false
	}
	return m.read(t)
}

// Values are a metric's of the trials that have it.
func Values(trials []*result.Trial, metric string) (values []float64) {
	m, known := findMetric(metric)
	if !known || m.read == nil {
		return nil
	}
	for _, t := range trials {
		if v, has := m.read(t); has {
			values = append(values, v)
		}
	}
	return values
}

// Known returns an error with the nearest name where no number of a trial is
// called so.
func Known(metric string) error {
	if m, known := findMetric(metric); !known || m.read == nil {
		return fmt.Errorf("no metric %q: the nearest is %s", metric, nearest(metric, Metrics()))
	}
	return nil
}

// Counted reports whether a metric is a count, exact in every trial; others are
// measured, and compared by their medians.
func Counted(metric string) bool {
	m, _ := findMetric(metric)
	return m.unit.perTrial()
}

// Grows reports whether what is still unsure of a trial can only add to a count, so
// that of an inconclusive trial it is a lower bound.
func Grows(metric string) bool {
	m, _ := findMetric(metric)
	return m.grows
}

// MoreIsBetter reports whether a metric is a speed; of all others less is.
func MoreIsBetter(metric string) bool {
	m, _ := findMetric(metric)
	return m.unit == perSecond || m.unit == bytesPerSecond
}

// Text writes a number of a metric with its unit: "500", "39 ms", "20,000/s".
func Text(metric string, value float64) string {
	m, _ := findMetric(metric)
	return write(value, m.unit)
}

// Median is the middle of a metric's values; a latency's is over range as soon as
// one in its middle is.
func Median(metric string, values []float64) float64 {
	m, _ := findMetric(metric)
	return group{expr: Expr{metric: m}}.median(values)
}

// Compare sets a metric's values beside a baseline's. Of counts there is no ratio, nor
// of what is over range.
func Compare(metric string, values, baseline []float64) stats.Comparison {
	m, _ := findMetric(metric)
	return m.compare(values, baseline)
}

func (m metric) compare(values, baseline []float64) stats.Comparison {
	switch {
	case m.unit == micros:
		return stats.CompareLatencies(values, baseline)
	case m.unit.perTrial():
		return stats.CompareCounts(values, baseline)
	}
	return stats.Compare(values, baseline)
}

// Observed writes what trials say of a metric: "500", "39 ms–1.2 s", "held or
// violated". It is "" when none says anything.
func Observed(trials []*result.Trial, metric string) string {
	m, known := findMetric(metric)
	if known && m.unit == outcome {
		return promises(trials)
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, t := range trials {
		if v, ok := Read(t, metric); ok {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		return ""
	}
	return stats.Between(write(lo, m.unit), write(hi, m.unit))
}

func promises(trials []*result.Trial) string {
	found := map[string]bool{}
	for _, t := range trials {
		if t.Promise != "" {
			found[string(t.Promise)] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), " or ")
}

// Demands reports whether a trial in which nothing goes wrong fails the claim:
// nothing lost, doubled, aborted or reordered, and every speed and latency as
// the baseline's. Claims that demand nothing cannot tell a fault that strikes
// from one that does not.
func (e Expr) Demands() bool {
	switch {
	case e.source == fromPromise:
		return (e.promise == result.Violated && e.op == "==") || (e.promise == result.Held && e.op == "!=")
	case e.source == fromBaseline:
		return !e.holds(1, e.factor)
	case !e.metric.grows && e.metric.name != "unknown" && e.metric.name != "unknown_absent" && e.metric.name != "rejected":
		return false
	case e.source == fromQuantity, e.source == fromDue: // a share of some messages
		return !e.holds(0, e.quantity)
	}
	return !e.holds(0, e.factor) // times a setting, a prediction, another count: some
}

// DemandsOf is Demands for a trial that ran: a prediction or another count with
// which the claim compares may be none. What cannot be read is the claim's to tell.
func (e Expr) DemandsOf(t *result.Trial) bool {
	if !e.Demands() || (e.source != fromPredicted && e.source != fromCount) {
		return e.Demands()
	}
	want, err := group{expr: e}.expected(t)
	return err != nil || !e.holds(0, want)
}

// Judge tells whether one trial meets an expression: a speed or latency by this
// trial alone.
func Judge(run *result.Run, cell *result.Cell, trial *result.Trial, expression string) result.Claim {
	return group{run: run, cell: cell, scenario: trial.Scenario, trials: []*result.Trial{trial}}.judge(expression)
}

// Bound returns the number with which the expression compares, in the metric's
// unit (microseconds of a latency); ok is false when it is known only of a trial.
func (e Expr) Bound() (value float64, ok bool) {
	return e.quantity, e.source == fromQuantity
}

// IsLatency reports whether a metric is a latency of messages, in microseconds.
func IsLatency(metric string) bool {
	role, field, _ := strings.Cut(metric, ".")
	return slices.Contains(result.Roles(), role) && slices.Contains([]string{"p50", "p90", "p99", "p999", "max", "mean"}, field)
}

// Beyond is the share of the messages that lie beyond a metric's percentile:
// 0.01 of end_to_end.p99. It is 0 of what is no percentile.
func Beyond(metric string) float64 {
	if !IsLatency(metric) {
		return 0
	}
	_, field, _ := strings.Cut(metric, ".")
	return map[string]float64{"p50": 0.5, "p90": 0.1, "p99": 0.01, "p999": 0.001}[field]
}
