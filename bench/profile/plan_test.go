package profile

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden and generated files")

// golden compares with a file, or rewrites it under -update.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run go test with -update to write it")
	require.Equal(t, string(want), string(got), "run go test with -update if this change is wanted")
}

// Later wins: body < arm < matrix < scenario < -set.
func TestLayers(t *testing.T) {
	p := parse(t, `name: t
load.burst_messages: 1
load.message.keys: 1
producer.max_in_flight: 1
producer.count: 1
repeats: 1
arms: {a: {load.message.keys: 2, producer.max_in_flight: 2, producer.count: 2, repeats: 2}}
matrix: {producer.max_in_flight: [3], producer.count: [3], repeats: [3]}
scenarios: {s: {producer.count: 4, repeats: 4}}
`)
	made, err := p.Plan(Options{Set: []string{"load.warmup=1s", "load.warmup=2s"}})
	require.NoError(t, err)
	s := made.Trials[0].Settings
	require.Equal(t, []int{1, 2, 3, 4, 4}, []int{s.Load.BurstMessages, s.Load.Message.Keys, s.Producer.MaxInFlight, s.Producer.Count, s.Repeats})
	require.Equal(t, Duration(2*time.Second), s.Load.Warmup)
	c := made.Cells[0]
	require.Equal(t, "a/max_in_flight=3,producer.count=3,repeats=3", c.Name)
	require.Equal(t, 3, c.Settings.Producer.Count)
	require.Equal(t, map[string]string{"producer.max_in_flight": "3", "producer.count": "3", "repeats": "3"}, c.Matrix)
}

func TestSetWins(t *testing.T) {
	p := parse(t, "name: t\nscenarios: {s: {load.rate: 5/s}}")
	made := plan(t, p, Options{Set: []string{
		"load.rate=7/s", "consumer.commit={every: 3}", "producer.librdkafka.client.id=a=b", "faults=[{freeze: broker, for: 1s}]"}})
	s := made.Trials[0].Settings
	require.Equal(t, Rate(7), s.Load.Rate)
	require.Equal(t, 3, s.Consumer.Commit.Every)
	require.Equal(t, map[string]string{"client.id": "a=b"}, s.Producer.Librdkafka)
	require.Equal(t, BrokerRole, s.Faults[0].Freeze)
}

// What is set in one scenario leaves the others, and the cell, as they are.
func TestSetInAScenario(t *testing.T) {
	p := parse(t, "name: t\nload.rate: 9/s\nscenarios: {full: {load.rate: max}, paced: {}, slow: {load.rate: 5/s}}")
	made := plan(t, p, Options{Set: []string{"paced/load.rate=7/s", "{paced,slow}/load.warmup=3s", "*/repeats=2"}})
	require.Equal(t, Rate(9), made.Cells[0].Settings.Load.Rate)
	got := map[string][]any{}
	for _, trial := range made.Trials {
		got[trial.Scenario] = []any{trial.Settings.Load.Rate.String(), trial.Settings.Load.Warmup, trial.Settings.Repeats}
	}
	standard := Defaults().Load.Warmup
	require.Equal(t, map[string][]any{
		"full": {"max", standard, 2}, "paced": {"7/s", Duration(3 * time.Second), 2}, "slow": {"5/s", Duration(3 * time.Second), 2},
	}, got)
	require.Len(t, made.Trials, 6)
}

func TestPlanRefuses(t *testing.T) {
	p := parse(t, "name: t\nload.duration: 2s\nmatrix: {producer.acks: [0, 1]}\nfaults: [{freeze: broker, for: 1s, at: 1s}]")
	nan := math.NaN()
	for _, c := range []struct {
		options Options
		want    string
	}{
		{Options{Set: []string{"load.rate"}}, "-set load.rate: it has no value; write -set load.rate=VALUE"},
		{Options{Set: []string{"load.rte=5/s"}}, `-set load.rte=5/s: unknown key "load.rte"; did you mean "load.rate"?`},
		{Options{Set: []string{"load.rate=5"}}, `-set load.rate=5: "load.rate": 5 has no unit; write 5/s`},
		{Options{Set: []string{"load=[5"}}, `-set load=[5: this is no YAML: yaml: line 1: did not find expected ',' or ']'`},
		{Options{Set: []string{"faults="}}, `-set faults=: "faults" takes a list of maps, not nothing`},
		{Options{Set: []string{"producer.acks=all"}}, "-set producer.acks=all: the matrix varies producer.acks; choose among its cells with -only"},
		{Options{Set: []string{"steady/producer.acks=all"}}, "-set steady/producer.acks=all: the matrix varies producer.acks; choose among its cells with -only"},
		{Options{Set: []string{"stedy/load.rate=5/s"}}, `-set stedy/load.rate=5/s: "stedy" matches no scenario; scenarios: steady`},
		{Options{Set: []string{"/load.rate=5/s"}}, `-set /load.rate=5/s: unknown key "/load.rate"; did you mean "load.rate"?`},
		{Options{Set: []string{"{/load.rate=5/s"}}, `-set {/load.rate=5/s: "{" names no scenarios: { has no }`},
		{Options{Set: []string{"load.arrivals=ramp"}}, "-set load.arrivals=ramp: arrivals: ramp needs the rate it starts at; write load.ramp_from: 100/s"},
		{Options{Set: []string{"load.duration=1s"}}, "-set load.duration=1s: freeze broker for 1s: at 1s is beyond the window of 1s (load.duration); the fault would never strike"},
		{Options{Only: regexp.MustCompile("x")}, "-only x matches nothing; the first that there is: t/acks=0/steady"},
		{Options{Scale: -1}, "-scale -1: it must be more than 0 and at most 1000"},
		{Options{Scale: nan}, "-scale NaN: it must be more than 0 and at most 1000"},
	} {
		_, err := p.Plan(c.options)
		require.EqualError(t, err, c.want)
	}
}

func TestScaleKeepsFaultsInPlace(t *testing.T) {
	p := parse(t, "name: t\nload: {warmup: 1s, duration: 4s}\nconsumer.start_after: 2s\nfaults: [{freeze: broker, for: 1s, at: 3s}]")
	s := plan(t, p, Options{Scale: 0.1}).Trials[0].Settings
	require.Equal(t, Duration(100*time.Millisecond), s.Load.Warmup)
	require.Equal(t, Duration(400*time.Millisecond), s.Load.Duration)
	require.Equal(t, Duration(300*time.Millisecond), s.Faults[0].At.Offset)
	require.Equal(t, Duration(200*time.Millisecond), s.Consumer.StartAfter)
	again := plan(t, p, Options{}).Trials[0].Settings
	require.Equal(t, Duration(3*time.Second), again.Faults[0].At.Offset, "the profile itself is not changed")
}

func TestOmissions(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"producer: {idempotence: true, acks: 1}", "producer.idempotence needs acks: all, not 1"},
		{"producer: {idempotence: true, retries: 0}", "producer.idempotence needs at least 1 retry, not 0"},
		{"producer: {idempotence: true, max_in_flight: 6}", "producer.idempotence needs max_in_flight of at most 5, not 6"},
		{"producer.transaction.every: 10", "producer.transaction needs producer.idempotence: true"},
		{"consumer.commit.when: in-transaction", "commit.when: in-transaction needs pipeline: relay, not consume"},
		{"pipeline: relay, consumer.commit.when: in-transaction", "commit.when: in-transaction needs producer.idempotence: true"},
		{"pipeline: relay, consumer.commit.when: in-transaction, producer: {idempotence: true, message_timeout: 1m}",
			"commit.when: in-transaction needs producer.message_timeout of at most relay.transaction_timeout 30s, not 1m"},
		{"consumer: {protocol: consumer, assignor: range}", "consumer.protocol: consumer assigns on the broker; leave consumer.assignor out"},
		{"consumer: {protocol: consumer}", ""},
	} {
		p := parse(t, "name: t\nscenarios: {x: {}, y: {}}\narms: {t: {"+c.source+"}}")
		made := plan(t, p, Options{})
		if c.want == "" {
			require.Empty(t, made.Omissions)
			continue
		}
		require.Equal(t, []Omission{{Cell: "t", Reason: c.want}}, made.Omissions, c.source)
		require.Empty(t, made.Trials)
	}
}

func TestOmittedCrashPoints(t *testing.T) {
	for _, c := range []struct{ settings, fault, want string }{
		{"consumer.commit: {when: automatic, interval: 1s}", "{kill: consumer, when: committed}",
			"kill consumer at committed: a consume worker with commit.when: automatic never reaches committed, only polled, mid-batch or processed"},
		{"pipeline: relay", "{kill: relay, when: begun}",
			"kill relay at begun: a relay worker with commit.when: after-processing never reaches begun, only polled, produced, processed, mid-batch or committed"},
		{"pipeline: consume", "{kill: consumer, when: sent}",
			"kill consumer at sent: a consume worker with commit.when: after-processing never reaches sent, only polled, processed, mid-batch or committed"},
		{"pipeline: consume", "{kill: producer, when: polled}", "kill producer at polled: a producer never reaches polled, only sent"},
		{"pipeline: consume", "{kill: relay, when: polled}", "kill relay at polled: pipeline: consume has no relay"},
		{"pipeline: consume", "{lose_response: produce, topic: output}", "lose the response to produce: pipeline: consume has no output topic"},
		{"pipeline: produce", "{kill: consumer, when: polled}", "kill consumer at polled: pipeline: produce has no consumer"},
		{"pipeline: produce", "{join: consumer}", "join consumer: pipeline: produce has no consumer"},
		{"pipeline: produce", "{kill: producer, when: sent}", ""},
		{"pipeline: produce", "{kill: broker}", ""},
		{"pipeline: relay", "{kill: consumer, when: produced}", ""},
		{"pipeline: relay", "{join: relay}", ""},
	} {
		p := parse(t, "name: t\n"+c.settings+"\nscenarios: {calm: {}, crash: {faults: ["+c.fault+"]}}")
		made := plan(t, p, Options{})
		if c.want == "" {
			require.Empty(t, made.Omissions, c.fault)
			continue
		}
		require.Equal(t, []Omission{{"t", "crash", c.want}}, made.Omissions)
		require.Len(t, made.Trials, 1)
	}
}

// Every crash point can be reached somewhere, and the transaction's only in a transaction.
func TestCrashPointsCoverTheVocabulary(t *testing.T) {
	reached := map[Point]bool{}
	for _, pipeline := range []Pipeline{Consume, RelayTo, Produce} {
		for _, when := range []CommitWhen{BeforeProcessing, AfterProcessing, Automatic, AutomaticStored, InTransaction} {
			s := Defaults()
			s.Pipeline, s.Consumer.Commit.When = pipeline, when
			for _, role := range []Role{ProducerRole, ConsumerRole, RelayRole, BrokerRole} {
				for _, point := range CrashPoints(role, s) {
					reached[point] = true
					if slices.Contains([]Point{PointBegun, PointOffsetsSent, PointCommitRequested}, point) {
						require.Equal(t, InTransaction, when)
						require.Equal(t, RelayTo, pipeline)
					}
				}
			}
		}
	}
	require.Len(t, reached, 9)
}

func TestExcludeRemovesCells(t *testing.T) {
	p := parse(t, `name: t
arms: {a: {producer.linger: 1ms}, b: {}}
matrix:
  producer: {acks: [0, 1, all]}
  producer.retries: [0, 3]
  exclude: [{producer.acks: 0, producer.retries: 3}, {producer.linger: 1ms, producer.acks: 1}]
`)
	var names []string
	for _, c := range plan(t, p, Options{}).Cells {
		names = append(names, c.Name)
	}
	require.Equal(t, []string{"a/acks=0,retries=0", "a/acks=all,retries=0", "a/acks=all,retries=3",
		"b/acks=0,retries=0", "b/acks=1,retries=0", "b/acks=1,retries=3", "b/acks=all,retries=0", "b/acks=all,retries=3"}, names)
}

func TestOnlyKeepsIdentities(t *testing.T) {
	p := parse(t, "name: t\narms: {a: {}, b: {}}\nscenarios: {x: {repeats: 3}, y: {}}")
	whole := plan(t, p, Options{})
	part := plan(t, p, Options{Only: regexp.MustCompile("^a/x$")})
	require.Len(t, part.Trials, 3)
	require.Len(t, part.Cells, 1)
	for _, trial := range part.Trials {
		require.Contains(t, whole.Trials, trial)
	}
}

func TestSeeds(t *testing.T) {
	p := parse(t, "name: t\narms: {a: {}, b: {}, c: {}}\nscenarios: {x: {repeats: 4}, y: {repeats: 2}}")
	one, zero, other := uint64(1), uint64(0), uint64(2)
	standard := plan(t, p, Options{})
	require.Equal(t, standard, plan(t, p, Options{Seed: &one}))
	require.Equal(t, standard, plan(t, p, Options{Seed: &zero}))
	changed := plan(t, p, Options{Seed: &other})
	require.NotEqual(t, standard.Trials, changed.Trials)
	require.EqualValues(t, 2, changed.Seed)
}

// Whatever the profile's shape: the plan is the same each time, every trial is
// in it exactly once, identities are unique and each round ends before the next.
func TestPlanOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := "name: t\narms: {"
		arms := rapid.IntRange(1, 4).Draw(t, "arms")
		for i := range arms {
			source += fmt.Sprintf("a%d: {}, ", i)
		}
		source += "}\nscenarios: {"
		expected := 0
		for i := range rapid.IntRange(1, 4).Draw(t, "scenarios") {
			repeats := rapid.IntRange(1, 5).Draw(t, "repeats")
			source += fmt.Sprintf("s%d: {repeats: %d}, ", i, repeats)
			expected += repeats * arms
		}
		p, err := Parse([]byte(source+"}\n"), "drawn.yaml")
		require.NoError(t, err)
		seed := rapid.Uint64().Draw(t, "seed")
		first, err := p.Plan(Options{Seed: &seed})
		require.NoError(t, err)
		second, err := p.Plan(Options{Seed: &seed})
		require.NoError(t, err)
		require.Equal(t, first, second)
		require.Len(t, first.Trials, expected)
		keys, ids, seeds := map[string]bool{}, map[string]bool{}, map[uint64]bool{}
		repeat := 1
		for _, trial := range first.Trials {
			keys[fmt.Sprint(trial.Cell, "/", trial.Scenario, "/", trial.Repeat)] = true
			ids[trial.ID], seeds[trial.Seed] = true, true
			require.GreaterOrEqual(t, trial.Repeat, repeat)
			repeat = trial.Repeat
		}
		require.Len(t, keys, expected)
		require.Len(t, ids, expected)
		require.Len(t, seeds, expected)
	})
}

func TestPlansAreBounded(t *testing.T) {
	values := make([]string, 70)
	for i := range values {
		values[i] = fmt.Sprint(i + 1)
	}
	list := strings.Join(values, ", ")
	_, err := Parse([]byte("name: t\nmatrix: {producer.count: ["+list+"], consumer.count: ["+list+"]}"), "my.yaml")
	require.EqualError(t, err, "my.yaml:2:27: the matrix makes more than 4096 cells; vary less")
	_, err = Parse([]byte("name: t\nmatrix: {producer.count: ["+list+"], consumer.count: [1, 2]}\nrepeats: 1000"), "my.yaml")
	require.EqualError(t, err, "my.yaml:1:1: the profile makes 140000 trials; at most 100000 are planned, so lower repeats or the matrix")
}

func TestIDsAreSafeFileNames(t *testing.T) {
	p := parse(t, "name: t\nmatrix: {producer.librdkafka.client.rack: ['a/b c', '"+strings.Repeat("x", 400)+"']}")
	for _, trial := range plan(t, p, Options{}).Trials {
		require.Regexp(t, `^[A-Za-z0-9._=-]{1,200}$`, trial.ID)
	}
}

func TestSemanticsPlan(t *testing.T) {
	p, took, err := Open("../../profiles/semantics.yaml", fstest.MapFS{})
	require.NoError(t, err)
	require.Equal(t, "../../profiles/semantics.yaml", took)
	made := plan(t, p, Options{})
	var out strings.Builder
	fmt.Fprintf(&out, "estimate %s\n", made.Estimate())
	for _, trial := range made.Trials {
		fmt.Fprintf(&out, "%s seed %d, %s, claims %d\n", trial.ID, trial.Seed, trial.Estimate(), len(made.ClaimsOn(trial)))
	}
	golden(t, "testdata/semantics.plan.txt", []byte(out.String()))
}

func TestDottedGolden(t *testing.T) {
	p := parse(t, `name: t
producer.librdkafka: {socket.timeout.ms: 1000, sasl.password: hunter2}
faults: [{kill: consumer, when: mid-batch, at: 50%, restart: 200ms}, {freeze: broker, for: 1s, at: 2s}]
`)
	dotted := plan(t, p, Options{}).Trials[0].Settings.Dotted()
	var lines []string
	for name, text := range dotted {
		lines = append(lines, name+" = "+text+"\n")
	}
	slices.Sort(lines)
	golden(t, "testdata/dotted.txt", []byte(strings.Join(lines, "")))
}

func TestOpen(t *testing.T) {
	shipped := fstest.MapFS{
		"semantics.yaml": {Data: []byte("name: shipped")},
		"matrix.yaml":    {Data: []byte("name: matrix")},
		"broken.yaml":    {Data: []byte("nme: x")},
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "semantics.yaml")
	require.NoError(t, os.WriteFile(file, []byte("name: mine"), 0o600))

	p, took, err := Open(file, shipped)
	require.NoError(t, err)
	require.Equal(t, "mine", p.Name)
	require.Equal(t, file, took)
	for _, name := range []string{"semantics", "semantics.yaml"} {
		p, took, err = Open(name, shipped)
		require.NoError(t, err)
		require.Equal(t, "shipped", p.Name)
		require.Equal(t, "semantics.yaml (ships with deliverybench)", took)
	}
	_, _, err = Open("semantcs.yaml", shipped)
	require.EqualError(t, err, `there is no file semantcs.yaml and no profile of that name ships; did you mean semantics? ("deliverybench list" shows them)`)
	_, _, err = Open(filepath.Join(dir, "qqqqqq"), shipped)
	require.EqualError(t, err, "there is no file "+filepath.Join(dir, "qqqqqq")+` and no profile of that name ships ("deliverybench list" shows them)`)
	_, _, err = Open("broken", shipped)
	require.EqualError(t, err, `broken.yaml:1:1: unknown key "nme"; did you mean "name"?`)
	_, _, err = Open(dir, shipped)
	require.Error(t, err)
}
