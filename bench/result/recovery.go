package result

import "strings"

// RecoveryStart is when the clock of recovery from a broker fault starts: when it
// fired. Of an isolation that is when the leader was killed, which went on until
// then, so that the times compare with those of a plain kill. nil is never.
func (f Fault) RecoveryStart() *float64 {
	if !strings.HasPrefix(f.Name, "isolate") {
		return f.Fired
	}
	for i, s := range f.Steps {
		if strings.HasSuffix(s.What, "killed") {
			return &f.Steps[i].At
		}
	}
	return nil
}

// StepAt is when a step was first taken; nil is never.
func (f Fault) StepAt(what string) *float64 {
	for i, s := range f.Steps {
		if s.What == what {
			return &f.Steps[i].At
		}
	}
	return nil
}
