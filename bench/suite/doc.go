// Package suite runs a Plan: its trials in their order, each result saved
// before the next trial starts, cells stopped by an aborting claim, resumption
// of a run that was cut off, and progress for the person who waits.
package suite
