package claim

import (
	"math"

	"deliverybench/bench/result"
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

// Write writes a number as its metric is read: "500", "39 ms", "212k/s".
func Write(value float64, metric string) string {
	m, _ := findMetric(metric)
	return write(value, m.unit)
}

// Demands reports whether a trial in which nothing goes wrong fails the claim:
// nothing lost, doubled, aborted or reordered, and every speed and latency as
// the baseline's. Claims that demand nothing cannot tell a fault that strikes
// from one that does not.
func (e Expr) Demands() bool {
	switch {
	case e.source == fromPromise:
		return e.promise == result.Violated && e.op == "=="
	case e.source == fromBaseline:
		return !e.holds(1, e.factor)
	case !e.metric.grows && e.metric.name != "unknown" && e.metric.name != "unknown_absent" && e.metric.name != "rejected":
		return false
	case e.source == fromQuantity:
		return !e.holds(0, e.quantity)
	}
	return !e.holds(0, math.Max(e.factor, 1)) // a setting, a prediction, a share of the messages: some
}
