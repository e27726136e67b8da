package worker_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/message"
	"deliverybench/bench/pace"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
)

// freeBrokerVerb makes this binary a broker that costs next to nothing: what
// is produced it drops, and every fetch is answered with the same batch. It
// leaves the processors to the client, whose cost is what is measured here.
const freeBrokerVerb = "free-broker"

// speedTag marks the messages of these benchmarks.
const speedTag = 1

// speedSize is the size of every value in bytes.
const speedSize = 256

// cannedRecords is how many messages the free broker's batch holds: about 1 MB.
const cannedRecords = 3500

func serveFreeBroker(stdin io.Reader, stdout io.Writer) error {
	batch, err := cannedBatch()
	if err != nil {
		return err
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BlackholeProduce(),
		kfake.SyntheticFetch(kfake.SyntheticBatch{Batch: batch}))
	if err != nil {
		return err
	}
	defer cluster.Close()
	if err := json.NewEncoder(stdout).Encode(cluster.ListenAddrs()[0]); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stdin)
	return err
}

// cannedBatch is a record batch (KIP-98) of benchmark messages.
func cannedBatch() ([]byte, error) {
	payload, err := message.NewPayload(1, speedSize, 1, false)
	if err != nil {
		return nil, err
	}
	now := pace.NewClock().Now()
	value := make([]byte, speedSize)
	var records []byte
	for n := range cannedRecords {
		payload.Fill(value, int64(n))
		message.Encode(value, message.Header{Tag: speedTag, Sequence: uint64(n), Intended: now, Sent: now})
		record := kmsg.Record{OffsetDelta: int32(n), Value: value}
		record.Length = int32(len(record.AppendTo(nil)) - 1) // one byte of length 0
		records = record.AppendTo(records)
	}
	batch := kmsg.RecordBatch{
		Magic: 2, LastOffsetDelta: cannedRecords - 1, NumRecords: cannedRecords,
		PartitionLeaderEpoch: -1, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		Records: records,
	}
	const lengthEnds, checksumAt, checksumEnds = 12, 17, 21
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[lengthEnds-4:], uint32(len(raw)-lengthEnds))
	binary.BigEndian.PutUint32(raw[checksumAt:], crc32.Checksum(raw[checksumEnds:], crc32.MakeTable(crc32.Castagnoli)))
	return raw, nil
}

// brokerKinds start a broker process that ends with the benchmark.
var brokerKinds = []struct {
	name  string
	start func(*testing.B, *process.Spawner) client.Endpoint
}{
	{"free", startFree},
	{"embedded", startEmbedded},
	{"local", startLocal},
}

func startFree(b *testing.B, spawner *process.Spawner) client.Endpoint {
	p, err := spawner.Start("free broker", freeBrokerVerb, struct{}{}, filepath.Join(b.TempDir(), "broker.log"))
	require.NoError(b, err)
	b.Cleanup(func() { p.Close(3 * time.Second) })
	var address string
	select {
	case line := <-p.Lines():
		require.NoError(b, json.Unmarshal(line, &address), p.LogTail(10))
	case <-time.After(15 * time.Second):
		require.FailNow(b, "waited 15 s for the free broker's address")
	}
	return client.Endpoint{Bootstrap: address}
}

func startEmbedded(b *testing.B, spawner *process.Spawner) client.Endpoint {
	e, err := broker.StartEmbedded(b.Context(), spawner, filepath.Join(b.TempDir(), "broker.log"))
	require.NoError(b, err)
	b.Cleanup(e.Close)
	return e.Endpoint()
}

// startLocal starts one node of Apache Kafka.
func startLocal(b *testing.B, spawner *process.Spawner) client.Endpoint {
	l, err := broker.StartLocal(b.Context(), spawner, broker.LocalOptions{
		Nodes: 1, Getenv: os.Getenv, Folder: ".", Scratch: []string{b.TempDir()}, Logs: b.TempDir(),
	})
	require.NoError(b, err)
	b.Cleanup(l.Close)
	return l.Endpoint()
}

// speedPartitions is the number of partitions of the topic.
const speedPartitions = 3

func createTopic(b *testing.B, endpoint client.Endpoint) string {
	admin, err := client.NewAdmin(endpoint)
	require.NoError(b, err)
	defer admin.Close()
	ctx, cancel := context.WithTimeoutCause(b.Context(), 15*time.Second, fmt.Errorf("15 s passed"))
	defer cancel()
	topic := profile.Topic{Partitions: speedPartitions, Replication: 1, MinInsyncReplicas: 1}
	require.NoError(b, admin.CreateTopic(ctx, "speed", topic))
	return "speed"
}
