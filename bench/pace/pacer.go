package pace

import (
	"fmt"
	"math"
	"time"

	"deliverybench/bench/profile"
)

// Rates that can be paced, in messages per second. Above the highest, messages
// would be due less than a nanosecond apart.
const (
	LowestRate  profile.Rate = 1e-6
	HighestRate profile.Rate = 1e9
)

// Pacer is the schedule of one producer. It is used by one goroutine.
type Pacer interface {
	// At returns when message n (from 0) is due, counted from the load's
	// start. It never decreases as n grows, and drifts by no message however
	// large n is. A time past 292 years is returned as the largest Duration.
	At(n int64) time.Duration
	// Count returns how many messages are due in [0, window): exactly those
	// with At(n) < window.
	Count(window time.Duration) int64
}

// New returns the schedule of one producer (from 0) out of producers.
//
// The load's total schedule is split by number: message n of producer p is
// message n × producers + p of the total, so the producers' schedules together
// are exactly the total one.
//
// The seed matters to Poisson arrivals only, and must be the same for every
// producer. A closed-loop load (rate: max) has no schedule and is an error.
func New(load profile.Load, producer, producers int, seed uint64) (Pacer, error) {
	if producers < 1 || producer < 0 || producer >= producers {
		return nil, fmt.Errorf("pace: producer %d of %d: number producers from 0 and have at least one", producer, producers)
	}
	if load.Rate == profile.RateMax {
		return nil, fmt.Errorf("pace: load.rate is max, which has no schedule: send without a pacer, or set messages per second")
	}
	if err := checkRate("load.rate", load.Rate, LowestRate); err != nil {
		return nil, err
	}
	total, err := newSchedule(load, seed)
	if err != nil {
		return nil, err
	}
	if producers == 1 {
		return total, nil
	}
	return &share{total: total, producer: int64(producer), producers: int64(producers)}, nil
}

func newSchedule(load profile.Load, seed uint64) (Pacer, error) {
	switch load.Arrivals {
	case profile.Constant:
		return newConstant(load.Rate), nil
	case profile.Poisson:
		return newPoisson(load.Rate, seed), nil
	case profile.Ramp:
		if err := checkRate("load.ramp_from", load.RampFrom, 0); err != nil {
			return nil, err
		}
		over := time.Duration(load.Warmup) + time.Duration(load.Duration)
		if over <= 0 {
			return nil, fmt.Errorf("pace: load.warmup plus load.duration is %v: a ramp needs a time to ramp over", over)
		}
		return newRamp(load.RampFrom, load.Rate, over), nil
	case profile.Burst:
		if load.BurstMessages < 1 {
			return nil, fmt.Errorf("pace: load.burst_messages is %d: set at least 1", load.BurstMessages)
		}
		return &burst{each: int64(load.BurstMessages), even: newConstant(load.Rate)}, nil
	}
	return nil, fmt.Errorf("pace: load.arrivals is %q: use %s, %s, %s or %s", load.Arrivals,
		profile.Constant, profile.Poisson, profile.Ramp, profile.Burst)
}

// checkRate also refuses a rate that is not a number: every comparison with it is false.
func checkRate(setting string, rate, lowest profile.Rate) error {
	if rate >= lowest && rate <= HighestRate {
		return nil
	}
	return fmt.Errorf("pace: %s is %v messages per second: use %v to %v", setting, float64(rate), float64(lowest), float64(HighestRate))
}

// share is one producer's part of the total schedule.
type share struct {
	total     Pacer
	producer  int64
	producers int64
}

func (s *share) At(n int64) time.Duration {
	if n > (math.MaxInt64-s.producer)/s.producers {
		return math.MaxInt64
	}
	return s.total.At(n*s.producers + s.producer)
}

func (s *share) Count(window time.Duration) int64 {
	total := s.total.Count(window)
	if total <= s.producer {
		return 0
	}
	return (total-s.producer-1)/s.producers + 1
}
