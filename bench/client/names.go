package client

import (
	"fmt"
	"regexp"
	"time"
)

// Prefix begins the name of everything that this program makes on a cluster:
// topics, groups, transactional ids. One prefixed ACL of each kind suffices.
const Prefix = "deliverybench-"

// RunTag is the part of names that tells runs apart.
func RunTag(started time.Time, pid int) string {
	return fmt.Sprintf("%s-%d", started.UTC().Format("20060102T150405"), pid)
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

// InputOf and OutputOf are the topics that a trial of this name makes.
func InputOf(trialName string) string  { return trialName + "-in" }
func OutputOf(trialName string) string { return trialName + "-out" }

// trialShape is that of a TrialName with a RunTag.
const trialShape = Prefix + `[0-9]{8}T[0-9]{6}-[0-9]+-[0-9]{3,}-[A-Za-z0-9._-]+`

var (
	topicShape = regexp.MustCompile(`^` + trialShape + `-(in|out)$`)
	groupShape = regexp.MustCompile(`^` + trialShape + `$`)
)

// IsTopicOfTrial and IsGroupOfTrial report whether a name is one that a trial
// made, and nobody would choose.
func IsTopicOfTrial(name string) bool { return topicShape.MatchString(name) }
func IsGroupOfTrial(name string) bool { return groupShape.MatchString(name) }
