package worker_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"deliverybench/bench/client"
	"deliverybench/bench/ledger"
	"deliverybench/bench/message"
	"deliverybench/bench/pace"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/worker"
)

// These benchmarks answer what measuring costs: the same load with and without
// it. They are meant for scripts/speed.sh, which runs them alternately and
// takes ratios; one figure alone says little on a machine that is not idle.
// Run with -benchtime 1000000x or so.

// loop moves b.N messages and returns how long that took.
type loop struct {
	name string
	run  func(b *testing.B, s speed) time.Duration
}

// speed is what a loop runs against.
type speed struct {
	endpoint client.Endpoint
	topic    string
	settings profile.Settings
	clock    pace.Clock
	// began is when the broker was started: all messages are due after it.
	began int64
}

// BenchmarkProduce: opaque and lean are what a program without us would do;
// bare is our client without measuring; closed is the whole worker at
// rate: max; paced is the whole worker on a schedule that it cannot keep, so
// that it never sleeps and does everything that a paced load does.
func BenchmarkProduce(b *testing.B) {
	benchmark(b, []loop{
		{"opaque", func(b *testing.B, s speed) time.Duration { return produceOpaque(b, s, "key,value") }},
		{"lean", func(b *testing.B, s speed) time.Duration { return produceOpaque(b, s, "none") }},
		{"bare", produceBare},
		{"closed", func(b *testing.B, s speed) time.Duration { return produceWorker(b, s, profile.RateMax) }},
		{"paced", func(b *testing.B, s speed) time.Duration { return produceWorker(b, s, pace.HighestRate) }},
	})
}

// BenchmarkConsume: bare is our client that polls and commits; measured is the
// whole worker, with the same commits.
func BenchmarkConsume(b *testing.B) {
	benchmark(b, []loop{{"bare", consumeBare}, {"measured", consumeWorker}})
}

func benchmark(b *testing.B, loops []loop) {
	for _, kind := range brokerKinds {
		for _, l := range loops {
			b.Run("broker="+kind.name+"/loop="+l.name, func(b *testing.B) {
				spawner := process.NewSpawner(executable(b))
				b.Cleanup(spawner.Close)
				s := speed{settings: settings(), clock: pace.NewClock()}
				s.began = s.clock.Now()
				s.endpoint = kind.start(b, spawner)
				s.topic = createTopic(b, s.endpoint)
				if b.Name()[:len("BenchmarkConsume")] == "BenchmarkConsume" && kind.name != "free" {
					produceWorker(b, s, profile.RateMax) // something to read
				}
				used := processorNanos(b)
				took := l.run(b, s)
				used = processorNanos(b) - used
				b.ReportMetric(0, "ns/op") // holds the preparation too
				b.ReportMetric(float64(b.N)/took.Seconds(), "msg/s")
				b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/msg")
			})
		}
	}
}

func settings() profile.Settings {
	s := profile.Defaults()
	s.Load.Warmup, s.Load.Duration = 0, profile.Duration(time.Hour)
	s.Load.Message.Size = speedSize
	s.Topic.Partitions = speedPartitions
	s.Producer.Idempotence = true
	s.Consumer.Commit.Every = 10_000
	return s
}

func executable(b *testing.B) string {
	path, err := os.Executable()
	require.NoError(b, err)
	return path
}

// processorNanos is the processor time that this process, which is the client
// alone, has used so far.
func processorNanos(b *testing.B) int64 {
	var usage unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func encoded(b *testing.B) []byte {
	value := make([]byte, speedSize)
	payload, err := message.NewPayload(1, speedSize, 1)
	require.NoError(b, err)
	payload.Fill(value, 0)
	message.Encode(value, message.Header{Tag: speedTag})
	return value
}

// produceOpaque is the plain loop of confluent-kafka-go that knows a report's
// message by its Opaque.
func produceOpaque(b *testing.B, s speed, reportFields string) time.Duration {
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
	start := s.clock.Now()
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
	took := time.Duration(<-done - start)
	require.Zero(b, failed)
	require.Equal(b, int64(b.N)*int64(b.N-1)/2, sum, "sum of the opaques")
	return took
}

// produceBare is the worker's loop without anything that measures.
func produceBare(b *testing.B, s speed) time.Duration {
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
	start := s.clock.Now()
	for range b.N {
		for err := p.Produce(nil, value); err != nil; err = p.Produce(nil, value) {
			require.True(b, errors.Is(err, client.ErrQueueFull), err)
			time.Sleep(500 * time.Microsecond)
		}
	}
	require.Zero(b, p.Flush(time.Minute), "messages without a report after a minute")
	took := time.Duration(s.clock.Now() - start)
	require.Zero(b, failed.Load())
	return took
}

func produceWorker(b *testing.B, s speed, rate profile.Rate) time.Duration {
	s.settings.Load.Rate = rate
	w := startWorker(b, s, worker.ProducerRole, int64(b.N))
	w.until(worker.Ready)
	start := s.clock.Now()
	w.send(worker.Command{Start: start})
	done := w.until(worker.Done)
	require.Equal(b, int64(b.N), done.Counts.Reported)
	w.end()
	return time.Duration(done.Counts.Last - start)
}

// consumeBare polls, and commits as often as the worker does.
func consumeBare(b *testing.B, s speed) time.Duration {
	c, err := client.NewConsumer(client.ConsumerProperties(s.endpoint, s.settings.Consumer, "speed", "speed-0"), s.topic)
	require.NoError(b, err)
	defer c.Close()
	require.NoError(b, c.Subscribe(&client.Rebalance{
		Assigned: func([]int32) {}, Revoked: func([]int32) {}, Lost: func([]int32) {},
	}))
	next := client.Offsets{}
	var first int64
	for n := 0; n < b.N; {
		event := c.Poll(20 * time.Millisecond)
		if event.Kind != client.Record {
			require.NoError(b, event.Err)
			continue
		}
		if first == 0 {
			first = s.clock.Now()
		}
		next[event.Partition] = event.Offset + 1
		if n++; n%s.settings.Consumer.Commit.Every == 0 {
			require.NoError(b, c.Commit(next))
		}
	}
	return time.Duration(s.clock.Now() - first)
}

func consumeWorker(b *testing.B, s speed) time.Duration {
	s.settings.Load.Rate = pace.HighestRate // latency counts from the intended time
	w := startWorker(b, s, worker.ConsumerRole, max(cannedRecords, int64(b.N)))
	w.until(worker.Ready)
	w.send(worker.Command{Start: s.began})
	var e worker.Event
	// What is left of the last batch is never full.
	for whole := int64(b.N - b.N%s.settings.Consumer.Commit.Every); e.Counts.Effects < whole; {
		e = w.until(worker.Progress)
	}
	w.end()
	// The free broker's messages never end: scale to b.N.
	took := float64(e.Counts.Last-e.First) * float64(b.N) / float64(max(1, e.Counts.Effects))
	return time.Duration(took)
}

// running is a worker in this process, spoken to as a trial does.
type running struct {
	b        *testing.B
	commands *json.Encoder
	input    *io.PipeWriter
	output   io.Reader
	events   *json.Decoder
	ended    chan error
}

func startWorker(b *testing.B, s speed, role worker.Role, capacity int64) *running {
	layout := ledger.Layout{Producers: 1, Capacity: capacity}
	dir, remove, err := ledger.NewWorkspace([]string{"/dev/shm", os.TempDir()}, layout.Bytes(0, 1))
	require.NoError(b, err)
	b.Cleanup(func() { _ = remove() })
	require.NoError(b, ledger.Create(dir, layout))
	stdin, input := io.Pipe()
	events, stdout := io.Pipe()
	w := &running{b, json.NewEncoder(input), input, events, json.NewDecoder(events), make(chan error, 1)}
	go func() {
		w.ended <- worker.Main(stdin, stdout, os.Stderr)
		_ = stdout.Close()
	}()
	w.send(worker.Spec{
		Role: role, Settings: s.settings, Seed: 1, Endpoint: s.endpoint, RunTag: speedTag,
		Input: s.topic, Group: "speed", Ledger: dir, Latency: filepath.Join(dir, string(role)),
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
