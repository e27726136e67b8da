package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
)

// Names as runs make them, and names that only look alike.
const (
	killedTrial = "deliverybench-20261121T101500-4711-003-semantics-crash-1"
	livingTrial = "deliverybench-20261121T111500-4712-001-semantics-paced-1"
)

var (
	left  = []string{killedTrial + "-in", killedTrial + "-out", livingTrial + "-in"}
	alike = []string{"deliverybench", "deliverybench-mine", "deliverybench-results-in", "deliverybench-20261121-in", "my-" + killedTrial + "-in", killedTrial + "-in-copy", killedTrial, "orders"}
)

// dirty is a cluster on which a killed run left topics and a group, another run
// goes on, and somebody has topics and a group of their own.
func dirty(t *testing.T) (address string, admin *client.Admin) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	spawner := process.NewSpawner(self)
	t.Cleanup(spawner.Close)
	b, err := broker.StartEmbedded(t.Context(), spawner, filepath.Join(t.TempDir(), "broker.log"))
	require.NoError(t, err)
	t.Cleanup(b.Close)
	admin, err = client.NewAdmin(b.Endpoint())
	require.NoError(t, err)
	t.Cleanup(admin.Close)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for _, name := range append(append([]string{}, left...), alike...) {
		require.NoError(t, admin.CreateTopic(ctx, name, profile.Topic{Partitions: 2, Replication: 1, MinInsyncReplicas: 1}))
	}
	for _, group := range []string{killedTrial, "deliverybench-mine", "deliverybench"} {
		require.NoError(t, admin.CommitFor(ctx, group, "orders", client.Offsets{0: 0}))
	}
	member, err := kgo.NewClient(kgo.SeedBrokers(b.Endpoint().Bootstrap), kgo.ConsumerGroup(livingTrial), kgo.ConsumeTopics(livingTrial+"-in"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	t.Cleanup(member.Close)
	require.NoError(t, member.ProduceSync(ctx, &kgo.Record{Topic: livingTrial + "-in"}, &kgo.Record{Topic: killedTrial + "-in"}).FirstErr())
	require.NoError(t, member.PollFetches(ctx).Err(), "until the group has its member")
	return b.Endpoint().Bootstrap, admin
}

func names(t *testing.T, admin *client.Admin) (topics, groups []string) {
	t.Helper()
	topics, err := admin.Topics("", within)
	require.NoError(t, err)
	all, err := admin.Groups(t.Context())
	require.NoError(t, err)
	for _, g := range all {
		groups = append(groups, g.Name)
	}
	return topics, groups
}

// clean lists what runs left, and deletes only that, and only when it may: names
// that look alike and what a run still uses stay.
func TestClean(t *testing.T) {
	address, admin := dirty(t)
	p := newPlace(t)
	got := p.bench("clean", "-broker", address)
	require.Equal(t, exitMet, got.code, got.stderr)
	require.Equal(t, `topic  `+killedTrial+`-in   2026-11-21 10:15:00  1 record   
topic  `+killedTrial+`-out  2026-11-21 10:15:00  0 records  
topic  `+livingTrial+`-in   2026-11-21 11:15:00  1 record   in use
group  `+killedTrial+`      2026-11-21 10:15:00             
group  `+livingTrial+`      2026-11-21 11:15:00             in use
3 topics and 2 groups of earlier runs; -yes deletes what no run uses.
`, got.stdout)
	topics, groups := names(t, admin)
	require.ElementsMatch(t, append(append([]string{}, left...), alike...), topics)
	require.ElementsMatch(t, []string{killedTrial, livingTrial, "deliverybench-mine", "deliverybench"}, groups)

	got = p.bench("clean", "-broker", address, "-yes", "-json")
	require.Equal(t, exitMet, got.code, got.stderr)
	var found leftovers
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &found))
	zero, one := int64(0), int64(1)
	at := func(hour int) time.Time { return time.Date(2026, 11, 21, hour, 15, 0, 0, time.UTC) }
	require.Equal(t, leftovers{
		Broker:  address,
		Schemas: []leftover{},
		Topics: []leftover{
			{Name: left[0], Made: at(10), Records: &one, Deleted: true},
			{Name: left[1], Made: at(10), Records: &zero, Deleted: true},
			{Name: left[2], Made: at(11), Records: &one, InUse: true},
		},
		Groups: []leftover{{Name: killedTrial, Made: at(10), Deleted: true}, {Name: livingTrial, Made: at(11), InUse: true}},
	}, found)
	topics, groups = names(t, admin)
	require.ElementsMatch(t, append([]string{left[2]}, alike...), topics)
	require.ElementsMatch(t, []string{livingTrial, "deliverybench-mine", "deliverybench"}, groups)
}

func TestCleanRefuses(t *testing.T) {
	p := newPlace(t)
	missing := filepath.Join(t.TempDir(), "missing")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exitUsage, "clean needs -broker HOST:PORT or -database URL; what this program starts keeps nothing"},
		{[]string{"-broker", "embedded"}, exitUsage, "clean needs -broker HOST:PORT or -database URL; what this program starts keeps nothing"},
		{[]string{"127.0.0.1:1"}, exitUsage, `unexpected argument "127.0.0.1:1": a cluster is named with -broker, a database with -database`},
		{[]string{"-broker", "127.0.0.1:1", "-client-config", missing}, exitUsage, "-client-config: open " + missing + ": no such file or directory"},
		{[]string{"-broker", "127.0.0.1:1"}, exitFailed, "connect: nobody answers: dial tcp 127.0.0.1:1: connect: connection refused; check -broker, and that the cluster runs"},
	} {
		got := p.bench(append([]string{"clean"}, c.args...)...)
		require.Equal(t, said{code: c.code, stderr: "deliverybench: " + c.want + "\n"}, got)
	}
}
