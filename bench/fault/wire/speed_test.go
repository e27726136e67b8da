package wire_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/fault/wire"
	"deliverybench/bench/stats"
)

// These benchmarks answer what the proxy itself costs: the same traffic through
// it and directly, alternately and in short turns, since a machine that is not
// idle drifts by more than the proxy costs. b.N is what one turn moves: run
// with -benchtime 2000x or so.

// turns is how often the two sides alternate.
const turns = 25

// paths are the ways to a broker that costs as little as can be.
type paths struct{ direct, proxied *bufferedClient }

type bufferedClient struct {
	dialled
	r *bufio.Reader
}

func startPaths(b *testing.B, accounting bool) paths {
	b.Helper()
	s := startSink(b)
	o := options(s)
	if accounting {
		o.OnUnanswered = func(wire.Unanswered) {}
	}
	p := startWith(b, o)
	client := func(address string) *bufferedClient {
		d := dial(b, address)
		require.NoError(b, d.SetDeadline(time.Time{}))
		return &bufferedClient{d, bufio.NewReaderSize(d, 64<<10)}
	}
	return paths{client(s), client(p.Bootstrap())}
}

// startSink is a broker that answers every request with as little as a Produce
// of version 7 about nothing takes, without looking at it.
func startSink(b *testing.B) (address string) {
	b.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go drain(c)
		}
	}()
	return listener.Addr().String()
}

func drain(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 256<<10)
	for {
		head := make([]byte, 12)
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, r, int64(binary.BigEndian.Uint32(head))-8); err != nil {
			return
		}
		answer := append([]byte{0, 0, 0, 12}, head[8:]...)
		if _, err := c.Write(append(answer, 0, 0, 0, 0, 0, 0, 0, 0)); err != nil {
			return
		}
	}
}

// answers reads so many.
func (c *bufferedClient) answers(b *testing.B, n int) {
	b.Helper()
	_, err := io.CopyN(io.Discard, c.r, int64(n)*16)
	require.NoError(b, err)
}

// BenchmarkRoundTrip is a small request and its answer: the time through the
// proxy as a multiple of the time without it, and the difference.
func BenchmarkRoundTrip(b *testing.B) {
	ways := startPaths(b, false)
	small := frame(request(kmsg.Heartbeat, 0, 1, "client", make([]byte, 64)))
	compare(b, ways, func(c *bufferedClient) time.Duration {
		began := time.Now()
		for range b.N {
			_, err := c.Write(small)
			require.NoError(b, err)
			c.answers(b, 1)
		}
		return time.Since(began) / time.Duration(b.N)
	})
}

// BenchmarkThroughput sends Produce requests of 256 KiB, five under way: as
// bytes, and decoded and counted as when somebody wants to know what remains
// unanswered.
func BenchmarkThroughput(b *testing.B) {
	for _, counted := range []bool{false, true} {
		b.Run(text("counted=%t", counted), func(b *testing.B) {
			ways := startPaths(b, counted)
			produce := frame(aProduceOf(256 << 10))
			compare(b, ways, func(c *bufferedClient) time.Duration {
				const underWay = 5
				began := time.Now()
				for n := range b.N {
					if n >= underWay {
						c.answers(b, 1)
					}
					_, err := c.Write(produce)
					require.NoError(b, err)
				}
				c.answers(b, min(b.N, underWay))
				return time.Since(began) / time.Duration(b.N)
			})
		})
	}
}

// aProduceOf is a Produce request of about that many bytes.
func aProduceOf(bytes int) []byte {
	batch := kmsg.RecordBatch{Length: int32(49 + bytes), Magic: 2, NumRecords: 1, Records: make([]byte, bytes)}
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = batch.AppendTo(nil)
	to := kmsg.NewProduceRequestTopic()
	to.Topic, to.Partitions = topic, []kmsg.ProduceRequestTopicPartition{partition}
	produce := kmsg.NewPtrProduceRequest()
	produce.Acks, produce.Topics = -1, []kmsg.ProduceRequestTopic{to}
	return encoded(produce, 7, 1, "producer-0.0")
}

// compare takes turns and reports the median of the turns' ratios with its
// 95 % interval, and the medians of both sides.
func compare(b *testing.B, ways paths, turn func(*bufferedClient) time.Duration) {
	b.Helper()
	var took [2][]float64
	for n := range 2 * turns {
		side := (n/2 + n) % 2 // ab, ba, ab: a drift hits both alike
		took[side] = append(took[side], float64(turn([2]*bufferedClient{ways.direct, ways.proxied}[side]).Nanoseconds())/1e3)
	}
	ratios, added := make([]float64, turns), make([]float64, turns)
	for n := range ratios {
		ratios[n], added[n] = took[1][n]/took[0][n], took[1][n]-took[0][n]
	}
	ratio := stats.Summarise(ratios)
	b.ReportMetric(0, "ns/op") // holds both sides and the preparation
	b.ReportMetric(ratio.Median, "ratio")
	b.ReportMetric(ratio.Lo, "ratio-low")
	b.ReportMetric(ratio.Hi, "ratio-high")
	b.ReportMetric(stats.Summarise(added).Median, "added-µs")
	b.ReportMetric(stats.Summarise(took[0]).Median, "direct-µs")
	b.ReportMetric(stats.Summarise(took[1]).Median, "proxied-µs")
}
