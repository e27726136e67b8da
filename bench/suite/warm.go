package suite

import (
	"context"
	"fmt"
	"time"

	"deliverybench/bench/result"
	"deliverybench/bench/trial"
)

// warmUp runs the first of the trials that are there for their speed, and throws
// away what they find: Java compiles what runs often while it runs, and the trials
// that came first would be slower, whichever they are.
func (o *Options) warmUp(ctx context.Context) (interrupted bool, err error) {
	done, begun := finished(o.Run), time.Now()
	for i, t := range o.Plan.Trials {
		if time.Since(begun) >= o.WarmUp {
			break
		}
		// Trials with faults are there for what is lost, and every repeat but the
		// first has been run by then.
		if done[t.ID] || len(t.Settings.Faults) > 0 || t.Repeat > 1 {
			continue
		}
		o.Progress.Doing("warming the broker up")
		t.ID = fmt.Sprintf("warm-up-%d", i+1) // its topics are not the trial's own
		switch warm := trial.Run(ctx, o.Trials, t).Result; warm.Status {
		case result.Stopped:
			return true, nil
		case result.Failed:
			return false, fmt.Errorf("warm the broker up: %s", warm.Reason)
		}
	}
	return false, nil
}
