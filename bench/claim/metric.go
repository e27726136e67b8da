package claim

import (
	"slices"
	"sort"
	"strings"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/result"
)

// unit is what a metric is counted in, and so what its claim's value must be.
type unit int

const (
	counts         unit = iota // messages
	perSecond                  // messages per second
	bytesPerSecond             // bytes per second
	micros                     // microseconds
	share                      // part of a whole
	outcome                    // held, violated, …
)

func (u unit) example() string {
	return [...]string{"500", "20000/s", "10MiB/s", "50ms", "80%", "held"}[u]
}

// perTrial metrics must agree in every trial; the others are judged by their median.
func (u unit) perTrial() bool { return u == counts || u == outcome }

// metric is one number of a trial. read reports false when the trial has none.
type metric struct {
	name string
	unit unit
	// grows says that whatever is unsure of a trial can only add to the number:
	// a message that is lost stays lost.
	grows bool
	read  func(*result.Trial) (float64, bool)
}

// metrics returns every number of a trial by its short name.
func metrics() []metric {
	list := countedMetrics()
	for _, role := range latencyRoles() {
		list = append(list, latencyMetrics(role)...)
	}
	return list
}

// countedMetrics are those that are no latency.
func countedMetrics() []metric {
	list := verdictMetrics()
	list = append(list, metric{name: "promise", unit: outcome})
	list = append(list, throughputMetrics()...)
	list = append(list, backlogMetrics()...)
	return append(list, databaseMetrics()...)
}

// latencyRoles begin the names of latencies, and of no other metric.
func latencyRoles() []string {
	return []string{
		result.Ack, result.AckService, result.EndToEnd, result.EndToEndService,
		result.CommitLatency, result.TransactionVisible, result.Durable, result.SendLag,
	}
}

func verdictMetrics() []metric {
	of := func(name string, get func(*ledger.Verdict) int64) metric {
		return metric{name: name, unit: counts, read: func(t *result.Trial) (float64, bool) {
			if t.Verdict == nil {
				return 0, false
			}
			return float64(get(t.Verdict)), true
		}}
	}
	proven := func(name string, get func(*ledger.Verdict) int64) metric {
		m := of(name, get)
		m.grows = true
		return m
	}
	return []metric{
		of("due", func(v *ledger.Verdict) int64 { return v.Due }),
		of("not_sent", func(v *ledger.Verdict) int64 { return v.NotSent }),
		of("sent", func(v *ledger.Verdict) int64 { return v.Sent }),
		of("acked", func(v *ledger.Verdict) int64 { return v.Acked }),
		of("rejected", func(v *ledger.Verdict) int64 { return v.Rejected }),
		of("unknown", func(v *ledger.Verdict) int64 { return v.Unknown }),
		of("unknown_absent", func(v *ledger.Verdict) int64 { return v.UnknownAbsent }),
		of("aborted", func(v *ledger.Verdict) int64 { return v.Aborted }),
		proven("aborted_delivered", func(v *ledger.Verdict) int64 { return v.AbortedDelivered }),
		proven("lost", func(v *ledger.Verdict) int64 { return v.Lost.Total }),
		proven("lost.log", func(v *ledger.Verdict) int64 { return v.Lost.Log }),
		proven("lost.skipped", func(v *ledger.Verdict) int64 { return v.Lost.Skipped }),
		proven("duplicates", func(v *ledger.Verdict) int64 { return v.Duplicates.Total }),
		proven("duplicates.retried", func(v *ledger.Verdict) int64 { return v.Duplicates.Retried }),
		proven("duplicates.resent", func(v *ledger.Verdict) int64 { return v.Duplicates.Resent }),
		proven("duplicates.redelivered", func(v *ledger.Verdict) int64 { return v.Duplicates.Redelivered }),
		proven("reordered", func(v *ledger.Verdict) int64 { return v.Reordered }),
		proven("corrupt", func(v *ledger.Verdict) int64 { return v.Corrupt }),
		proven("foreign", func(v *ledger.Verdict) int64 { return v.Foreign }),
		proven("multiple_effects", func(v *ledger.Verdict) int64 { return v.MultipleEffects }),
		of("undrained", func(v *ledger.Verdict) int64 { return v.Undrained }),
		of("dead_lettered", func(v *ledger.Verdict) int64 { return v.DeadLettered }),
		of("effects", func(v *ledger.Verdict) int64 { return v.Effects }),
		of("executions", func(v *ledger.Verdict) int64 { return v.Executions }),
		of("saturated", func(v *ledger.Verdict) int64 { return v.Saturated }),
	}
}

func throughputMetrics() []metric {
	of := func(name string, u unit, get func(*result.Trial) float64) metric {
		return metric{name: name, unit: u, read: func(t *result.Trial) (float64, bool) { return get(t), true }}
	}
	speed := func(name string, u unit, get func(result.Throughput) float64) metric {
		return metric{name: name, unit: u, read: func(t *result.Trial) (float64, bool) {
			return get(t.Throughput), t.Throughput.WindowSeconds > 0
		}}
	}
	return []metric{
		speed("produced_per_second", perSecond, func(p result.Throughput) float64 { return p.ProducedPerSecond }),
		speed("consumed_per_second", perSecond, func(p result.Throughput) float64 { return p.ConsumedPerSecond }),
		speed("output_per_second", perSecond, func(p result.Throughput) float64 { return p.OutputPerSecond }),
		speed("pipeline_per_second", perSecond, func(p result.Throughput) float64 { return p.PipelinePerSecond }),
		speed("produced_bytes_per_second", bytesPerSecond, func(p result.Throughput) float64 { return p.BytesPerSecond }),
		speed("window_seconds", micros, func(p result.Throughput) float64 { return p.WindowSeconds * 1e6 }),
		of("took_seconds", micros, func(t *result.Trial) float64 { return t.TookSecond * 1e6 }),
		of("cpu_share", share, func(t *result.Trial) float64 { return t.Generator.CPU }),
		of("unrecorded", counts, func(t *result.Trial) float64 { return float64(t.Unrecorded) }),
		{name: "fenced", unit: counts, read: fenced},
		{name: "polled_again", unit: counts, read: polledAgain, grows: true},
	}
}

// fenced is how many workers learnt that the cluster had gone on without them.
func fenced(t *result.Trial) (float64, bool) {
	n := 0
	for _, w := range t.Workers {
		if w.Fenced != "" {
			n++
		}
	}
	return float64(n), len(t.Workers) > 0
}

// polledAgain is how many messages the client library returned twice.
func polledAgain(t *result.Trial) (float64, bool) {
	return float64(t.PolledAgain()), len(t.Workers) > 0
}

func backlogMetrics() []metric {
	of := func(name string, u unit, get func(*result.Backlog) float64) metric {
		return metric{name: "backlog." + name, unit: u, read: func(t *result.Trial) (float64, bool) {
			if t.Backlog == nil {
				return 0, false
			}
			return get(t.Backlog), true
		}}
	}
	return []metric{
		of("messages", counts, func(b *result.Backlog) float64 { return float64(b.Messages) }),
		of("drained_per_second", perSecond, func(b *result.Backlog) float64 { return b.DrainedPerSecond }),
	}
}

func databaseMetrics() []metric {
	of := func(name string, u unit, grows bool, get func(*result.Database) float64) metric {
		return metric{name: "database." + name, unit: u, grows: grows, read: func(t *result.Trial) (float64, bool) {
			if t.Database == nil {
				return 0, false
			}
			return get(t.Database), true
		}}
	}
	outbox := func(name string, get func(*result.Outbox) int64) metric {
		return metric{name: "database." + name, unit: counts, grows: true, read: func(t *result.Trial) (float64, bool) {
			if t.Database == nil || t.Database.Outbox == nil {
				return 0, false
			}
			return float64(get(t.Database.Outbox)), true
		}}
	}
	return []metric{
		outbox("rows_without_message", func(o *result.Outbox) int64 { return o.RowsWithoutMessage }),
		outbox("messages_without_row", func(o *result.Outbox) int64 { return o.MessagesWithoutRow }),
		of("effects", counts, false, func(d *result.Database) float64 { return float64(d.Effects) }),
		of("lost", counts, true, func(d *result.Database) float64 { return float64(d.Lost) }),
		of("duplicates", counts, true, func(d *result.Database) float64 { return float64(d.Duplicates) }),
		of("difference_cents", counts, false, func(d *result.Database) float64 { return float64(d.DifferenceCents) }),
		of("lost_cents", counts, true, func(d *result.Database) float64 { return float64(d.DifferenceByCause.Lost) }),
		of("redelivered_cents", counts, true, func(d *result.Database) float64 { return float64(d.DifferenceByCause.Redelivered) }),
		of("wrong_status", counts, true, func(d *result.Database) float64 { return float64(d.WrongStatus) }),
		of("commits_per_second", perSecond, false, func(d *result.Database) float64 { return d.CommitsPerSecond }),
		of("rows_per_commit", counts, false, func(d *result.Database) float64 { return d.RowsPerCommit }),
	}
}

func latencyMetrics(role string) []metric {
	of := func(field string, u unit, get func(latency.Summary) float64) metric {
		return metric{name: role + "." + field, unit: u, read: func(t *result.Trial) (float64, bool) {
			s, ok := t.Latency[role]
			if !ok || (u == micros && s.Count+s.Over == 0) {
				return 0, false
			}
			return get(s), true
		}}
	}
	return []metric{
		of("p50", micros, func(s latency.Summary) float64 { return s.P50 }),
		of("p90", micros, func(s latency.Summary) float64 { return s.P90 }),
		of("p99", micros, func(s latency.Summary) float64 { return s.P99 }),
		of("p999", micros, func(s latency.Summary) float64 { return s.P999 }),
		of("max", micros, func(s latency.Summary) float64 { return s.Max }),
		of("mean", micros, func(s latency.Summary) float64 {
			if s.Over > 0 {
				return latency.OverRange // the summary's own mean leaves those out
			}
			return s.Mean
		}),
		of("count", counts, func(s latency.Summary) float64 { return float64(s.Count) }),
		of("over_range", counts, func(s latency.Summary) float64 { return float64(s.Over) }),
	}
}

// Metrics returns the names that a claim can begin with, sorted.
func Metrics() []string {
	var names []string
	for _, m := range metrics() {
		names = append(names, m.name)
	}
	sort.Strings(names)
	return names
}

func findMetric(name string) (metric, bool) {
	list := countedMetrics()
	if role, _, dotted := strings.Cut(name, "."); dotted && slices.Contains(latencyRoles(), role) {
		list = latencyMetrics(role) // the others are not worth making for each look
	}
	for _, m := range list {
		if m.name == name {
			return m, true
		}
	}
	return metric{}, false
}

// nearest returns the candidate with the fewest edits from name; the first of
// equals. No name is longer than 80 bytes, so more of a word is not looked at.
func nearest(name string, candidates []string) string {
	name = name[:min(len(name), 80)]
	best, fewest := "", int(^uint(0)>>1)
	for _, c := range candidates {
		if d := edits(strings.ToLower(name), c); d < fewest {
			best, fewest = c, d
		}
	}
	return best
}

// edits is the Damerau-Levenshtein distance in its restricted form: insertions,
// deletions, substitutions and swaps of neighbours, since swaps are the common typo.
func edits(a, b string) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
