package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// engineCallWithin bounds one call of docker. Bringing nodes up has a bound of
// its own: it may download the image.
const engineCallWithin = 30 * time.Second

// engine is Docker, called by its command.
type engine struct {
	compose []string // the command of Compose: docker's plugin, or one of its own
}

// findEngine looks for a Docker that answers, and its Compose.
func findEngine(ctx context.Context) (*engine, error) {
	if _, err := exec.LookPath("docker"); err != nil {
		return nil, errors.New("there is no docker on the PATH: install Docker, or use -broker local")
	}
	e := &engine{}
	version := ""
	for _, command := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		said, err := call(ctx, slices.Concat(command, []string{"version", "--short"})...)
		if err == nil {
			e.compose, version = command, strings.TrimSpace(said)
			break
		}
	}
	if e.compose == nil {
		return nil, errors.New("docker has no Compose: install its plugin docker-compose-plugin, or docker-compose 1.28 or newer")
	}
	var minor int
	if n, _ := fmt.Sscanf(version, "1.%d", &minor); n == 1 && minor < 28 {
		return nil, fmt.Errorf("docker-compose %s knows no profiles: install 1.28 or newer, or the plugin docker-compose-plugin", version)
	}
	if _, err := e.docker(ctx, "version", "--format", "{{.Server.Version}}"); err != nil {
		return nil, err
	}
	return e, nil
}

// docker runs a docker command and returns what it says.
func (e *engine) docker(ctx context.Context, args ...string) (string, error) {
	return call(ctx, append([]string{"docker"}, args...)...)
}

// call runs a command of the engine within engineCallWithin. Its error holds
// the line in which the engine says why, and what to do about it.
func call(ctx context.Context, words ...string) (string, error) {
	name := strings.Join(words[:min(2, len(words))], " ")
	within, cancel := context.WithTimeoutCause(ctx, engineCallWithin, fmt.Errorf("waited %s for %s to end", engineCallWithin, name))
	defer cancel()
	command := exec.CommandContext(within, words[0], words[1:]...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is this program's
	command.WaitDelay = time.Second                           // for children that hold its outputs
	var out, failing bytes.Buffer
	command.Stdout, command.Stderr = &out, &failing
	if err := command.Run(); err != nil {
		if within.Err() != nil {
			return "", context.Cause(within)
		}
		return "", complaint(name, failing.String(), err)
	}
	return out.String(), nil
}

// container is what an engine tells of one, by `docker inspect`.
type container struct {
	ID     string
	Config struct {
		Env   []string
		Image string
	}
	State struct {
		Running   bool
		OOMKilled bool
		Pid       int
		ExitCode  int
		StartedAt string
	}
}

// inspect asks the engine about containers.
func (e *engine) inspect(ctx context.Context, ids ...string) ([]container, error) {
	said, err := e.docker(ctx, append([]string{"inspect", "--type", "container"}, ids...)...)
	if err != nil {
		return nil, err
	}
	var found []container
	if err := json.Unmarshal([]byte(said), &found); err != nil {
		return nil, fmt.Errorf("docker inspect: %w", err)
	}
	return found, nil
}

// remedies are what to do about what engines say, in small letters.
var remedies = []struct {
	does string
	says []string
}{
	{"start Docker, or use -broker local", []string{
		"cannot connect to the docker daemon", "couldn't connect to docker daemon", "error during connect"}},
	{"let this user use Docker (its group is docker), or use -broker local", []string{
		"permission denied while trying to connect", "permission denied trying to connect", "permissionerror"}},
	{"try again, other ports are chosen then", []string{
		"port is already allocated", "address already in use", "ports are not available", "failed to bind host port"}},
	{"the image cannot be downloaded: check the network, or load it with docker load", []string{
		"pull access denied", "manifest unknown", "manifest for", "no such host", "toomanyrequests", "i/o timeout",
		"tls handshake timeout", "network is unreachable", "connection refused", "failed to resolve reference", "failed to do request"}},
	{"free some: docker system prune", []string{"no space left on device"}},
	{"remove what is not used: docker network prune", []string{"address pool"}},
}

// complaint is the error of a command that ended with err. Of what it said it
// tells the last line that has a remedy, else the last one.
func complaint(name, said string, err error) error {
	lines := strings.FieldsFunc(said, func(r rune) bool { return r == '\n' || r == '\r' })
	last := ""
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if last == "" {
			last = line
		}
		small := strings.ToLower(line)
		for _, r := range remedies {
			for _, words := range r.says {
				if strings.Contains(small, words) {
					return fmt.Errorf("%s: %s: %s", name, line, r.does)
				}
			}
		}
	}
	if last == "" {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s: %s", name, last)
}
