// Package latency records how long things took, in HDR histograms, and keeps
// what was recorded.
//
// A Recorder collects the latencies of one role (ack, end-to-end, …) for one
// goroutine. An IntervalRecorder does the same on a Grid of fixed intervals and
// has each interval written to a standard .hlog file by a LogWriter when the next
// one begins, so that a process killed at any time loses each role's last interval
// only. ReadLog reads such a file, Merge lays those of many processes over each other, and Summarize
// gives the percentiles.
//
// Histograms hold whole microseconds from 1 µs to 10 min with three
// significant digits. A latency is rounded up to the next microsecond, so none
// is understated. What lies outside is counted, never clipped: below zero as
// under range, above 10 min as over range.
package latency
