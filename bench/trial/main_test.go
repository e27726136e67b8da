package trial_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/ledger"
	"deliverybench/bench/pace"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/trial"
	"deliverybench/bench/worker"

	"github.com/stretchr/testify/require"
)

// TestMain lets this binary be the workers and the broker of its trials.
func TestMain(m *testing.M) {
	verb := ""
	if len(os.Args) > 1 {
		verb = os.Args[1]
	}
	switch verb {
	case worker.Verb:
		exit(worker.Main(os.Stdin, os.Stdout, os.Stderr))
	case broker.EmbeddedVerb:
		exit(broker.ServeEmbedded(os.Stdin, os.Stdout, os.Stderr))
	default:
		flag.Parse()
		_ = flag.Set("test.parallel", sideBySide)
		// A race detector's process sleeps for a second when it ends; there are many.
		os.Setenv("GORACE", "atexit_sleep_ms=0")
		code := m.Run()
		kafka.close()
		database.close()
		if left := children(worker.Verb); len(left) > 0 {
			fmt.Fprintln(os.Stderr, "worker processes that are left:", left)
			code = 1
		}
		os.Exit(code)
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// sideBySide is how many trials run at once: more than there may be processors,
// since they mostly wait.
const sideBySide = "5"

// bench is an embedded broker and what trials on it need.
type bench struct {
	env   trial.Environment
	seed  uint64
	kafka bool // Apache Kafka, not the embedded broker
}

// anySeed is the trials' where nothing is drawn on which a test depends.
const anySeed = 7

// executable is what workers and brokers run: this test.
func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	return path
}

// newBench starts an embedded broker that lives as long as the test and its
// subtests.
func newBench(t *testing.T) *bench {
	t.Helper()
	spawner := process.NewSpawner(executable(t))
	t.Cleanup(spawner.Close)
	b, err := broker.StartEmbedded(t.Context(), spawner, filepath.Join(t.TempDir(), "broker.log"))
	require.NoError(t, err)
	t.Cleanup(func() {
		b.Close()
		require.NotContains(t, children(broker.EmbeddedVerb), b.PID(), "the broker is left")
	})
	return benchOn(t, spawner, b)
}

// onEach runs a test on the embedded broker and on Apache Kafka.
func onEach(t *testing.T, test func(*testing.T, *bench)) {
	t.Helper()
	for name, start := range map[string]func(*testing.T) *bench{"embedded": newBench, "local": kafka.bench} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t))
		})
	}
}

// everyCase has Apache Kafka see what sample leaves out for it.
var everyCase = flag.Bool("every-case", false, "run every case of every test on Apache Kafka too")

// sampleOf is of how many cases of a cross product Apache Kafka sees one.
const sampleOf = 3

// sample runs one case of a cross product beside the others. The embedded broker sees
// each of them; Apache Kafka, on which a trial costs several times as much, every
// third or so, by the case's name. Where the broker decides most, tests run whole on both,
// without sample: the exact cost of crashes, transactions, lost answers, zombies.
func (b *bench) sample(t *testing.T, name string, test func(*testing.T)) {
	t.Helper()
	if b.kafka && !*everyCase && crc32.ChecksumIEEE([]byte(t.Name()+"/"+name))%sampleOf != 0 {
		return
	}
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		test(t)
	})
}

// benchOn is for trials on a broker. When the test and its subtests have ended,
// nothing of their trials may be left.
func benchOn(t *testing.T, spawner *process.Spawner, b broker.Broker) *bench {
	t.Helper()
	scratch := t.TempDir()
	// Several tests share Kafka: each has names of its own on it.
	run := fmt.Sprintf("test%x", crc32.ChecksumIEEE([]byte(t.Name())))
	t.Cleanup(func() {
		entries, err := os.ReadDir(scratch)
		require.NoError(t, err)
		require.Empty(t, entries, "scratch folders that are left")
		// A node of Kafka may hear of a deletion after the one that was asked for it.
		require.Eventually(t, func() bool { return len(topics(t, b, client.TrialName(run, ""))) == 0 }, 10*time.Second, 100*time.Millisecond, "topics that are left")
	})
	return &bench{
		seed: anySeed,
		env: trial.Environment{
			Spawner: spawner, Broker: b, Clock: pace.NewClock(), RunID: run,
			Scratch: []string{scratch}, KeepLogs: t.TempDir(),
		},
	}
}

var unsafeInTopic = regexp.MustCompile(`[^A-Za-z0-9]+`)

// run runs one trial with the settings.
func (b *bench) run(t *testing.T, s profile.Settings) trial.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	id := strings.Trim(unsafeInTopic.ReplaceAllString(t.Name(), "-"), "-")
	out := trial.Run(ctx, b.env, profile.Trial{ID: id, Cell: "test", Arm: "test", Scenario: "test", Repeat: 1, Seed: b.seed, Settings: s})
	if t.Failed() || out.Result.Status != result.Completed {
		logs, _ := filepath.Glob(filepath.Join(b.env.KeepLogs, id, "*.log"))
		for _, path := range logs {
			text, _ := os.ReadFile(path)
			t.Logf("%s:\n%s", filepath.Base(path), text)
		}
	}
	return out
}

// complete runs a trial that must come to a verdict, and checks what holds of
// every verdict.
func (b *bench) complete(t *testing.T, s profile.Settings) *result.Trial {
	t.Helper()
	out := b.run(t, s)
	r := &out.Result
	require.Equal(t, result.Completed, r.Status, r.Reason)
	require.Empty(t, r.Reason)
	v := r.Verdict
	require.NotNil(t, v)
	if s.Load.Rate != profile.RateMax {
		require.Equal(t, due(t, s), v.Due, "due by the schedule")
	}
	require.Equal(t, v.Due, sum(v.Table), "the table's sum")
	require.Equal(t, v.Due, v.NotSent+v.Sent+v.Acked+v.Rejected+v.Unknown+v.Aborted, "every message has one outcome")
	require.Zero(t, v.NotSent)
	require.Zero(t, v.Corrupt)
	require.Zero(t, v.Foreign)
	require.Zero(t, v.Undrained)
	require.Zero(t, v.Saturated)
	kills := 0
	for _, w := range r.Workers {
		require.Positive(t, w.UserSeconds+w.SystemSeconds, w.Name)
		require.Positive(t, w.MaxResidentBytes, w.Name)
		if w.Exit == "killed" {
			kills++
			continue
		}
		require.Equal(t, "ok", w.Exit, w.Name)
	}
	planned := 0
	for i, f := range s.Faults {
		if f.Kill != "" {
			planned++
		}
		requireStages(t, r.Faults[i])
	}
	require.Equal(t, planned, kills, "workers killed")
	return r
}

// requireStages: a fault is armed, then fires, then is recovered from.
func requireStages(t *testing.T, f result.Fault) {
	t.Helper()
	require.NotNil(t, f.Armed, f.Name)
	require.NotNil(t, f.Fired, f.Name)
	require.NotNil(t, f.Recovered, f.Name)
	require.LessOrEqual(t, *f.Armed, *f.Fired, f.Name)
	require.LessOrEqual(t, *f.Fired, *f.Recovered, f.Name)
}

// requireFlawless: every message was acknowledged and had one effect.
func requireFlawless(t *testing.T, r *result.Trial) {
	t.Helper()
	requireAllProcessed(t, r)
	require.Equal(t, ledger.Dups{}, r.Verdict.Duplicates, "%v", r.Verdict.Table)
	require.Zero(t, r.Verdict.MultipleEffects)
	require.Equal(t, result.Held, r.Promise)
}

// requireAllProcessed: every message was acknowledged and had an effect.
func requireAllProcessed(t *testing.T, r *result.Trial) {
	t.Helper()
	v := r.Verdict
	require.Equal(t, v.Due, v.Acked+v.Sent)
	require.Equal(t, ledger.Lost{}, v.Lost, "%v", v.Table)
}

// requireFlawlessRebalance is requireFlawless of a trial in which members come and
// go. Where that leaves partitions in place the client library may return the last
// message of one twice (client/last_offsets.go): as many may have two effects, which
// only at least once has not promised otherwise.
func requireFlawlessRebalance(t *testing.T, s profile.Settings, r *result.Trial) {
	t.Helper()
	twice, again := r.Verdict.Duplicates.Redelivered, r.PolledAgain()
	if s.Consumer.Assignor != profile.CooperativeSticky && s.Consumer.Protocol != profile.ConsumerProtocol {
		require.Zero(t, again, "an assignment that was revoked begins anew")
	}
	if again == 0 || twice == 0 {
		requireFlawless(t, r)
		return
	}
	t.Logf("the client library returned %d messages twice, of which %d had two effects", again, twice)
	requireAllProcessed(t, r)
	require.Equal(t, ledger.Dups{Total: twice, Redelivered: twice}, r.Verdict.Duplicates, "%v", r.Verdict.Table)
	require.LessOrEqual(t, twice, again)
	if s.Guarantee == profile.AtLeastOnce {
		require.Equal(t, result.Held, r.Promise)
	} else {
		require.Equal(t, result.Violated, r.Promise)
	}
}

// due is what the producers' schedules say together.
func due(t *testing.T, s profile.Settings) int64 {
	t.Helper()
	var total int64
	for n := range s.Producer.Count {
		p, err := pace.New(s.Load, n, s.Producer.Count, anySeed)
		require.NoError(t, err)
		total += p.Count(time.Duration(s.Load.Length()))
	}
	return total
}

func sum(table map[string]int64) (total int64) {
	for _, n := range table {
		total += n
	}
	return total
}

// short is a trial of 3600 messages in 1.2 s, in which a batch of 100 between
// two commits fills many times over, however many consumers share the load.
func short() profile.Settings {
	s := profile.Defaults()
	s.Fit(profile.Cluster{})
	s.Load.Rate = 3000
	s.Load.Warmup = profile.Duration(100 * time.Millisecond)
	s.Load.Duration = profile.Duration(time.Second)
	s.Load.Cooldown = profile.Duration(100 * time.Millisecond)
	s.Topic.Partitions = 3
	s.Producer.Idempotence = true
	s.Consumer.Commit.Every = batch
	return s
}

// shortSession is for members whose session must end within a trial. The
// embedded broker drops a member whose session ends while it waits in a
// rebalance, without an answer, so that it is well over what a rebalance takes.
const shortSession = profile.Duration(4 * time.Second)

// batch is B, the messages between two commits.
const batch = 100

// guarantee is what a commit strategy can promise.
func guarantee(when profile.CommitWhen) profile.Guarantee {
	switch when {
	case profile.BeforeProcessing:
		return profile.AtMostOnce
	case profile.InTransaction:
		return profile.ExactlyOnce
	default:
		return profile.AtLeastOnce
	}
}

// children are the running child processes of this one under a verb (proc(5)).
func children(verb string) (found []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		text := string(data)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if fields[1] == strconv.Itoa(os.Getpid()) && strings.HasSuffix(string(command), "\x00"+verb+"\x00") {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			found = append(found, child)
		}
	}
	return found
}

// topics are those on the broker whose names begin so.
func topics(t *testing.T, b broker.Broker, prefix string) []string {
	t.Helper()
	admin, err := client.NewAdmin(b.Endpoint())
	require.NoError(t, err)
	defer admin.Close()
	names, err := admin.Topics(prefix, 10*time.Second)
	require.NoError(t, err)
	return names
}

// name names a subtest after its parts.
func name(parts ...any) string {
	var words []string
	for _, part := range parts {
		words = append(words, cmp.Or(fmt.Sprint(part), "none"))
	}
	return strings.Join(words, " ")
}
