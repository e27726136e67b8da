package trial

import (
	"fmt"
	"math"
	"time"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/scratch"
)

// maxRate is more than any client sends on any machine we know, in messages
// per second and producer: it sizes the sparse ledger of rate: max.
const maxRate = 2_000_000

// expectedMaxRate is what is reserved for: room that is not used costs nothing,
// but a full file system would kill the workers.
const expectedMaxRate = 1_000_000

// logRoom is for the latency and log files beside the ledger, bytes.
const logRoom = 64 << 20

type workspace struct {
	dir    string
	remove func() error
}

// newScratch makes the folder of a trial, memory first. Room is made sure of:
// planes are sparse, so creating them always succeeds, and on a full file
// system it is the store into a hole that fails. The kernel reports that with
// SIGBUS, which ends the process.
func newScratch(parents []string, layout ledger.Layout, messages int64, incarnations int) (workspace, error) {
	dir, remove, err := scratch.New(parents, layout.Bytes(messages, incarnations)+logRoom)
	if err != nil {
		return workspace{}, fmt.Errorf("ledger: %w: free some, send fewer messages, or name another folder with -scratch", err)
	}
	return workspace{dir, remove}, nil
}

// capacity is the most messages that one producer can begin.
func capacity(s profile.Settings) int64 {
	seconds := time.Duration(s.Load.Length()).Seconds()
	if s.Load.Rate == profile.RateMax {
		return int64(math.Ceil(seconds * maxRate))
	}
	rate := s.Load.Rate
	if s.Load.Arrivals == profile.Ramp {
		rate = max(rate, s.Load.RampFrom) // a ramp may go down
	}
	// Poisson arrivals vary: by far less than a tenth and a thousand.
	room := int64(s.Load.BurstMessages) + 1000
	return int64(math.Ceil(seconds*float64(rate)*1.1))/int64(s.Producer.Count) + room
}

// expectedMessages is what room is made sure of for, over all producers.
func expectedMessages(s profile.Settings) int64 {
	if s.Load.Rate != profile.RateMax {
		return capacity(s) * int64(s.Producer.Count)
	}
	return int64(time.Duration(s.Load.Length()).Seconds() * expectedMaxRate)
}

// incarnations of consumers: one each, and one for each kill or join.
func incarnations(s profile.Settings) int { return s.Consumer.Count + len(s.Faults) }
