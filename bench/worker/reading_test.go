package worker

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/latency"
	"deliverybench/bench/message"
	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// scheduled is a producer whose load of this rate began at start, and is measured
// from then on.
func scheduled(t *testing.T, rate profile.Rate, start int64) *producer {
	t.Helper()
	env := &environment{clock: pace.NewClock()}
	env.spec.Settings = profile.Defaults()
	s := &env.spec.Settings
	s.Load.Rate, s.Load.Warmup, s.Load.Duration = rate, 0, profile.Duration(time.Hour)
	env.spec.Latency = t.TempDir() + "/producer"
	p := &producer{env: env, waiter: pace.NewWaiter(env.clock), measured: -1, reading: newReading(*s, false)}
	var err error
	if rate != profile.RateMax {
		p.pacer, err = pace.New(s.Load, 0, 1, 1)
		require.NoError(t, err)
	}
	p.payload, err = message.NewPayload(1, int(s.Load.Message.Size), 1, false)
	require.NoError(t, err)
	p.windowStart = start
	p.sending, err = env.openLatencies("send", start)
	require.NoError(t, err)
	p.sendLag = p.sending.role(result.SendLag)
	return p
}

// lags are the send lags that the producer recorded.
func lags(t *testing.T, p *producer) latency.Summary {
	t.Helper()
	require.NoError(t, p.sending.close())
	file, err := os.Open(p.env.spec.Latency + ".send.hlog")
	require.NoError(t, err)
	defer file.Close()
	log, err := latency.ReadLog(file)
	require.NoError(t, err)
	return log.Summary(result.SendLag, 0)
}

// Messages that are due share a reading, eight at most. What is left of one that
// is over gets another, later one, and no message's lag is counted twice or not
// at all.
func TestMessagesShareAReading(t *testing.T) {
	const messages, due = 100, time.Second
	start := pace.NewClock().Now() - int64(due)
	p := scheduled(t, 1_000_000, start)
	handed, readings := int64(0), map[int64]int{}
	for ; handed < messages; handed++ {
		require.NoError(t, p.awaitDue(t.Context(), start, handed, messages))
		a, value := p.reading.message(handed)
		require.Equal(t, attempt{seq: handed, intended: start + handed*1000}, a)
		h, err := message.Decode(value)
		require.NoError(t, err)
		require.Equal(t, message.Header{Sequence: uint64(handed), Intended: a.intended, Sent: p.reading.now}, h)
		require.GreaterOrEqual(t, h.Sent, start+int64(due))
		readings[h.Sent]++
		if handed == 2 {
			p.reading.drop()
		}
	}
	p.recordLag(handed)
	for _, shared := range readings {
		require.LessOrEqual(t, shared, sharedReadings)
	}
	require.Len(t, readings, 14) // of 3, then 12 of 8, then of the last 1
	require.EqualValues(t, messages, lags(t, p).Count)
}

// A message that is not due yet is in no reading, and one that was not handed
// over has no lag.
func TestOnlyWhatIsDueSharesAReading(t *testing.T) {
	start := pace.NewClock().Now()
	p := scheduled(t, 1, start)
	require.NoError(t, p.awaitDue(t.Context(), start, 0, 10))
	require.True(t, p.reading.holds(0))
	require.False(t, p.reading.holds(1))
	p.recordLag(0)
	require.Zero(t, lags(t, p).Count)
}

// At rate: max a message is intended when its reading was taken, and is never late.
func TestUnpacedMessagesAreDueAtOnce(t *testing.T) {
	start := pace.NewClock().Now()
	p := scheduled(t, profile.RateMax, start)
	require.NoError(t, p.awaitDue(t.Context(), start, 5, 10))
	require.True(t, p.reading.holds(9))
	require.False(t, p.reading.holds(10), "it is not to be sent")
	a, _ := p.reading.message(9)
	require.Equal(t, attempt{seq: 9, intended: p.reading.now}, a)
	require.EqualValues(t, 5, p.measured)
	p.recordLag(10)
	require.Zero(t, lags(t, p).Count)
}

// Where a producer waits between its messages, or eight of them take long, each
// has a reading of its own.
func TestWhoSharesNoReading(t *testing.T) {
	for name, set := range map[string]func(*profile.Settings){
		"one outstanding": func(s *profile.Settings) { s.Producer.Outstanding = 1 },
		"outbox":          func(s *profile.Settings) { s.Pipeline = profile.ByOutbox },
		"large":           func(s *profile.Settings) { s.Load.Message.Size = sharedBytes + 1 },
	} {
		s := profile.Defaults()
		require.EqualValues(t, sharedReadings, newReading(s, false).most)
		require.EqualValues(t, 1, newReading(s, true).most, "struck")
		set(&s)
		require.EqualValues(t, 1, newReading(s, false).most, name)
	}
}
