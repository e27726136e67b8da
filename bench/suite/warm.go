package suite

import (
	"context"
	"fmt"
	"slices"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/trial"
)

// warmUp puts a load on the broker and throws away what it finds: Java compiles
// what runs often while it runs, and the trials that came first would be slower,
// whichever they are. Trials of the plan would not do: they mostly wait.
func (o *Options) warmUp(ctx context.Context) (interrupted bool, err error) {
	if o.WarmUp == 0 || !o.forSpeed() {
		return false, nil
	}
	o.Progress.Doing("warming the broker up")
	switch warm := trial.Run(ctx, o.Trials, o.warmUpTrial()).Result; warm.Status {
	case result.Stopped:
		return true, nil
	case result.Failed:
		return false, fmt.Errorf("warm the broker up: %s", warm.Reason)
	}
	return false, nil
}

// forSpeed reports whether a trial without a fault is left to do; those with faults
// are there for what is lost.
func (o *Options) forSpeed() bool {
	done := finished(o.Run)
	return slices.ContainsFunc(o.Plan.Trials, func(t profile.Trial) bool { return !done[t.ID] && len(t.Settings.Faults) == 0 })
}

// warmUpTrial goes through all that a broker does in a trial: it is written to,
// read, has groups and transactions. Without lingering there are as many requests as
// the broker takes, and it is by their number that Java decides what to compile.
func (o *Options) warmUpTrial() profile.Trial {
	s := profile.Defaults()
	s.Pipeline, s.Guarantee = profile.RelayTo, profile.ExactlyOnce
	s.Load.Rate, s.Load.Warmup, s.Load.Duration = 3000, 0, profile.Duration(o.WarmUp)
	s.Topic.Partitions = 3
	s.Fit(profile.Cluster{Nodes: o.Trials.Broker.Describe().Nodes})
	s.Producer.Idempotence, s.Producer.Linger = true, 0
	s.Consumer.Count, s.Consumer.Commit.When, s.Consumer.Commit.Every = 3, profile.InTransaction, 500
	return profile.Trial{ID: "warm-up", Cell: "warm-up", Arm: "warm-up", Scenario: "warm-up", Repeat: 1, Seed: o.Plan.Seed, Settings: s}
}
