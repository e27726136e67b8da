package broker

import (
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/client"
)

// What was learned at the door is compared with what the client was told. A
// listener that speaks the client's protocol and is slow is none to complain of.
func TestMismatch(t *testing.T) {
	speaking := func(protocol string) client.Endpoint {
		return client.Endpoint{Properties: client.Properties{"security.protocol": protocol}}
	}
	plain, secure := listener{kafka: true}, listener{kafka: true, certificate: &x509.Certificate{}}
	users := listener{kafka: true, mechanisms: []string{"PLAIN", "SCRAM-SHA-256"}}
	secureUsers := users
	secureUsers.certificate = secure.certificate
	certified := listener{certificate: secure.certificate} // tells no more to one without a certificate
	for _, c := range []struct {
		protocol   string
		listener   listener
		turnedAway bool
		want       string
	}{
		{"PLAINTEXT", plain, true, ""}, {"ssl", secure, true, ""}, {"SASL_SSL", secureUsers, true, ""}, {"SASL_PLAINTEXT", users, true, ""},
		{"SSL", certified, true, ""}, {"SASL_SSL", certified, true, ""}, {"SASL_SSL", secure, false, ""},
		{"PLAINTEXT", listener{silent: true}, true, ""}, {"PLAINTEXT", users, false, ""}, {"SSL", secureUsers, false, ""},
		{"PLAINTEXT", secure, true, "a:1 speaks SSL and the client PLAINTEXT: set security.protocol=SSL in the file of -client-config"},
		{"PLAINTEXT", certified, false, "a:1 speaks SSL and the client PLAINTEXT: set security.protocol=SSL in the file of -client-config"},
		{"SASL_SSL", plain, false, "a:1 speaks PLAINTEXT and the client SASL_SSL: set security.protocol=PLAINTEXT in the file of -client-config"},
		{"SSL", secureUsers, true, "a:1 speaks SASL_SSL and the client SSL: set security.protocol=SASL_SSL, sasl.mechanism (PLAIN or SCRAM-SHA-256), sasl.username and sasl.password in the file of -client-config"},
		{"PLAINTEXT", users, true, "a:1 speaks SASL_PLAINTEXT and the client PLAINTEXT: set security.protocol=SASL_PLAINTEXT, sasl.mechanism (PLAIN or SCRAM-SHA-256), sasl.username and sasl.password in the file of -client-config"},
		{"PLAINTEXT", listener{}, true, "a:1: somebody answers, but not as Kafka does; check the port in -broker"},
	} {
		err := mismatch("a:1", speaking(c.protocol), c.listener, c.turnedAway)
		if c.want == "" {
			require.NoError(t, err, c.protocol)
			continue
		}
		require.EqualError(t, err, c.want)
	}
}
