package broker

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// service is what the tests look at in a compose file's service.
type service struct {
	Image       string
	Profiles    []string
	Ports       []string
	Environment map[string]string
	Restart     string
	Healthcheck struct{ Test []string }
}

// composeServices are those of a profile of the file at the repository's root.
func composeServices(t *testing.T, profile string) map[string]service {
	t.Helper()
	path, err := findComposeFile(".")
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var file struct{ Services map[string]service }
	require.NoError(t, yaml.Unmarshal(text, &file))
	maps.DeleteFunc(file.Services, func(_ string, s service) bool { return !slices.Contains(s.Profiles, profile) })
	return file.Services
}

// publishes matches what a node may publish: one port, on loopback, that the
// program can choose.
var publishes = regexp.MustCompile(`^127\.0\.0\.1:\$\{(DELIVERYBENCH_PORT_[1-3]):-([0-9]+)\}:9092$`)

func TestComposeFilePublishesOnLoopbackOnly(t *testing.T) {
	taken := map[string]string{}
	for _, profile := range composeProfiles {
		for name, s := range composeServices(t, profile) {
			require.Len(t, s.Profiles, 1, name)
			require.Len(t, s.Ports, 1, name)
			words := publishes.FindStringSubmatch(s.Ports[0])
			require.NotNil(t, words, "%s publishes %s", name, s.Ports[0])
			require.Equal(t, "DELIVERYBENCH_PORT_"+s.Environment["KAFKA_NODE_ID"], words[1], name)
			require.Empty(t, taken[words[2]], "both profiles can be up at once: %s", name)
			taken[words[2]] = name
			host := fmt.Sprintf("HOST://127.0.0.1:${%s:-%s}", words[1], words[2])
			require.Equal(t, host+",CLUSTER://"+name+":19092", s.Environment["KAFKA_ADVERTISED_LISTENERS"], name)
		}
	}
	require.Len(t, taken, 4)
}

// What a node of containers is told differs from what a local one is told only
// where it runs in another place, and between nodes only in who they are.
func TestComposeFileSaysWhatLocalClustersAreTold(t *testing.T) {
	for nodes, profile := range composeProfiles {
		t.Run(profile, func(t *testing.T) {
			want := map[string]string{}
			for line := range strings.Lines(serverProperties("", 1, make([]ports, nodes))) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
				want[name] = value
			}
			services := composeServices(t, profile)
			require.Len(t, services, nodes)
			var voters []string
			for name, s := range services {
				voters = append(voters, s.Environment["KAFKA_NODE_ID"]+"@"+name+":9093")
			}
			slices.Sort(voters)
			want["controller.quorum.voters"] = strings.Join(voters, ",")
			want["inter.broker.listener.name"] = "CLUSTER"
			want["listener.security.protocol.map"] = "HOST:PLAINTEXT,CLUSTER:PLAINTEXT,CONTROLLER:PLAINTEXT"
			want["listeners"] = "HOST://:9092,CLUSTER://:19092,CONTROLLER://:9093"
			want["log.dirs"] = "/tmp/kraft-combined-logs"
			want["heap.opts"] = fmt.Sprintf("-Xms%dm -Xmx%dm", heapMiB(nodes), heapMiB(nodes))
			clusters := map[string]bool{}
			for name, s := range services {
				want["node.id"] = s.Environment["KAFKA_NODE_ID"]
				want["advertised.listeners"] = s.Environment["KAFKA_ADVERTISED_LISTENERS"] // see above
				require.Equal(t, want, kafkaSettings(s), name)
				clusters[s.Environment["CLUSTER_ID"]] = true
				require.Equal(t, "no", s.Restart, name)
				require.NotEmpty(t, s.Healthcheck.Test, name)
				require.Equal(t, "apache/kafka:4.3.1", s.Image, name)
			}
			require.Len(t, clusters, 1)
		})
	}
}

// kafkaSettings are what the image makes of its environment.
func kafkaSettings(s service) map[string]string {
	settings := map[string]string{}
	for variable, value := range s.Environment {
		if name, is := strings.CutPrefix(variable, "KAFKA_"); is {
			settings[strings.ToLower(strings.ReplaceAll(name, "_", "."))] = value
		}
	}
	return settings
}

func TestComposeFileIsLookedForUpwardsAndNotMistaken(t *testing.T) {
	root := t.TempDir()
	below := filepath.Join(root, "one", "two")
	require.NoError(t, os.MkdirAll(below, 0o755))
	_, err := findComposeFile(below)
	require.EqualError(t, err, "there is no docker-compose.yml of deliverybench in "+below+" or above it: run in deliverybench's own folder")
	ours, foreign := filepath.Join(root, composeFile), filepath.Join(root, "one", composeFile)
	require.NoError(t, os.WriteFile(ours, []byte(`ports: ["127.0.0.1:${DELIVERYBENCH_PORT_1:-9092}:9092"]`), 0o600))
	require.NoError(t, os.WriteFile(foreign, []byte("services: {deliverybench: {image: mine}}"), 0o600))
	found, err := findComposeFile(below)
	require.NoError(t, err)
	require.Equal(t, ours, found)
}

func TestProjectsAreAbandonedWhenTheirProcessIsGone(t *testing.T) {
	ended := exec.Command("true")
	require.NoError(t, ended.Run())
	gone, me := ended.Process.Pid, os.Getpid()
	for project, want := range map[string]bool{
		newProject(): false,
		fmt.Sprintf("deliverybench-%s-%d-%d-00000000", here(), gone, beganTicks(me)):     true,
		fmt.Sprintf("deliverybench-%s-%d-%d-00000000", here(), me, beganTicks(me)+1):     true,  // another had its number
		fmt.Sprintf("deliverybench-%s-%d-%d-00000000", "0badcafe", gone, beganTicks(me)): false, // of another place
		fmt.Sprintf("deliverybench-%s-%d-%d", here(), gone, beganTicks(me)):              false,
		fmt.Sprintf("mine-deliverybench-%s-%d-%d-00000000", here(), gone, 1):             false,
		"deliverybench":   false, // that of docker-compose.yml, brought up by a user
		"deliverybench-1": false,
		"":                false,
	} {
		require.Equal(t, want, abandoned(project), project)
	}
}
