// Package claim judges what a profile says must come out: an expression over a
// result becomes met, not met or inconclusive.
//
//	claim     = metric op value [ "±" tolerance ]
//	op        = "==" | "!=" | "<" | "<=" | ">" | ">="
//	value     = quantity | [ factor ] reference
//	quantity  = number with its unit: 500, 50ms, 20000/s, 10MiB/s, 5%
//	factor    = number "*" | number "×" | number "x"
//	reference = a dotted setting | "predicted" | "baseline" | another count
//	tolerance = number "%" | quantity
//
// For example: lost == consumer.commit.every, duplicates == predicted ± 15%,
// end_to_end.p99 <= 50ms, pipeline_per_second >= 0.8x baseline, promise == held,
// aborted_delivered == aborted.
//
// Two kinds of metric are judged differently. A count (lost, duplicates, acked,
// …) and the promise must agree in every trial of a cell and scenario: five
// trials of six are not met. A speed, latency or other measurement is judged by
// its median over the repeats (tables and charts show latencies pooled over them,
// which one bad repeat dominates). A trial that did not complete, or that the run
// never came to, makes a claim inconclusive, unless it is refuted already: by a
// completed trial, or by what an inconclusive one proves. Lost messages and
// duplicates only become more, and a promise that was broken stays broken. What
// was omitted is not claimed.
//
// A speed or latency is compared with the baseline's by the 95 % interval of their
// ratio: met when the claim holds in all of it, not met when it holds in none,
// otherwise inconclusive. With fewer than 6 repeats on either side, or a latency
// over range, there is no interval: the medians decide, and the reason says so.
//
// A prediction that theory does not give to the message (a rate × a time) is
// compared with a tolerance or by an inequality; == and != alone are inconclusive.
//
// A latency over range is known by its bound alone: what that does not decide is
// inconclusive.
//
// What a claim marked sometimes says is a draw: one trial that meets it is enough, and
// Frequency says in how many of those that could be judged it was met.
//
// A percentage of a count is that share of the trial's due messages.
package claim
