package suite_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/broker"
	"deliverybench/bench/pace"
	"deliverybench/bench/process"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/suite"
	"deliverybench/bench/trial"
	"deliverybench/bench/worker"
)

// The test binary is also the workers and the broker of the runs that it makes.
func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == worker.Verb:
		err = worker.Main(os.Stdin, os.Stdout, os.Stderr)
	case len(os.Args) == 2 && os.Args[1] == broker.EmbeddedVerb:
		err = broker.ServeEmbedded(os.Stdin, os.Stdout, os.Stderr)
	default:
		// A race detector's process sleeps for a second when it ends; there are many.
		os.Setenv("GORACE", "atexit_sleep_ms=0")
		os.Exit(m.Run())
	}
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// within is far over what any step of these small runs takes on a busy machine.
const within = 2 * time.Minute

// bench is a broker with a folder for results.
type bench struct {
	t       *testing.T
	broker  *broker.Embedded
	spawner *process.Spawner
	out     string
	scratch string
}

func newBench(t *testing.T) *bench {
	self, err := os.Executable()
	require.NoError(t, err)
	b := &bench{t: t, spawner: process.NewSpawner(self), out: t.TempDir(), scratch: t.TempDir()}
	t.Cleanup(b.spawner.Close)
	b.broker, err = broker.StartEmbedded(t.Context(), b.spawner, filepath.Join(t.TempDir(), "broker.log"))
	require.NoError(t, err)
	t.Cleanup(b.broker.Close)
	return b
}

// begin makes a new run of the plan.
func (b *bench) begin(plan *profile.Plan) suite.Options {
	b.t.Helper()
	run := suite.NewRun(plan, result.Header{Started: time.Now().UTC(), Command: []string{"bench"}, ProfileSHA256: "sum"}, result.Environment{Cores: 2})
	store, err := result.Create(b.out, run)
	require.NoError(b.t, err)
	return b.options(plan, store, run)
}

// resume opens a run's folder again.
func (b *bench) resume(plan *profile.Plan, dir string) suite.Options {
	b.t.Helper()
	store, run, err := result.Open(dir)
	require.NoError(b.t, err)
	require.NoError(b.t, suite.Adopt(run, plan, "sum", result.Environment{Cores: 2}))
	return b.options(plan, store, run)
}

func (b *bench) options(plan *profile.Plan, store *result.Store, run *result.Run) suite.Options {
	return suite.Options{
		Plan: plan, Store: store, Run: run, Progress: suite.Quiet{},
		Trials: trial.Environment{
			Spawner: b.spawner, Broker: b.broker, Clock: pace.NewClock(), RunID: "test",
			Scratch: []string{b.scratch}, KeepLogs: store.Path("logs"),
		},
	}
}

func (b *bench) context() context.Context {
	ctx, cancel := context.WithTimeout(b.t.Context(), within)
	b.t.Cleanup(cancel)
	return ctx
}

// requireNothingLeft: no topic, no scratch folder.
func (b *bench) requireNothingLeft() {
	b.t.Helper()
	entries, err := os.ReadDir(b.scratch)
	require.NoError(b.t, err)
	require.Empty(b.t, entries, "scratch")
	asker, err := kgo.NewClient(kgo.SeedBrokers(b.broker.Endpoint().Bootstrap))
	require.NoError(b.t, err)
	defer asker.Close()
	response, err := kmsg.NewPtrMetadataRequest().RequestWith(b.context(), asker)
	require.NoError(b.t, err)
	var topics []string
	for _, topic := range response.Topics {
		if name := *topic.Topic; name[0] != '_' { // the broker's own
			topics = append(topics, name)
		}
	}
	require.Empty(b.t, topics, "topics")
}

// watched tells a test how a run goes.
type watched struct {
	suite.Quiet
	doing   func(what string)
	trial   func(index int)
	observe func(trial.Snapshot)
	done    func(index int, r result.Trial)
}

func (w watched) Doing(what string) {
	if w.doing != nil {
		w.doing(what)
	}
}

func (w watched) Trial(index int, _ profile.Trial) {
	if w.trial != nil {
		w.trial(index)
	}
}

func (w watched) Observe(s trial.Snapshot) {
	if w.observe != nil {
		w.observe(s)
	}
}

func (w watched) Done(index int, _ profile.Trial, r result.Trial) {
	if w.done != nil {
		w.done(index, r)
	}
}
