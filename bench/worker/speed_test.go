package worker_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
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
	"deliverybench/bench/worker"
)

// These benchmarks answer what measuring costs: the same load with and without
// it. They are meant for scripts/speed.sh, which runs them alternately and
// takes ratios; one figure alone says little on a machine that is not idle.
// Run with -benchtime 1000000x or so.

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
	// began is when the broker was started: all messages are due after it.
	began int64
}

// BenchmarkProduce: opaque and lean are what a program without us would do;
// bare is our client without measuring; closed is the whole worker at
// rate: max; paced is the whole worker on a schedule that it cannot keep, so
// that it never sleeps and does everything that a paced load does.
func BenchmarkProduce(b *testing.B) {
	benchmark(b, []loop{
		{"opaque", false, func(b *testing.B, s speed) cost { return produceOpaque(b, s, "key,value") }},
		{"lean", false, func(b *testing.B, s speed) cost { return produceOpaque(b, s, "none") }},
		{"bare", true, produceBare},
		{"closed", true, func(b *testing.B, s speed) cost { return produceWorker(b, s, profile.RateMax) }},
		{"paced", true, func(b *testing.B, s speed) cost { return produceWorker(b, s, pace.HighestRate) }},
	})
}

// BenchmarkConsume: bare is our client that polls and commits; measured is the
// whole worker, with the same commits.
func BenchmarkConsume(b *testing.B) {
	benchmark(b, []loop{{"bare", true, consumeBare}, {"measured", true, consumeWorker}})
}

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
	lag := log.Summary(result.SendLag, 0)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(lag.P50, "p50-µs")
	b.ReportMetric(lag.P99, "p99-µs")
	b.ReportMetric(lag.P999, "p99.9-µs")
	b.ReportMetric(lag.Max, "max-µs")
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
				if l.ours {
					// What a worker process does when it starts.
					defer debug.SetGCPercent(debug.SetGCPercent(worker.GCPercent))
				}
				c := l.run(b, s)
				b.ReportMetric(0, "ns/op") // holds the preparation too
				b.ReportMetric(float64(c.messages)/float64(c.nanos)*1e9, "msg/s")
				b.ReportMetric(float64(c.processorNanos)/float64(c.messages), "cpu-ns/msg")
			})
		}
	}
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
	c, err := client.NewConsumer(client.ConsumerProperties(s.endpoint, s.settings.Consumer, "speed", "speed-0"), s.topic)
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
		Input: s.topic, Group: "speed", Ledger: dir, Latency: w.latency,
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
