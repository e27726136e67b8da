package broker_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/profile"
)

// composeImage is that of docker-compose.yml.
const composeImage = "apache/kafka:4.3.1"

// needEngine skips a test where no engine answers, as in continuous
// integration, or has no image that it would have to download.
func needEngine(t *testing.T) {
	t.Helper()
	for _, question := range [][]string{{"version", "--format", "{{.Server.Version}}"}, {"image", "inspect", "--format", "{{.Id}}", composeImage}} {
		if said, err := exec.Command("docker", question...).CombinedOutput(); err != nil {
			t.Skipf("needs Docker with the image %s, and docker %s says: %s", composeImage, question[0], bytes.TrimSpace(said))
		}
	}
}

func docker(t *testing.T, words ...string) string {
	t.Helper()
	said, err := exec.Command("docker", words...).CombinedOutput()
	require.NoError(t, err, string(said))
	return strings.TrimSpace(string(said))
}

// inProject lists what the engine has of a project.
func inProject(t *testing.T, project string) string {
	t.Helper()
	filter := "label=com.docker.compose.project=" + project
	return docker(t, "ps", "-aq", "--filter", filter) + docker(t, "network", "ls", "-q", "--filter", filter)
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Minute, errors.New("the test's patience"))
	t.Cleanup(cancel)
	return ctx
}

func TestComposeOneNode(t *testing.T) {
	needEngine(t)
	logs := t.TempDir()
	b, err := broker.StartCompose(bounded(t), spawner(t), broker.ComposeOptions{Nodes: 1, Folder: ".", Logs: logs})
	require.NoError(t, err)
	t.Cleanup(b.Close)
	require.NoError(t, b.Failed())
	d := b.Describe()
	require.Equal(t, []any{"compose", "Apache Kafka 4.3.1 (docker)", 1, true}, []any{d.Kind, d.Version, d.Nodes, d.SharesHost})
	require.Positive(t, b.CPUSeconds())
	require.Len(t, b.Nodes(), 1)
	node := b.Nodes()[0]
	require.EqualValues(t, 1, node.ID())
	require.ErrorContains(t, node.Start(bounded(t)), "start node 1: it runs")
	admin, err := client.NewAdmin(b.Endpoint())
	require.NoError(t, err)
	defer admin.Close()
	require.NoError(t, admin.CreateTopic(bounded(t), "deliverybench-kept", profile.Topic{Partitions: 2, Replication: 1, MinInsyncReplicas: 1}))

	t.Run("freezes and thaws", func(t *testing.T) {
		require.NoError(t, node.Thaw(), "of one that is not frozen: nothing")
		require.NoError(t, node.Freeze())
		require.NoError(t, node.Freeze())
		require.True(t, node.Running())
		_, err := admin.Nodes(time.Second)
		require.Error(t, err)
		before := b.CPUSeconds()
		_, err = admin.Nodes(time.Second)
		require.Error(t, err)
		require.Equal(t, before, b.CPUSeconds(), "it computed while it was frozen")
		require.NoError(t, node.Thaw())
		_, err = admin.Nodes(within)
		require.NoError(t, err)
		require.NoError(t, b.Failed())
	})
	for how, end := range map[string]func(context.Context) error{"killed": node.Kill, "stopped": node.Stop} {
		t.Run("comes back after it was "+how, func(t *testing.T) {
			before := b.CPUSeconds()
			require.NoError(t, end(bounded(t)))
			require.False(t, node.Running())
			require.GreaterOrEqual(t, b.CPUSeconds(), before)
			require.NoError(t, end(bounded(t)), "what is gone is not ended")
			require.NoError(t, node.Freeze(), "nor frozen")
			require.NoError(t, b.Failed(), "it was struck")
			require.NoError(t, broker.Restore(bounded(t), b))
			require.True(t, node.Running())
			offsets, err := admin.EndOffsets(bounded(t), "deliverybench-kept", 2, profile.ReadUncommitted)
			require.NoError(t, err)
			require.Len(t, offsets, 2, "topics are kept")
		})
	}
	t.Run("is killed while frozen", func(t *testing.T) {
		require.NoError(t, node.Freeze())
		require.NoError(t, node.Kill(bounded(t)))
		require.NoError(t, broker.Restore(bounded(t), b))
	})
	t.Run("is missed when nobody struck it", func(t *testing.T) {
		docker(t, "kill", docker(t, "ps", "-q", "--filter", "label=com.docker.compose.project="+b.Project()))
		require.Regexp(t, `^node 1 ended \(exit status 137\) though no fault struck it; the last lines of its log:\n\[20`, composeFailed(t, b).Error())
		require.False(t, node.Running())
	})
	t.Run("leaves its log and nothing else", func(t *testing.T) { requireNothingLeft(t, b, logs) })
}

// requireNothingLeft closes the broker: of its project nothing is left but the logs.
func requireNothingLeft(t *testing.T, b *broker.Compose, logs string) {
	t.Helper()
	container := docker(t, "ps", "-aq", "--filter", "label=com.docker.compose.project="+b.Project())
	volumes := docker(t, "inspect", "--format", "{{range .Mounts}}{{println .Name}}{{end}}", container)
	b.Close()
	require.Empty(t, inProject(t, b.Project()))
	left := strings.Fields(docker(t, "volume", "ls", "-q"))
	for _, volume := range strings.Fields(volumes) {
		require.NotContains(t, left, volume)
	}
	log, err := os.ReadFile(filepath.Join(logs, "node-1.log"))
	require.NoError(t, err)
	require.Equal(t, 4, strings.Count(string(log), "Kafka Server started"), "once for each start")
	require.FileExists(t, filepath.Join(logs, "compose.log"))
	b.Close() // again: nothing
}

// composeFailed waits until the broker says that a node is gone.
func composeFailed(t *testing.T, b *broker.Compose) error {
	t.Helper()
	for ctx := bounded(t); ctx.Err() == nil; {
		if err := b.Failed(); err != nil {
			return err
		}
	}
	require.FailNow(t, "waited for the node to be missed")
	return nil
}

func TestComposeThreeNodes(t *testing.T) {
	needEngine(t)
	b, err := startCompose(bounded(t), t, 3)
	require.NoError(t, err)
	require.Equal(t, "compose3", b.Describe().Kind)
	require.Equal(t, 3, b.Describe().Nodes)
	admin, err := client.NewAdmin(b.Endpoint())
	require.NoError(t, err)
	defer admin.Close()
	require.NoError(t, admin.CreateTopic(bounded(t), "deliverybench-led", profile.Topic{Partitions: 1, Replication: 3, MinInsyncReplicas: 2}))
	view, err := broker.NewView(b.Endpoint())
	require.NoError(t, err)
	defer view.Close()
	seat := broker.Seat{Topic: "deliverybench-led"}
	before, err := view.Leadership(bounded(t), seat)
	require.NoError(t, err)
	require.Len(t, before.InSync, 3)

	leader := b.Nodes()[before.Leader-1]
	require.Equal(t, before.Leader, leader.ID())
	require.NoError(t, leader.Kill(bounded(t)))
	ctx := bounded(t)
	after, err := view.Leadership(ctx, seat)
	for ; err != nil || after.Leader == before.Leader || after.Leader < 0; after, err = view.Leadership(ctx, seat) {
		require.NoError(t, ctx.Err(), "waited for another leader: %v", err)
	}
	require.Greater(t, after.Epoch, before.Epoch)
	require.NoError(t, b.Failed())
	require.NoError(t, broker.Restore(bounded(t), b))
	whole, err := view.Leadership(bounded(t), seat)
	require.NoError(t, err)
	require.Len(t, whole.InSync, 3)

	require.NoError(t, leader.Freeze())
	b.Close()
	require.Empty(t, inProject(t, b.Project()), "a frozen node is removed too")
	require.NoError(t, b.Failed(), "it was closed")
}

// ownerOf makes the test's binary the program that starts a broker and is killed.
const ownerOf = "COMPOSE_OWNER_LOGS"

// TestComposeOwner is that program; by itself it does nothing.
func TestComposeOwner(t *testing.T) {
	logs := os.Getenv(ownerOf)
	if logs == "" {
		return
	}
	b, err := broker.StartCompose(bounded(t), spawner(t), broker.ComposeOptions{Nodes: 1, Folder: ".", Logs: logs})
	require.NoError(t, err)
	fmt.Printf("\nproject %s\n", b.Project())
	select {}
}

func TestComposeLeftoversOfAKilledProgramAreRemovedByTheNext(t *testing.T) {
	needEngine(t)
	// A user's own project, and one of a program that runs, are not touched.
	theirs := []string{"deliverybench", "deliverybench-mine"}
	for _, project := range theirs {
		network := docker(t, "network", "create", "--label", "com.docker.compose.project="+project, project+"_default")
		t.Cleanup(func() { docker(t, "network", "rm", network) })
	}
	owner := exec.Command(os.Args[0], "-test.run=^TestComposeOwner$")
	owner.Env = append(owner.Environ(), ownerOf+"="+t.TempDir())
	out, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	var project string
	for lines := bufio.NewScanner(out); project == "" && lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "project %s", &project)
	}
	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	require.NotEmpty(t, inProject(t, project))

	b, err := startCompose(bounded(t), t, 1)
	require.NoError(t, err)
	require.Empty(t, inProject(t, project))
	for _, project := range append(theirs, b.Project()) {
		require.NotEmpty(t, inProject(t, project), project)
	}
}
