// Package stats turns repeated measurements into numbers with intervals, and
// writes numbers as people read them.
//
//   - Summarise: the median of repeats with its 95 % interval, or with the
//     plain range where there are too few repeats for an interval.
//   - Compare: the ratio of two medians, whether the difference is significant,
//     and the interval of the ratio. CompareLatencies knows that a latency over
//     range is no number to divide, CompareCounts that a count may be a constant.
//   - Discoveries: which of many such tests found something, all taken together.
//   - Proportion: how often something came out, with the 95 % interval of its probability.
//   - UpperBound: what "it never happened in k trials" is worth.
//   - format.go: Rate, Count, Micros, Ratio and the rest. Table, page and chart
//     write their numbers here, so that a number looks the same everywhere.
//   - Plain: a text that somebody else made, safe to write.
//
// No distribution is assumed. The median and its interval come from
// golang.org/x/perf/benchmath, which benchstat uses too; the Mann-Whitney U test is
// its test, exact also where values tie (utest.go). The Beta distribution is gonum's.
// What limits a number is said by fields of it: Missing repeats, no interval, no ratio.
package stats
