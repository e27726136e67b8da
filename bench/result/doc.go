// Package result is what a run saves: versioned, self-describing types, and
// the folder they are kept in. Reports and charts are made from it alone, on
// any machine, without a Kafka client.
//
// A run has one folder:
//
//	results/semantics-20261121T101500Z/
//	    run.json                      every number, schema deliverybench/run/v1
//	    profile.yaml                  the profile as given
//	    profile.resolved.yaml         the profile with every default and -set filled in
//	    cells.csv                     one row per cell and scenario
//	    trials.csv                    one row per trial
//	    bench.txt                     Go benchmark format, for benchstat
//	    histograms/TRIAL.hlog         interval log, one Tag per latency role
//	    histograms/TRIAL.ROLE.hgrm    percentiles of one role
//	    charts/                       pictures and their points
//
// run.json is the truth; the tables beside it are made from it. It is written
// after every trial, whole or not at all: a crash, a kill or a full disk keeps
// everything that was saved before.
package result
