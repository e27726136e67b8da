// Package report writes what a person reads, from a result.Run alone:
//
//	Verdict   the run in one sentence; every form begins with it
//	Table     the terminal's table, at most Options.Width columns
//	Markdown  report.md, for pull requests
//	HTML      report.html, one page that needs no other file and no network
//
// All of them draw one view of the run (view.go): a row per cell, and per
// scenario a group of columns that its content decides. A closed loop shows
// speed, a paced one latency, one with faults what was lost and duplicated. So
// a number is chosen and rounded in one place. Under the table stand notes
// (notes.go): how each number was made, what was left out and why, what limits it.
// Where brokers were struck a second view (recovery.go) has how soon they, and
// those who wait for them, went on.
package report
