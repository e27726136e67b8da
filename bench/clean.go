package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// cleanWithin bounds the whole of cleaning.
const cleanWithin = time.Minute

// leftovers are what runs that did not come to their end left on a cluster and in
// a database.
type leftovers struct {
	Broker   string     `json:"broker,omitempty"`
	Database string     `json:"database,omitempty"`
	Topics   []leftover `json:"topics"`
	Groups   []leftover `json:"groups"`
	Schemas  []leftover `json:"schemas"`
}

type leftover struct {
	Name string    `json:"name"`
	Made time.Time `json:"made"` // when its run began
	// Records are those in a topic's log; nil where they cannot be counted.
	Records *int64 `json:"records,omitempty"`
	// InUse says that its group has members, or that workers are in the database:
	// a run that goes on.
	InUse   bool `json:"in_use,omitempty"`
	Deleted bool `json:"deleted,omitempty"`
}

// cleaning registers the flags of the clean verb.
func (f *flags) cleaning(set *flag.FlagSet) {
	set.StringVar(&f.broker, "broker", "", "the cluster, `HOST:PORT`")
	f.access(set)
	set.StringVar(&f.database, "database", "", "the PostgreSQL, `postgres://USER@HOST/NAME`; the password in PGPASSWORD or PGPASSFILE")
	set.BoolVar(&f.yes, "yes", false, "delete what is listed, but for what a run still uses")
	set.BoolVar(&f.json, "json", false, "print it as JSON")
}

// clean lists and, when asked to, deletes what earlier runs left.
func (p *program) clean(ctx context.Context, args []string) int {
	var f flags
	if code, ended := p.read("clean", &f, args, noneBut("a cluster is named with -broker, a database with -database")); ended {
		return code
	}
	if cluster, err := profile.ClusterOf(f.broker); f.broker+f.database == "" || f.broker != "" && (err != nil || !cluster.Foreign) {
		return p.usage("clean needs -broker HOST:PORT or -database URL; what this program starts keeps nothing")
	}
	if f.clients != "" && f.broker == "" {
		return p.usage("-client-config is for a cluster: name it with -broker HOST:PORT")
	}
	endpoint, err := f.endpoint(p.getenv)
	if err != nil {
		return p.usage("%v", err)
	}
	endpoint.Bootstrap = f.broker
	target := sink.Target{Database: profile.Postgres}
	if f.database != "" {
		if target.Address, target.Password, err = sink.ParseURL(f.database); err != nil {
			return p.usage("-database: %v", err)
		}
	}
	found, err := tidy(ctx, endpoint, target, f.yes)
	if err != nil {
		return p.failed(errors.New(client.Hide(endpoint.Hide(err.Error()), target.Password)))
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

// tidy finds what was left where there is an address, and deletes it when it may.
func tidy(ctx context.Context, e client.Endpoint, t sink.Target, mayDelete bool) (*leftovers, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, cleanWithin, fmt.Errorf("%s are over", cleanWithin))
	defer cancel()
	found := &leftovers{Broker: e.Bootstrap, Database: t.Address, Topics: []leftover{}, Groups: []leftover{}, Schemas: []leftover{}}
	if e.Bootstrap != "" {
		if err := found.tidyCluster(ctx, e, mayDelete); err != nil {
			return nil, err
		}
	}
	if t.Address != "" {
		if err := found.tidyDatabase(ctx, t, mayDelete); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (l *leftovers) tidyCluster(ctx context.Context, e client.Endpoint, mayDelete bool) error {
	cluster, err := broker.OpenExternal(ctx, e)
	if err != nil {
		return err
	}
	defer cluster.Close()
	admin, err := client.NewAdmin(e)
	if err != nil {
		return err
	}
	defer admin.Close()
	if err = l.find(ctx, admin); err == nil && mayDelete {
		err = l.delete(ctx, admin)
	}
	return err
}

// tidyDatabase is for schemas. The name alone does not do: sink looks for its mark.
func (l *leftovers) tidyDatabase(ctx context.Context, t sink.Target, mayDelete bool) error {
	schemas, err := sink.Leftovers(ctx, t)
	if err != nil {
		return err
	}
	for _, s := range schemas {
		if !client.IsSchemaOfTrial(s.Schema) {
			continue
		}
		one := leftover{Name: s.Schema, Made: client.MadeAt(s.Schema), InUse: s.InUse}
		if mayDelete && !s.InUse {
			t.Schema = s.Schema
			if err := sink.Drop(ctx, t); err != nil {
				return err
			}
			one.Deleted = true
		}
		l.Schemas = append(l.Schemas, one)
	}
	return nil
}

func (l *leftovers) find(ctx context.Context, admin *client.Admin) error {
	groups, err := admin.Groups(ctx)
	if err != nil {
		return err
	}
	busy := map[string]bool{}
	for _, g := range groups {
		if client.IsGroupOfTrial(g.Name) {
			l.Groups = append(l.Groups, leftover{Name: g.Name, Made: client.MadeAt(g.Name), InUse: g.Busy})
			busy[g.Name] = g.Busy
		}
	}
	topics, err := admin.Topics(client.Prefix, cleanWithin)
	if err != nil {
		return err
	}
	for _, name := range topics {
		if client.IsTopicOfTrial(name) {
			l.Topics = append(l.Topics, leftover{
				Name: name, Made: client.MadeAt(name), InUse: busy[client.TrialOf(name)], Records: records(ctx, admin, name),
			})
		}
	}
	return nil
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
	}{{"topic", l.Topics}, {"group", l.Groups}, {"schema", l.Schemas}} {
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
	var kinds, places []string
	if l.Broker != "" {
		kinds, places = append(kinds, count(len(l.Topics), "topic"), count(len(l.Groups), "group")), append(places, l.Broker)
	}
	if l.Database != "" {
		kinds, places = append(kinds, count(len(l.Schemas), "schema")), append(places, l.Database)
	}
	last := len(kinds) - 1
	what := kinds[last]
	if last > 0 {
		what = strings.Join(kinds[:last], ", ") + " and " + what
	}
	all := slices.Concat(l.Topics, l.Groups, l.Schemas)
	unused := func(one leftover) bool { return !one.InUse }
	switch {
	case len(all) == 0:
		return "No run has left anything on " + strings.Join(places, " and ") + "."
	case slices.ContainsFunc(all, func(one leftover) bool { return one.Deleted }):
		return what + " of earlier runs; what no run uses is deleted."
	case !slices.ContainsFunc(all, unused):
		return what + ", all of a run that goes on."
	}
	return what + " of earlier runs; -yes deletes what no run uses."
}
