package ledger

import "fmt"

// Effects counts the effects that one incarnation of a consuming worker began.
// One goroutine at a time may mark.
type Effects struct {
	bytes []byte
	plane *plane
}

const effectsPrefix = "effects-"

// OpenEffects creates the plane of one incarnation of one worker. A restarted
// worker is a new incarnation with a plane of its own; Settle adds them up.
func OpenEffects(dir string, worker, incarnation int) (*Effects, error) {
	l, err := ReadLayout(dir)
	if err != nil {
		return nil, err
	}
	if worker < 0 || incarnation < 0 {
		return nil, fmt.Errorf("ledger: effects of worker %d, incarnation %d: both count from 0", worker, incarnation)
	}
	name := fmt.Sprintf("%s%d.%d", effectsPrefix, worker, incarnation)
	p, err := openPlane(dir, name, l.Messages(), false)
	if err != nil {
		return nil, err
	}
	return &Effects{bytes: p.bytes[:l.Messages():l.Messages()], plane: p}, nil
}

// Mark counts one effect of the message with this Layout.Index. It stops at 255.
func (e *Effects) Mark(index int64) {
	if e.bytes[index] != ceiling {
		e.bytes[index]++
	}
}

// Close unmaps the plane; what was marked stays in its file.
func (e *Effects) Close() error {
	e.bytes = nil
	return e.plane.close()
}
