package broker_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/broker"
	"deliverybench/bench/client"
	"deliverybench/bench/process"
)

// behaviour names the variable that makes the child begin as a broken broker
// may: mute says nothing, garbled something that is no address, failing ends.
const behaviour = "EMBEDDED_BROKER_TEST"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == broker.EmbeddedVerb {
		os.Exit(serve())
	}
	if len(os.Args) == 4 && os.Args[1] == localOwner {
		os.Exit(ownLocal(os.Args[2], os.Args[3]))
	}
	// A race detector's process sleeps for a second when it ends; there are many.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

func serve() int {
	switch os.Getenv(behaviour) {
	case "mute":
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "garbled":
		_, _ = os.Stdout.WriteString("hello\n")
	case "failing":
		_, _ = os.Stderr.WriteString("no port is free\n")
		return 1
	default:
		if err := broker.ServeEmbedded(os.Stdin, os.Stdout, os.Stderr); err != nil {
			return 1
		}
	}
	return 0
}

// within bounds a wait that should be over at once on any machine.
const within = 30 * time.Second

func spawner(t *testing.T) *process.Spawner {
	self, err := os.Executable()
	require.NoError(t, err)
	s := process.NewSpawner(self)
	t.Cleanup(s.Close)
	return s
}

func start(t *testing.T) (b *broker.Embedded, logPath string) {
	t.Helper()
	logPath = filepath.Join(t.TempDir(), "broker.log")
	b, err := broker.StartEmbedded(t.Context(), spawner(t), logPath)
	require.NoError(t, err)
	t.Cleanup(b.Close)
	return b, logPath
}

// failed waits until the broker says that it is gone.
func failed(t *testing.T, b broker.Broker) error {
	t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		if err := b.Failed(); err != nil {
			return err
		}
	}
	require.FailNow(t, "waited "+within.String()+" for the broker to be noticed as gone")
	return nil
}

func TestEmbeddedAnswersAndEnds(t *testing.T) {
	b, logPath := start(t)
	require.NoError(t, b.Failed())
	require.Equal(t, "embedded", b.Describe().Kind)
	require.True(t, strings.HasPrefix(b.Describe().Version, "kfake"), b.Describe().Version)
	admin, err := client.NewAdmin(b.Endpoint())
	require.NoError(t, err)
	defer admin.Close()
	nodes, err := admin.Nodes(within)
	require.NoError(t, err)
	require.Equal(t, b.Describe().Nodes, nodes)
	b.Close()
	require.ErrorIs(t, syscall.Kill(b.PID(), 0), syscall.ESRCH)
	log, err := os.ReadFile(logPath)
	require.NoError(t, err)
	require.Contains(t, string(log), "serves on "+b.Endpoint().Bootstrap)
	require.Contains(t, string(log), "ends with its input")
	require.NoError(t, b.Nodes()[0].Freeze(), "nothing is left to be frozen")
	b.Close() // again: nothing
}

func TestEmbeddedFreezesAndThaws(t *testing.T) {
	b, _ := start(t)
	admin, err := client.NewAdmin(b.Endpoint())
	require.NoError(t, err)
	defer admin.Close()
	require.NoError(t, b.Nodes()[0].Freeze())
	// The signal reaches the process a moment after the call.
	for deadline := time.Now().Add(within); err == nil; _, err = admin.Nodes(10 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "waited %s for a frozen broker not to answer", within)
	}
	require.NoError(t, b.Failed(), "a frozen broker is not gone")
	require.NoError(t, b.Nodes()[0].Thaw())
	_, err = admin.Nodes(within)
	require.NoError(t, err)
	require.NoError(t, b.Nodes()[0].Freeze())
	b.Close()
	require.ErrorIs(t, syscall.Kill(b.PID(), 0), syscall.ESRCH, "a frozen broker ends too")
}

func TestKilledEmbeddedIsNamedWithItsLog(t *testing.T) {
	b, _ := start(t)
	require.NoError(t, syscall.Kill(b.PID(), syscall.SIGKILL))
	err := failed(t, b)
	require.ErrorContains(t, err, "the embedded broker ended (signal: killed); the last lines of its log:\n")
	require.ErrorContains(t, err, "serves on "+b.Endpoint().Bootstrap)
	require.Zero(t, b.CPUSeconds())
}

func TestEmbeddedThatDoesNotStart(t *testing.T) {
	for how, want := range map[string]string{
		"failing": "the embedded broker ended before it was ready (exit status 1); the last lines of its log:\nno port is free",
		"garbled": `the embedded broker said "hello" instead of its address; its log is empty`,
	} {
		t.Run(how, func(t *testing.T) {
			t.Setenv(behaviour, how)
			_, err := broker.StartEmbedded(t.Context(), spawner(t), filepath.Join(t.TempDir(), "log"))
			require.EqualError(t, err, want)
		})
	}
}

func TestAnInterruptEndsTheWaitForTheBroker(t *testing.T) {
	t.Setenv(behaviour, "mute")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	_, err := broker.StartEmbedded(ctx, spawner(t), filepath.Join(t.TempDir(), "log"))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "for the embedded broker to open its port")
}
