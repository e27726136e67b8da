package client

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The library's own words, as it wrote them.
func TestDiagnose(t *testing.T) {
	for words, want := range map[string]Trouble{
		"[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT, 1 identical error(s) suppressed)": {
			Address: "127.0.0.1:1", Text: "Connect to ipv4#127.0.0.1:1 failed: Connection refused",
			Remedy: "nothing listens there: check host and port, and that the broker runs",
		},
		"sasl_ssl://[::1]:9094/3: SASL authentication error: Authentication failed: Invalid username or password (after 305ms in state AUTH_REQ)": {
			Address: "[::1]:9094", Text: "SASL authentication error: Authentication failed: Invalid username or password",
			Lasting: true, Remedy: "check sasl.username, sasl.password and sasl.mechanism",
		},
		"sasl_ssl://b:9094/3: SASL authentication error: Local: Timed out (after 305ms in state AUTH_REQ)": {
			Address: "b:9094", Text: "SASL authentication error: Local: Timed out",
		},
		"ssl://b:9093/bootstrap: Disconnected: SSL connection closed by peer (after 0ms in state UP)": {
			Address: "b:9093", Text: "Disconnected: SSL connection closed by peer",
		},
		"1/1 brokers are down": {Text: "1/1 brokers are down"},
	} {
		require.Equal(t, &want, diagnose(words), words)
	}
	require.Equal(t, "b:1: away; come back", (&Trouble{Address: "b:1", Text: "away", Remedy: "come back"}).Error())
}

func TestNames(t *testing.T) {
	name := TrialName("20261121T101500-4711", "003-semantics-acks=1,linger=5ms-crash-1")
	require.Equal(t, "deliverybench-20261121T101500-4711-003-semantics-acks-1-linger-5ms-crash-1", name)
	long := TrialName("20261121T101500-4711", "003-"+string(make([]byte, 300))+"-1")
	require.LessOrEqual(t, len(DeadLettersOf(long)), 249)
	for _, ours := range []string{name, long} {
		require.True(t, IsGroupOfTrial(ours))
		require.True(t, IsTopicOfTrial(InputOf(ours)))
		require.True(t, IsTopicOfTrial(OutputOf(ours)))
		require.True(t, IsTopicOfTrial(DeadLettersOf(ours)))
		require.Equal(t, ours, TrialOf(DeadLettersOf(ours)))
		require.False(t, IsTopicOfTrial(ours))
	}
	for _, theirs := range []string{
		"deliverybench", "deliverybench-", "deliverybench-mine", "deliverybench-in", "deliverybench-results-in",
		"my-" + InputOf(name), InputOf(name) + "-copy", "deliverybench-20261121-4711-003-a-1-in", "deliverybench-20261121T101500-003-a-in", "orders",
	} {
		require.False(t, IsTopicOfTrial(theirs), theirs)
	}
	require.False(t, IsGroupOfTrial("deliverybench-mine"))
	started := time.Date(2026, 11, 21, 10, 15, 0, 0, time.UTC)
	schema := SchemaOf(RunTag(started, 4711), 0xbeef)
	require.Equal(t, "deliverybench-20261121t101500-4711-000000000000beef", schema)
	require.True(t, IsSchemaOfTrial(schema))
	require.False(t, IsSchemaOfTrial(schema+"-copy"))
	require.False(t, IsSchemaOfTrial(name))
	require.Equal(t, started, MadeAt(schema))
	require.Equal(t, started, MadeAt(name))
}
