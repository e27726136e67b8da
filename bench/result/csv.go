package result

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
)

// Roles are the latency roles, in the order in which tables show them.
func Roles() []string {
	return []string{Ack, AckService, EndToEnd, EndToEndService, CommitLatency, TransactionVisible, Durable, SendLag}
}

// trialColumn is one column of trials.csv. An empty field is "not measured",
// which is not the same as 0.
type trialColumn struct {
	name  string // with its unit
	value func(c *Cell, t *Trial) string
}

// WriteTrialsCSV writes one row per trial: what it was, how it ended and every
// number. Columns named "set.…" are the settings in force, after the scenario's.
func WriteTrialsCSV(w io.Writer, run *Run) error {
	columns := slices.Concat(identityColumns(), throughputColumns(), verdictColumns(), databaseColumns(), faultColumns(), latencyColumns(), machineColumns(), settingColumns(run))
	out := csv.NewWriter(w)
	row := make([]string, len(columns))
	for i, col := range columns {
		row[i] = col.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i := range run.Cells {
		c := &run.Cells[i]
		for j := range c.Trials {
			for k, col := range columns {
				row[k] = col.value(c, &c.Trials[j])
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

func identityColumns() []trialColumn {
	return []trialColumn{
		{"trial", func(_ *Cell, t *Trial) string { return t.ID }},
		{"cell", func(c *Cell, _ *Trial) string { return c.Name }},
		{"arm", func(c *Cell, _ *Trial) string { return c.Arm }},
		{"guarantee", func(c *Cell, _ *Trial) string { return c.Guarantee }},
		{"scenario", func(_ *Cell, t *Trial) string { return t.Scenario }},
		{"repeat", func(_ *Cell, t *Trial) string { return strconv.Itoa(t.Repeat) }},
		{"status", func(_ *Cell, t *Trial) string { return string(t.Status) }},
		{"reason", func(_ *Cell, t *Trial) string { return t.Reason }},
		{"promise", func(_ *Cell, t *Trial) string { return string(t.Promise) }},
		{"warnings", func(_ *Cell, t *Trial) string { return strings.Join(t.Warnings, "; ") }},
		{"started_utc", func(_ *Cell, t *Trial) string {
			if t.Started.IsZero() {
				return ""
			}
			return t.Started.UTC().Format("2006-01-02T15:04:05.000Z")
		}},
		{"took_s", func(_ *Cell, t *Trial) string { return number(t.TookSecond) }},
	}
}

func throughputColumns() []trialColumn {
	measured := func(name string, value func(Throughput) float64) trialColumn {
		return trialColumn{name, func(_ *Cell, t *Trial) string {
			if t.Throughput.WindowSeconds == 0 {
				return ""
			}
			return number(value(t.Throughput))
		}}
	}
	piled := func(name string, get func(*Backlog) float64) trialColumn {
		return trialColumn{name, func(_ *Cell, t *Trial) string {
			if t.Backlog == nil {
				return ""
			}
			return number(get(t.Backlog))
		}}
	}
	return []trialColumn{
		measured("window_s", func(p Throughput) float64 { return p.WindowSeconds }),
		measured("pipeline_msg_per_s", func(p Throughput) float64 { return p.PipelinePerSecond }),
		measured("produced_msg_per_s", func(p Throughput) float64 { return p.ProducedPerSecond }),
		measured("consumed_msg_per_s", func(p Throughput) float64 { return p.ConsumedPerSecond }),
		measured("output_msg_per_s", func(p Throughput) float64 { return p.OutputPerSecond }),
		measured("produced_bytes_per_s", func(p Throughput) float64 { return p.BytesPerSecond }),
		piled("backlog_messages", func(b *Backlog) float64 { return float64(b.Messages) }),
		piled("drained_msg_per_s", func(b *Backlog) float64 { return b.DrainedPerSecond }),
	}
}

func verdictColumns() []trialColumn {
	count := func(name string, value func(*ledger.Verdict) int64) trialColumn {
		return trialColumn{name, func(_ *Cell, t *Trial) string {
			if t.Verdict == nil {
				return ""
			}
			return strconv.FormatInt(value(t.Verdict), 10)
		}}
	}
	return []trialColumn{
		count("due_messages", func(v *ledger.Verdict) int64 { return v.Due }),
		count("not_sent_messages", func(v *ledger.Verdict) int64 { return v.NotSent }),
		count("sent_messages", func(v *ledger.Verdict) int64 { return v.Sent }),
		count("acked_messages", func(v *ledger.Verdict) int64 { return v.Acked }),
		count("rejected_messages", func(v *ledger.Verdict) int64 { return v.Rejected }),
		count("unknown_messages", func(v *ledger.Verdict) int64 { return v.Unknown }),
		count("aborted_messages", func(v *ledger.Verdict) int64 { return v.Aborted }),
		count("lost_messages", func(v *ledger.Verdict) int64 { return v.Lost.Total }),
		count("lost_log_messages", func(v *ledger.Verdict) int64 { return v.Lost.Log }),
		count("lost_skipped_messages", func(v *ledger.Verdict) int64 { return v.Lost.Skipped }),
		count("duplicates_effects", func(v *ledger.Verdict) int64 { return v.Duplicates.Total }),
		count("duplicates_retried_effects", func(v *ledger.Verdict) int64 { return v.Duplicates.Retried }),
		count("duplicates_resent_effects", func(v *ledger.Verdict) int64 { return v.Duplicates.Resent }),
		count("duplicates_redelivered_effects", func(v *ledger.Verdict) int64 { return v.Duplicates.Redelivered }),
		count("unknown_absent_messages", func(v *ledger.Verdict) int64 { return v.UnknownAbsent }),
		count("reordered_messages", func(v *ledger.Verdict) int64 { return v.Reordered }),
		count("corrupt_messages", func(v *ledger.Verdict) int64 { return v.Corrupt }),
		count("foreign_messages", func(v *ledger.Verdict) int64 { return v.Foreign }),
		count("aborted_delivered_messages", func(v *ledger.Verdict) int64 { return v.AbortedDelivered }),
		count("multiple_effects_messages", func(v *ledger.Verdict) int64 { return v.MultipleEffects }),
		count("undrained_messages", func(v *ledger.Verdict) int64 { return v.Undrained }),
		count("dead_lettered_messages", func(v *ledger.Verdict) int64 { return v.DeadLettered }),
		count("executions", func(v *ledger.Verdict) int64 { return v.Executions }),
		count("effects", func(v *ledger.Verdict) int64 { return v.Effects }),
		count("saturated_counters", func(v *ledger.Verdict) int64 { return v.Saturated }),
		{"unrecorded_effects", func(_ *Cell, t *Trial) string { return strconv.FormatInt(t.Unrecorded, 10) }},
		{"polled_again_messages", func(_ *Cell, t *Trial) string { return strconv.FormatInt(t.PolledAgain(), 10) }},
		{"table_messages", func(_ *Cell, t *Trial) string {
			if t.Verdict == nil {
				return ""
			}
			return pairs(t.Verdict.Table)
		}},
	}
}

func databaseColumns() []trialColumn {
	of := func(name string, value func(*Database) string) trialColumn {
		return trialColumn{name, func(_ *Cell, t *Trial) string {
			if t.Database == nil {
				return ""
			}
			return value(t.Database)
		}}
	}
	count := func(name string, value func(*Database) int64) trialColumn {
		return of(name, func(d *Database) string { return strconv.FormatInt(value(d), 10) })
	}
	agreement := func(name string, value func(*Outbox) int64) trialColumn {
		return of(name, func(d *Database) string {
			if d.Outbox == nil {
				return ""
			}
			return strconv.FormatInt(value(d.Outbox), 10)
		})
	}
	return []trialColumn{
		of("database", func(d *Database) string { return d.Version }),
		count("database_effects", func(d *Database) int64 { return d.Effects }),
		count("database_lost_messages", func(d *Database) int64 { return d.Lost }),
		count("database_duplicates_effects", func(d *Database) int64 { return d.Duplicates }),
		count("database_expected_cents", func(d *Database) int64 { return d.ExpectedCents }),
		count("database_actual_cents", func(d *Database) int64 { return d.ActualCents }),
		count("database_difference_cents", func(d *Database) int64 { return d.DifferenceCents }),
		count("database_lost_cents", func(d *Database) int64 { return d.DifferenceByCause.Lost }),
		count("database_redelivered_cents", func(d *Database) int64 { return d.DifferenceByCause.Redelivered }),
		count("database_wrong_status_accounts", func(d *Database) int64 { return d.WrongStatus }),
		count("database_commits", func(d *Database) int64 { return d.Commits }),
		of("database_commits_per_s", func(d *Database) string { return number(d.CommitsPerSecond) }),
		of("database_rows_per_commit", func(d *Database) string { return number(d.RowsPerCommit) }),
		agreement("database_rows_without_message", func(o *Outbox) int64 { return o.RowsWithoutMessage }),
		agreement("database_messages_without_row", func(o *Outbox) int64 { return o.MessagesWithoutRow }),
	}
}

func faultColumns() []trialColumn {
	joined := func(name string, value func(Fault) string) trialColumn {
		return trialColumn{name, func(_ *Cell, t *Trial) string {
			parts := make([]string, len(t.Faults))
			for i, f := range t.Faults {
				parts[i] = value(f)
			}
			return strings.Join(parts, "; ")
		}}
	}
	return []trialColumn{
		joined("faults", func(f Fault) string { return f.Name }),
		joined("faults_armed_s", func(f Fault) string { return moment(f.Armed) }),
		joined("faults_fired_s", func(f Fault) string { return moment(f.Fired) }),
		joined("faults_recovered_s", func(f Fault) string { return moment(f.Recovered) }),
		{"predicted_lost_messages", func(_ *Cell, t *Trial) string {
			return predicted(t, func(p *Predicted) *int64 { return p.Lost })
		}},
		{"predicted_duplicates_effects", func(_ *Cell, t *Trial) string {
			return predicted(t, func(p *Predicted) *int64 { return p.Duplicates })
		}},
	}
}

func latencyColumns() []trialColumn {
	numbers := []struct {
		name  string
		value func(latency.Summary) string
	}{
		{"count", func(s latency.Summary) string { return strconv.FormatInt(s.Count, 10) }},
		{"over_range_count", func(s latency.Summary) string { return strconv.FormatInt(s.Over, 10) }},
		{"p50_us", func(s latency.Summary) string { return number(s.P50) }},
		{"p90_us", func(s latency.Summary) string { return number(s.P90) }},
		{"p99_us", func(s latency.Summary) string { return number(s.P99) }},
		{"p999_us", func(s latency.Summary) string { return number(s.P999) }},
		{"max_us", func(s latency.Summary) string { return number(s.Max) }},
		{"mean_us", func(s latency.Summary) string { return number(s.Mean) }},
	}
	var columns []trialColumn
	for _, role := range Roles() {
		for _, n := range numbers {
			columns = append(columns, trialColumn{role + "_" + n.name, func(_ *Cell, t *Trial) string {
				if s, ok := t.Latency[role]; ok {
					return n.value(s)
				}
				return ""
			}})
		}
	}
	return columns
}

func machineColumns() []trialColumn {
	return []trialColumn{
		{"generator_limited", func(_ *Cell, t *Trial) string { return strconv.FormatBool(t.Generator.Limited) }},
		{"generator_limited_why", func(_ *Cell, t *Trial) string { return t.Generator.Why }},
		{"closed_loop", func(_ *Cell, t *Trial) string { return strconv.FormatBool(t.Generator.Closed) }},
		{"cpu_share", func(_ *Cell, t *Trial) string { return number(t.Generator.CPU) }},
		{"workers_cpu_s", func(_ *Cell, t *Trial) string {
			var sum float64
			for _, w := range t.Workers {
				sum += w.UserSeconds + w.SystemSeconds
			}
			return number(sum)
		}},
		{"workers_max_resident_bytes", func(_ *Cell, t *Trial) string {
			var most int64
			for _, w := range t.Workers {
				most = max(most, w.MaxResidentBytes)
			}
			return strconv.FormatInt(most, 10)
		}},
	}
}

func settingColumns(run *Run) []trialColumn {
	names := map[string]bool{}
	for _, c := range run.Cells {
		for name := range c.Settings {
			names[name] = true
		}
		for _, t := range c.Trials {
			for name := range t.Settings {
				names[name] = true
			}
		}
	}
	var columns []trialColumn
	for _, name := range slices.Sorted(maps.Keys(names)) {
		columns = append(columns, trialColumn{"set." + name, func(c *Cell, t *Trial) string {
			if value, ok := t.Settings[name]; ok {
				return value
			}
			return c.Settings[name]
		}})
	}
	return columns
}

// predicted adds up what the trial's faults are predicted to cost, or is empty
// when one of them predicts nothing: a sum of some would mislead.
func predicted(t *Trial, field func(*Predicted) *int64) string {
	if sum := t.Predicted(field); sum != nil {
		return strconv.FormatInt(*sum, 10)
	}
	return ""
}

// Predicted adds up one number over the trial's faults. It is nil when there
// are no faults or one of them does not predict it.
func (t *Trial) Predicted(field func(*Predicted) *int64) *int64 {
	if len(t.Faults) == 0 {
		return nil
	}
	var sum int64
	for _, f := range t.Faults {
		if f.Predicted == nil || field(f.Predicted) == nil {
			return nil
		}
		sum += *field(f.Predicted)
	}
	return &sum
}

// number writes a float without rounding and without an exponent.
func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func moment(seconds *float64) string {
	if seconds == nil {
		return "never"
	}
	return number(*seconds)
}

func pairs(table map[string]int64) string {
	parts := make([]string, 0, len(table))
	for _, name := range slices.Sorted(maps.Keys(table)) {
		parts = append(parts, fmt.Sprintf("%s=%d", name, table[name]))
	}
	return strings.Join(parts, "; ")
}
