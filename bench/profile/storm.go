package profile

import (
	"math/rand/v2"
	"slices"
	"time"
)

// storm draws which faults strike when: again and again one of the pool, in
// exponentially distributed steps of storm_every on average, so that they are as
// likely at any moment of the window as at any other, alone or together. The same
// seed draws the same schedule. A pool of one kind strikes as often as one of
// many: the mean is of all together.
func storm(pool []Fault, every, window Duration, seed uint64) []Fault {
	draw := rand.New(rand.NewPCG(seed, stormStream))
	var drawn []Fault
	for at := Duration(0); ; {
		at += Duration(draw.ExpFloat64() * float64(every))
		if at >= window {
			return drawn
		}
		f := pool[draw.IntN(len(pool))]
		f.At = Moment{Offset: Duration(time.Duration(at).Truncate(time.Millisecond))}
		drawn = append(drawn, f)
	}
}

// maxStrikes bounds a storm: each strike is kept, in the plan and in the results.
const maxStrikes = 2000

// stormStream keeps the storm's numbers apart from what else the seed decides.
const stormStream = 0x73746f726d

// struck are the settings with the faults that the trial's seed draws, where they
// are to be drawn.
func (s Settings) struck(seed uint64) Settings {
	if s.StormEvery > 0 && len(s.Faults) > 0 {
		s.Faults = storm(slices.Clone(s.Faults), s.StormEvery, s.Load.Duration, seed)
	}
	return s
}
