package broker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/client"
)

// View asks a cluster who leads what. It speaks the protocol by another
// library than the clients under test: that one cannot ask for leader epochs,
// nor for the controller of a KRaft cluster.
type View struct{ kgo *kgo.Client }

// Seat is something that one node of a cluster leads: a partition. A group's
// or a transaction's coordinator is the leader of a partition of an internal
// topic, the controller that of the metadata log.
type Seat struct {
	Topic     string
	Partition int32
}

// Topics of the seats that are no topic of ours.
const (
	groupTopic       = "__consumer_offsets"
	transactionTopic = "__transaction_state"
	metadataTopic    = "__cluster_metadata"
)

// ControllerSeat is that of the active controller.
var ControllerSeat = Seat{Topic: metadataTopic}

// Leadership is who holds a seat.
type Leadership struct {
	Leader   int32 // -1 is nobody
	Epoch    int32 // grows with every election
	Replicas []int32
	InSync   []int32
}

// Followers are the replicas but the leader.
func (l Leadership) Followers() []int32 {
	return slices.DeleteFunc(slices.Clone(l.Replicas), func(id int32) bool { return id == l.Leader })
}

// viewTimeout bounds one request of a View, so that a node which is frozen
// does not hide what the others know.
const viewTimeout = time.Second

// NewView makes a View of the cluster; it connects when it is asked something.
func NewView(e client.Endpoint) (*View, error) {
	c, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(e.Bootstrap, ",")...),
		kgo.RequestRetries(0),
		kgo.DialTimeout(viewTimeout),
		kgo.RequestTimeoutOverhead(viewTimeout),
		kgo.MetadataMinAge(10*time.Millisecond),
	)
	if err != nil {
		return nil, fmt.Errorf("view of the cluster: %w", err)
	}
	return &View{c}, nil
}

// Close ends its connections.
func (v *View) Close() { v.kgo.Close() }

// ask sends a request to every seed and returns the first answer that is
// accepted: a node which is frozen holds up no other. To each goes a request of
// its own, which the client writes its version on.
func ask[R kmsg.Response](ctx context.Context, v *View, request func() kmsg.Request, accept func(R) error) (R, error) {
	type reply struct {
		answer R
		err    error
	}
	ctx, cancel := context.WithTimeout(ctx, viewTimeout)
	defer cancel()
	seeds := v.kgo.SeedBrokers()
	replies := make(chan reply, len(seeds))
	for _, seed := range seeds {
		go func() {
			var r reply
			answer, err := seed.Request(ctx, request())
			if err != nil && ctx.Err() == nil {
				// A connection that ended with its node is noticed only now.
				answer, err = seed.Request(ctx, request())
			}
			if r.err = err; err == nil {
				r.answer = answer.(R)
			}
			replies <- r
		}()
	}
	var failed error
	for range seeds {
		r := <-replies
		if r.err == nil {
			r.err = accept(r.answer)
		}
		if r.err == nil {
			return r.answer, nil
		}
		failed = errors.Join(failed, r.err)
	}
	var none R
	return none, failed
}

// metadata returns what the first node that answers knows; nil topics are all.
func (v *View) metadata(ctx context.Context, topics []string) (*kmsg.MetadataResponse, error) {
	request := func() kmsg.Request {
		r := kmsg.NewPtrMetadataRequest()
		for _, name := range topics {
			topic := kmsg.NewMetadataRequestTopic()
			topic.Topic = &name
			r.Topics = append(r.Topics, topic)
		}
		return r
	}
	return ask(ctx, v, request, func(*kmsg.MetadataResponse) error { return nil })
}

// Leadership returns who holds the seat.
func (v *View) Leadership(ctx context.Context, s Seat) (Leadership, error) {
	if s == ControllerSeat {
		return v.quorum(ctx)
	}
	m, err := v.metadata(ctx, []string{s.Topic})
	if err != nil {
		return Leadership{}, fmt.Errorf("leader of %s partition %d: %w", s.Topic, s.Partition, err)
	}
	for _, topic := range m.Topics {
		for _, p := range topic.Partitions {
			if p.Partition == s.Partition {
				return Leadership{Leader: p.Leader, Epoch: p.LeaderEpoch, Replicas: p.Replicas, InSync: p.ISR}, nil
			}
		}
	}
	return Leadership{}, fmt.Errorf("leader of %s partition %d: the cluster does not know that partition", s.Topic, s.Partition)
}

// quorum asks for the metadata log's leader (KIP-595).
func (v *View) quorum(ctx context.Context) (Leadership, error) {
	request := func() kmsg.Request {
		topic := kmsg.NewDescribeQuorumRequestTopic()
		topic.Topic = metadataTopic
		topic.Partitions = append(topic.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
		r := kmsg.NewPtrDescribeQuorumRequest()
		r.Topics = append(r.Topics, topic)
		return r
	}
	var found Leadership
	_, err := ask(ctx, v, request, func(r *kmsg.DescribeQuorumResponse) error {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return err
		}
		if len(r.Topics) != 1 || len(r.Topics[0].Partitions) != 1 {
			return errors.New("the answer names no quorum")
		}
		p := r.Topics[0].Partitions[0]
		if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
			return err
		}
		found = Leadership{Leader: p.LeaderID, Epoch: p.LeaderEpoch}
		for _, voter := range p.CurrentVoters {
			found.Replicas = append(found.Replicas, voter.ReplicaID)
		}
		return nil
	})
	if err != nil {
		return Leadership{}, fmt.Errorf("active controller: %w", err)
	}
	return found, nil
}

// GroupSeat is that of a group's coordinator, TransactionSeat that of a
// transactional id's.
func (v *View) GroupSeat(ctx context.Context, group string) (Seat, error) {
	return v.coordinatorSeat(ctx, groupTopic, group)
}

// TransactionSeat is that of a transactional id's coordinator.
func (v *View) TransactionSeat(ctx context.Context, id string) (Seat, error) {
	return v.coordinatorSeat(ctx, transactionTopic, id)
}

// coordinatorSeat: the broker chooses the partition by the key's hash
// (GroupCoordinatorService.partitionFor, TransactionStateManager.partitionFor).
func (v *View) coordinatorSeat(ctx context.Context, topic, key string) (Seat, error) {
	m, err := v.metadata(ctx, []string{topic})
	if err != nil {
		return Seat{}, fmt.Errorf("coordinator of %s: %w", key, err)
	}
	for _, t := range m.Topics {
		if n := len(t.Partitions); n > 0 {
			return Seat{Topic: topic, Partition: int32(absolute(javaHash(key)) % int64(n))}, nil
		}
	}
	return Seat{}, fmt.Errorf("coordinator of %s: %s has no partitions yet", key, topic)
}

// javaHash is String.hashCode of an ASCII string (Java SE, java.lang.String).
func javaHash(s string) int32 {
	var h int32
	for _, b := range []byte(s) {
		h = 31*h + int32(b)
	}
	return h
}

// absolute is Utils.abs: 0 for the number that has no positive counterpart.
func absolute(h int32) int64 {
	if h == math.MinInt32 {
		return 0
	}
	return max(int64(h), -int64(h))
}

// AwaitWhole waits until that many nodes are registered, each of them answers,
// and each sees a leader and all replicas in sync for every partition of every
// topic, the internal ones included, and as many partitions as the others. One
// answer would not do: for as long as a killed node's session lasts the others
// believe that all is well. The context bounds the wait; the error says what was
// still missing.
func (v *View) AwaitWhole(ctx context.Context, nodes int) error {
	return v.await(ctx, nodes, lackingIn)
}

// await waits until no node of the cluster sees anything missing.
func (v *View) await(ctx context.Context, nodes int, lackingIn lack) error {
	missing := "an answer"
	for {
		found := v.lacking(ctx, nodes, lackingIn)
		if found == "" {
			return nil
		}
		if ctx.Err() == nil { // else the question was given up, and found is no answer
			missing = found
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for the cluster to be whole, and it lacked %s: %w", missing, context.Cause(ctx))
		case <-time.After(retryEvery):
		}
	}
}

// lacking asks every node what keeps the cluster from being whole, "" when
// nothing does.
func (v *View) lacking(ctx context.Context, nodes int, lackingIn lack) string {
	m, err := v.metadata(ctx, nil)
	if err != nil {
		return "an answer"
	}
	if missing := lackingIn(m, nodes); missing != "" {
		return missing
	}
	for _, b := range m.Brokers {
		within, cancel := context.WithTimeout(ctx, viewTimeout)
		answer, err := v.kgo.Broker(int(b.NodeID)).Request(within, kmsg.NewPtrMetadataRequest())
		cancel()
		if err != nil {
			return fmt.Sprintf("an answer of node %d", b.NodeID)
		}
		seen := answer.(*kmsg.MetadataResponse)
		if missing := lackingIn(seen, nodes); missing != "" {
			return fmt.Sprintf("%s, as node %d sees it", missing, b.NodeID)
		}
		if partitionsIn(seen) != partitionsIn(m) {
			return fmt.Sprintf("agreement of node %d on what topics there are", b.NodeID)
		}
	}
	return ""
}

func partitionsIn(m *kmsg.MetadataResponse) (n int) {
	for _, topic := range m.Topics {
		n += len(topic.Partitions)
	}
	return n
}

// lack says what a node sees missing in its cluster, "" for nothing.
type lack func(m *kmsg.MetadataResponse, nodes int) string

// lackingSeats is lackingIn, and that every partition is led by its first replica.
func lackingSeats(m *kmsg.MetadataResponse, nodes int) string {
	for _, topic := range m.Topics {
		for _, p := range topic.Partitions {
			if len(p.Replicas) > 0 && p.Leader != p.Replicas[0] {
				return fmt.Sprintf("node %d as the leader of partition %d of %s", p.Replicas[0], p.Partition, *topic.Topic)
			}
		}
	}
	return lackingIn(m, nodes)
}

// lackingIn says what keeps a cluster from being whole, "" when it is.
func lackingIn(m *kmsg.MetadataResponse, nodes int) string {
	if len(m.Brokers) < nodes {
		return fmt.Sprintf("%d of %d nodes", nodes-len(m.Brokers), nodes)
	}
	for _, topic := range m.Topics {
		for _, p := range topic.Partitions {
			switch {
			case p.Leader < 0:
				return fmt.Sprintf("a leader of partition %d of %s", p.Partition, *topic.Topic)
			case len(p.ISR) < len(p.Replicas):
				return fmt.Sprintf("replicas in sync of partition %d of %s: %d of %d", p.Partition, *topic.Topic, len(p.ISR), len(p.Replicas))
			}
		}
	}
	return ""
}

// Restore heals every node of the cluster, thawing the frozen and starting
// those that are down, waits until it is whole, and gives every partition back
// to the leader that it began with, so that trials begin alike.
func Restore(ctx context.Context, b Broker) error {
	for _, n := range b.Nodes() {
		err := n.Thaw()
		if !n.Running() {
			err = n.Start(ctx)
		}
		if err != nil {
			return fmt.Errorf("restore node %d: %w", n.ID(), err)
		}
	}
	v, err := NewView(b.Endpoint())
	if err != nil {
		return err
	}
	defer v.Close()
	nodes := len(b.Nodes())
	if err := v.AwaitWhole(ctx, nodes); err != nil || nodes < 2 {
		return err
	}
	if err := v.electPreferred(ctx); err != nil {
		return err
	}
	// The election is over before every node has heard of it.
	return v.await(ctx, nodes, lackingSeats)
}

// electPreferred has every partition led by its first replica.
func (v *View) electPreferred(ctx context.Context) error {
	request := func() kmsg.Request {
		r := kmsg.NewPtrElectLeadersRequest() // of all topics, when it names none
		r.TimeoutMillis = int32(viewTimeout.Milliseconds())
		return r
	}
	_, err := ask(ctx, v, request, func(r *kmsg.ElectLeadersResponse) error {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return err
		}
		for _, topic := range r.Topics {
			for _, p := range topic.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil && err != kerr.ElectionNotNeeded {
					return fmt.Errorf("%s partition %d: %w", topic.Topic, p.Partition, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("elect the preferred leaders: %w", err)
	}
	return nil
}
