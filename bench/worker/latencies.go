package worker

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"deliverybench/bench/latency"
	"deliverybench/bench/message"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// LatencyInterval is the grid of the interval logs.
const LatencyInterval = 100 * time.Millisecond

// Roles of messages that were due in the warm-up or the cool-down and completed
// within the measured window or after it: throughput needs them, latencies must
// not have them.
const (
	AckOutside      = "ack_outside"
	EndToEndOutside = "end_to_end_outside"
)

// latencies is one interval log: what one goroutine measured.
type latencies struct {
	file   *os.File
	writer *latency.LogWriter
	roles  map[string]*latency.IntervalRecorder
	// The roles of the hot path, looked up once.
	acks, effects hotRoles
	// The measured window: latencies are of the messages due in it.
	windowStart, windowEnd int64
	// service says that the time from the actual send is recorded as well; in
	// a closed loop it is the same as from the intended one.
	service bool
	recent  *recent
}

// hotRoles are recorded for every message.
type hotRoles struct{ intended, service, outside *latency.IntervalRecorder }

func (env *environment) openLatencies(what string, windowStart int64) (*latencies, error) {
	file, err := os.Create(env.spec.Latency + "." + what + ".hlog")
	if err != nil {
		return nil, fmt.Errorf("latency log: %w", err)
	}
	grid := latency.Grid{Origin: windowStart, Interval: LatencyInterval}
	origin := time.Now().Add(time.Duration(windowStart - env.clock.Now()))
	writer, err := latency.NewLogWriter(file, grid, origin)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	l := &latencies{
		file: file, writer: writer, roles: map[string]*latency.IntervalRecorder{},
		service: env.spec.Settings.Load.Rate != profile.RateMax,
		recent:  &recent{},

		windowStart: windowStart, windowEnd: windowStart + int64(env.spec.Settings.Load.Duration),
	}
	l.acks = hotRoles{l.role(result.Ack), l.role(result.AckService), l.role(AckOutside)}
	l.effects = hotRoles{l.role(result.EndToEnd), l.role(result.EndToEndService), l.role(EndToEndOutside)}
	return l, nil
}

// role returns the recorder of a role; the names are this program's own, so an
// error is a mistake in it.
func (l *latencies) role(name string) *latency.IntervalRecorder {
	r, ok := l.roles[name]
	if !ok {
		var err error
		if r, err = l.writer.Role(name); err != nil {
			panic(err)
		}
		l.roles[name] = r
	}
	return r
}

// record counts one latency that is not on the hot path.
func (l *latencies) record(role string, now, nanos int64) { l.role(role).Record(now, nanos) }

func (l *latencies) ack(now int64, h *message.Header) {
	l.hot(&l.acks, now, h)
}

func (l *latencies) endToEnd(now int64, h *message.Header) {
	l.hot(&l.effects, now, h)
}

// measures reports whether a message due at this time is in the measured window.
func (l *latencies) measures(intended int64) bool {
	return intended >= l.windowStart && intended < l.windowEnd
}

func (l *latencies) hot(roles *hotRoles, now int64, h *message.Header) {
	if !l.measures(h.Intended) {
		roles.outside.Record(now, now-h.Intended)
		return
	}
	roles.intended.Record(now, now-h.Intended)
	if l.service {
		roles.service.Record(now, now-h.Sent)
	}
	l.recent.add(now - h.Intended)
}

func (l *latencies) close() error {
	if l == nil {
		return nil
	}
	return errors.Join(l.writer.Close(), l.file.Close())
}

// recent keeps a sample of the last latencies for the progress display, where
// every message would cost too much.
type recent struct {
	samples [512]atomic.Int64
	n       int64
}

func (r *recent) add(nanos int64) {
	r.n++
	if r.n&7 == 0 {
		r.samples[r.n>>3&511].Store(nanos)
	}
}

// p99Micros is the 99th percentile of the sample, in microseconds.
func (r *recent) p99Micros() float64 {
	values := make([]int64, 0, len(r.samples))
	for i := range r.samples {
		if v := r.samples[i].Load(); v > 0 {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return float64(values[len(values)*99/100]) / float64(time.Microsecond)
}
