package client

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

// getenv is the environment of these tests.
func getenv(name string) string {
	return map[string]string{"PASSWORD": "hunter2-a=b#c", "USER_NAME": "ada", "PROTOCOL": "nonsense-" + strings.Repeat("x", 200)}[name]
}

func TestReadProperties(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte("hunter2 of a file \n"), 0o600))
	e, err := ReadProperties(strings.NewReader(strings.Join([]string{
		"# how to be let in",
		"",
		"  security.protocol = SASL_PLAINTEXT\r",
		"sasl.mechanism=PLAIN",
		"sasl.username = team-${USER_NAME}",
		"sasl.password=${PASSWORD}",
		"client.rack = $${USER_NAME} a=b # no comment",
		"client.id = ${file:" + file + "}",
	}, "\n")), getenv)
	require.NoError(t, err)
	require.Equal(t, Endpoint{
		Properties: Properties{
			"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "team-ada",
			"sasl.password": "hunter2-a=b#c", "client.rack": "${USER_NAME} a=b # no comment", "client.id": "hunter2 of a file ",
		},
		Secrets:   []string{"sasl.username", "sasl.password", "client.id"},
		Variables: []string{"USER_NAME", "PASSWORD"},
	}, e)
	require.True(t, e.IsSecret("sasl.username"))
	require.True(t, e.IsSecret("ssl.key.password"))
	require.False(t, e.IsSecret("client.rack"))
	require.Equal(t, "[redacted]/[redacted] at ${USER_NAME}", e.Hide("team-ada/hunter2-a=b#c at ${USER_NAME}"))
}

func TestReadPropertiesRefuses(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for source, want := range map[string]string{
		"\nsecurity.protocol":             `line 2: this is no property; write "name = value"`,
		"= x":                             `line 1: this is no property; write "name = value"`,
		"a.b = 1":                         `line 1: No such configuration property: "a.b"`,
		"#\nsecurity.protocol = x":        `line 2: Invalid value "x" for configuration property "security.protocol"`,
		"security.protocol = ${PROTOCOL}": `line 1: security.protocol: the client library refuses the value, which is not shown for it comes from ${…}`,
		"sasl.jaas.config = x":            "line 1: Java JAAS configuration is not supported, see https://github.com/confluentinc/librdkafka/wiki/Using-SASL-with-librdkafka for mo",
		"security.protocol = SSL\nssl.ca.location = " + missing: "line 2: ssl.ca.location: stat " + missing + ": no such file or directory",
		"security.protocol = SASL_SSL\nsasl.mechanism = PLAIN":  "sasl.username and sasl.password must be set",
		"client.id = a\nclient.id = b":                          "line 2: client.id stands in line 1 already",
		"sasl.password = ${ABSENT}":                             "line 1: sasl.password: the environment has no variable ABSENT: set it, or write ${file:PATH}",
		"sasl.password = ${file:" + missing + "}":               "line 1: sasl.password: open " + missing + ": no such file or directory",
		"acks = 1":                 "line 1: acks is decided by the profile's producer.acks; set that, so that the results show it",
		"isolation.level = x":      "line 1: isolation.level is decided by the profile's consumer.isolation; set that, so that the results show it",
		"group.id = mine":          "line 1: group.id cannot be set: each trial has a group of its own",
		"bootstrap.servers = a:1":  "line 1: bootstrap.servers cannot be set: -broker names the cluster",
		"go.batch.producer = true": "line 1: go.batch.producer is not of librdkafka, but of its Go binding: remove it",
	} {
		_, err := ReadProperties(strings.NewReader(source), getenv)
		require.EqualError(t, err, want, source)
	}
}

func TestHide(t *testing.T) {
	e := Endpoint{Secrets: []string{"a", "b", "c"}, Properties: Properties{
		"a": "ada", "b": "correct horse", "c": "", "sasl.password": "a.b", "client.id": "metadata",
	}}
	for text, want := range map[string]string{
		"ada asks for metadata of ada.": "[redacted] asks for metadata of [redacted].",
		"ada ada,ada":                   "[redacted] [redacted],[redacted]",
		"sasl.password=a.b, not acb":    "sasl.password=[redacted], not acb",
		"incorrect horses":              "in[redacted]s",
		"nothing to hide":               "nothing to hide",
	} {
		require.Equal(t, want, e.Hide(text))
	}
}

// The user's properties win over this program's defaults, and the profile's
// settings over those.
func TestPropertiesOfAnEndpointReachEveryClient(t *testing.T) {
	e := Endpoint{Bootstrap: "a:1", Properties: Properties{"sasl.username": "ada", "fetch.wait.max.ms": "7", "queue.buffering.max.kbytes": "9", "reconnect.backoff.ms": "3"}}
	s := profile.Defaults()
	s.Consumer.Librdkafka = map[string]string{"fetch.wait.max.ms": "8"}
	for _, p := range []Properties{
		ProducerProperties(e, s.Producer, "", 0), ConsumerProperties(e, s.Consumer, "g", ""), AuditProperties(e, "g", profile.ReadCommitted),
	} {
		require.Equal(t, "a:1", p["bootstrap.servers"])
		require.Equal(t, "ada", p["sasl.username"])
		require.Equal(t, "3", p["reconnect.backoff.ms"])
	}
	require.Equal(t, "9", ProducerProperties(e, s.Producer, "", 0)["queue.buffering.max.kbytes"])
	require.Equal(t, "8", ConsumerProperties(e, s.Consumer, "g", "")["fetch.wait.max.ms"])
	require.Equal(t, "7", AuditProperties(e, "g", profile.ReadCommitted)["fetch.wait.max.ms"])
}
