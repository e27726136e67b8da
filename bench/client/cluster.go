package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Cluster is what a cluster says of itself.
type Cluster struct {
	ID    string // "" is not known
	Nodes []Node
}

// Node is a broker and where clients find it.
type Node struct {
	ID      int32
	Address string // "host:port"
}

// Cluster asks who is there.
func (a *Admin) Cluster(ctx context.Context) (Cluster, error) {
	r, err := ask(ctx, a, "connect", func(ctx context.Context) (kafka.DescribeClusterResult, error) {
		return a.a.DescribeCluster(ctx)
	})
	if err != nil {
		return Cluster{}, err
	}
	var c Cluster
	if r.ClusterID != nil {
		c.ID = *r.ClusterID
	}
	for _, n := range r.Nodes {
		c.Nodes = append(c.Nodes, Node{ID: int32(n.ID), Address: net.JoinHostPort(n.Host, strconv.Itoa(n.Port))})
	}
	return c, nil
}

// Reach makes sure that a node answers at the address that the cluster gives
// for it. Whether it grants what is asked does not matter.
func (a *Admin) Reach(ctx context.Context, n Node) error {
	_, err := ask(ctx, a, fmt.Sprintf("connect to node %d at %s", n.ID, n.Address),
		func(ctx context.Context) ([]kafka.ConfigResourceResult, error) {
			return a.a.DescribeConfigs(ctx, []kafka.ConfigResource{{Type: kafka.ResourceBroker, Name: strconv.Itoa(int(n.ID))}})
		})
	return err
}

// Uses are what a client wants to do with a topic or a group.
type Uses struct{ Read, Write, Delete bool }

// lacks returns the rights that are missing, "" for none. A cluster that does
// not tell rights, for it is old, lacks none.
func (u Uses) lacks(granted []kafka.ACLOperation) string {
	var missing []string
	for _, use := range []struct {
		wanted bool
		right  kafka.ACLOperation
		name   string
	}{
		{u.Read, kafka.ACLOperationRead, mayRead},
		{u.Write, kafka.ACLOperationWrite, mayWrite},
		{u.Delete, kafka.ACLOperationDelete, mayDelete},
	} {
		if use.wanted && len(granted) > 0 && !slices.Contains(granted, use.right) {
			missing = append(missing, use.name)
		}
	}
	return strings.Join(missing, ", ")
}

// Topic returns how many partitions a topic has, after making sure that this
// client may use it so.
func (a *Admin) Topic(ctx context.Context, name string, uses Uses) (partitions int, err error) {
	doing := "look at topic " + name
	r, err := ask(ctx, a, doing, func(ctx context.Context) (kafka.DescribeTopicsResult, error) {
		return a.a.DescribeTopics(ctx, kafka.NewTopicCollectionOfTopicNames([]string{name}), kafka.SetAdminOptionIncludeAuthorizedOperations(true))
	})
	if err != nil {
		return 0, err
	}
	t := r.TopicDescriptions[0]
	switch {
	case t.Error.Code() == kafka.ErrUnknownTopicOrPart:
		return 0, &Error{Doing: doing, Err: errors.New("there is no such topic"), Refused: true,
			Remedy: "create it, or leave topic.existing out and trials make their own"}
	case t.Error.Code() != kafka.ErrNoError:
		return 0, wrapOn(doing, mayLook, name, t.Error)
	}
	if rights := uses.lacks(t.AuthorizedOperations); rights != "" {
		return 0, wrapOn(doing, rights, name, kafka.NewError(kafka.ErrTopicAuthorizationFailed, "this user may not "+rights, false))
	}
	return len(t.Partitions), nil
}

// MayJoin makes sure that this client may be a member of a group.
func (a *Admin) MayJoin(ctx context.Context, group string) error {
	doing := "join group " + group
	r, err := ask(ctx, a, doing, func(ctx context.Context) (kafka.DescribeConsumerGroupsResult, error) {
		return a.a.DescribeConsumerGroups(ctx, []string{group}, kafka.SetAdminOptionIncludeAuthorizedOperations(true))
	})
	if err != nil {
		return err
	}
	g := r.ConsumerGroupDescriptions[0]
	if code := g.Error.Code(); code == kafka.ErrGroupAuthorizationFailed {
		return wrap(doing, g.Error)
	}
	if rights := (Uses{Read: true}).lacks(g.AuthorizedOperations); rights != "" {
		return wrap(doing, kafka.NewError(kafka.ErrGroupAuthorizationFailed, "this user may not "+rights, false))
	}
	return nil
}

// MayTransact makes sure that this client may use a transactional id. There is
// no other way than to register it; the cluster forgets it by itself.
func MayTransact(ctx context.Context, e Endpoint, id string) error {
	// Its log would land in the middle of the user's terminal.
	p, err := kafka.NewProducer(e.properties(Properties{"transactional.id": id}).configMap(kafka.ConfigMap{"go.logs.channel.enable": true}))
	if err != nil {
		return fmt.Errorf("make producer: %w", err)
	}
	defer p.Close()
	return (&Producer{p: p}).InitTransactions(ctx)
}

// CommitFor commits offsets for a group that has no members yet: where they
// will begin.
func (a *Admin) CommitFor(ctx context.Context, group, topic string, next Offsets) error {
	doing := "commit where group " + group + " begins"
	r, err := ask(ctx, a, doing, func(ctx context.Context) (kafka.AlterConsumerGroupOffsetsResult, error) {
		return a.a.AlterConsumerGroupOffsets(ctx, []kafka.ConsumerGroupTopicPartitions{{Group: group, Partitions: next.list(&topic)}})
	})
	if err != nil {
		return err
	}
	for _, g := range r.ConsumerGroupsTopicPartitions {
		for _, p := range g.Partitions {
			if p.Error != nil {
				return wrapOn(doing, mayRead, topic, p.Error)
			}
		}
	}
	return nil
}

// Group is a consumer group.
type Group struct {
	Name string
	// Busy says that it has members.
	Busy bool
}

// Groups returns the groups that this client may see, by name.
func (a *Admin) Groups(ctx context.Context) ([]Group, error) {
	r, err := ask(ctx, a, "list groups", func(ctx context.Context) (kafka.ListConsumerGroupsResult, error) {
		return a.a.ListConsumerGroups(ctx)
	})
	if err != nil {
		return nil, err
	}
	if len(r.Errors) > 0 {
		return nil, wrap("list groups", r.Errors[0])
	}
	var groups []Group
	for _, g := range r.Valid {
		idle := g.State == kafka.ConsumerGroupStateEmpty || g.State == kafka.ConsumerGroupStateDead || g.State == kafka.ConsumerGroupStateUnknown
		groups = append(groups, Group{g.GroupID, !idle})
	}
	slices.SortFunc(groups, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	return groups, nil
}
