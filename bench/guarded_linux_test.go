package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/process"
	"deliverybench/bench/result"
	"deliverybench/bench/worker"
)

// password is what must not be found anywhere.
const password = "hunter2-c0rrect-horse"

// guarded is a node of Apache Kafka that lets in whom it knows, and permits what
// it was told to. Its plain listener is that of the superuser.
type guarded struct {
	*broker.Local
	kgo       *kgo.Client
	authority *authority
	// expired is the address of one whose certificate is out of date; Kafka would
	// not start with it.
	expired string
	// others are an authority that the node does not trust, and its client.
	others *authority
}

// startGuarded: users are ada (SCRAM) and bob (PLAIN), and the one that a client
// certificate names.
func startGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{authority: newAuthority(t, "trusted"), others: newAuthority(t, "others")}
	server := g.authority.certifies("server", "127.0.0.1", "localhost")
	elsewhere := g.authority.certifies("elsewhere", "elsewhere.example")
	options := broker.LocalOptions{
		Nodes: 1, Getenv: os.Getenv, Folder: ".", Scratch: []string{t.TempDir()}, Logs: t.TempDir(),
		Format: []string{"--add-scram", "SCRAM-SHA-256=[name=ada,password=" + password + "]"},
		Properties: map[string]string{
			"authorizer.class.name":   "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
			"super.users":             "User:ANONYMOUS",
			"sasl.enabled.mechanisms": "SCRAM-SHA-256,PLAIN",
			"ssl.keystore.type":       "PEM", "ssl.keystore.location": server.both,
			"ssl.truststore.type": "PEM", "ssl.truststore.location": g.authority.path,
			"listener.name.certified.ssl.client.auth":              "required",
			"listener.name.misnamed.ssl.keystore.type":             "PEM",
			"listener.name.misnamed.ssl.keystore.location":         elsewhere.both,
			"listener.name.guarded.scram-sha-256.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
			"listener.name.guarded.plain.sasl.jaas.config":         `org.apache.kafka.common.security.plain.PlainLoginModule required user_bob="` + password + `";`,
		},
	}
	for name, protocol := range map[string]string{"GUARDED": "SASL_SSL", "ENCRYPTED": "SSL", "CERTIFIED": "SSL", "MISNAMED": "SSL"} {
		options.Listeners = append(options.Listeners, broker.Listener{Name: name, Protocol: protocol})
	}
	self, err := os.Executable()
	require.NoError(t, err)
	spawner := process.NewSpawner(self)
	t.Cleanup(spawner.Close)
	g.Local, err = broker.StartLocal(t.Context(), spawner, options)
	require.NoError(t, err, "without Kafka: run scripts/fetch-kafka.sh")
	t.Cleanup(g.Close)
	g.expired = g.authority.greetsExpired()
	g.kgo, err = kgo.NewClient(kgo.SeedBrokers(g.Endpoint().Bootstrap), kgo.MetadataMinAge(50*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(g.kgo.Close)
	return g
}

// at is the address of a listener; at the one that is not there nobody listens.
func (g *guarded) at(listener string) string {
	switch listener {
	case "PLAINTEXT":
		return g.Endpoint().Bootstrap
	case "NOBODY":
		return "127.0.0.1:1"
	case "EXPIRED":
		return g.expired
	}
	return g.Listener(listener)
}

// config writes a file of client properties.
func config(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "client.properties")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600))
	return path
}

// tls and sasl are the lines that the guarded listener asks for.
func (g *guarded) tls() []string {
	return []string{"security.protocol = SSL", "ssl.ca.location = " + g.authority.path}
}

func (g *guarded) sasl(mechanism, user string) []string {
	return []string{
		"security.protocol = SASL_SSL", "ssl.ca.location = " + g.authority.path,
		"sasl.mechanism = " + mechanism, "sasl.username = " + user, "sasl.password = ${PASSWORD}",
	}
}

func certified(authority string, client identity) []string {
	return []string{
		"security.protocol = SSL", "ssl.ca.location = " + authority,
		"ssl.certificate.location = " + client.certificate, "ssl.key.location = " + client.key,
	}
}

// Kafka's numbers for ACLs (KIP-140).
const (
	ofTopics, ofGroups, ofTransactionalIDs = kmsg.ACLResourceTypeTopic, kmsg.ACLResourceTypeGroup, kmsg.ACLResourceTypeTransactionalId
	literal, prefixed                      = kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLResourcePatternTypePrefixed
)

// allow gives ada rights.
func (g *guarded) allow(t *testing.T, on kmsg.ACLResourceType, name string, by kmsg.ACLResourcePatternType, rights ...kmsg.ACLOperation) {
	t.Helper()
	request := kmsg.NewPtrCreateACLsRequest()
	for _, right := range rights {
		c := kmsg.NewCreateACLsRequestCreation()
		c.ResourceType, c.ResourceName, c.ResourcePatternType = on, name, by
		c.Principal, c.Host, c.Operation, c.PermissionType = "User:ada", "*", right, kmsg.ACLPermissionTypeAllow
		request.Creations = append(request.Creations, c)
	}
	answer, err := request.RequestWith(t.Context(), g.kgo)
	require.NoError(t, err)
	for _, r := range answer.Results {
		require.NoError(t, kerr.ErrorForCode(r.ErrorCode))
	}
}

// forbid takes all rights of a kind away again.
func (g *guarded) forbid(t *testing.T, right kmsg.ACLOperation) {
	t.Helper()
	request := kmsg.NewPtrDeleteACLsRequest()
	f := kmsg.NewDeleteACLsRequestFilter()
	f.ResourceType, f.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	f.Operation, f.PermissionType = right, kmsg.ACLPermissionTypeAny
	request.Filters = append(request.Filters, f)
	_, err := request.RequestWith(t.Context(), g.kgo)
	require.NoError(t, err)
}

func (g *guarded) topic(t *testing.T, name string, partitions int32) {
	t.Helper()
	request := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	request.Topics = append(request.Topics, topic)
	answer, err := request.RequestWith(t.Context(), g.kgo)
	require.NoError(t, err)
	require.NoError(t, kerr.ErrorForCode(answer.Topics[0].ErrorCode))
}

// Somebody else's cluster, as a user meets it: who is let in, who is turned away
// and with which words, and what remains of a password.
func TestSomebodyElsesCluster(t *testing.T) {
	g := startGuarded(t)
	t.Run("lets in", g.letsIn)
	t.Run("turns away", g.turnsAway)
	t.Run("permits", g.permits)
	t.Run("keeps secrets", g.keepsSecrets)
	t.Run("has topics", g.hasTopics)
	t.Run("takes a right away", g.takesARightAway)
}

// produces is a profile that needs little of a cluster.
const produces = "pipeline: produce\nguarantee: at-least-once\nload: {rate: 500/s, warmup: 50ms, duration: 200ms, cooldown: 0s, message: {size: 64B}}\n"

// withPassword is a place whose environment has the password.
func withPassword(t *testing.T) *place {
	p := newPlace(t)
	p.env["PASSWORD"] = password
	return p
}

func (g *guarded) letsIn(t *testing.T) {
	ours := g.authority.certifies("client")
	for listener, lines := range map[string][]string{
		"PLAINTEXT": nil, "ENCRYPTED": g.tls(), "CERTIFIED": certified(g.authority.path, ours),
		"GUARDED": g.sasl("SCRAM-SHA-256", "ada"), "GUARDED as bob": g.sasl("PLAIN", "bob"),
	} {
		t.Run(listener, func(t *testing.T) {
			t.Parallel()
			p := withPassword(t)
			name, _, _ := strings.Cut(listener, " ")
			got := p.bench("check", p.profile("produces", produces), "-broker", g.at(name), "-client-config", config(t, lines...))
			require.Equal(t, exitMet, got.code, got.stderr)
			require.Empty(t, got.stderr)
		})
	}
}

func (g *guarded) turnsAway(t *testing.T) {
	theirs := g.others.certifies("client")
	sasl := func(change ...string) []string {
		lines := g.sasl("SCRAM-SHA-256", "ada")
		for _, c := range change {
			name, _, _ := strings.Cut(c, " ")
			for i := range lines {
				if strings.HasPrefix(lines[i], name+" ") {
					lines[i] = c
				}
			}
		}
		return lines
	}
	for name, c := range map[string]struct {
		listener string
		lines    []string
		want     string
	}{
		"nobody listens":                   {"NOBODY", nil, "nobody answers: dial tcp ADDRESS: connect: connection refused; check -broker, and that the cluster runs"},
		"plain text to TLS":                {"ENCRYPTED", nil, "ADDRESS speaks SSL and the client PLAINTEXT: set security.protocol=SSL in the file of -client-config"},
		"TLS to plain text":                {"PLAINTEXT", g.tls(), "ADDRESS speaks PLAINTEXT and the client SSL: set security.protocol=PLAINTEXT in the file of -client-config"},
		"no user":                          {"GUARDED", g.tls(), "ADDRESS speaks SASL_SSL and the client SSL: set security.protocol=SASL_SSL, sasl.mechanism (PLAIN or SCRAM-SHA-256), sasl.username and sasl.password in the file of -client-config"},
		"a user where none is wanted":      {"ENCRYPTED", sasl(), "ADDRESS: SASL SCRAM-SHA-256 mechanism handshake failed: Broker: Request not valid in current SASL state: broker's supported mechanisms: ; that listener asks for no user: set security.protocol to PLAINTEXT or SSL"},
		"an authority that is not trusted": {"ENCRYPTED", []string{"security.protocol = SSL", "ssl.ca.location = " + g.others.path}, `ADDRESS: its certificate is signed by "CN=trusted", which is not trusted; set ssl.ca.location to that authority's certificate in the file of -client-config`},
		"a certificate of another name":    {"MISNAMED", g.tls(), "ADDRESS: its certificate is not for that name (x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs); write a name that it is for in -broker and in the cluster's advertised.listeners, or set ssl.endpoint.identification.algorithm=none"},
		"no client certificate":            {"CERTIFIED", g.tls(), "ADDRESS: .*bad certificate.*; it wants a client certificate that it trusts: set ssl.certificate.location and ssl.key.location"},
		"a client certificate of others":   {"CERTIFIED", certified(g.authority.path, theirs), "ADDRESS: .*bad certificate.*; it wants a client certificate that it trusts: set ssl.certificate.location and ssl.key.location"},
		"a wrong password":                 {"GUARDED", sasl("sasl.password = wrong"), "ADDRESS: SASL authentication error: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256; check sasl.username, sasl.password and sasl.mechanism"},
		"a wrong password in plain":        {"GUARDED", sasl("sasl.mechanism = PLAIN", "sasl.username = bob", "sasl.password = wrong"), "ADDRESS: SASL authentication error: Authentication failed: Invalid username or password; check sasl.username, sasl.password and sasl.mechanism"},
		"an expired certificate":           {"EXPIRED", g.tls(), "ADDRESS: its certificate is valid from .* to .* only; renew it"},
		"a mechanism that is not offered":  {"GUARDED", sasl("sasl.mechanism = SCRAM-SHA-512"), "ADDRESS: SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: .*; set sasl.mechanism to one that it supports"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := g.at(c.listener)
			p := withPassword(t)
			// The program bounds itself: 15 s are over long before the test's own.
			got := p.bench("check", p.profile("produces", produces), "-broker", address, "-client-config", config(t, c.lines...))
			require.Equal(t, exitFailed, got.code)
			require.Empty(t, got.stdout)
			want := strings.ReplaceAll(strings.ReplaceAll(regexp.QuoteMeta("deliverybench: connect: "+c.want+"\n"), "ADDRESS", regexp.QuoteMeta(address)), `\.\*`, ".*")
			require.Regexp(t, "^"+want+"$", got.stderr)
		})
	}
}

// relays is a profile that needs everything of a cluster.
const relays = `guarantee: exactly-once
pipeline: relay
load: {rate: 500/s, warmup: 50ms, duration: 400ms, cooldown: 0s, message: {size: 64B}}
topic: {partitions: 2}
producer: {idempotence: true}
consumer: {commit: {when: in-transaction, every: 50}}
repeats: 1
claims: {"*/*": [lost == 0, duplicates == 0]}
`

const consumes = `guarantee: at-least-once
pipeline: consume
load: {rate: 500/s, warmup: 50ms, duration: 60s, cooldown: 0s, message: {size: 64B}}
topic: {partitions: 2, existing: orders}
producer: {message_timeout: 2s}
`

// run runs a profile as ada.
func (g *guarded) run(t *testing.T, p *place, profile string, args ...string) said {
	t.Helper()
	lines := append(g.sasl("SCRAM-SHA-256", "${USER_OF_KAFKA}"), "client.rack = ${RACK}", "debug = conf")
	got := p.bench(append([]string{"-profile", p.profile("mine", profile), "-out", p.out, "-broker", g.at("GUARDED"), "-client-config", config(t, lines...)}, args...)...)
	require.Zero(t, lookAtWorkers(t), "workers that are left")
	p.requireNothingLeft()
	return got
}

// asAda is a place whose environment, which children inherit, has what ada needs.
func asAda(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	for name, value := range map[string]string{"PASSWORD": password, "USER_OF_KAFKA": "ada", "RACK": rack} {
		t.Setenv(name, value)
		p.env[name] = value
	}
	return p
}

// rack is no secret to the client library, which writes it to its log.
const rack = "hunter2-rack"

const all = client.Prefix

// permits: what is missing is named before anything is measured, and what was
// asked for suffices.
func (g *guarded) permits(t *testing.T) {
	p := asAda(t)
	for _, step := range []struct {
		on     kmsg.ACLResourceType
		rights []kmsg.ACLOperation
		want   string
	}{
		{ofTopics, nil, `create topic NAME: Authorization failed; allow CREATE on topics with the prefix "deliverybench-", or name one that exists with -set topic.existing=NAME`},
		{ofTopics, []kmsg.ACLOperation{kmsg.ACLOperationCreate, kmsg.ACLOperationDescribe},
			`look at topic NAME: this user may not READ, WRITE, DELETE; allow READ, WRITE, DELETE on topics with the prefix "deliverybench-", or name one that exists with -set topic.existing=NAME \(topic NAME is left\)`},
		{ofTopics, []kmsg.ACLOperation{kmsg.ACLOperationRead, kmsg.ACLOperationWrite, kmsg.ACLOperationDelete},
			`join group NAME: Broker: Group authorization failed; allow READ on groups with the prefix "deliverybench-"`},
		{ofGroups, []kmsg.ACLOperation{kmsg.ACLOperationRead},
			`init transactions: .*: Transactional Id authorization failed; allow WRITE on transactional ids with the prefix "deliverybench-"`},
	} {
		if step.rights != nil {
			g.allow(t, step.on, all, prefixed, step.rights...)
		}
		got := g.run(t, p, relays)
		require.Equal(t, exitFailed, got.code)
		require.Regexp(t, "^deliverybench: "+strings.ReplaceAll(step.want, "NAME", `[A-Za-z0-9.=_-]+`)+"\n", got.stderr)
		require.NotContains(t, got.stdout+got.stderr, password)
	}
}

// keepsSecrets: with exactly these rights a run succeeds, and neither it nor its
// processes show what came from the environment.
func (g *guarded) keepsSecrets(t *testing.T) {
	g.allow(t, ofTopics, all, prefixed, kmsg.ACLOperationCreate, kmsg.ACLOperationRead, kmsg.ACLOperationWrite, kmsg.ACLOperationDelete)
	g.allow(t, ofGroups, all, prefixed, kmsg.ACLOperationRead)
	g.allow(t, ofTransactionalIDs, all, prefixed, kmsg.ACLOperationWrite)
	p := asAda(t)
	looking, looked := make(chan struct{}), make(chan int)
	go func() {
		seen := 0
		for {
			seen += lookAtWorkers(t)
			select {
			case <-looking:
				looked <- seen
				return
			default:
			}
		}
	}()
	got := g.run(t, p, relays)
	close(looking)
	require.Positive(t, <-looked, "workers looked at")
	require.Equal(t, exitMet, got.code, got.stderr)
	requireNoSecret(t, "stdout", got.stdout)
	requireNoSecret(t, "stderr", got.stderr)
	requireNoSecretBelow(t, p.out)
	dir, run := p.run()
	require.Equal(t, "external", run.Environment.Broker.Kind)
	require.Equal(t, 1, run.Environment.Broker.Nodes)
	require.NotEmpty(t, run.Environment.Broker.ClusterID)
	require.Equal(t, "Kafka 4.3, by its protocol", run.Environment.Broker.Version)
	require.True(t, run.Environment.Broker.SharesHost)
	for _, name := range []string{"sasl.password", "sasl.username", "client.rack"} {
		require.Equal(t, "[redacted]", run.Cells[0].Clients["producer"][name], dir)
	}
	require.Equal(t, "SASL_SSL", run.Cells[0].Clients["relay"]["security.protocol"])
}

// lookAtWorkers looks at what everybody sees of this test's worker processes, and
// counts them.
func lookAtWorkers(t *testing.T) (seen int) {
	workers := processes(func(pid int) bool {
		state, parent := stat(pid)
		return parent == os.Getpid() && state != "Z"
	})
	for pid, command := range workers {
		if !strings.HasSuffix(command, " "+worker.Verb+" ") {
			continue
		}
		environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || len(environment) == 0 {
			continue // it is ending
		}
		seen++
		requireNoSecret(t, "command line", command)
		requireNoSecret(t, "environment", string(environment))
	}
	return seen
}

// requireNoSecret may be called from any goroutine.
func requireNoSecret(t *testing.T, where, text string) {
	for _, secret := range []string{password, rack, "sasl.username=ada", "sasl.username = ada"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s holds %q: %s", where, secret, text)
		}
	}
}

func requireNoSecretBelow(t *testing.T, folder string) {
	t.Helper()
	files := 0
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		requireNoSecret(t, path, string(content))
		return err
	}))
	require.Positive(t, files)
}

// hasTopics: a user who may make none names those that there are.
func (g *guarded) hasTopics(t *testing.T) {
	g.forbid(t, kmsg.ACLOperationAny)
	g.allow(t, ofGroups, all, prefixed, kmsg.ACLOperationRead)
	g.allow(t, ofTransactionalIDs, all, prefixed, kmsg.ACLOperationWrite)
	g.topic(t, "orders", 2)
	g.topic(t, "invoices", 2)
	for _, name := range []string{"orders", "invoices"} {
		g.allow(t, ofTopics, name, literal, kmsg.ACLOperationRead, kmsg.ACLOperationWrite)
	}
	p := asAda(t)
	got := g.run(t, p, relays, "-set", "repeats=2", "-set", "topic.existing=orders", "-set", "topic.existing_output=invoices")
	require.Equal(t, exitMet, got.code, got.stderr)
	_, run := p.run()
	for _, trial := range run.Cells[0].Trials {
		require.Equal(t, result.Held, trial.Promise, trial.Reason)
		require.Equal(t, trial.Verdict.Due, trial.Verdict.Effects)
		require.Zero(t, trial.Verdict.Foreign, "the trial before wrote to the same topics")
	}
	got = g.run(t, asAda(t), relays, "-set", "topic.partitions=3", "-set", "topic.existing=orders", "-set", "topic.existing_output=invoices")
	require.Equal(t, exitFailed, got.code)
	require.Regexp(t, "^deliverybench: topic (orders|invoices) has 2 partitions and topic.partitions is 3: use -set topic.partitions=2\n", got.stderr)
}

// takesARightAway: a refusal amid a trial ends it, with the remedy; what is kept
// of its logs has no secrets.
func (g *guarded) takesARightAway(t *testing.T) {
	for _, c := range []struct {
		right kmsg.ACLOperation
		want  string
	}{
		{kmsg.ACLOperationWrite, "producer-0.0: produce: Broker: Topic authorization failed; allow WRITE on the topic orders"},
		{kmsg.ACLOperationRead, "consumer-0.0: .*; allow READ on "},
	} {
		t.Run(c.want, func(t *testing.T) {
			p := asAda(t)
			go func() {
				g.awaitGrowth(t, "orders")
				g.forbid(t, c.right)
			}()
			got := g.run(t, p, consumes)
			require.Equal(t, exitFailed, got.code)
			require.Regexp(t, "1 trial could not be run; the first is [^:]*: "+c.want, got.stderr)
			requireNoSecretBelow(t, p.out)
			dir, _ := p.run()
			logs, err := filepath.Glob(filepath.Join(dir, "logs", "*", "*.log"))
			require.NoError(t, err)
			kept := ""
			for _, path := range logs {
				text, err := os.ReadFile(path)
				require.NoError(t, err)
				kept += string(text)
			}
			require.Contains(t, kept, "client.rack = [redacted]", "the library's own lines")
		})
		g.allow(t, ofTopics, "orders", literal, kmsg.ACLOperationRead, kmsg.ACLOperationWrite)
		g.allow(t, ofGroups, all, prefixed, kmsg.ACLOperationRead)
	}
}

// awaitGrowth waits until somebody writes to the topic.
func (g *guarded) awaitGrowth(t *testing.T, topic string) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	before := g.end(ctx, t, topic)
	for g.end(ctx, t, topic) == before {
		if ctx.Err() != nil {
			t.Errorf("waited %s for a message in topic %s", within, topic)
			return
		}
	}
}

// end is the sum of the ends of a topic's two partitions.
func (g *guarded) end(ctx context.Context, t *testing.T, topic string) (sum int64) {
	request := kmsg.NewPtrListOffsetsRequest()
	asked := kmsg.NewListOffsetsRequestTopic()
	asked.Topic = topic
	for p := range int32(2) {
		one := kmsg.NewListOffsetsRequestTopicPartition()
		one.Partition, one.Timestamp = p, -1
		asked.Partitions = append(asked.Partitions, one)
	}
	request.Topics = append(request.Topics, asked)
	for _, shard := range g.kgo.RequestSharded(ctx, request) {
		if shard.Err != nil {
			t.Errorf("end of topic %s: %v", topic, shard.Err)
			continue
		}
		for _, p := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics[0].Partitions {
			sum += p.Offset
		}
	}
	return sum
}
