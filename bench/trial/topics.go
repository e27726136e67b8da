package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/worker"
)

// TopicPrefix begins the name of every topic and group of a trial.
const TopicPrefix = client.Prefix

// name names everything of the trial. Topics that exist already keep theirs.
func (c *conductor) name() {
	t := c.trial.Settings.Topic
	c.group = client.TrialName(c.env.RunID, c.trial.ID)
	c.tag = tagOf(c.group)
	c.input = client.InputOf(c.group)
	if t.Existing != "" {
		c.input = string(t.Existing)
	}
	if s := c.trial.Settings; s.Pipeline.Consumes() && s.Consumer.OnError == profile.DeadLetter {
		c.deadLetters = client.DeadLettersOf(c.group)
	}
	if !c.layout.Relay {
		return
	}
	c.output = client.OutputOf(c.group)
	if t.Existing != "" {
		c.output = string(t.ExistingOutput)
	}
}

// tagOf marks a trial's messages. It differs between runs of the same profile,
// for they may share a topic.
func tagOf(group string) uint64 {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(group))
	return sum.Sum64() | 1 // never 0
}

// shared reports whether others may use the topics too.
func (c *conductor) shared() bool { return c.trial.Settings.Topic.Existing != "" }

func (c *conductor) topics() []string {
	all := []string{c.input}
	for _, name := range []string{c.output, c.deadLetters} {
		if name != "" {
			all = append(all, name)
		}
	}
	return all
}

// answering bounds the wait for the broker's answer.
func (c *conductor) answering(ctx context.Context) (context.Context, context.CancelFunc) {
	within := cmp.Or(c.env.AnswerWithin, answerWithin)
	return context.WithTimeoutCause(ctx, within, fmt.Errorf("%s passed", within))
}

// prepareTopics makes the topics, or finds where the trial begins in those that
// exist.
func (c *conductor) prepareTopics(ctx context.Context) error {
	if c.shared() {
		return c.findTopics(ctx)
	}
	c.enter("creating topics")
	ctx, cancel := c.answering(ctx)
	defer cancel()
	for _, name := range c.topics() {
		if err := c.admin.CreateTopic(ctx, name, c.trial.Settings.Topic); err != nil {
			return errors.Join(c.env.Broker.Failed(), err)
		}
	}
	if s := c.trial.Settings; s.Consumer.ExpiredOffsets && s.Pipeline.Consumes() {
		return c.expireOffsets(ctx)
	}
	return nil
}

// expireOffsets has the group's offsets point at records that the broker deleted:
// one in each partition, from before the trial.
func (c *conductor) expireOffsets(ctx context.Context) error {
	partitions := c.trial.Settings.Topic.Partitions
	if err := c.admin.WriteEach(ctx, c.input, partitions); err != nil {
		return err
	}
	ends, err := c.admin.EndOffsets(ctx, c.input, partitions, profile.ReadUncommitted)
	if err != nil {
		return err
	}
	first := client.Offsets{}
	for p := range ends {
		first[p] = 0
	}
	if err := c.admin.CommitFor(ctx, c.group, c.input, first); err != nil {
		return err
	}
	c.begin.input = ends
	return c.admin.DeleteRecords(ctx, c.input, ends)
}

// findTopics: what lies in the topics now is no part of the trial. Neither is
// what an open transaction still puts there, which is why it is waited for.
func (c *conductor) findTopics(ctx context.Context) error {
	c.enter("looking at topics")
	s := c.trial.Settings
	within, cancel := c.answering(ctx)
	defer cancel()
	for _, name := range c.topics() {
		if err := broker.FitTopic(within, c.admin, name, s.Topic.Partitions); err != nil {
			return err
		}
	}
	var err error
	if c.begin.input, err = c.stableEnds(ctx, c.input); err != nil {
		return err
	}
	if c.output != "" {
		if c.begin.output, err = c.stableEnds(ctx, c.output); err != nil {
			return err
		}
	}
	if !s.Pipeline.Consumes() {
		return nil
	}
	within, cancel = c.answering(ctx)
	defer cancel()
	return c.admin.CommitFor(within, c.group, c.input, c.begin.input)
}

// untouched makes sure that the broker still has everything since the trial
// began: what it deletes or compacts away would look lost.
func (c *conductor) untouched(ctx context.Context) error {
	if !c.shared() {
		return nil
	}
	ctx, cancel := c.answering(ctx)
	defer cancel()
	for topic, begin := range map[string]client.Offsets{c.input: c.begin.input, c.output: c.begin.output} {
		if begin == nil {
			continue
		}
		start, err := c.admin.StartOffsets(ctx, topic, len(begin))
		if err != nil {
			return err
		}
		for p, offset := range begin {
			if start[p] > offset {
				return inconclusive{fmt.Errorf("the broker deleted what the trial wrote to topic %s (partition %d begins at %d, the trial began at %d): give the topic a longer retention.ms", topic, p, start[p], offset)}
			}
		}
	}
	return nil
}

// othersRecords are those that others wrote to topics which they may use too:
// told, and no reason to doubt the trial.
func (c *conductor) othersRecords() int64 {
	if !c.shared() {
		return 0
	}
	n := c.latest(worker.AuditorRole, 0).foreign
	if n > 0 {
		c.warnings = append(c.warnings, fmt.Sprintf("%d records of others came between those of the trial: they are none of its messages, but took part in its batches and in the clients' time", n))
	}
	return n
}

// deleteTopics deletes only what prepareTopics created. A broker that is gone
// took its topics with it, and one that was left in pieces will.
func (c *conductor) deleteTopics() error {
	if c.env.Broker.Failed() != nil || c.wrecked() {
		return nil
	}
	ctx, cancel := c.answering(context.Background())
	defer cancel()
	var err error
	if !c.shared() {
		err = c.admin.DeleteTopics(ctx, c.topics()...)
	}
	// A group with static members cannot be deleted before their sessions
	// end; the broker then forgets it by itself.
	_ = c.admin.DeleteGroup(ctx, c.group)
	return err
}

// settlesFor is how long the end of a topic that others may write to is looked
// at again for late messages of ours.
const settlesFor = 2 * time.Second
