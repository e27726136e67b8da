package wire_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"deliverybench/bench/client"
	"deliverybench/bench/fault/wire"
	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
)

// within bounds every wait for what should come soon on any machine.
const within = 3 * time.Minute

const topic = "numbers"

func TestMain(m *testing.M) {
	// A race detector's process sleeps for a second when it ends.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

// cluster is a Kafka in this process that counts who connects.
type cluster struct {
	*kfake.Cluster
	accepted atomic.Int64
}

type counting struct {
	net.Listener
	accepted *atomic.Int64
}

func (l counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return c, err
}

func startCluster(t testing.TB, brokers int, partitions int32) *cluster {
	t.Helper()
	c := &cluster{}
	inner, err := kfake.NewCluster(
		kfake.NumBrokers(brokers), kfake.SeedTopics(partitions, topic), kfake.GroupMinSessionTimeout(100*time.Millisecond),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			return counting{l, &c.accepted}, err
		}),
	)
	require.NoError(t, err)
	t.Cleanup(inner.Close)
	c.Cluster = inner
	return c
}

// record keeps what a proxy reports.
type record struct {
	mu         sync.Mutex
	hits       []wire.Hit
	unanswered []wire.Unanswered
	proxy      *wire.Proxy
}

func (r *record) allHits() []wire.Hit {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]wire.Hit(nil), r.hits...)
}

func (r *record) allUnanswered() []wire.Unanswered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]wire.Unanswered(nil), r.unanswered...)
}

func (r *record) log() []string { return r.proxy.Log() }

// startProxy stands before the addresses until the test ends.
func startProxy(t testing.TB, bootstrap ...string) (*wire.Proxy, *record) {
	t.Helper()
	r := &record{}
	options := options(bootstrap...)
	options.OnHit = func(h wire.Hit) { r.mu.Lock(); defer r.mu.Unlock(); r.hits = append(r.hits, h) }
	options.OnUnanswered = func(u wire.Unanswered) { r.mu.Lock(); defer r.mu.Unlock(); r.unanswered = append(r.unanswered, u) }
	r.proxy = startWith(t, options)
	return r.proxy, r
}

// options are those of a proxy that nobody listens to.
func options(bootstrap ...string) wire.Options {
	return wire.Options{Bootstrap: bootstrap, Clock: pace.NewClock().Now, Seed: 1}
}

func startWith(t testing.TB, o wire.Options) *wire.Proxy {
	t.Helper()
	p, err := wire.Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// arm arms a rule and waits until it is done to those who are there.
func arm(t testing.TB, p *wire.Proxy, r wire.Rule) *wire.Armed {
	t.Helper()
	a, err := p.Arm(r)
	require.NoError(t, err)
	select {
	case <-a.Met():
	case <-time.After(within):
		t.Fatalf("waited %s for rule %q to be done to the connections that are there", within, r.Name)
	}
	return a
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "waited %s for %s", within, what)
	}
}

// producer is a real client.
type producer struct {
	*client.Producer
	acked, errors atomic.Int64 // messages with success and without
	ended         chan struct{}
}

// producing are the settings of a client with the id producer-0.0 that sends
// again what it has no answer to.
func producing() profile.Producer {
	s := profile.Defaults().Producer
	s.Idempotence, s.Retries, s.MaxInFlight = false, 1000, 1
	s.Librdkafka = map[string]string{"client.id": "producer-0.0", "socket.timeout.ms": "1000"}
	return s
}

func startProducer(t testing.TB, bootstrap string, s profile.Producer) *producer {
	t.Helper()
	return start(t, client.ProducerProperties(client.Endpoint{Bootstrap: bootstrap}, s, "", 0))
}

func startTransactional(t testing.TB, bootstrap, id string) *producer {
	t.Helper()
	s := producing()
	s.Idempotence, s.MaxInFlight = true, 5
	s.Librdkafka["client.id"] = id
	return start(t, client.ProducerProperties(client.Endpoint{Bootstrap: bootstrap}, s, id, 30*time.Second))
}

func start(t testing.TB, properties client.Properties) *producer {
	t.Helper()
	inner, err := client.NewProducer(properties, topic)
	require.NoError(t, err)
	p := &producer{Producer: inner, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.Reports(func(r *client.Report) {
			if r.Outcome == client.Acked {
				p.acked.Add(1)
			} else {
				p.errors.Add(1)
			}
		}, func(error) {})
	}()
	return p
}

// take hands numbers to the client.
func (p *producer) take(t testing.TB, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		value := []byte(strconv.Itoa(n))
		for err := p.Produce(nil, value); err != nil; err = p.Produce(nil, value) {
			require.ErrorIs(t, err, client.ErrQueueFull)
			time.Sleep(time.Millisecond)
		}
	}
}

// produce sends the numbers from 0 and closes the client.
func (p *producer) produce(t testing.TB, numbers int) {
	t.Helper()
	p.take(t, 0, numbers)
	require.Zero(t, p.Flush(within), "messages without a report after %s", within)
	p.close()
}

// produceUntil sends the numbers from 0 until something has happened, and
// returns how many they were: requests are under way when it happens.
func (p *producer) produceUntil(t testing.TB, what string, happened func() bool) (sent int) {
	t.Helper()
	eventually(t, what, func() bool {
		p.take(t, sent, sent+200)
		sent += 200
		return happened()
	})
	require.Zero(t, p.Flush(within), "messages without a report after %s", within)
	p.close()
	return sent
}

func (p *producer) close() {
	p.Close()
	<-p.ended
}

// settle waits until the proxy has no connection of the producer.
func settle(t testing.TB, p *wire.Proxy, prefix string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	require.NoError(t, p.Settle(ctx, prefix))
}

// copies counts each value in the log, read up to the end that it has now.
func copies(t testing.TB, bootstrap []string, options ...kgo.Opt) map[string]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	reader, err := kgo.NewClient(append(options, kgo.SeedBrokers(bootstrap...), kgo.ConsumeTopics(topic),
		kgo.FetchMaxWait(50*time.Millisecond), kgo.KeepControlRecords())...) // they have offsets too
	require.NoError(t, err)
	defer reader.Close()
	found := map[string]int{}
	for left := ends(t, bootstrap); len(left) > 0; {
		fetches := reader.PollFetches(ctx)
		require.NoError(t, fetches.Err(), "read the log; missing still: %v", left)
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, record := range p.Records {
				if !record.Attrs.IsControl() {
					found[string(record.Value)]++
				}
				if record.Offset+1 >= left[p.Partition] {
					delete(left, p.Partition)
				}
			}
		})
	}
	return found
}

// ends are the end offsets of the partitions that hold something.
func ends(t testing.TB, bootstrap []string) map[int32]int64 {
	t.Helper()
	admin, err := client.NewAdmin(client.Endpoint{Bootstrap: bootstrap[0]})
	require.NoError(t, err)
	defer admin.Close()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	partitions := 3
	all, err := admin.EndOffsets(ctx, topic, partitions, profile.ReadUncommitted)
	require.NoError(t, err)
	left := map[int32]int64{}
	for p, end := range all {
		if end > 0 {
			left[p] = end
		}
	}
	return left
}

// duplicates are the copies beyond the first; every number has to be there.
func duplicates(t testing.TB, found map[string]int, numbers int) (extra int64) {
	t.Helper()
	for n := range numbers {
		require.NotZero(t, found[strconv.Itoa(n)], "number %d is not in the log", n)
		extra += int64(found[strconv.Itoa(n)] - 1)
	}
	require.Len(t, found, numbers)
	return extra
}

func text(format string, args ...any) string { return fmt.Sprintf(format, args...) }
