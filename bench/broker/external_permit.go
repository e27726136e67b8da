package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/profile"
)

// demands is what trials ask of a cluster together.
type demands struct {
	// creates is one of the topics that are to be made, nil for none; existing
	// are the others, by name, with the partitions that they must have.
	creates              *profile.Topic
	existing             map[string]int
	groups, transactions bool
}

func demandsOf(trials []profile.Trial) demands {
	d := demands{existing: map[string]int{}}
	for i := range trials {
		s := &trials[i].Settings
		if s.Topic.Existing == "" {
			d.creates = &s.Topic
		} else {
			d.existing[string(s.Topic.Existing)] = s.Topic.Partitions
		}
		if s.Topic.Existing != "" && s.Pipeline == profile.RelayTo {
			d.existing[string(s.Topic.ExistingOutput)] = s.Topic.Partitions
		}
		consumes := s.Pipeline.Consumes()
		d.groups = d.groups || consumes
		d.transactions = d.transactions || s.Producer.Transaction.Enabled() || consumes && s.Consumer.Commit.When == profile.InTransaction
	}
	return d
}

// Permit makes sure that the cluster lets this user do what the trials will, and
// has the topics that they name. It costs less than the first trial's start, and
// fails before anything was measured. It has the time that opening the cluster left.
func (x *External) Permit(ctx context.Context, trials []profile.Trial) error {
	ctx, cancel := opening(ctx, x.left)
	defer cancel()
	if err := x.permit(ctx, demandsOf(trials)); err != nil {
		return errors.New(x.endpoint.Hide(err.Error()))
	}
	return nil
}

func (x *External) permit(ctx context.Context, d demands) error {
	admin, err := client.NewAdmin(x.endpoint)
	if err != nil {
		return err
	}
	defer admin.Close()
	now := time.Now()
	name := client.TrialName(client.RunTag(now, os.Getpid()), fmt.Sprintf("000-permit-%d", now.Nanosecond()))
	for topic, partitions := range d.existing {
		if err := FitTopic(ctx, admin, topic, partitions); err != nil {
			return err
		}
	}
	if d.creates != nil {
		if err := permitTopics(ctx, admin, client.InputOf(name), *d.creates); err != nil {
			return err
		}
	}
	if d.groups {
		if err := admin.MayJoin(ctx, name); err != nil {
			return err
		}
	}
	if d.transactions {
		return client.MayTransact(ctx, x.endpoint, name)
	}
	return nil
}

// permitTopics tries what trials do with their own topics.
func permitTopics(ctx context.Context, admin *client.Admin, name string, t profile.Topic) error {
	t.Partitions = 1
	if err := admin.CreateTopic(ctx, name, t); err != nil {
		return err
	}
	_, err := admin.Topic(ctx, name, client.Uses{Read: true, Write: true, Delete: true})
	left := admin.DeleteTopics(ctx, name)
	if err != nil && left != nil {
		return fmt.Errorf("%w (topic %s is left)", err, name)
	}
	return cmp.Or(err, left)
}

// FitTopic makes sure that trials can use a topic that exists.
func FitTopic(ctx context.Context, admin *client.Admin, name string, partitions int) error {
	found, err := admin.Topic(ctx, name, client.Uses{Read: true, Write: true})
	if err == nil && found != partitions {
		err = fmt.Errorf("topic %s has %d partitions and topic.partitions is %d: use -set topic.partitions=%d", name, found, partitions, found)
	}
	return err
}
