package worker_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"deliverybench/bench/client"
	"deliverybench/bench/latency"
	"deliverybench/bench/ledger"
	"deliverybench/bench/message"
	"deliverybench/bench/pace"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/scratch"
	"deliverybench/bench/stats"
	"deliverybench/bench/worker"
)

// These benchmarks answer what measuring costs: the same load with and without
// it, alternately and in short turns, since a machine that is not idle drifts
// by more than measuring costs. They are meant for scripts/speed.sh. b.N is the
// messages of one turn: run with -benchtime 100000x or so.

// turns is how often the two sides of a comparison alternate. The median of 25
// ratios has its 95 % interval between the 8th and the 18th. More would narrow
// it, but the embedded broker keeps every message: 600,000 a turn are 8 GB.
const turns = 25

// loop moves b.N messages or more.
type loop struct {
	name string
	ours bool // runs in a worker, whose garbage collector is set
	run  func(b *testing.B, s speed) cost
}

// cost is what moving messages took: time, and processor time of this process,
// which is the client alone.
type cost struct {
	messages, nanos, processorNanos int64
}

// speed is what a loop runs against.
type speed struct {
	endpoint client.Endpoint
	topic    string
	settings profile.Settings
	clock    pace.Clock
	group    string
	// began is when the broker was started: all messages are due after it.
	began int64
}

var (
	// What a program without us would do: it knows a report's message by its
	// Opaque, and asks for key and value or for nothing in the report.
	opaque = loop{"opaque", false, func(b *testing.B, s speed) cost { return produceOpaque(b, s, "key,value") }}
	lean   = loop{"lean", false, func(b *testing.B, s speed) cost { return produceOpaque(b, s, "none") }}
	// Our client without measuring, and the whole worker at rate: max.
	bare   = loop{"bare", true, produceBare}
	closed = loop{"closed", true, func(b *testing.B, s speed) cost { return produceWorker(b, s, profile.RateMax) }}
	// The whole worker on a schedule that it cannot keep, so that it never
	// sleeps and does everything that a paced load does.
	paced = loop{"paced", true, func(b *testing.B, s speed) cost { return produceWorker(b, s, pace.HighestRate) }}
	// Our client that polls and commits, and the whole worker with the same commits.
	polling  = loop{"bare", true, consumeBare}
	measured = loop{"measured", true, consumeWorker}
)

// BenchmarkProduce compares a loop with another one: time and processor time
// of the first as a multiple of the second's.
func BenchmarkProduce(b *testing.B) {
	for _, pair := range [][2]loop{{opaque, closed}, {lean, closed}, {closed, bare}, {paced, bare}} {
		compare(b, pair[0], pair[1], false)
	}
}

// BenchmarkConsume does the same for consuming.
func BenchmarkConsume(b *testing.B) { compare(b, measured, polling, true) }

// BenchmarkSendLag50k is how late the real producer sends 50,000 messages per
// second, b.N in all, to the broker that costs nothing.
func BenchmarkSendLag50k(b *testing.B) {
	spawner := process.NewSpawner(executable(b))
	b.Cleanup(spawner.Close)
	s := speed{settings: settings(), clock: pace.NewClock(), endpoint: startFree(b, spawner)}
	s.topic = createTopic(b, s.endpoint)
	s.settings.Load.Rate = 50_000
	w := startWorker(b, s, worker.ProducerRole, int64(b.N))
	w.until(worker.Ready)
	w.send(worker.Command{Start: s.clock.Now()})
	w.until(worker.Done)
	w.end()
	file, err := os.Open(w.latency + ".send.hlog")
	require.NoError(b, err)
	defer file.Close()
	log, err := latency.ReadLog(file)
	require.NoError(b, err)
	reportLag(b, log.Summary(result.SendLag, 0))
}

// BenchmarkSleepLag50k is the same schedule with nobody to send to: how late this
// machine wakes a thread that sleeps until each message is due. What a producer
// is late by begins there.
func BenchmarkSleepLag50k(b *testing.B) {
	load := settings().Load
	load.Rate = 50_000
	pacer, err := pace.New(load, 0, 1, 1)
	require.NoError(b, err)
	clock := pace.NewClock()
	waiter, lag := pace.NewWaiter(clock), latency.NewRecorder()
	start := clock.Now()
	for n := range b.N {
		due := start + int64(pacer.At(int64(n)))
		now, err := waiter.Wait(b.Context(), due)
		require.NoError(b, err)
		lag.Record(now - due)
	}
	reportLag(b, lag.Summary())
}

// reportLag reports a lag in microseconds, and nothing else.
func reportLag(b *testing.B, lag latency.Summary) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(lag.P50, "p50-µs")
	b.ReportMetric(lag.P99, "p99-µs")
	b.ReportMetric(lag.P999, "p99.9-µs")
	b.ReportMetric(lag.Max, "max-µs")
}

// compare runs two loops in turn, on every kind of broker.
func compare(b *testing.B, one, other loop, consuming bool) {
	for _, kind := range brokerKinds {
		b.Run(fmt.Sprintf("broker=%s/%s÷%s", kind.name, one.name, other.name), func(b *testing.B) {
			spawner := process.NewSpawner(executable(b))
			b.Cleanup(spawner.Close)
			s := speed{settings: settings(), clock: pace.NewClock()}
			s.began = s.clock.Now()
			s.endpoint = kind.start(b, spawner)
			s.topic = createTopic(b, s.endpoint)
			if consuming && kind.name != "free" {
				produceWorker(b, s, profile.RateMax) // something to read
			}
			var time, processor, rate [2][]float64
			for turn := range 2 * turns {
				// The pairs are ab, ba, ab: a drift hits both alike.
				side := (turn/2 + turn) % 2
				s.group = fmt.Sprintf("speed-%d", turn)
				c := [2]loop{one, other}[side].once(b, s)
				time[side] = append(time[side], float64(c.nanos)/float64(c.messages))
				processor[side] = append(processor[side], float64(c.processorNanos)/float64(c.messages))
				rate[side] = append(rate[side], float64(c.messages)/float64(c.nanos)*1e9)
			}
			b.ReportMetric(0, "ns/op") // holds the preparation too
			reportRatio(b, "time", time)
			reportRatio(b, "processor", processor)
			b.ReportMetric(stats.Summarise(rate[0]).Median, "msg/s")
			b.ReportMetric(stats.Summarise(rate[1]).Median, "other-msg/s")
		})
	}
}

// reportRatio reports the median of the turns' ratios with its 95 % interval.
func reportRatio(b *testing.B, what string, sides [2][]float64) {
	ratios := make([]float64, turns)
	for i := range ratios {
		ratios[i] = sides[0][i] / sides[1][i]
	}
	summary := stats.Summarise(ratios)
	b.ReportMetric(summary.Median, what)
	b.ReportMetric(summary.Lo, what+"-low")
	b.ReportMetric(summary.Hi, what+"-high")
}

// once runs the loop with the garbage collector that its process would have.
func (l loop) once(b *testing.B, s speed) cost {
	if l.ours {
		defer debug.SetGCPercent(debug.SetGCPercent(worker.GCPercent))
	}
	runtime.GC() // of what the other side left
	return l.run(b, s)
}

func settings() profile.Settings {
	s := profile.Defaults()
	s.Load.Warmup, s.Load.Duration = 0, profile.Duration(time.Hour)
	s.Load.Message.Size = speedSize
	s.Topic.Partitions = speedPartitions
	// The library's own defaults. An idempotent producer may wait half a second
	// for its id, and a thread of it spins whenever five requests are unanswered.
	s.Producer.Idempotence, s.Producer.MaxInFlight = false, 1_000_000
	s.Consumer.Commit.Every = 2000
	return s
}

func executable(b *testing.B) string {
	path, err := os.Executable()
	require.NoError(b, err)
	return path
}

// processorNanos is the processor time that this process has used so far.
func processorNanos(b *testing.B) int64 {
	var usage unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func encoded(b *testing.B) []byte {
	value := make([]byte, speedSize)
	payload, err := message.NewPayload(1, speedSize, 1, false)
	require.NoError(b, err)
	payload.Fill(value, 0)
	message.Encode(value, message.Header{Tag: speedTag})
	return value
}

// produceOpaque is the plain loop of confluent-kafka-go that knows a report's
// message by its Opaque.
func produceOpaque(b *testing.B, s speed, reportFields string) cost {
	config := kafka.ConfigMap{"go.delivery.report.fields": reportFields}
	for k, v := range client.ProducerProperties(s.endpoint, s.settings.Producer, "", 0) {
		config[k] = v
	}
	p, err := kafka.NewProducer(&config)
	require.NoError(b, err)
	defer p.Close()
	value, done := encoded(b), make(chan int64)
	var failed, sum int64
	go func() {
		for reported := 0; reported < b.N; {
			if m, ok := (<-p.Events()).(*kafka.Message); ok {
				reported++
				sum += m.Opaque.(int64)
				if m.TopicPartition.Error != nil {
					failed++
				}
			}
		}
		done <- s.clock.Now()
	}()
	start, used := s.clock.Now(), processorNanos(b)
	for n := range b.N {
		m := &kafka.Message{
			TopicPartition: kafka.TopicPartition{Topic: &s.topic, Partition: kafka.PartitionAny},
			Value:          value, Opaque: int64(n),
		}
		for err := p.Produce(m, nil); err != nil; err = p.Produce(m, nil) {
			require.Equal(b, kafka.ErrQueueFull, err.(kafka.Error).Code())
			time.Sleep(500 * time.Microsecond)
		}
	}
	c := cost{int64(b.N), <-done - start, processorNanos(b) - used}
	require.Zero(b, failed)
	require.Equal(b, int64(b.N)*int64(b.N-1)/2, sum, "sum of the opaques")
	return c
}

// produceBare is the worker's loop without anything that measures.
func produceBare(b *testing.B, s speed) cost {
	p, err := client.NewProducer(client.ProducerProperties(s.endpoint, s.settings.Producer, "", 0), s.topic)
	require.NoError(b, err)
	defer p.Close()
	var failed atomic.Int64
	go p.Reports(func(r *client.Report) {
		if r.Outcome != client.Acked {
			failed.Add(1)
		}
	}, func(error) {})
	value := encoded(b)
	start, used := s.clock.Now(), processorNanos(b)
	for range b.N {
		for err := p.Produce(nil, value); err != nil; err = p.Produce(nil, value) {
			require.True(b, errors.Is(err, client.ErrQueueFull), err)
			time.Sleep(500 * time.Microsecond)
		}
	}
	require.Zero(b, p.Flush(time.Minute), "messages without a report after a minute")
	c := cost{int64(b.N), s.clock.Now() - start, processorNanos(b) - used}
	require.Zero(b, failed.Load())
	return c
}

func produceWorker(b *testing.B, s speed, rate profile.Rate) cost {
	s.settings.Load.Rate = rate
	w := startWorker(b, s, worker.ProducerRole, int64(b.N))
	w.until(worker.Ready)
	start, used := s.clock.Now(), processorNanos(b)
	w.send(worker.Command{Start: start})
	done := w.until(worker.Done)
	used = processorNanos(b) - used
	require.Equal(b, int64(b.N), done.Counts.Reported)
	w.end()
	return cost{int64(b.N), done.Counts.Last - start, used}
}

// consumeBare polls, and commits as often as the worker does.
func consumeBare(b *testing.B, s speed) cost {
	c, err := client.NewConsumer(client.ConsumerProperties(s.endpoint, s.settings.Consumer, s.group, s.group), s.topic)
	require.NoError(b, err)
	defer c.Close()
	require.NoError(b, c.Subscribe(&client.Rebalance{
		Assigned: func([]int32) {}, Revoked: func([]int32) {}, Lost: func([]int32) {},
	}))
	next := client.Offsets{}
	var first, used int64
	for n := 0; n < b.N; {
		event := c.Poll(20 * time.Millisecond)
		if event.Kind != client.Record {
			require.NoError(b, event.Err)
			continue
		}
		if first == 0 {
			first, used = s.clock.Now(), processorNanos(b)
		}
		next[event.Partition] = event.Offset + 1
		if n++; n%s.settings.Consumer.Commit.Every == 0 {
			require.NoError(b, c.Commit(next))
		}
	}
	return cost{int64(b.N), s.clock.Now() - first, processorNanos(b) - used}
}

func consumeWorker(b *testing.B, s speed) cost {
	s.settings.Load.Rate = pace.HighestRate // latency counts from the intended time
	w := startWorker(b, s, worker.ConsumerRole, max(cannedRecords, int64(b.N)))
	w.until(worker.Ready)
	w.send(worker.Command{Start: s.began})
	used := processorNanos(b)
	e := w.until(worker.Progress)
	// What is left of the last batch is never full.
	for whole := int64(b.N - b.N%s.settings.Consumer.Commit.Every); e.Counts.Effects < whole; {
		e = w.until(worker.Progress)
	}
	used = processorNanos(b) - used
	w.end()
	return cost{max(1, e.Counts.Effects), e.Counts.Last - e.First, used}
}

// running is a worker in this process, spoken to as a trial does.
type running struct {
	b        *testing.B
	commands *json.Encoder
	input    *io.PipeWriter
	output   io.Reader
	latency  string // path of its interval logs
	events   *json.Decoder
	ended    chan error
}

func startWorker(b *testing.B, s speed, role worker.Role, capacity int64) *running {
	layout := ledger.Layout{Producers: 1, Capacity: capacity}
	dir, remove, err := scratch.New([]string{"/dev/shm", os.TempDir()}, layout.Bytes(0, 1))
	require.NoError(b, err)
	b.Cleanup(func() { _ = remove() })
	require.NoError(b, ledger.Create(dir, layout))
	stdin, input := io.Pipe()
	events, stdout := io.Pipe()
	w := &running{
		b: b, commands: json.NewEncoder(input), input: input, output: events, events: json.NewDecoder(events),
		latency: filepath.Join(dir, string(role)), ended: make(chan error, 1),
	}
	go func() {
		w.ended <- worker.Main(stdin, stdout, os.Stderr)
		_ = stdout.Close()
	}()
	w.send(worker.Spec{
		Role: role, Settings: s.settings, Seed: 1, Endpoint: s.endpoint, RunTag: speedTag,
		Input: s.topic, Group: s.group, Ledger: dir, Latency: w.latency,
	})
	return w
}

func (w *running) send(v any) { require.NoError(w.b, w.commands.Encode(v)) }

// until returns the next event of the kind.
func (w *running) until(kind worker.EventKind) worker.Event {
	for {
		var e worker.Event
		require.NoError(w.b, w.events.Decode(&e), "the worker ended before its event %q", kind)
		require.Empty(w.b, e.Error)
		if e.Kind == kind {
			return e
		}
	}
}

// end closes the worker's input and waits for its end.
func (w *running) end() {
	_ = w.input.Close()
	go func() { _, _ = io.Copy(io.Discard, w.output) }()
	select {
	case err := <-w.ended:
		require.NoError(w.b, err)
	case <-time.After(30 * time.Second):
		require.FailNow(w.b, "waited 30 s for the worker to end")
	}
}
