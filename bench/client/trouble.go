package client

import (
	"cmp"
	"regexp"
	"strings"
	"sync"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Trouble is what stands between a client and a broker, from the library's own
// words: it has no codes for it.
type Trouble struct {
	// Address is the broker's, Text what happened.
	Address, Text string
	// Lasting says that trying again changes nothing.
	Lasting bool
	// Remedy is what helps, "" where that is not known.
	Remedy string
}

func (t *Trouble) Error() string {
	text := t.Text
	if t.Address != "" {
		text = t.Address + ": " + text
	}
	if t.Remedy != "" {
		text += "; " + t.Remedy
	}
	return text
}

// told is how the library tells of a broker: thread (in its log), protocol,
// address, broker's name, what happened, and in which state the connection was.
var told = regexp.MustCompile(`^(?:\[thrd:[^\]]*\]: )?(?:[a-z_]+://)?([^/ ]+:[0-9]+)/[^: ]+: (.*?)(?: \(after [0-9]+ms in state .*\))?$`)

// troublesKnown are the library's words for what a user can mend, the more
// special ones first.
var troublesKnown = []struct {
	words   string
	lasting bool
	remedy  string
}{
	{"certificate verify failed", true,
		"its certificate is not trusted: set ssl.ca.location to the certificate of the authority that signed it"},
	{"alert bad certificate", true, wantsCertificate},
	{"alert certificate required", true, wantsCertificate},
	{"alert certificate unknown", true, wantsCertificate},
	{"alert unknown ca", true, wantsCertificate},
	{"alert handshake failure", true, wantsCertificate},
	// A broker that is ending closes connections too.
	{"connecting to a PLAINTEXT broker listener", false,
		"if it speaks plain text there, set security.protocol to PLAINTEXT or SASL_PLAINTEXT"},
	{"Unsupported SASL mechanism", true, "set sasl.mechanism to one that it supports"},
	{"not valid in current SASL state", true,
		"that listener asks for no user: set security.protocol to PLAINTEXT or SSL"},
	{"SASL authentication error: Local: ", false, ""}, // the connection went away meanwhile
	{"SASL authentication error", true, "check sasl.username, sasl.password and sasl.mechanism"},
	{"Connection refused", false, "nothing listens there: check host and port, and that the broker runs"},
	{"Failed to resolve", false, "there is no such host, seen from here: check its name"},
}

const wantsCertificate = "it wants a client certificate that it trusts: set ssl.certificate.location and ssl.key.location"

// diagnose reads the library's words.
func diagnose(words string) *Trouble {
	t := &Trouble{Text: words}
	if match := told.FindStringSubmatch(words); match != nil {
		t.Address, t.Text = match[1], match[2]
	}
	for _, known := range troublesKnown {
		if strings.Contains(t.Text, known.words) {
			t.Lasting, t.Remedy = known.lasting, known.remedy
			break
		}
	}
	return t
}

// troubles listens to a client's log.
type troubles struct {
	mu   sync.Mutex
	last *Trouble
	// lasting is closed with the first one that is.
	lasting chan struct{}
}

// listen returns when the client is closed.
func (t *troubles) listen(log <-chan kafka.LogEvent) {
	for e := range log {
		if e.Tag != "FAIL" {
			continue
		}
		found := diagnose(e.Message)
		t.mu.Lock()
		switch {
		case t.last != nil && t.last.Lasting: // what follows from it says less
		case found.Lasting:
			close(t.lasting)
			fallthrough
		default:
			t.last = found
		}
		t.mu.Unlock()
	}
}

// latest is the trouble that explains a failure best, nil for none.
func (t *troubles) latest() *Trouble {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// over forgets what was got over.
func (t *troubles) over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last != nil && !t.last.Lasting {
		t.last = nil
	}
}

// Rights of Kafka's ACLs, as remedies.
const (
	mayCreate = "CREATE"
	mayDelete = "DELETE"
	mayLook   = "DESCRIBE"
	mayWrite  = "WRITE"
	mayRead   = "READ"
)

// missingRight is what to allow when the cluster answered that a client is not
// authorised; "" when it answered something else. A topic's right depends on
// what was asked.
func missingRight(code kafka.ErrorCode, right, topic string) string {
	switch code {
	case kafka.ErrTopicAuthorizationFailed:
		on := "the topic"
		switch {
		case strings.HasPrefix(topic, Prefix):
			on = `topics with the prefix "` + Prefix + `"`
		case topic != "":
			on = "the topic " + topic
		}
		text := "allow " + cmp.Or(right, mayLook) + " on " + on
		if strings.Contains(right, mayCreate) || strings.Contains(right, mayDelete) {
			text += ", or name one that exists with -set topic.existing=NAME"
		}
		return text
	case kafka.ErrGroupAuthorizationFailed:
		return `allow READ on groups with the prefix "` + Prefix + `"`
	case kafka.ErrTransactionalIDAuthorizationFailed:
		return `allow WRITE on transactional ids with the prefix "` + Prefix + `"`
	case kafka.ErrClusterAuthorizationFailed:
		return "allow WRITE on the topic, or IDEMPOTENT_WRITE on the cluster (a version before 2.8 wants that)"
	}
	return ""
}
