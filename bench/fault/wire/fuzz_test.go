package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime/metrics"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// allocated is how much memory has been taken since the program began.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// A decoded frame takes more memory than its bytes: kmsg makes a structure of
// some hundred bytes for an element that may have one.
const mostPerByte = 2000

// manyTags is the largest count of tagged fields that can be written. Before
// version 1.15.1 kmsg counted down from it without noticing that nothing was
// left, and the connection stood still for minutes.
var manyTags = []byte{0xff, 0xff, 0xff, 0xff, 0x0f}

// FuzzRequests reads whatever a client may send: it never panics, and takes
// memory for what is there, not for what a length says.
func FuzzRequests(f *testing.F) {
	formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("producer-0.0"))
	for _, request := range []kmsg.Request{
		aProduce(), kmsg.NewPtrFetchRequest(), kmsg.NewPtrOffsetCommitRequest(), kmsg.NewPtrTxnOffsetCommitRequest(),
		kmsg.NewPtrAddPartitionsToTxnRequest(), kmsg.NewPtrMetadataRequest(),
	} {
		for _, version := range []int16{0, 3, 9, request.MaxVersion()} {
			request.SetVersion(min(version, request.MaxVersion()))
			whole := formatter.AppendRequest(nil, request, 1)
			f.Add(whole)
			many := append(whole[:len(whole)-1:len(whole)-1], manyTags...)
			binary.BigEndian.PutUint32(many, uint32(len(many)-sizeBytes))
			f.Add(many)
		}
	}
	f.Add([]byte{0x3b, 0x9a, 0xca, 0x00, 0, 0, 0, 7}) // says that it is as long as can be
	f.Add([]byte{0x07, 0xff, 0xff, 0xff, 0, 0, 0, 7, 0, 0, 0, 1, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, stream []byte) {
		before := allocated()
		readAll(stream)
		// A piece, the reader's buffer, and what the runtime adds to either.
		require.LessOrEqual(t, allocated()-before, uint64(1<<20+mostPerByte*len(stream)))
	})
}

// readAll reads a stream of requests as a connection does, decoding all that
// can be.
func readAll(stream []byte) {
	var names topicNames
	from := newSource(bytes.NewReader(stream))
	from.speaksTLS(tlsHandshake)
	for {
		frame, err := from.next()
		if err != nil {
			return
		}
		h, rest, err := requestHeader(frame.body())
		if err != nil {
			return
		}
		if _, err := silent(h, rest); err != nil {
			return
		}
		if !namesTopics(h.key) {
			if err := frame.pass(func([]byte, bool) {}); err != nil {
				return
			}
			continue
		}
		if frame.whole() != nil {
			return
		}
		h, rest, _ = requestHeader(frame.body())
		if request, err := decodeRequest(h, rest); err == nil {
			_, _ = names.read(request)
		}
	}
}

// FuzzResponses puts the proxy's addresses into whatever a broker may send: it
// never panics, and no other address is left.
func FuzzResponses(f *testing.F) {
	for key := range firstWithAddresses {
		response := kmsg.ResponseForKey(key.Int16())
		for version := firstWithAddresses[key]; version <= response.MaxVersion(); version++ {
			response.SetVersion(version)
			named := withAddresses(response)
			f.Add(key.Int16(), version, named.AppendTo([]byte{0, 0, 0, 7, 0}))
			whole := named.AppendTo([]byte{0, 0, 0, 7})
			f.Add(key.Int16(), version, whole)
			f.Add(key.Int16(), version, append(whole[:len(whole)-1:len(whole)-1], manyTags...))
		}
	}
	f.Add(kmsg.OffsetCommit.Int16(), int16(8), kmsg.NewPtrOffsetCommitResponse().AppendTo([]byte{0, 0, 0, 7, 0}))
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		response := kmsg.ResponseForKey(key)
		if response == nil || version < 0 || version > response.MaxVersion() {
			return
		}
		x := &exchange{header: header{key: kmsg.Key(key), version: version}}
		before := allocated()
		head, response, err := decodeResponse(x, body)
		require.LessOrEqual(t, allocated()-before, uint64(1<<20+mostPerByte*len(body)))
		if err != nil {
			return
		}
		new(topicNames).eachFate(response, func(string, int32, fate) {})
		const own = "127.0.0.1:65000"
		changed, err := rewrite(response, func(string) (string, error) { return own, nil })
		require.NoError(t, err)
		if !changed {
			return
		}
		_, again, err := decodeResponse(x, encodeResponse(head, response)[sizeBytes:])
		require.NoError(t, err)
		eachAddress(again, func(host *string, port *int32) {
			if *host != "" && *port >= 0 {
				require.Equal(t, own, *host+":65000")
				require.Equal(t, int32(65000), *port)
			}
		})
	})
}

// A count of tagged fields is only a promise too, wherever in a frame it stands:
// what is there ends the reading of them.
func TestACountOfTaggedFieldsEndsWithTheFrame(t *testing.T) {
	for key := kmsg.Key(0); key <= kmsg.MaxKey; key++ {
		if request := kmsg.RequestForKey(key.Int16()); request != nil && namesTopics(key) {
			request.SetVersion(request.MaxVersion())
			h := header{key: key, version: request.MaxVersion()}
			endlessAt(t, request.AppendTo([]byte{0}), func(body []byte) error {
				_, err := decodeRequest(h, cursor{rest: body})
				return err
			})
		}
		if response := kmsg.ResponseForKey(key.Int16()); response != nil && (brings(key) || carriesAddresses(key, response.MaxVersion())) {
			response.SetVersion(response.MaxVersion())
			x := &exchange{header: header{key: key, version: response.MaxVersion()}}
			endlessAt(t, withAddresses(response).AppendTo([]byte{0, 0, 0, 7, 0}), func(body []byte) error {
				_, _, err := decodeResponse(x, body)
				return err
			})
		}
	}
}

// endlessAt puts the count into a body in place of each zero byte, and of the
// last one, which is the count of the message's own tagged fields.
func endlessAt(t *testing.T, body []byte, decode func([]byte) error) {
	t.Helper()
	require.NoError(t, decode(body))
	for at, b := range body {
		if b == 0 {
			_ = decode(slices.Concat(body[:at], manyTags, body[at+1:]))
		}
	}
	require.Error(t, decode(slices.Concat(body[:len(body)-1], manyTags)))
}

// FuzzRecords counts the records of whatever stands in a Produce request.
func FuzzRecords(f *testing.F) {
	f.Add(aBatch(3))
	f.Add(append(aBatch(3), aBatch(4)...))
	f.Add(aBatch(3)[:60])
	f.Fuzz(func(t *testing.T, batches []byte) {
		n, err := countRecords(batches)
		if err != nil {
			require.Zero(t, n)
			return
		}
		require.GreaterOrEqual(t, n, int64(0))
	})
}

func TestRecordsAreCountedFromTheirBatches(t *testing.T) {
	old := aBatch(3)
	old[16] = 1
	negative := aBatch(3)
	binary.BigEndian.PutUint32(negative[57:], 0xffffffff)
	long := aBatch(3)
	binary.BigEndian.PutUint32(long[8:], 0x7fffffff)
	for _, test := range []struct {
		name    string
		batches []byte
		records int64
		err     error
	}{
		{"nothing", nil, 0, nil},
		{"one batch", aBatch(3), 3, nil},
		{"two batches", append(aBatch(3), aBatch(500)...), 503, nil},
		{"an old format", old, 0, errOldBatch},
		{"a negative count", negative, 0, errShort},
		{"a batch longer than what is there", long, 0, errShort},
		{"half a header", aBatch(3)[:40], 0, errShort},
	} {
		records, err := countRecords(test.batches)
		require.Equal(t, test.records, records, test.name)
		require.ErrorIs(t, err, test.err, test.name)
	}
}

// A length is only a promise: memory is taken for what arrives.
func TestALongFrameThatNeverArrivesTakesNoMemory(t *testing.T) {
	stream := binary.BigEndian.AppendUint32(nil, 100<<20)
	stream = append(stream, make([]byte, 100_000)...)
	frame, err := newSource(bytes.NewReader(stream)).next()
	require.NoError(t, err)
	before := allocated()
	require.ErrorIs(t, frame.whole(), io.ErrUnexpectedEOF)
	require.Less(t, allocated()-before, uint64(4<<20))

	frame, err = newSource(bytes.NewReader(binary.BigEndian.AppendUint32(nil, mostHeldBytes+1))).next()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Nil(t, frame)
	frame, err = newSource(io.MultiReader(bytes.NewReader(binary.BigEndian.AppendUint32(nil, mostHeldBytes+1)), zeroes{})).next()
	require.NoError(t, err)
	err = frame.whole()
	require.ErrorContains(t, err, "would have to be held to be decoded")
	var why refusal
	require.True(t, errors.As(err, &why))
}

type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// aBatch is the header of a record batch with that many records.
func aBatch(records int32) []byte {
	batch := kmsg.RecordBatch{Length: 49, Magic: 2, NumRecords: records}
	return batch.AppendTo(nil)
}

func aProduce() *kmsg.ProduceRequest {
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = aBatch(3)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = "topic", []kmsg.ProduceRequestTopicPartition{partition}
	request := kmsg.NewPtrProduceRequest()
	request.Acks, request.Topics = -1, []kmsg.ProduceRequestTopic{topic}
	return request
}

// withAddresses puts two brokers into a response, wherever it has room for them.
func withAddresses(response kmsg.Response) kmsg.Response {
	hosts, ports := []string{"kafka-1.example", "10.0.0.2"}, []int32{9092, 9093}
	switch r := response.(type) {
	case *kmsg.MetadataResponse:
		r.Brokers = make([]kmsg.MetadataResponseBroker, 2)
	case *kmsg.FindCoordinatorResponse:
		r.Coordinators = make([]kmsg.FindCoordinatorResponseCoordinator, 2)
	case *kmsg.DescribeClusterResponse:
		r.Brokers = make([]kmsg.DescribeClusterResponseBroker, 2)
	case *kmsg.ProduceResponse:
		r.Brokers = make([]kmsg.ProduceResponseBroker, 2)
	case *kmsg.FetchResponse:
		r.Brokers = make([]kmsg.FetchResponseBroker, 2)
	case *kmsg.ShareFetchResponse:
		r.NodeEndpoints = make([]kmsg.ShareFetchResponseNodeEndpoint, 2)
	case *kmsg.ShareAcknowledgeResponse:
		r.NodeEndpoints = make([]kmsg.ShareAcknowledgeResponseNodeEndpoint, 2)
	}
	n := 0
	eachAddress(response, func(host *string, port *int32) {
		*host, *port = hosts[n%2], ports[n%2]
		n++
	})
	return response
}
