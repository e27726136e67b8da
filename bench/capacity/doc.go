// Package capacity answers how much load keeps a service level, and what has to
// be provided for more. All of it is a pure function of a profile's capacity
// block, or of a saved run.
//
//	ladder.go    the rates: a fixed grid, a search that brackets the knee on it,
//	             and the rungs around the bracket that are then measured
//	window.go    how long a rung is measured, so that its percentiles mean something
//	study.go     the trials of either phase, from what the run has already
//	knee.go      the highest rate that held, per repeat, and its interval
//	law.go       the Universal Scalability Law through the knees
//	target.go    what a target needs: workers, partitions, network, disk
//	analysis.go  all of that from a run
//
// Search and measurement are two things. A search stops where one trial broke
// the SLO, so it stops too early by luck more often than too late, and what it
// stopped at cannot be the answer. Its trials decide the ladder and nothing
// else; the ladder is fixed before its first trial, and every rung runs as often
// as every other.
package capacity
