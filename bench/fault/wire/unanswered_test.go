package wire_test

import (
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/fault/wire"
)

// produceRequest is a Produce of version 7 with acks=all: that many records for
// a partition.
func produceRequest(correlation, partition, records int32) []byte {
	batch := kmsg.RecordBatch{Length: 49, Magic: 2, NumRecords: records}
	to := kmsg.NewProduceRequestTopicPartition()
	to.Partition, to.Records = partition, batch.AppendTo(nil)
	named := kmsg.NewProduceRequestTopic()
	named.Topic, named.Partitions = topic, []kmsg.ProduceRequestTopicPartition{to}
	r := kmsg.NewPtrProduceRequest()
	r.Acks, r.Topics = -1, []kmsg.ProduceRequestTopic{named}
	return encoded(r, 7, correlation, "producer-0.0")
}

// appends answers Produce requests: each partition has the error, of which 0 is none.
func appends(code int16) func(request []byte) []byte {
	return func(request []byte) []byte {
		clientID := int(binary.BigEndian.Uint16(request[8:]))
		r := kmsg.NewPtrProduceRequest()
		r.SetVersion(7)
		if err := r.ReadFrom(request[10+clientID:]); err != nil {
			panic(err)
		}
		answer := kmsg.NewPtrProduceResponse()
		answer.SetVersion(7)
		for _, asked := range r.Topics {
			named := kmsg.NewProduceResponseTopic()
			named.Topic = asked.Topic
			for _, p := range asked.Partitions {
				told := kmsg.NewProduceResponseTopicPartition()
				told.Partition, told.ErrorCode = p.Partition, code
				named.Partitions = append(named.Partitions, told)
			}
			answer.Topics = append(answer.Topics, named)
		}
		return answer.AppendTo(request[4:8:8])
	}
}

// An answer that lies in the client's socket when it leaves was not heard, one
// that it has read was.
func TestWhatTheClientHasReadIsHeard(t *testing.T) {
	for _, test := range []struct {
		name    string
		reads   int // answers, of those to the second and the third request
		leave   func(c dialled) error
		unheard map[int32]int64
	}{
		{"reads all", 2, func(c dialled) error { return c.Close() }, map[int32]int64{0: 10}},
		{"leaves one", 1, func(c dialled) error { return c.Close() }, map[int32]int64{0: 10, 2: 30}},
		{"leaves one, says goodbye first", 1, func(c dialled) error {
			require.NoError(c.t, c.CloseWrite())
			return c.Close()
		}, map[int32]int64{0: 10, 2: 30}},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := startUpstream(t)
			u.answer = appends(0)
			p, record := startProxy(t, u.address())
			arm(t, p, wire.Rule{Name: "lost", APIs: []kmsg.Key{kmsg.Produce}, Count: 1, Do: wire.DiscardResponse{}})
			c := dial(t, p.Bootstrap())
			c.send(produceRequest(0, 0, 10))
			for n := range int32(2) {
				c.send(produceRequest(n+1, n+1, 10*(n+2)))
				if int(n) < test.reads {
					answer, err := readFrame(c)
					require.NoError(t, err)
					require.Equal(t, n+1, int32(binary.BigEndian.Uint32(answer)))
				}
			}
			eventually(t, "all answers to arrive", func() bool { return wire.Unread(p) > 0 == (test.reads < 2) && p.Counters().Responses == 3 })
			require.NoError(t, test.leave(c))
			settle(t, p, "")
			require.Len(t, record.allUnanswered(), 1)
			require.Equal(t, wire.Fates{Applied: wire.PerPartition{topic: test.unheard}}, record.allUnanswered()[0].Records)
		})
	}
}

// hesitant is a connection whose writes are framed by what else happens meanwhile.
type hesitant struct {
	*net.TCPConn
	before, after func()
}

func (c hesitant) Write(b []byte) (int, error) {
	c.before()
	defer c.after()
	return c.TCPConn.Write(b)
}

// A client may read its last answer and leave before the proxy knows that the answer is
// written, and it may have left when the answer is written.
func TestALeaveBesideTheLastAnswer(t *testing.T) {
	gone := func(t *testing.T, p *wire.Proxy) {
		eventually(t, "the proxy to notice that the client left", func() bool { return wire.Left(p) == 1 })
	}
	leave := func(t *testing.T, _ *wire.Proxy, c dialled) { require.NoError(t, c.Close()) }
	read := func(t *testing.T, _ *wire.Proxy, c dialled) {
		_, err := readFrame(c)
		require.NoError(t, err)
	}
	type step func(*testing.T, *wire.Proxy, dialled)
	nothing := func(*testing.T, *wire.Proxy, dialled) {}
	for _, test := range []struct {
		name          string
		before, after step
		unheard       int64
	}{
		{"read, then left", nothing, func(t *testing.T, p *wire.Proxy, c dialled) { read(t, p, c); leave(t, p, c); gone(t, p) }, 0},
		{"left before", leave, nothing, 10},
		{"left before, and is known to have", func(t *testing.T, p *wire.Proxy, c dialled) { leave(t, p, c); gone(t, p) }, nothing, 10},
		{"left after, unread", nothing, leave, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := startUpstream(t)
			u.answer = appends(0)
			p, record := startProxy(t, u.address())
			listener, err := net.Listen("tcp4", "127.0.0.1:0")
			require.NoError(t, err)
			defer listener.Close()
			c := dial(t, listener.Addr().String())
			accepted, err := listener.Accept()
			require.NoError(t, err)
			served := make(chan struct{})
			go func() {
				defer close(served)
				wire.Serve(p, u.address(), hesitant{
					accepted.(*net.TCPConn), func() { test.before(t, p, c) }, func() { test.after(t, p, c) },
				})
			}()
			c.send(produceRequest(0, 1, 10))
			select {
			case <-served:
			case <-time.After(within):
				t.Fatal("the connection does not end")
			}
			var applied int64
			for _, u := range record.allUnanswered() {
				applied += u.Records.Applied.Sum()
				require.Empty(t, u.Records.Absent)
				require.Empty(t, u.Records.Unknown)
			}
			require.Equal(t, test.unheard, applied)
		})
	}
}

// Whatever holds answers up can make a client leave with answers that it has not
// read.
func TestWhatComesTooSlowlyIsNotHeard(t *testing.T) {
	for _, do := range []wire.Action{
		wire.Cap{BytesPerSecond: 100_000}, wire.SlowDown{Latency: time.Millisecond}, wire.Blackhole{Way: wire.ToBroker},
	} {
		t.Run(do.String(), func(t *testing.T) {
			u := startUpstream(t)
			u.answer = appends(0)
			p, record := startProxy(t, u.address())
			armed := arm(t, p, wire.Rule{Name: "slow", Do: do})
			c := dial(t, p.Bootstrap())
			c.send(produceRequest(0, 1, 10))
			eventually(t, "the request", func() bool { return p.Counters().Requests == 1 })
			if _, hole := do.(wire.Blackhole); hole {
				armed.Disarm()
			}
			eventually(t, "the answer to arrive", func() bool { return wire.Unread(p) > 0 })
			require.NoError(t, c.Close())
			settle(t, p, "")
			require.Len(t, record.allUnanswered(), 1)
			require.Equal(t, wire.Fates{Applied: wire.PerPartition{topic: {1: 10}}}, record.allUnanswered()[0].Records)
		})
	}
}

// The proxy hears what the broker says after the client has left.
func TestTheBrokerIsHeardAfterTheClientLeft(t *testing.T) {
	all := wire.PerPartition{topic: {1: 10}}
	for _, test := range []struct {
		name    string
		code    int16
		records wire.Fates
	}{
		{"applied", 0, wire.Fates{Applied: all}},
		{"turned down", kerr.NotLeaderForPartition.Code, wire.Fates{Absent: all}},
		{"perhaps applied", kerr.NotEnoughReplicasAfterAppend.Code, wire.Fates{Unknown: all}},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := startUpstream(t)
			left, leave := context.WithCancel(t.Context())
			t.Cleanup(leave)
			u.answer = func(r []byte) []byte { <-left.Done(); return appends(test.code)(r) }
			p, record := startProxy(t, u.address())
			c := dial(t, p.Bootstrap())
			c.send(produceRequest(0, 1, 10))
			eventually(t, "the request to arrive", func() bool { return len(u.received()) == 1 })
			require.NoError(t, c.Close())
			eventually(t, "the proxy to notice that the client left", func() bool { return wire.Left(p) == 1 })
			leave()
			settle(t, p, "producer-")
			require.Len(t, record.allUnanswered(), 1)
			u1 := record.allUnanswered()[0]
			require.Positive(t, u1.At)
			require.Equal(t, wire.Unanswered{
				At: u1.At, Client: "producer-0.0", Broker: u.address(), Requests: 1, Records: test.records,
			}, u1)
		})
	}
}

// Nothing can be kept from a client that has left, nor can it be cut off.
func TestWhoHasLeftIsNotHit(t *testing.T) {
	for _, test := range []struct {
		name string
		do   wire.Action
	}{
		{"answer", wire.DiscardResponse{}}, {"connection", wire.Cut{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := startUpstream(t)
			left, leave := context.WithCancel(t.Context())
			t.Cleanup(leave)
			u.answer = func(r []byte) []byte { <-left.Done(); return appends(0)(r) }
			p, record := startProxy(t, u.address())
			rule := wire.Rule{Name: "late", Client: "producer-", Do: test.do}
			_, cut := test.do.(wire.Cut)
			if !cut {
				arm(t, p, rule)
			}
			c := dial(t, p.Bootstrap())
			c.send(produceRequest(0, 1, 10))
			eventually(t, "the request to arrive", func() bool { return len(u.received()) == 1 })
			require.NoError(t, c.Close())
			eventually(t, "the proxy to notice that the client left", func() bool { return wire.Left(p) == 1 })
			if cut {
				arm(t, p, rule)
			}
			leave()
			settle(t, p, "producer-")
			require.Empty(t, record.allHits())
			require.Len(t, record.allUnanswered(), 1)
			require.Equal(t, wire.Fates{Applied: wire.PerPartition{topic: {1: 10}}}, record.allUnanswered()[0].Records)
		})
	}
}

// A broker that leaves without a word leaves it unknown.
func TestABrokerThatLeavesLeavesItUnknown(t *testing.T) {
	u := startUpstream(t)
	u.answer = func([]byte) []byte { return nil }
	p, record := startProxy(t, u.address())
	c := dial(t, p.Bootstrap())
	c.send(produceRequest(0, 1, 10), produceRequest(1, 2, 20))
	eventually(t, "the requests to arrive", func() bool { return len(u.received()) == 2 })
	u.hangUp()
	c.expectEnd()
	settle(t, p, "")
	require.Len(t, record.allUnanswered(), 1)
	require.Equal(t, 2, record.allUnanswered()[0].Requests)
	require.Equal(t, wire.Fates{Unknown: wire.PerPartition{topic: {1: 10, 2: 20}}}, record.allUnanswered()[0].Records)
}

// A cut between request and answer: what the broker got it applies.
func TestACutLeavesWhatTheBrokerGot(t *testing.T) {
	u := startUpstream(t)
	cut, done := context.WithCancel(t.Context())
	t.Cleanup(done)
	u.answer = func(r []byte) []byte { <-cut.Done(); return appends(0)(r) }
	p, record := startProxy(t, u.address())
	c := dial(t, p.Bootstrap())
	c.send(produceRequest(0, 1, 10))
	eventually(t, "the request to arrive", func() bool { return len(u.received()) == 1 })
	arm(t, p, wire.Rule{Name: "cut", Client: "producer-", Do: wire.Cut{}})
	c.expectEnd()
	done()
	settle(t, p, "")
	require.Len(t, record.allUnanswered(), 1)
	require.Equal(t, wire.Fates{Applied: wire.PerPartition{topic: {1: 10}}}, record.allUnanswered()[0].Records)
}
