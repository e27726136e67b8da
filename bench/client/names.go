package client

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Prefix begins the name of everything that this program makes on a cluster:
// topics, groups, transactional ids. One prefixed ACL of each kind suffices.
const Prefix = "deliverybench-"

// tagTime is how a RunTag tells when its run began.
const tagTime = "20060102T150405"

// RunTag is the part of names that tells runs apart.
func RunTag(started time.Time, pid int) string {
	return fmt.Sprintf("%s-%d", started.UTC().Format(tagTime), pid)
}

// longestName leaves room for what follows a trial's name in the 249 characters
// that a topic's may have.
const longestName = 230

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9._-]`)

// TrialName is the name of a trial's group, and begins those of its topics and
// transactional ids. The trial's id begins with its number in the plan, so that
// names stay apart when they are shortened.
func TrialName(runTag, trialID string) string {
	name := Prefix + runTag + "-" + unsafeInName.ReplaceAllString(trialID, "-")
	return name[:min(len(name), longestName)]
}

// InputOf and OutputOf are the topics that a trial of this name makes for its
// pipeline.
func InputOf(trialName string) string  { return trialName + "-in" }
func OutputOf(trialName string) string { return trialName + "-out" }

// DeadLettersOf is the topic for messages whose processing failed.
func DeadLettersOf(trialName string) string { return trialName + "-dead" }

// trialShape is that of a TrialName with a RunTag.
const trialShape = Prefix + `[0-9]{8}T[0-9]{6}-[0-9]+-[0-9]{3,}-[A-Za-z0-9._-]+`

// SchemaOf is a trial's in a database, by its run's tag and its own.
func SchemaOf(runTag string, tag uint64) string {
	return strings.ToLower(fmt.Sprintf("%s%s-%016x", Prefix, runTag, tag))
}

var (
	topicShape = regexp.MustCompile(`^` + trialShape + `-(in|out|dead)$`)
	groupShape = regexp.MustCompile(`^` + trialShape + `$`)
	// A schema's name is in lower case.
	schemaShape = regexp.MustCompile(`^` + Prefix + `[0-9]{8}t[0-9]{6}-[0-9]+-[0-9a-f]{16}$`)
)

// TrialOf is the name of the trial that made a topic.
func TrialOf(topic string) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(topic, "-in"), "-out"), "-dead")
}

// MadeAt is when the run began that made a topic, group or schema; the zero time when the
// name does not say.
func MadeAt(name string) time.Time {
	tag, _, _ := strings.Cut(strings.TrimPrefix(name, Prefix), "-")
	at, _ := time.Parse(tagTime, strings.ToUpper(tag))
	return at
}

// IsTopicOfTrial, IsGroupOfTrial and IsSchemaOfTrial report whether a name is one
// that a trial made, and nobody would choose.
func IsTopicOfTrial(name string) bool  { return topicShape.MatchString(name) }
func IsGroupOfTrial(name string) bool  { return groupShape.MatchString(name) }
func IsSchemaOfTrial(name string) bool { return schemaShape.MatchString(name) }
