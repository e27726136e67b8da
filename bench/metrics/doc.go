// Package metrics tells Prometheus of a run in progress: how far it is, what the
// trial under way does, and what became of those that are done. It shows what
// suite.Progress is told, and nothing depends on it.
package metrics
