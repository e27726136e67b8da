package client

import (
	"cmp"
	"maps"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"deliverybench/bench/profile"
)

// Properties are librdkafka properties.
type Properties map[string]string

// Endpoint is the cluster to talk to and what is needed to be let in.
type Endpoint struct {
	Bootstrap  string     `json:"bootstrap"`
	Properties Properties `json:"properties,omitempty"` // the user's, on every client
	// Secrets are the properties whose values came from the environment or a
	// file, beside those that are secrets by their name.
	Secrets []string `json:"secrets,omitempty"`
	// Variables are those of the environment: no child needs them.
	Variables []string `json:"-"`
}

// properties returns those that every client of the endpoint has, and puts the
// user's over these and over the role's own.
func (e Endpoint) properties(ofRole Properties) Properties {
	p := Properties{
		"bootstrap.servers": e.Bootstrap,
		// A frozen or restarted broker must be noticed again within a trial.
		"reconnect.backoff.ms":     "50",
		"reconnect.backoff.max.ms": "1000",
		"socket.nagle.disable":     "true",
		// Client telemetry (KIP-714) is traffic that nobody asked for.
		"enable.metrics.push": "false",
		"socket.timeout.ms":   millis(profile.SocketTimeout),
	}
	maps.Copy(p, ofRole)
	maps.Copy(p, e.Properties)
	return p
}

// SocketTimeout is how long the library waits for an answer before it gives the
// request up, and may send another.
func (p Properties) SocketTimeout() time.Duration {
	ms, err := strconv.Atoi(p["socket.timeout.ms"])
	if err != nil {
		return time.Duration(profile.SocketTimeout) // the library refuses the value
	}
	return time.Duration(ms) * time.Millisecond
}

// ProducerProperties turns a profile's producer settings into librdkafka's.
// transactionalID is empty for a producer without transactions.
func ProducerProperties(e Endpoint, s profile.Producer, transactionalID string, transactionTimeout time.Duration, extra ...map[string]string) Properties {
	p := e.properties(Properties{
		"queue.buffering.max.messages": "100000",
		"queue.buffering.max.kbytes":   "262144",
	})
	p["acks"] = string(s.Acks)
	p["enable.idempotence"] = strconv.FormatBool(s.Idempotence)
	p["retries"] = strconv.Itoa(s.Retries)
	p["max.in.flight.requests.per.connection"] = strconv.Itoa(s.MaxInFlight)
	p["linger.ms"] = millis(s.Linger)
	p["batch.size"] = strconv.FormatInt(int64(s.BatchSize), 10)
	p["compression.codec"] = string(s.Compression)
	p["message.timeout.ms"] = millis(s.MessageTimeout)
	if transactionalID != "" {
		p["transactional.id"] = transactionalID
		p["transaction.timeout.ms"] = strconv.FormatInt(transactionTimeout.Milliseconds(), 10)
		// librdkafka refuses a socket timeout and a message timeout over the
		// transaction's.
		if p.SocketTimeout() > transactionTimeout {
			p["socket.timeout.ms"] = p["transaction.timeout.ms"]
		}
		if time.Duration(s.MessageTimeout) > transactionTimeout {
			p["message.timeout.ms"] = p["transaction.timeout.ms"]
		}
	}
	maps.Copy(p, s.Librdkafka)
	for _, m := range extra {
		maps.Copy(p, m)
	}
	return p
}

// batching reads how the library will put messages together. A size that cannot
// be read, or that is the library's own, bounds nothing.
func (p Properties) batching() batching {
	size, err := strconv.Atoi(p["batch.size"])
	if err != nil {
		size = math.MaxInt
	}
	return batching{kept: p["enable.idempotence"] == "true" || p["transactional.id"] != "", size: size}
}

// ConsumerProperties turns a profile's consumer settings into librdkafka's.
// instance is the static member's name, empty for a dynamic member.
func ConsumerProperties(e Endpoint, s profile.Consumer, group, instance string) Properties {
	p := readerProperties(e)
	p["group.id"] = group
	p["isolation.level"] = string(s.Isolation)
	p["enable.auto.commit"] = "false"
	p["enable.auto.offset.store"] = "false"
	switch s.Commit.When {
	case profile.Automatic, profile.AutomaticStored:
		p["enable.auto.commit"] = "true"
		p["enable.auto.offset.store"] = strconv.FormatBool(s.Commit.When == profile.Automatic)
		if s.Commit.Interval > 0 {
			p["auto.commit.interval.ms"] = millis(s.Commit.Interval)
		}
	}
	p["auto.offset.reset"] = string(s.OffsetReset)
	p["max.poll.interval.ms"] = millis(s.MaxPollInterval)
	if instance != "" {
		p["group.instance.id"] = instance
	}
	if s.Protocol == profile.ConsumerProtocol {
		// The broker owns session and heartbeat under KIP-848; librdkafka
		// refuses the client's.
		p["group.protocol"] = "consumer"
	} else {
		p["partition.assignment.strategy"] = string(s.Assignor)
		p["session.timeout.ms"] = millis(s.SessionTimeout)
		p["heartbeat.interval.ms"] = millis(heartbeat(s.SessionTimeout))
	}
	maps.Copy(p, s.Librdkafka)
	return p
}

// AuditProperties are those of a reader outside every group.
func AuditProperties(e Endpoint, group string, isolation profile.Isolation) Properties {
	p := readerProperties(e)
	p["group.id"] = group // needed to ask for its committed offsets; never joined
	p["isolation.level"] = string(isolation)
	p["enable.auto.commit"] = "false"
	p["enable.auto.offset.store"] = "false"
	return p
}

func readerProperties(e Endpoint) Properties {
	return e.properties(Properties{
		"auto.offset.reset":    "earliest",
		"enable.partition.eof": "true",
		// The default of 1000 ms stalls a reader that empties its queue faster
		// than the broker fills it: 150–205 k msg/s instead of 880–940 k.
		"fetch.queue.backoff.ms": "10",
		"fetch.wait.max.ms":      "100",
	})
}

// heartbeat is short enough that a member learns of a rebalance within a short trial.
func heartbeat(session profile.Duration) profile.Duration {
	return min(max(session/20, profile.Duration(100*time.Millisecond)), profile.Duration(3*time.Second))
}

func millis(d profile.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', -1, 64)
}

// configMap hands the properties to the library. Keys starting with "go." are
// the Go binding's own and typed.
func (p Properties) configMap(own kafka.ConfigMap) *kafka.ConfigMap {
	m := kafka.ConfigMap{}
	for k, v := range p {
		m[k] = v
	}
	maps.Copy(m, own)
	return &m
}

// Protocol is the endpoint's security.protocol, as the library reads it.
func (e Endpoint) Protocol() string {
	return cmp.Or(strings.ToUpper(e.Properties["security.protocol"]), "PLAINTEXT")
}

// Encrypted reports whether clients speak TLS, Authenticated whether they name
// a user.
func (e Endpoint) Encrypted() bool     { return strings.HasSuffix(e.Protocol(), "SSL") }
func (e Endpoint) Authenticated() bool { return strings.HasPrefix(e.Protocol(), "SASL_") }

// defaultPort is Kafka's.
const defaultPort = "9092"

// Addresses are the bootstrap servers, each "host:port".
func (e Endpoint) Addresses() []string {
	var all []string
	for address := range strings.SplitSeq(e.Bootstrap, ",") {
		address = strings.TrimSpace(address)
		if _, after, found := strings.Cut(address, "://"); found {
			address = after // of a protocol, as the library allows
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			address = net.JoinHostPort(strings.Trim(address, "[]"), defaultPort)
		}
		all = append(all, address)
	}
	return all
}
