package broker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// projectLabel is the one that Compose gives to everything of a project.
const projectLabel = "com.docker.compose.project"

// removedWithin bounds the removal of a project.
const removedWithin = 30 * time.Second

// ownProject matches the names of projects that this program started. They say
// whose a project is, so that the next start knows what a killed program left:
// where its process ran, the process and when that began, and a random number.
var ownProject = regexp.MustCompile(`^deliverybench-([0-9a-f]{8})-([0-9]+)-([0-9]+)-[0-9a-f]{8}$`)

// newProject is a name for a project of this process.
func newProject() string {
	pid := os.Getpid()
	random := make([]byte, 4)
	_, _ = rand.Read(random) // it never fails
	return fmt.Sprintf("deliverybench-%s-%d-%d-%x", here(), pid, beganTicks(pid), random)
}

// here tells apart the places in which a process id means different processes:
// hosts and, on Linux, process namespaces. One engine may serve several of them.
func here() string {
	host, _ := os.Hostname()
	namespace, _ := os.Readlink("/proc/self/ns/pid")
	sum := sha256.Sum256([]byte(host + " " + namespace))
	return hex.EncodeToString(sum[:4])
}

// abandoned reports whether the project is this program's and its process is
// gone. A process that cannot be judged from here counts as living.
func abandoned(project string) bool {
	words := ownProject.FindStringSubmatch(project)
	if words == nil || words[1] != here() {
		return false
	}
	pid, err := strconv.Atoi(words[2])
	if err != nil {
		return false
	}
	switch err := syscall.Kill(pid, 0); {
	case errors.Is(err, syscall.ESRCH):
		return true
	case err != nil:
		return false // another user's
	}
	return strconv.FormatUint(beganTicks(pid), 10) != words[3]
}

// projects are the names of all that have a container or a network.
func (e *engine) projects(ctx context.Context) (map[string]bool, error) {
	named := map[string]bool{}
	for _, list := range [][]string{{"ps", "--all"}, {"network", "ls"}} {
		said, err := e.docker(ctx, append(list, "--filter", "label="+projectLabel, "--format", `{{.Label "`+projectLabel+`"}}`)...)
		if err != nil {
			return nil, err
		}
		for _, name := range strings.Fields(said) {
			named[name] = true
		}
	}
	return named, nil
}

// removeAbandoned removes the projects of processes that were killed.
func (e *engine) removeAbandoned(ctx context.Context) error {
	named, err := e.projects(ctx)
	for project := range named {
		if abandoned(project) {
			err = errors.Join(err, e.remove(ctx, project))
		}
	}
	return err
}

// remove removes a project's containers, with what they stored, and its
// networks, and asks until there are none. It goes by the labels that every
// version of Compose gives: it needs neither the project's file nor a Compose
// that is in order, and nodes without a heir need no shutdown in good order.
func (e *engine) remove(ctx context.Context, project string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, removedWithin, fmt.Errorf("%s passed", removedWithin))
	defer cancel()
	filter := "label=" + projectLabel + "=" + project
	for {
		containers, err := e.docker(ctx, "ps", "--all", "--quiet", "--no-trunc", "--filter", filter)
		networks, unknown := e.docker(ctx, "network", "ls", "--quiet", "--no-trunc", "--filter", filter)
		err = errors.Join(err, unknown)
		if err == nil && containers == "" && networks == "" {
			return nil
		}
		if ids := strings.Fields(containers); len(ids) > 0 {
			_, refused := e.docker(ctx, append([]string{"rm", "--force", "--volumes"}, ids...)...)
			err = errors.Join(err, refused)
		}
		if ids := strings.Fields(networks); len(ids) > 0 {
			_, refused := e.docker(ctx, append([]string{"network", "rm"}, ids...)...)
			err = errors.Join(err, refused)
		}
		if err == nil {
			continue // look whether they are gone
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for project %s to be removed: %w", project, errors.Join(context.Cause(ctx), err))
		case <-time.After(100 * time.Millisecond): // somebody else may be removing it
		}
	}
}
