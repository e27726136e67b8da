package profile

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// risky is an idempotent producer that gives messages up before requests, while
// an answer is lost.
func risky() Settings {
	s := Defaults()
	s.Pipeline = Produce
	s.Producer.Idempotence = true
	s.Producer.MessageTimeout = Duration(20 * time.Second)
	s.Faults = []Fault{{LoseResponse: "produce", Of: ProducerRole}}
	return s
}

func TestAMessageThatIsGivenUpBeforeItsRequest(t *testing.T) {
	require.Equal(t, []string{"the producer may write copies, though it is idempotent: producer.message_timeout 20s is not above " +
		"socket.timeout.ms 30s, so a message is given up before its unanswered request is, and what is left is written again " +
		"under a new producer epoch; write producer.librdkafka: {socket.timeout.ms: 5000}, or anything well below producer.message_timeout"},
		risky().Warnings(SocketTimeout))
	for name, c := range map[string]struct {
		change func(*Settings)
		warns  int
	}{
		"as long as its request":         {func(s *Settings) { s.Producer.MessageTimeout = SocketTimeout }, 1},
		"longer than its request":        {func(s *Settings) { s.Producer.MessageTimeout = SocketTimeout + 1 }, 0},
		"by the remedy":                  {func(s *Settings) { s.Producer.Librdkafka = map[string]string{"socket.timeout.ms": "5000"} }, 0},
		"by a shorter time":              {func(s *Settings) { s.Producer.Librdkafka = map[string]string{"socket.timeout.ms": "20000"} }, 1},
		"copies are the library's":       {func(s *Settings) { s.Producer.Idempotence = false }, 0},
		"a transaction is aborted":       {func(s *Settings) { s.Producer.Transaction.Every = 10 }, 0},
		"nothing goes wrong":             {func(s *Settings) { s.Faults = nil }, 0},
		"another request is lost":        {func(s *Settings) { s.Faults[0].LoseResponse = "metadata" }, 0},
		"another client's is":            {func(s *Settings) { s.Faults[0].Of = ConsumerRole }, 0},
		"anybody's is":                   {func(s *Settings) { s.Faults[0].Of = "" }, 1},
		"soon delivered":                 {func(s *Settings) { s.Faults = []Fault{{DelayRequest: "produce", For: Duration(time.Second)}} }, 0},
		"delivered too late":             {func(s *Settings) { s.Faults = []Fault{{DelayRequest: "produce", For: Duration(time.Minute)}} }, 1},
		"a short silence":                {func(s *Settings) { s.Faults = []Fault{{Blackhole: ProducerRole, For: Duration(time.Second)}} }, 0},
		"a long silence":                 {func(s *Settings) { s.Faults = []Fault{{Blackhole: ProducerRole, For: Duration(20 * time.Second)}} }, 1},
		"a broker that soon thaws":       {func(s *Settings) { s.Faults = []Fault{{Freeze: LeaderRole, For: Duration(time.Second)}} }, 0},
		"a broker that does not":         {func(s *Settings) { s.Faults = []Fault{{Freeze: LeaderRole, For: Duration(20 * time.Second)}} }, 1},
		"a storm of such":                {func(s *Settings) { s.StormEvery, s.Faults = 1, []Fault{{Freeze: LeaderRole, For: 1}} }, 1},
		"a storm that spares the wire":   {func(s *Settings) { s.StormEvery, s.Faults = 1, []Fault{{Kill: ConsumerRole}} }, 0},
		"a relay, whose own is not lost": {func(s *Settings) { s.Pipeline = RelayTo }, 1},
		"a relay, whose own is too":      {func(s *Settings) { s.Pipeline, s.Faults[0].Of = RelayTo, "" }, 2},
		"a relay in transactions":        {func(s *Settings) { s.Pipeline, s.Faults[0].Of, s.Consumer.Commit.When = RelayTo, "", InTransaction }, 1},
		"a relay's remedy": {func(s *Settings) {
			s.Pipeline, s.Faults[0].Of = RelayTo, RelayRole
			s.Relay.Librdkafka = map[string]string{"socket.timeout.ms": "5000"}
		}, 0},
	} {
		s := risky()
		c.change(&s)
		require.Len(t, s.Warnings(SocketTimeout), c.warns, name)
	}
	require.Empty(t, risky().Warnings(Duration(time.Second)), "all clients wait for less")
}

// A plan warns of a scenario once, however often it is repeated, cell by cell.
func TestAPlanWarns(t *testing.T) {
	p := parse(t, `name: t
pipeline: produce
producer: {idempotence: true, message_timeout: 20s}
repeats: 3
arms: {z: {}, a: {}}
scenarios: {quiet: {}, lost: {faults: [{lose_response: produce}]}}
`)
	warnings := plan(t, p, Options{}).Warnings()
	require.Len(t, warnings, 2)
	require.Equal(t, []string{"z", "a"}, []string{warnings[0].Cell, warnings[1].Cell})
	require.Equal(t, "lost", warnings[0].Scenario)
	require.Contains(t, warnings[0].Text, "socket.timeout.ms: 5000")
}

// Of the profiles that ship only the one warns whose experiment it is.
func TestWhichShippedProfilesWarn(t *testing.T) {
	paths, err := filepath.Glob("../../profiles/*.yaml")
	require.NoError(t, err)
	warned := map[string]bool{}
	for _, path := range paths {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		p, err := Parse(source, path)
		if err != nil {
			continue // a suite
		}
		for _, w := range plan(t, p, Options{Cluster: Cluster{Nodes: 3}}).Warnings() {
			warned[p.Name+"/"+w.Cell] = true
		}
	}
	require.Equal(t, map[string]bool{"application-resend/resend-idempotent": true, "application-resend/give-up": true}, warned)
}
