package suite

import (
	"context"
	"fmt"
	"time"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/trial"
)

// warmUp runs trials that are there for their speed again and again, and throws
// away what they find: Java compiles what runs often while it runs, and the trials
// that came first would be slower, whichever they are.
func (o *Options) warmUp(ctx context.Context) (interrupted bool, err error) {
	trials := o.forSpeed()
	if o.WarmUp == 0 || len(trials) == 0 {
		return false, nil
	}
	for n, begun := 0, time.Now(); n == 0 || time.Since(begun) < o.WarmUp; n++ {
		o.Progress.Doing("warming the broker up")
		t := trials[n%len(trials)]
		t.ID = fmt.Sprintf("warm-up-%d", n+1) // its topics are not the trial's own
		switch warm := trial.Run(ctx, o.Trials, t).Result; warm.Status {
		case result.Stopped:
			return true, nil
		case result.Failed:
			return false, fmt.Errorf("warm the broker up: %s", warm.Reason)
		}
	}
	return false, nil
}

// forSpeed are the trials without a fault, one of each cell and scenario: those with
// faults are there for what is lost. There are none where none is left to do.
func (o *Options) forSpeed() (trials []profile.Trial) {
	done, left := finished(o.Run), false
	for _, t := range o.Plan.Trials {
		if len(t.Settings.Faults) > 0 {
			continue
		}
		left = left || !done[t.ID]
		if t.Repeat == 1 {
			trials = append(trials, t)
		}
	}
	if !left {
		return nil
	}
	return trials
}
