package profile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

func TestSchemaIsCurrent(t *testing.T) {
	schema, err := Schema()
	require.NoError(t, err)
	golden(t, "../../profiles/profile.schema.json", schema)
}

// The schema accepts what ships and refuses what an editor should underline.
func TestSchemaJudgesProfiles(t *testing.T) {
	check := schemaOf(t)
	files, err := filepath.Glob("../../profiles/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		if bytes.Contains(source, []byte("\nsuite: ")) {
			continue // of profiles
		}
		require.NoError(t, check.source(source), file)
	}
	for _, source := range []string{
		"name: t\nload.rate: 20000", "name: t\nload: {rat: 5/s}", "name: t\nproducer.acks: 2", "name: a/b", "load.rate: 5/s",
		"name: t\narms: {a: {comit: 1}}", "name: t\nmatrix: {producer.acks: all}", "name: t\nfaults: [{kil: consumer}]",
		"name: t\nconsumer: {count: 0}", "name: t\nclaims: {'*/*': [{clam: x}]}", "name: t\nmatrix: {faults: [[]]}",
		"name: t\ncapacity: {rates: {from: 1/s}}", "name: t\ncapacity: {slo: lost == 0, rates: {form: 1/s}}", "name: t\ncapacity: {slo: lost == 0, over: {producer.acks: [1]}}",
		"name: t\ncapacity: {slo: lost == 0, target: {retention: 7 days}}",
	} {
		require.Error(t, check.source([]byte(source)), source)
	}
	for _, source := range []string{
		"name: t\nproducer.acks: 1", "name: t\nproducer: {librdkafka.socket.timeout.ms: 5, librdkafka: {a.b: true}}",
		"name: t\nmatrix: {producer.acks: [0, all], consumer: {commit.every: [1, 2]}, producer.librdkafka.a.b: [1]}",
		"name: t\ncapacity: {slo: lost == 0, rates: {from: 1/s, to: 2k/s}, rates.step: 5%, over: {consumer: {count: [1]}}, target: {rate: 5/s, retention: 7d}}",
		"name: t\nload.warmup: 0", "name: t\narms: {a: }", "name: t\nclaims: {'*/*': lost == 0}",
	} {
		require.NoError(t, check.source([]byte(source)), source)
		parse(t, source)
	}
}

// Whatever settings can be written, the schema accepts them, dotted or nested.
func TestSchemaAcceptsEverySetting(t *testing.T) {
	check := schemaOf(t)
	rapid.Check(t, func(t *rapid.T) {
		source := yamlOf(t, drawSettings(t), rapid.Bool().Draw(t, "nested"))
		// Whole numbers and booleans are drawn as text; YAML would write them bare.
		bare := regexp.MustCompile(`"([0-9]+|true|false)"`).ReplaceAll(source, []byte("$1"))
		require.NoError(t, check.source(append([]byte("name: t\n"), bare...)), "%s", bare)
	})
}

// schemaChecker is a JSON schema validator for the keywords that Schema uses.
type schemaChecker struct{ root map[string]any }

func schemaOf(t *testing.T) schemaChecker {
	text, err := Schema()
	require.NoError(t, err)
	var root map[string]any
	require.NoError(t, json.Unmarshal(text, &root))
	return schemaChecker{root}
}

func (c schemaChecker) source(source []byte) error {
	var value any
	if err := yaml.Unmarshal(source, &value); err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return err
	}
	return c.check(c.root, plain, "")
}

func (c schemaChecker) check(schema any, value any, at string) error {
	if allowed, is := schema.(bool); is {
		if !allowed {
			return fmt.Errorf("%s is not allowed", at)
		}
		return nil
	}
	s := schema.(map[string]any)
	if ref, is := s["$ref"].(string); is {
		target, found := c.root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")]
		if !found {
			return fmt.Errorf("%s: no definition %s", at, ref)
		}
		return c.check(target, value, at)
	}
	if err := c.scalar(s, value, at); err != nil {
		return err
	}
	if any, is := s["anyOf"].([]any); is {
		var last error
		for _, option := range any {
			if last = c.check(option, value, at); last == nil {
				break
			}
		}
		if last != nil {
			return last
		}
	}
	if list, is := value.([]any); is && s["items"] != nil {
		for i, item := range list {
			if err := c.check(s["items"], item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	}
	if object, is := value.(map[string]any); is {
		return c.object(s, object, at)
	}
	return nil
}

func (c schemaChecker) scalar(s map[string]any, value any, at string) error {
	kind := map[bool]string{true: "null"}[value == nil]
	switch v := value.(type) {
	case string:
		kind = "string"
		if pattern, is := s["pattern"].(string); is && !regexp.MustCompile(pattern).MatchString(v) {
			return fmt.Errorf("%s: %q does not match %s", at, v, pattern)
		}
	case float64:
		kind = "number"
		if s["type"] == "integer" && v == float64(int64(v)) {
			kind = "integer"
		}
		if low, is := s["minimum"].(float64); is && v < low {
			return fmt.Errorf("%s: %v is below %v", at, v, low)
		}
		if high, is := s["maximum"].(float64); is && v > high {
			return fmt.Errorf("%s: %v is above %v", at, v, high)
		}
	case bool:
		kind = "boolean"
	case []any:
		kind = "array"
	case map[string]any:
		kind = "object"
	}
	if want, is := s["type"].(string); is && want != kind {
		return fmt.Errorf("%s is %s, not %s", at, kind, want)
	}
	if constant, is := s["const"]; is && constant != value {
		return fmt.Errorf("%s is %v, not %v", at, value, constant)
	}
	if words, is := s["enum"].([]any); is {
		for _, word := range words {
			if word == value {
				return nil
			}
		}
		return fmt.Errorf("%s: %v is none of %v", at, value, words)
	}
	return nil
}

func (c schemaChecker) object(s, object map[string]any, at string) error {
	required, _ := s["required"].([]any)
	for _, key := range required {
		if _, is := object[key.(string)]; !is {
			return fmt.Errorf("%s has no %s", at, key)
		}
	}
	properties, _ := s["properties"].(map[string]any)
	patterns, _ := s["patternProperties"].(map[string]any)
	for key, value := range object {
		if names := s["propertyNames"]; names != nil {
			if err := c.check(names, key, at+"."+key); err != nil {
				return err
			}
		}
		schema, found := properties[key]
		for pattern, one := range patterns {
			if !found && regexp.MustCompile(pattern).MatchString(key) {
				schema, found = one, true
			}
		}
		if !found {
			schema, found = s["additionalProperties"]
		}
		if found {
			if err := c.check(schema, value, at+"."+key); err != nil {
				return err
			}
		}
	}
	return nil
}
