package client

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"deliverybench/bench/profile"
)

// maxPropertiesBytes bounds a file of properties, and each file that it names.
const maxPropertiesBytes = 1 << 20

// reference is ${NAME} or ${file:PATH}; written $${NAME} it stands for itself.
var reference = regexp.MustCompile(`\$?\$\{([^}]*)\}`)

// property is one line of a file.
type property struct {
	line        int
	name, value string
	secret      bool // of which a part comes from elsewhere
	variables   []string
}

// ReadProperties reads a file of librdkafka properties, one "name = value" per
// line; # begins a line of comment. In a value ${NAME} stands for a variable of
// the environment and ${file:PATH} for the content of a file, without the end of
// its last line. What comes from there is a secret, whatever the property. The
// endpoint that it returns lacks its Bootstrap. An error names the line.
func ReadProperties(r io.Reader, getenv func(string) string) (Endpoint, error) {
	lines := bufio.NewScanner(io.LimitReader(r, maxPropertiesBytes))
	lines.Buffer(nil, maxPropertiesBytes)
	var all []property
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		p, err := readProperty(text, getenv)
		if err == nil {
			err = p.allowed(all)
		}
		if err == nil {
			err = p.known()
		}
		if err != nil {
			return Endpoint{}, fmt.Errorf("line %d: %w", n, err)
		}
		p.line = n
		all = append(all, p)
	}
	if err := lines.Err(); err != nil {
		return Endpoint{}, fmt.Errorf("read properties: %w", err)
	}
	e := Endpoint{Properties: Properties{}}
	for _, p := range all {
		e.Properties[p.name] = p.value
		if p.secret {
			e.Secrets = append(e.Secrets, p.name)
		}
		e.Variables = append(e.Variables, p.variables...)
	}
	return e, e.check()
}

func readProperty(text string, getenv func(string) string) (property, error) {
	name, value, found := strings.Cut(text, "=")
	p := property{name: strings.TrimSpace(name)}
	if !found || p.name == "" {
		// The text is not repeated: it may be half of a secret.
		return p, errors.New(`this is no property; write "name = value"`)
	}
	var failed error
	p.value = reference.ReplaceAllStringFunc(strings.TrimSpace(value), func(match string) string {
		if strings.HasPrefix(match, "$$") {
			return match[1:]
		}
		p.secret = true
		name := match[len("${") : len(match)-len("}")]
		if !strings.HasPrefix(name, fromFile) {
			p.variables = append(p.variables, name)
		}
		text, err := resolve(name, getenv)
		failed = errors.Join(failed, err)
		return text
	})
	if failed != nil {
		return p, fmt.Errorf("%s: %w", p.name, failed)
	}
	return p, nil
}

// fromFile begins a reference to a file.
const fromFile = "file:"

// resolve returns what a reference stands for.
func resolve(name string, getenv func(string) string) (string, error) {
	path, isFile := strings.CutPrefix(name, fromFile)
	if !isFile {
		if value := getenv(name); value != "" {
			return value, nil
		}
		return "", fmt.Errorf("the environment has no variable %s: set it, or write ${file:PATH}", name)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxPropertiesBytes))
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r"), nil
}

// allowed refuses what the profile or this program decides, and what an earlier
// line has set.
func (p property) allowed(earlier []property) error {
	if setting := profile.DecidedBy(p.name); setting != "" {
		return fmt.Errorf("%s is decided by the profile's %s; set that, so that the results show it", p.name, setting)
	}
	if why := profile.Reserved(p.name); why != "" {
		return fmt.Errorf("%s cannot be set: %s", p.name, why)
	}
	if strings.HasPrefix(p.name, "go.") {
		return fmt.Errorf("%s is not of librdkafka, but of its Go binding: remove it", p.name)
	}
	if i := slices.IndexFunc(earlier, func(other property) bool { return other.name == p.name }); i >= 0 {
		return fmt.Errorf("%s stands in line %d already", p.name, earlier[i].line)
	}
	return nil
}

// known has the library judge a property by itself. No client is made: what it
// is asked for beside the property is refused always, and only after every
// property was looked at.
func (p property) known() error {
	impossible := kafka.ConfigMap{"enable.idempotence": "true", "max.in.flight": "6"}
	_, always := kafka.NewAdminClient(&impossible)
	impossible[p.name] = p.value
	_, err := kafka.NewAdminClient(&impossible)
	if err.Error() == always.Error() {
		err = p.readable()
	}
	if err != nil && p.secret { // which the error may quote
		return fmt.Errorf("%s: the client library refuses the value, which is not shown for it comes from ${…}", p.name)
	}
	return err
}

// readable says so itself when a file is missing: the library's text then is
// whatever OpenSSL had in mind last.
func (p property) readable() error {
	if !strings.HasSuffix(p.name, ".location") || p.value == "probe" { // of ssl.ca.location: where systems have it
		return nil
	}
	_, err := os.Stat(p.value)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// check has the library judge the properties together.
func (e Endpoint) check() error {
	a, err := NewAdmin(e)
	if err != nil {
		return errors.New(e.Hide(errors.Unwrap(err).Error()))
	}
	a.Close()
	return nil
}

// IsSecret reports whether a property's value must not be shown.
func (e Endpoint) IsSecret(name string) bool {
	return profile.IsSecret(name) || slices.Contains(e.Secrets, name)
}

// surelyRare is how long a secret is that no other text holds by chance.
const surelyRare = 8

// Hide replaces the endpoint's secrets in a text that is shown or kept.
func (e Endpoint) Hide(text string) string {
	var secrets []string
	for name, value := range e.Properties {
		if value != "" && e.IsSecret(name) {
			secrets = append(secrets, value)
		}
	}
	return Hide(text, secrets...)
}

// Hide replaces secrets in a text that is shown or kept. A short one is replaced
// as a word only: a user ada is not in "metadata".
func Hide(text string, secrets ...string) string {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })
	// The longest first, for one may be a part of another.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, secret := range secrets {
		if len(secret) >= surelyRare {
			text = strings.ReplaceAll(text, secret, redacted)
			continue
		}
		word := regexp.MustCompile(`(^|[^\pL\pN])` + regexp.QuoteMeta(secret) + `($|[^\pL\pN])`)
		// Twice: a character between two of them belongs to the first.
		for range 2 {
			text = word.ReplaceAllString(text, "${1}"+redacted+"${2}")
		}
	}
	return text
}

const redacted = "[redacted]"
