package profile

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func parse(t *testing.T, source string) *Profile {
	t.Helper()
	p, err := Parse([]byte(source), "my.yaml")
	require.NoError(t, err)
	return p
}

func plan(t *testing.T, p *Profile, o Options) *Plan {
	t.Helper()
	made, err := p.Plan(o)
	require.NoError(t, err)
	return made
}

// Each source is a whole profile (a name is put before it) and its whole error.
var refusals = []struct{ source, want string }{
	// Keys.
	{"arms:\n  a:\n    pipeline: relay\n  b:\n    consumer.comit.every: 5",
		`my.yaml:6:5: unknown key "consumer.comit.every"; did you mean "consumer.commit.every"?`},
	{"consumer: {comit: {every: 5}}", `my.yaml:2:12: unknown key "consumer.comit"; did you mean "consumer.commit"?`},
	{"commit.every: 5", `my.yaml:2:1: unknown key "commit.every"; did you mean "consumer.commit.every"?`},
	{"scenaros: {}", `my.yaml:2:1: unknown key "scenaros"; did you mean "scenarios"?`},
	{"qqqqqqqq: 1", `my.yaml:2:1: unknown key "qqqqqqqq"`},
	{"load.rate: 5/s\nload: {rate: 6/s}", `my.yaml:3:8: "load.rate" is given twice; it stands in line 2 already`},
	{"load: {rate: 5/s}\nload: {warmup: 1s}", `my.yaml:3:1: "load" is given twice; it stands in line 2 already`},
	{"name: other", `my.yaml:2:1: "name" is given twice; it stands in line 1 already`},
	{"? [a]\n: 1", `my.yaml:2:3: a key must be a word, not a list`},
	{"producer.librdkafka.: 1", `my.yaml:2:1: unknown key "producer.librdkafka."; did you mean "producer.librdkafka"?`},
	// Aliases.
	{"load: &l {rate: 5/s}\narms: {a: *l}", `my.yaml:3:11: aliases are not supported; write the value of *l out`},
	{"load: &l {rate: 5/s}\narms: {a: {<<: *l}}", `my.yaml:3:12: merge keys are not supported; write the settings out, or put them in the body`},
	// Kinds of values.
	{"load: 5", `my.yaml:2:7: "load" holds settings, not "5"; write load: {...}`},
	{"load.rate: {max: 1}", `my.yaml:2:12: "load.rate" takes one value, not a map`},
	{"load.rate:", `my.yaml:2:11: "load.rate" takes one value, not nothing`},
	{"arms: [a]", `my.yaml:2:7: "arms" takes a map of settings, not a list`},
	{"producer.librdkafka: {socket: {timeout.ms: 5}}", `my.yaml:2:31: "producer.librdkafka.socket" takes one value, not a map`},
	{"producer.librdkafka: {acks: 1}", `my.yaml:2:29: "producer.librdkafka.acks" is decided by producer.acks; set that, so that the results show it`},
	{"producer.librdkafka: {bootstrap.servers: 'host:9092'}", `my.yaml:2:42: "producer.librdkafka.bootstrap.servers" cannot be set: -broker names the cluster`},
	{"consumer.librdkafka.enable.partition.eof: false", `my.yaml:2:43: "consumer.librdkafka.enable.partition.eof" cannot be set: it tells when a trial is drained`},
	{"relay.librdkafka.enable.idempotence: true", `my.yaml:2:38: "relay.librdkafka.enable.idempotence" is decided by producer.idempotence; set that, so that the results show it`},
	{"about: [x]", `my.yaml:2:8: "about" takes a text, not a list`},
	// Values.
	{"load.rate: 20000", `my.yaml:2:12: "load.rate": 20000 has no unit; write 20000/s`},
	{"load.rate: 0/s", `my.yaml:2:12: "load.rate": 0/s is too little; it must be more than 0/s`},
	{"load.duration: 0s", `my.yaml:2:16: "load.duration": 0s is too little; it must be more than 0s`},
	{"load.message.size: 47B", `my.yaml:2:20: "load.message.size": 47B is too little; the minimum is 48B`},
	{"producer.acks: 2", `my.yaml:2:16: "producer.acks": "2" is not known; it may be 0, 1 or all`},
	{"producer.idempotence: yes", `my.yaml:2:23: "producer.idempotence": "yes" is neither true nor false`},
	{"producer.retries: -1", `my.yaml:2:19: "producer.retries": -1 is too little; the minimum is 0`},
	{"producer.retries: 2147483648", `my.yaml:2:19: "producer.retries": 2147483648 is too much; the maximum is 2147483647`},
	{"repeats: many", `my.yaml:2:10: "repeats": "many" is not a whole number`},
	{"topic.partitions: 0", `my.yaml:2:19: "topic.partitions": 0 is too little; the minimum is 1`},
	{"seed: -1", `my.yaml:2:7: "seed": "-1" is not a whole number from 0 to 18446744073709551615`},
	// Names.
	{"arms: {a/b: {}}", `my.yaml:2:8: "a/b" cannot be an arm's name: it has up to 64 letters, digits, ".", "_" and "-"`},
	{"scenarios: {a b: {}}", `my.yaml:2:13: "a b" cannot be a scenario's name: it has up to 64 letters, digits, ".", "_" and "-"`},
	{"arms: {a: {}, b: {}}\nbaseline: c", `my.yaml:3:11: baseline "c" is no arm; it may be a or b`},
	// Faults.
	{"faults: {kill: consumer}", `my.yaml:2:9: "faults" takes a list of maps, not a map`},
	{"faults: [crash]", `my.yaml:2:10: a fault is a map such as {kill: consumer, when: mid-batch, at: 50%}, not "crash"`},
	{"faults: [{at: 50%}]", `my.yaml:2:10: a fault needs one of kill, stop, freeze, isolate, join, fail, lose_response, lose_request, delay_request, slow, throttle, cut, blackhole or refuse`},
	{"faults: [{kill: consumer, freeze: broker}]", `my.yaml:2:10: a fault does only one thing, not both kill and freeze; write several faults`},
	{"faults: [{kill: consumer}]", `my.yaml:2:10: kill: consumer needs its crash point; write when: polled, committed, mid-batch, processed, checked or anywhere`},
	{"faults: [{kill: broker, when: sent}]", `my.yaml:2:10: a broker has no crash points; leave when out, it is struck at the moment at`},
	{"faults: [{kill: consumer, when: lunch}]", `my.yaml:2:33: "when": "lunch" is not known; it may be sent, inserted, between-writes, read, published, cleared, polled, committed, mid-batch, processed, checked, begun, produced, offsets-sent, commit-requested or anywhere`},
	{"faults: [{kill: consumer, when: polled, for: 1s}]", `my.yaml:2:10: for says nothing of kill, only of freeze, isolate, join, lose_response, lose_request, delay_request, slow, throttle, blackhole or refuse`},
	{"faults: [{freeze: consumer, for: 1s}]", `my.yaml:2:10: freeze: consumer needs its crash point; write when: polled, committed, mid-batch, processed, checked or anywhere`},
	{"faults: [{freeze: broker}]", `my.yaml:2:10: freeze needs its length; write for: 1s`},
	{"faults: [{freeze: broker, for: 1s, when: polled}]", `my.yaml:2:10: a broker has no crash points; leave when out, it is struck at the moment at`},
	{"faults: [{join: consumer, restart: 1s}]", `my.yaml:2:10: restart says nothing of join, only of kill, stop or isolate`},
	{"faults: [{join: producer}]", `my.yaml:2:10: a producer cannot join a consumer group; write join: consumer`},
	{"faults: [{kill: consumer, when: polled, at: 100%}]", `my.yaml:2:10: at: 100% is the end of the window; the fault would never strike`},
	{"faults: [{kill: consumer, wen: polled}]", `my.yaml:2:27: unknown key "wen"; did you mean "when"?`},
	// Faults of brokers.
	{"faults: [{kill: leder}]", `my.yaml:2:17: "kill": "leder" is not known; it may be producer, consumer, relay, publisher, broker, leader, follower, followers, group-coordinator, transaction-coordinator, controller or database`},
	{"faults: [{kill: producer}]", `my.yaml:2:10: kill: producer needs its crash point; write when: sent, inserted, between-writes, committed or anywhere`},
	{"faults: [{stop: producer}]", `my.yaml:2:10: only a broker or a consumer can be stopped in good order, not the producer; write stop: consumer`},
	{"faults:\n  - {kill: broker}\n  - {stop: producer}", `my.yaml:4:5: only a broker or a consumer can be stopped in good order, not the producer; write stop: consumer`},
	{"faults: [{stop: broker, for: 1s}]", `my.yaml:2:10: for says nothing of stop, only of freeze, isolate, join, lose_response, lose_request, delay_request, slow, throttle, blackhole or refuse`},
	{"faults: [{kill: broker, for: 1s}]", `my.yaml:2:10: for says nothing of kill, only of freeze, isolate, join, lose_response, lose_request, delay_request, slow, throttle, blackhole or refuse`},
	{"faults: [{freeze: leader, for: 1s, restart: 1s}]", `my.yaml:2:10: restart says nothing of freeze, only of kill, stop or isolate`},
	{"faults: [{freeze: followers}]", `my.yaml:2:10: freeze needs its length; write for: 1s`},
	{"faults: [{isolate: leader}]", `my.yaml:2:10: isolate needs its length; write for: 1s`},
	{"faults: [{isolate: follower, for: 1s}]", `my.yaml:2:10: only a leader has followers to be cut off from; write isolate: leader`},
	{"faults: [{isolate: consumer, for: 1s}]", `my.yaml:2:10: only a leader has followers to be cut off from; write isolate: leader`},
	{"faults: [{isolate: leader, for: 1s, when: polled}]", `my.yaml:2:10: when says nothing of isolate, only of kill or freeze`},
	{"faults: [{stop: leader, kill: follower}]", `my.yaml:2:10: a fault does only one thing, not both kill and stop; write several faults`},
	{"faults: [{join: consumer, when: polled}]", `my.yaml:2:10: when says nothing of join, only of kill or freeze`},
	{"faults: [{join: leader}]", `my.yaml:2:10: a leader cannot join a consumer group; write join: consumer`},
	{"faults: [{kill: controller, partition: 1}]", `my.yaml:2:10: partition belongs to leader, follower or followers; a controller has none`},
	{"faults: [{kill: consumer, when: polled, partition: 1}]", `my.yaml:2:10: partition belongs to leader, follower or followers; a consumer has none`},
	{"faults: [{kill: leader, partition: -1}]", `my.yaml:2:36: "partition": -1 is too little; the minimum is 0`},
	{"faults: [{kill: leader, partition: 10000}]", `my.yaml:2:36: "partition": 10000 is too much; the maximum is 9999`},
	{"faults: [{kill: leader, partition: two}]", `my.yaml:2:36: "partition": "two" is not a whole number`},
	{"faults: [{kill: broker, at: 100%}]", `my.yaml:2:10: at: 100% is the end of the window; the fault would never strike`},
	{"faults: [{stop: controller, at: 5s}]", `my.yaml:2:1: stop controller: at 5s is beyond the window of 5s (load.duration); the fault would never strike`},
	// Brokers.
	{"broker: lokal", `my.yaml:2:9: "broker": there is no broker lokal; use embedded, local, local3, compose, compose3 or HOST:PORT`},
	{"broker: [local]", `my.yaml:2:9: "broker" takes a text, not a list`},
	{"topic.replication: 101", `my.yaml:2:20: "topic.replication": 101 is too much; the maximum is 100`},
	// Contradictions.
	{"load.arrivals: ramp", `my.yaml:2:1: arrivals: ramp needs the rate it starts at; write load.ramp_from: 100/s`},
	{"load: {arrivals: ramp, ramp_from: max}", `my.yaml:2:24: load.ramp_from is where a ramp starts and cannot be max; write 100/s`},
	{"load: {arrivals: poisson}\nscenarios: {full: {load.rate: max}}",
		`my.yaml:3:20: load.rate: max has no intended times for arrivals: poisson; write a rate, or arrivals: constant`},
	{"topic: {replication: 3, min_insync_replicas: 4}",
		`my.yaml:2:25: topic.min_insync_replicas 4 is more than topic.replication 3; no acks: all write would succeed`},
	{"topic.existing: 'a b'", `my.yaml:2:17: "topic.existing": "a b" cannot be a topic's name: it has up to 249 letters, digits, ".", "_" and "-"`},
	{"topic.existing: __consumer_offsets", `my.yaml:2:17: "topic.existing": __consumer_offsets is a topic of the brokers' own; name one of yours`},
	{"pipeline: relay\ntopic.existing: a", `my.yaml:3:1: pipeline: relay writes to a second topic; with topic.existing name it too, with topic.existing_output`},
	{"pipeline: relay\ntopic.existing_output: a", `my.yaml:3:1: topic.existing_output needs topic.existing, the topic that the relay reads`},
	{"pipeline: relay\ntopic: {existing: a, existing_output: a}", `my.yaml:3:22: topic.existing and topic.existing_output are the same; the relay would read what it writes`},
	{"topic: {existing: a, replication: 3}", `my.yaml:2:22: topic.existing is used as it is; leave topic.replication out, or write topic.replication: 0`},
	{"topic: {existing: a, min_insync_replicas: 2}", `my.yaml:2:22: topic.existing is used as it is; leave topic.min_insync_replicas out, or write topic.min_insync_replicas: 0`},
	{"producer.transaction.abort: 10%", `my.yaml:2:1: producer.transaction.abort needs transactions; write producer.transaction.every: 100`},
	{"producer: {linger: 2s, message_timeout: 1s}", `my.yaml:2:12: producer.linger 2s is not below producer.message_timeout 1s; the client refuses it`},
	{"consumer.commit.every: 0", `my.yaml:2:1: commit.when: after-processing would never commit; write consumer.commit.every: 500 or an interval`},
	{"consumer.commit.when: automatic", `my.yaml:2:1: commit.when: automatic commits by time; write consumer.commit.interval: 5s (at least 1ms)`},
	{"consumer.join_after: 6s", `my.yaml:2:1: consumer.join_after 6s is not within the load of 5.5s (load.warmup and load.duration); nothing would be consumed under load`},
	{"topic.existing: a\nconsumer.offset_reset: latest", `my.yaml:3:1: consumer.offset_reset: latest has no effect with topic.existing, where the group is given its offsets before the trial; leave one of the two out`},
	{"topic.existing: a\nconsumer.on_error: dead-letter", `my.yaml:3:1: consumer.on_error: dead-letter makes a topic, and with topic.existing nothing is made; write on_error: skip or retry`},
	{"consumer.on_error: ignore", `my.yaml:2:20: "consumer.on_error": "ignore" is not known; it may be skip, retry or dead-letter`},
	{"consumer: {max_poll_interval: 5s}", `my.yaml:2:12: consumer.max_poll_interval 5s is less than consumer.session_timeout 10s; the client refuses it`},
	{"consumer.librdkafka: {max.poll.interval.ms: 5000}", `my.yaml:2:45: "consumer.librdkafka.max.poll.interval.ms" is decided by consumer.max_poll_interval; set that, so that the results show it`},
	{"producer: {idempotence: true, transaction: {every: 5}, resends: 1}", `my.yaml:2:56: producer.resends is for producers without transactions; in one, a message that fails ends in its transaction's abort`},
	{"producer.resends: 7", `my.yaml:2:19: "producer.resends": 7 is too much; the maximum is 6`},
	{"faults: [{fail: consumer}]", `my.yaml:2:10: fail needs how many; write messages: 100`},
	{"faults: [{fail: producer, messages: 1}]", `my.yaml:2:10: a producer processes nothing; write fail: consumer`},
	{"faults: [{stop: consumer, restart: 10s}]", `my.yaml:2:1: stop consumer: restart 10s is not sooner than consumer.session_timeout 10s; the partitions would move and the exact count be lost: restart sooner, or write membership: dynamic`},
	{"consumer.start_after: 5500ms", `my.yaml:2:1: consumer.start_after 5.5s is not within the load of 5.5s (load.warmup and load.duration); nothing would be consumed under load`},
	{"consumer.start_after: 2s\nscenarios: {short: {load: {warmup: 0s, duration: 1s}}}",
		`my.yaml:3:40: consumer.start_after 2s is not within the load of 1s (load.warmup and load.duration); nothing would be consumed under load`},
	{"load.duration: 2s\nfaults: [{kill: consumer, when: polled, at: 2s}]",
		`my.yaml:3:1: kill consumer at polled: at 2s is beyond the window of 2s (load.duration); the fault would never strike`},
	{"consumer.session_timeout: 6s\nfaults: [{kill: consumer, when: polled, restart: 6s}]",
		`my.yaml:3:1: kill consumer at polled: restart 6s is not sooner than consumer.session_timeout 6s; the partitions would move and the exact count be lost: restart sooner, or write membership: dynamic`},
	{"storm_every: 1ns\nfaults: [{cut: producer}]",
		`my.yaml:2:1: storm_every 1ns makes some 5000000000 faults in the window of 5s (load.duration); at most 2000 are planned, so strike less often`},
	// Matrix.
	{"matrix: {producer.acks: []}", `my.yaml:2:25: "producer.acks" has an empty list, which leaves no cell; give it a value or remove it`},
	{"matrix: {producer.acks: all}", `my.yaml:2:25: "producer.acks" takes a list of values in a matrix, such as [a, b], not "all"`},
	{"matrix: {producer.acks: [1, 1]}", `my.yaml:2:29: "producer.acks" lists 1 twice`},
	{"matrix: {load.duration: [60s, 1m]}", `my.yaml:2:31: "load.duration" lists 1m twice`},
	{"matrix: {producer.acks: [2]}", `my.yaml:2:26: "producer.acks": "2" is not known; it may be 0, 1 or all`},
	{"matrix: {faults: [[]]}", `my.yaml:2:10: "faults" cannot be varied in a matrix; make scenarios of them`},
	{"matrix: {producer.librdkafka.sasl.password: [a, b]}", `my.yaml:2:10: "producer.librdkafka.sasl.password" is a secret and cannot be varied: its value would be in the cells' names`},
	{"matrix: {producer.acks: [0, 1], exclude: [{producer.acks: all}]}", `my.yaml:2:43: this exclusion matches no cell; remove it or correct a value`},
	{"matrix: {producer.acks: [1], exclude: [{producer.acks: 1}]}", `my.yaml:2:40: the exclusions leave no cell; remove one`},
	{"matrix: {exclude: [{}]}", `my.yaml:2:20: an exclusion without settings would exclude everything`},
	{"matrix: {exclude: {producer.acks: 1}}", `my.yaml:2:19: "exclude" takes a list of maps, such as [{producer.acks: all, producer.retries: 0}], not a map`},
	// Claims.
	{"claims: {crash: [lost == 0]}", `my.yaml:2:10: claims of "crash": it must be written arm/scenario, where "*" is any`},
	{"claims: {'a/{b': [lost == 0]}", `my.yaml:2:10: claims of "a/{b": { has no }`},
	{"claims: {'*/crash': [lost == 0]}", `my.yaml:2:22: "*/crash" matches no cell and scenario; arms: t; scenarios: steady`},
	{"claims: {'*/*': []}", `my.yaml:2:17: "*/*" claims nothing; write [lost == 0]`},
	{"claims: {'*/*': ['']}", `my.yaml:2:18: "*/*" has an empty claim; write lost == 0`},
	{"claims: {'*/*': [{claim: lost == 0, abort: maybe}]}", `my.yaml:2:44: "abort": "maybe" is neither true nor false`},
	{"claims: {'*/*': [{clam: lost == 0}]}", `my.yaml:2:19: unknown key "clam" in a claim; it may be claim, sometimes or abort`},
	{"claims: {'*/*': [{claim: lost > 0, sometimes: true, abort: true}]}", `my.yaml:2:18: a claim that need not hold in every trial cannot stop its cell; leave abort or sometimes out`},
}

func TestParseRefuses(t *testing.T) {
	for _, c := range refusals {
		_, err := Parse([]byte("name: t\n"+c.source+"\n"), "my.yaml")
		require.EqualError(t, err, c.want, c.source)
	}
}

func TestParseRefusesWholeDocuments(t *testing.T) {
	for source, want := range map[string]string{
		"":                           `my.yaml:1:1: the profile is empty; it needs at least a name, as in "name: mine"`,
		"# nothing\n":                `my.yaml:1:1: the profile is empty; it needs at least a name, as in "name: mine"`,
		"load.rate: 5/s":             `my.yaml:1:1: the profile has no name; write "name: mine"`,
		"name: a/b":                  `my.yaml:1:7: "a/b" cannot be the profile's name: it has up to 64 letters, digits, ".", "_" and "-"`,
		"[a]":                        `my.yaml:1:1: a profile takes a map of settings, not a list`,
		"name: a\n---\nname: b":      `my.yaml:2:1: a profile is one YAML document; remove the second`,
		"name: a\nload: {rate: 5/s":  `my.yaml:2:1: this is no YAML: did not find expected ',' or '}'`,
		"name: a\n\tload: 5":         `my.yaml:2:1: this is no YAML: found a tab character that violates indentation`,
		strings.Repeat("#", 1<<20+1): `my.yaml:1:1: the profile has 1048577 bytes; at most 1048576 are read`,
	} {
		_, err := Parse([]byte(source), "my.yaml")
		require.EqualError(t, err, want, "%.100s", source)
	}
}

func TestParseReportsEveryMistakeInOrder(t *testing.T) {
	_, err := Parse([]byte("name: t\nload.rate: 5\nfaults: [{}]\narms: {a: {acks: 1}}\nproducer: {acks: 3, linger: 5}\n"), "my.yaml")
	require.EqualError(t, err, strings.Join([]string{
		`my.yaml:2:12: "load.rate": 5 has no unit; write 5/s`,
		`my.yaml:3:10: a fault needs one of kill, stop, freeze, isolate, join, fail, lose_response, lose_request, delay_request, slow, throttle, cut, blackhole or refuse`,
		`my.yaml:4:12: unknown key "acks"; did you mean "producer.acks"?`,
		`my.yaml:5:18: "producer.acks": "3" is not known; it may be 0, 1 or all`,
		`my.yaml:5:29: "producer.linger": 5 has no unit; write 5ms or 5s`,
	}, "\n"))
}

// A contradiction that many cells share is reported once.
func TestParseReportsASharedContradictionOnce(t *testing.T) {
	_, err := Parse([]byte("name: t\nload.arrivals: ramp\nmatrix: {producer.acks: [0, 1, all]}\n"), "my.yaml")
	require.EqualError(t, err, "my.yaml:2:1: arrivals: ramp needs the rate it starts at; write load.ramp_from: 100/s")
}

func TestParseReadsNestedDottedAndMixed(t *testing.T) {
	want := plan(t, parse(t, "name: t\nconsumer.commit.when: before-processing\nconsumer.commit.every: 7\nconsumer.count: 2"), Options{})
	for _, source := range []string{
		"consumer: {count: 2, commit: {when: before-processing, every: 7}}",
		"consumer: {count: 2, commit.when: before-processing, commit.every: 7}",
		"consumer.commit: {when: before-processing}\nconsumer: {count: 2}\nconsumer.commit.every: 7",
		"arms: {t: {consumer: {count: 2, commit.when: before-processing, commit: {every: 7}}}}",
	} {
		require.Equal(t, want.Trials, plan(t, parse(t, "name: t\n"+source), Options{}).Trials, source)
	}
}

func TestParseKeepsLibrdkafkaKeysWhole(t *testing.T) {
	p := parse(t, "name: t\nproducer.librdkafka: {socket.timeout.ms: 1000}\narms: {a: {producer.librdkafka.statistics.interval.ms: 5}, b: {}}")
	cells := plan(t, p, Options{}).Cells
	require.Equal(t, map[string]string{"socket.timeout.ms": "1000", "statistics.interval.ms": "5"}, cells[0].Settings.Producer.Librdkafka)
	require.Equal(t, map[string]string{"socket.timeout.ms": "1000"}, cells[1].Settings.Producer.Librdkafka)
}

func TestParseReadsClaims(t *testing.T) {
	p := parse(t, "name: t\nclaims:\n  t/steady: lost == 0\n  '*/*':\n    - duplicates == 0\n    - {claim: p99 < 50ms, abort: true}\n")
	require.Len(t, p.Claims, 3)
	for i, want := range []Claim{
		{Glob: "t/steady", Expression: "lost == 0", Line: 3, Column: 13},
		{Glob: "*/*", Expression: "duplicates == 0", Line: 5, Column: 7},
		{Glob: "*/*", Expression: "p99 < 50ms", Abort: true, Line: 6, Column: 15},
	} {
		got := p.Claims[i]
		got.cells, got.scenarios = nil, nil
		require.Equal(t, want, got)
	}
}

func TestClaimMatches(t *testing.T) {
	for _, c := range []struct {
		glob, arm, cell, scenario string
		want                      bool
	}{
		{"*/crash", "a", "a/acks=1", "crash", true},
		{"a/crash", "a", "a/acks=1", "crash", true},
		{"a/crash", "ab", "ab", "crash", false},
		{"a/acks=1/crash", "a", "a/acks=1", "crash", true},
		{"a/acks=1/crash", "a", "a/acks=0", "crash", false},
		{"a/acks=*,retries=3/crash", "a", "a/acks=1,retries=3", "crash", true},
		{"{a,b}/{x,y}", "b", "b", "x", true},
		{"{a,b}/{x,y}", "c", "c", "x", false},
		{"*/cr*", "a", "a", "crash", true},
		{"a.c/x", "abc", "abc", "x", false},
		{"crash", "a", "a", "crash", false},
	} {
		require.Equal(t, c.want, Claim{Glob: c.glob}.Matches(c.arm, c.cell, c.scenario), "%+v", c)
	}
}

func TestDefaultsOfAnEmptyProfile(t *testing.T) {
	p := parse(t, "name: plain")
	require.Equal(t, "plain", p.Arms[0].Name)
	require.Equal(t, "steady", p.Scenarios[0].Name)
	require.EqualValues(t, 1, p.Seed)
	made := plan(t, p, Options{})
	want := Defaults()
	want.Fit(Cluster{})
	require.Equal(t, want, made.Trials[0].Settings)
	require.Equal(t, "001-plain-steady-1", made.Trials[0].ID)
	// 0.5 s + 5 s + 0.5 s + 1.4 s, and 6,000 messages read twice at 400,000/s.
	require.Equal(t, 7430*time.Millisecond, made.Estimate()) // to the millisecond
}
