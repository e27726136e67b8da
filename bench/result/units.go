package result

// Units says in which unit each number of run.json is, by field name. Counts
// are given in what they count.
func Units() map[string]string {
	const (
		seconds      = "s"
		microseconds = "µs"
		messages     = "messages"
		perSecond    = "messages/s"
		bytes        = "bytes"
	)
	return map[string]string{
		"seed": "1", "trials_planned": "trials", "planned": "trials", "times": "trials", "of": "trials", "repeat": "from 1",
		"cores": "processors", "memory_bytes": bytes, "nodes": "brokers: how many, or their ids",
		"took_seconds": seconds, "window_seconds": seconds,
		"user_seconds": seconds, "system_seconds": seconds, "max_resident_bytes": bytes,
		"cpu_share": "share of the machine, 0 to 1",

		"due": messages, "not_sent": messages, "sent": messages, "acked": messages, "rejected": messages,
		"unknown": messages, "aborted": messages, "total": messages, "log": messages, "skipped": messages,
		"retried": "extra effects", "resent": "extra effects", "redelivered": "extra effects",
		"duplicates": "extra effects", "lost": messages,
		"unknown_absent": messages, "reordered": messages, "corrupt": messages, "foreign": messages,
		"aborted_delivered": messages, "multiple_effects": messages, "undrained": messages, "dead_lettered": messages, "executions": "effects begun", "effects": "effects",
		"saturated": "counters at their ceiling", "table": messages, "unrecorded": "effects", "polled_again": messages,

		"expected_cents": "cents", "actual_cents": "cents", "difference_cents": "cents", "lost_cents": "cents", "redelivered_cents": "cents",
		"wrong_status": "accounts", "agreed": "messages", "rows_without_message": "rows", "messages_without_row": "messages", "waiting": "rows", "commits": "transactions", "rows": "effects",
		"commits_per_second": "transactions/s", "rows_per_commit": "effects per transaction",

		"armed": seconds, "fired": seconds, "recovered": seconds, "at": seconds,

		"produced_per_second": perSecond, "consumed_per_second": perSecond, "output_per_second": perSecond,
		"messages": messages, "drained_per_second": perSecond,
		"pipeline_per_second": perSecond, "produced_bytes_per_second": "bytes/s",

		"count": "values", "over_range": "values",
		"p50": microseconds, "p90": microseconds, "p99": microseconds, "p999": microseconds,
		"max": microseconds, "mean": microseconds,

		"from_per_second": perSecond, "to_per_second": perSecond, "per_second": perSecond, "repeats": "trials", "years": "years",
		"step_share": "share, 0 to 1", "growth_share": "share a year, 0 to 1", "headroom_share": "share, 0 to 1",
		"message_bytes": bytes, "replication": "copies", "retention_seconds": seconds,

		"start": seconds, "length": seconds, "produced": messages,
		"end_to_end_p50": microseconds, "end_to_end_p99": microseconds, "end_to_end_max": microseconds,
	}
}
