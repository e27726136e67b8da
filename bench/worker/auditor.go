package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"deliverybench/bench/client"
	"deliverybench/bench/ledger"
	"deliverybench/bench/message"
	"deliverybench/bench/profile"
)

// auditStall is how long an audit may read nothing before it is given up.
const auditStall = 30 * time.Second

// auditor reads what the log holds with a fresh client: every partition from
// where the trial begins to its end, once under read_uncommitted and once under
// read_committed; dead letters once. It trusts no worker's record.
type auditor struct {
	env    *environment
	layout ledger.Layout
	audit  *ledger.Audit
	// committed are the group's offsets in the input topic, -1 for none.
	committed client.Offsets
	foreign   int64
}

func runAuditor(ctx context.Context, env *environment) error {
	task := env.spec.Audit
	if task == nil {
		return errors.New("worker: the auditor was given no task")
	}
	layout, err := ledger.ReadLayout(env.spec.Ledger)
	if err != nil {
		return err
	}
	audit, err := ledger.OpenAudit(env.spec.Ledger)
	if err != nil {
		return err
	}
	defer audit.Close()
	a := &auditor{env: env, layout: layout, audit: audit}
	if a.committed, err = a.committedOffsets(); err != nil {
		return err
	}
	passes := []pass{
		{env.spec.Input, env.spec.InputBegin, task.InputEnd, profile.ReadUncommitted, audit.Uncommitted, true},
		{env.spec.Input, env.spec.InputBegin, task.InputEnd, profile.ReadCommitted, audit.Committed, false},
	}
	if env.spec.Output != "" {
		passes = append(passes,
			pass{env.spec.Output, env.spec.OutputBegin, task.OutputEnd, profile.ReadUncommitted, audit.OutputUncommitted, true},
			pass{env.spec.Output, env.spec.OutputBegin, task.OutputEnd, profile.ReadCommitted, audit.OutputCommitted, false})
	}
	if env.spec.DeadLetters != "" {
		passes = append(passes, pass{env.spec.DeadLetters, nil, task.DeadEnd, profile.ReadCommitted, audit.DeadLettered, true})
	}
	for _, p := range passes {
		if err := a.read(ctx, p); err != nil {
			return fmt.Errorf("audit of %s under %s: %w", p.topic, p.isolation, err)
		}
	}
	if err := audit.Finish(); err != nil {
		return err
	}
	env.events.send(Event{Kind: Done, Foreign: a.foreign})
	return nil
}

// committedOffsets are those of the pipeline's group; a pipeline without consumers has none.
func (a *auditor) committedOffsets() (client.Offsets, error) {
	if !a.env.spec.Settings.Pipeline.Consumes() {
		return client.Offsets{}, nil
	}
	if kept := a.env.spec.Audit.Committed; kept != nil {
		return kept, nil
	}
	asker, err := client.NewConsumer(client.AuditProperties(a.env.spec.Endpoint, a.env.spec.Group, profile.ReadCommitted), a.env.spec.Input)
	if err != nil {
		return nil, err
	}
	defer asker.Close()
	partitions := make([]int32, a.env.spec.Settings.Topic.Partitions)
	for i := range partitions {
		partitions[i] = int32(i)
	}
	return asker.Committed(partitions, auditStall)
}

// pass is one reading of one topic.
type pass struct {
	topic     string
	begin     client.Offsets // nil is 0
	end       client.Offsets
	isolation profile.Isolation
	observe   func(ledger.Record)
	// count says that foreign and corrupt records are counted in this pass.
	count bool
}

func (a *auditor) read(ctx context.Context, p pass) error {
	reader, err := client.NewConsumer(client.AuditProperties(a.env.spec.Endpoint, a.env.spec.Group, p.isolation), p.topic)
	if err != nil {
		return err
	}
	defer reader.Close()
	from, left := client.Offsets{}, map[int32]bool{}
	for partition, end := range p.end {
		if begin := p.begin[partition]; end > begin {
			from[partition], left[partition] = begin, true
		}
	}
	if len(left) == 0 {
		return nil
	}
	if err := reader.Assign(from); err != nil {
		return err
	}
	heard := a.env.clock.Now()
	for len(left) > 0 {
		event := reader.Poll(pollTimeout)
		switch event.Kind {
		case client.Nothing:
			if err := a.stalled(ctx, heard, left); err != nil {
				return err
			}
			continue
		case client.Record:
			if event.Offset < p.end[event.Partition] {
				a.observe(p, event)
			} else { // somebody writes on
				delete(left, event.Partition)
			}
		case client.EOF:
			if event.Offset >= p.end[event.Partition] {
				delete(left, event.Partition)
			}
		case client.Failure:
			a.env.heard(event.Err)
			if client.Refused(event.Err) {
				return event.Err
			}
		}
		heard = a.env.clock.Now()
	}
	return nil
}

func (a *auditor) stalled(ctx context.Context, heard int64, left map[int32]bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if a.env.clock.Now()-heard > int64(auditStall) {
		return fmt.Errorf("waited %s for the next record of %d partitions that are not read to their end", auditStall, len(left))
	}
	return nil
}

func (a *auditor) observe(p pass, event client.Event) {
	h, err := message.Decode(event.Value)
	switch {
	case errors.Is(err, message.ErrCorrupt):
		if p.count {
			a.audit.Corrupt()
		}
		return
	case err != nil || h.Tag != a.env.spec.RunTag:
		if p.count {
			a.audit.Foreign()
			a.foreign++
		}
		return
	}
	index, ok := a.layout.Index(int(h.Producer), int64(h.Sequence))
	if !ok {
		index = -1
	}
	p.observe(ledger.Record{
		Index: index, Attempt: h.Attempt, Partition: event.Partition, Offset: event.Offset,
		Past: a.past(event),
	})
}

// past reports whether the group would still read a record. One that has
// committed nothing of the trial begins where consumer.offset_reset says.
func (a *auditor) past(event client.Event) bool {
	committed := a.committed[event.Partition]
	if committed < a.env.spec.InputBegin[event.Partition] && a.env.spec.Settings.Consumer.OffsetReset == profile.Latest {
		return false
	}
	return event.Offset >= committed
}
