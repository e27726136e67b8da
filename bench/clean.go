package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/profile"
)

// cleanWithin bounds the whole of cleaning a cluster.
const cleanWithin = time.Minute

// leftovers are what runs that did not come to their end left on a cluster.
type leftovers struct {
	Broker string     `json:"broker"`
	Topics []leftover `json:"topics"`
	Groups []leftover `json:"groups"`
}

type leftover struct {
	Name string    `json:"name"`
	Made time.Time `json:"made"` // when its run began
	// Records are those in a topic's log; nil where they cannot be counted.
	Records *int64 `json:"records,omitempty"`
	// InUse says that its group has members: a run that goes on.
	InUse   bool `json:"in_use,omitempty"`
	Deleted bool `json:"deleted,omitempty"`
}

// cleaning registers the flags of the clean verb.
func (f *flags) cleaning(set *flag.FlagSet) {
	set.StringVar(&f.broker, "broker", "", "the cluster, `HOST:PORT`")
	f.access(set)
	set.BoolVar(&f.yes, "yes", false, "delete what is listed, but for what a run still uses")
	set.BoolVar(&f.json, "json", false, "print it as JSON")
}

// clean lists and, when asked to, deletes what earlier runs left.
func (p *program) clean(ctx context.Context, args []string) int {
	var f flags
	if code, ended := p.read("clean", &f, args, noneBut("a cluster is named with -broker")); ended {
		return code
	}
	if cluster, err := profile.ClusterOf(f.broker); err != nil || !cluster.Foreign {
		return p.usage("clean needs -broker HOST:PORT; the brokers that this program starts keep nothing")
	}
	endpoint, err := f.endpoint(p.getenv)
	if err != nil {
		return p.usage("%v", err)
	}
	endpoint.Bootstrap = f.broker
	found, err := tidy(ctx, endpoint, f.yes)
	if err != nil {
		return p.failed(errors.New(endpoint.Hide(err.Error())))
	}
	print := found.print
	if f.json {
		print = found.encode
	}
	if err := print(p.stdout); err != nil {
		return p.failed(err)
	}
	return exitMet
}

// tidy finds what was left, and deletes it when it may.
func tidy(ctx context.Context, e client.Endpoint, mayDelete bool) (*leftovers, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, cleanWithin, fmt.Errorf("%s are over", cleanWithin))
	defer cancel()
	cluster, err := broker.OpenExternal(ctx, e)
	if err != nil {
		return nil, err
	}
	defer cluster.Close()
	admin, err := client.NewAdmin(e)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	found, err := find(ctx, admin)
	if err != nil {
		return nil, err
	}
	found.Broker = e.Bootstrap
	if mayDelete {
		err = found.delete(ctx, admin)
	}
	return found, err
}

func find(ctx context.Context, admin *client.Admin) (*leftovers, error) {
	found := &leftovers{Topics: []leftover{}, Groups: []leftover{}}
	groups, err := admin.Groups(ctx)
	if err != nil {
		return nil, err
	}
	busy := map[string]bool{}
	for _, g := range groups {
		if client.IsGroupOfTrial(g.Name) {
			found.Groups = append(found.Groups, leftover{Name: g.Name, Made: client.MadeAt(g.Name), InUse: g.Busy})
			busy[g.Name] = g.Busy
		}
	}
	topics, err := admin.Topics(client.Prefix, cleanWithin)
	if err != nil {
		return nil, err
	}
	for _, name := range topics {
		if client.IsTopicOfTrial(name) {
			found.Topics = append(found.Topics, leftover{
				Name: name, Made: client.MadeAt(name), InUse: busy[client.TrialOf(name)], Records: records(ctx, admin, name),
			})
		}
	}
	return found, nil
}

// records counts what lies in a topic's log.
func records(ctx context.Context, admin *client.Admin, topic string) *int64 {
	partitions, err := admin.Topic(ctx, topic, client.Uses{})
	if err != nil {
		return nil
	}
	start, err := admin.StartOffsets(ctx, topic, partitions)
	if err != nil {
		return nil
	}
	end, err := admin.EndOffsets(ctx, topic, partitions, profile.ReadUncommitted)
	if err != nil {
		return nil
	}
	var n int64
	for p, offset := range end {
		n += offset - start[p]
	}
	return &n
}

// delete deletes what no run uses any more.
func (l *leftovers) delete(ctx context.Context, admin *client.Admin) error {
	var names []string
	for i := range l.Topics {
		if t := &l.Topics[i]; !t.InUse {
			names = append(names, t.Name)
			t.Deleted = true
		}
	}
	if len(names) > 0 {
		if err := admin.DeleteTopics(ctx, names...); err != nil {
			return err
		}
	}
	for i := range l.Groups {
		g := &l.Groups[i]
		if g.InUse {
			continue
		}
		if err := admin.DeleteGroup(ctx, g.Name); err != nil {
			return err
		}
		g.Deleted = true
	}
	return nil
}

func (l *leftovers) encode(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(l)
}

func (l *leftovers) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, kind := range []struct {
		name string
		list []leftover
	}{{"topic", l.Topics}, {"group", l.Groups}} {
		for _, one := range kind.list {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", kind.name, one.Name, one.Made.Format(time.DateTime), one.size(), one.state())
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, l.summary())
	return err
}

func (l leftover) size() string {
	if l.Records == nil {
		return ""
	}
	return count(int(*l.Records), "record")
}

func (l leftover) state() string {
	switch {
	case l.InUse:
		return "in use"
	case l.Deleted:
		return "deleted"
	}
	return ""
}

// summary says what there is, and what to do about it.
func (l *leftovers) summary() string {
	what := count(len(l.Topics), "topic") + " and " + count(len(l.Groups), "group")
	deleted := func(one leftover) bool { return one.Deleted }
	used := func(one leftover) bool { return one.InUse }
	switch {
	case len(l.Topics)+len(l.Groups) == 0:
		return "No run has left anything on " + l.Broker + "."
	case slices.ContainsFunc(l.Topics, deleted) || slices.ContainsFunc(l.Groups, deleted):
		return what + " of earlier runs; what no run uses is deleted."
	case !slices.ContainsFunc(append(slices.Clone(l.Topics), l.Groups...), func(one leftover) bool { return !used(one) }):
		return what + ", all of a run that goes on."
	}
	return what + " of earlier runs; -yes deletes what no run uses."
}
