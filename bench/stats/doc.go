// Package stats turns repeated measurements into numbers with intervals, and
// writes numbers as people read them.
//
//   - Summarise: the median of repeats with its 95 % interval, or with the
//     plain range where there are too few repeats for an interval.
//   - Compare: the ratio of two medians, whether the difference is significant,
//     and the interval of the ratio.
//   - Proportion: how often something came out, with the 95 % interval of its probability.
//   - UpperBound: what "it never happened in k trials" is worth.
//   - format.go: Rate, Count, Micros, Ratio and the rest. Table, page and chart
//     write their numbers here, so that a number looks the same everywhere.
//   - Plain: a text that somebody else made, safe to write.
//
// No distribution is assumed. The median, its interval and the Mann-Whitney U
// test come from golang.org/x/perf/benchmath, which benchstat uses too. What
// limits a number is a Warning, a value carried with it. The Beta distribution is gonum's.
package stats
