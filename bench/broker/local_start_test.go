package broker_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/broker"
	"deliverybench/bench/process"
)

// jars is the folder of real Kafka's jars. These tests do not do without.
func jars(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	libs := filepath.Join(root, ".cache", "kafka", broker.KafkaVersion, "libs")
	require.DirExists(t, libs, "run scripts/fetch-kafka.sh")
	return libs
}

// options are those of a local cluster that leaves nothing outside the test's folders.
func options(t *testing.T, nodes int) broker.LocalOptions {
	t.Helper()
	jars(t)
	getenv := func(name string) string {
		if name == "KAFKA_HOME" {
			return ""
		}
		return os.Getenv(name)
	}
	return broker.LocalOptions{Nodes: nodes, Getenv: getenv, Folder: ".", Scratch: []string{t.TempDir()}, Logs: t.TempDir()}
}

// environment is one with these variables alone, given as name and value in turn.
func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// fakeJava is the home of a Java that is a shell script.
func fakeJava(t *testing.T, script string) string {
	t.Helper()
	home := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(home, "bin"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(home, "bin", "java"), []byte("#!/bin/sh\n"+script), 0o700))
	return home
}

// java17 begins a script that is new enough.
const java17 = `case "$*" in *-version) echo 'openjdk version "17.0.15" 2025-04-15' >&2; exit 0;; esac` + "\n"

// fakeKafka is the folder of an unpacked Kafka with no more than a jar's name.
func fakeKafka(t *testing.T, jar string) string {
	t.Helper()
	home := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(home, "libs"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(home, "libs", jar), nil, 0o600))
	return home
}

// requireEmpty: nothing is left in the folder.
func requireEmpty(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestWhatALocalClusterNeeds(t *testing.T) {
	const remedy = ": install one (on Debian: apt-get install openjdk-17-jre-headless), or set JAVA_HOME to it"
	nothing, kafka := t.TempDir(), fakeKafka(t, "kafka_2.13-4.3.1.jar")
	old, ancient := fakeJava(t, `echo 'openjdk version "11.0.2" 2019-01-15' >&2`), fakeJava(t, `echo 'java version "1.8.0_462"' >&2`)
	odd, broken := fakeJava(t, `echo 'hello'`), fakeJava(t, `exit 1`)
	good, older := fakeJava(t, java17), fakeKafka(t, "kafka_2.13-3.9.1.jar")
	for name, c := range map[string]struct {
		env    func(string) string
		change func(*broker.LocalOptions)
		want   string
	}{
		"no Java on the PATH": {
			env:  environment("KAFKA_HOME", kafka, "PATH", nothing),
			want: "running Apache Kafka needs Java 17 or newer, and there is none on the PATH" + remedy,
		},
		"no Java at JAVA_HOME": {
			env:  environment("KAFKA_HOME", kafka, "JAVA_HOME", nothing, "PATH", filepath.Join(good, "bin")),
			want: "running Apache Kafka needs Java 17 or newer, and JAVA_HOME=" + nothing + " holds no bin/java that runs" + remedy,
		},
		"old Java": {
			env:  environment("KAFKA_HOME", kafka, "JAVA_HOME", old),
			want: "running Apache Kafka needs Java 17 or newer, and " + old + "/bin/java is Java 11" + remedy,
		},
		"ancient Java, second on the PATH": {
			env:  environment("KAFKA_HOME", kafka, "PATH", nothing+":"+filepath.Join(ancient, "bin")),
			want: "running Apache Kafka needs Java 17 or newer, and " + ancient + "/bin/java is Java 8" + remedy,
		},
		"Java that is none": {
			env:  environment("KAFKA_HOME", kafka, "JAVA_HOME", odd),
			want: "running Apache Kafka needs Java 17 or newer, and " + odd + `/bin/java does not tell its version (it says "hello")` + remedy,
		},
		"Java that fails": {
			env:  environment("KAFKA_HOME", kafka, "JAVA_HOME", broken),
			want: "running Apache Kafka needs Java 17 or newer, and " + broken + "/bin/java does not tell its version (exit status 1)" + remedy,
		},
		"no jars": {
			env:    environment("JAVA_HOME", good),
			change: func(o *broker.LocalOptions) { o.Folder = nothing },
			want:   "found no Apache Kafka in .cache/kafka/4.3.1 of " + nothing + " or a folder above it: run scripts/fetch-kafka.sh, or set KAFKA_HOME to the folder of an unpacked one",
		},
		"no jars at KAFKA_HOME": {
			env:  environment("JAVA_HOME", good, "KAFKA_HOME", nothing),
			want: "KAFKA_HOME=" + nothing + " holds no libs/kafka_*.jar: set it to the folder of an unpacked Apache Kafka, or unset it and run scripts/fetch-kafka.sh",
		},
		"old jars at KAFKA_HOME": {
			env:  environment("JAVA_HOME", good, "KAFKA_HOME", older),
			want: "found Apache Kafka 3.9.1 in " + older + "/libs: 4.0 or newer is needed",
		},
		"two nodes": {
			change: func(o *broker.LocalOptions) { o.Nodes = 2 },
			want:   "a local cluster has 1 or 3 nodes, not 2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := broker.LocalOptions{Nodes: 1, Getenv: c.env, Scratch: []string{t.TempDir()}, Logs: t.TempDir()}
			if c.change != nil {
				c.change(&o)
			}
			_, err := broker.StartLocal(t.Context(), spawner(t), o)
			require.EqualError(t, err, c.want)
			requireEmpty(t, o.Scratch[0])
		})
	}
}

func TestNoRoomForALocalCluster(t *testing.T) {
	o := options(t, 3)
	o.Room = 1 << 50
	_, err := broker.StartLocal(t.Context(), spawner(t), o)
	require.ErrorContains(t, err, "start Apache Kafka 4.3.1: brokers' data: no folder has room for 3221225472.0 MiB: "+o.Scratch[0]+" has ")
	require.ErrorContains(t, err, " MiB free: free some, or name another folder with -scratch")
	requireEmpty(t, o.Scratch[0])
}

// Jars that were fetched are those of the version that is looked for.
func TestTheVersionThatIsFetched(t *testing.T) {
	pom, err := os.ReadFile("../../scripts/kafka/pom.xml")
	require.NoError(t, err)
	require.Contains(t, string(pom), "<kafka.version>"+broker.KafkaVersion+"</kafka.version>")
}

// A process that fails is named, with what it said.
func TestLocalThatDoesNotStart(t *testing.T) {
	for name, c := range map[string]struct{ java, want string }{
		"storage": {
			java: java17 + "echo no disk; exit 3",
			want: "start Apache Kafka 4.0.1: format the storage of node 1: exit status 3; the last lines of its log:\nno disk",
		},
		"server": {
			java: java17 + `case "$*" in *StorageTool*) echo formatted;; *) echo no memory; exit 1;; esac`,
			want: "start Apache Kafka 4.0.1: node 1 ended (exit status 1); the last lines of its log:\nformatted\nno memory",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := broker.LocalOptions{
				Nodes: 1, Scratch: []string{t.TempDir()}, Logs: filepath.Join(t.TempDir(), "logs"),
				Getenv: environment("KAFKA_HOME", fakeKafka(t, "kafka_2.13-4.0.1.jar"), "JAVA_HOME", fakeJava(t, c.java)),
			}
			_, err := broker.StartLocal(t.Context(), spawner(t), o)
			require.EqualError(t, err, c.want)
			requireEmpty(t, o.Scratch[0])
			require.FileExists(t, filepath.Join(o.Logs, "node-1.log"))
		})
	}
}

// An interrupt ends the start, however far it is, and all that runs with it.
func TestAnInterruptEndsTheStart(t *testing.T) {
	for name, c := range map[string]struct{ class, want string }{
		"formatting": {"kafka.tools.StorageTool", "start Apache Kafka 4.3.1: waited for the storage of node 1 to be formatted: context canceled"},
		"serving":    {"kafka.Kafka", "start Apache Kafka 4.3.1: waited for the cluster to be whole, and it lacked an answer: context canceled; the last lines of the log of node 1:\nit says this"},
	} {
		t.Run(name, func(t *testing.T) {
			runs := filepath.Join(t.TempDir(), "runs")
			require.NoError(t, syscall.Mkfifo(runs, 0o600))
			// It says when it runs, and hangs.
			java := fakeJava(t, java17+fmt.Sprintf(`case "$*" in *%s*) echo it says this; echo $$ >%s; exec sleep 1000;; esac`, c.class, runs))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			pid := make(chan int, 1)
			go func() {
				text, _ := os.ReadFile(runs)
				id, _ := strconv.Atoi(strings.TrimSpace(string(text)))
				pid <- id
				cancel()
			}()
			o := broker.LocalOptions{
				Nodes: 1, Scratch: []string{t.TempDir()}, Logs: t.TempDir(),
				Getenv: environment("KAFKA_HOME", fakeKafka(t, "kafka_2.13-4.3.1.jar"), "JAVA_HOME", java),
			}
			_, err := broker.StartLocal(ctx, spawner(t), o)
			require.EqualError(t, err, c.want)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, syscall.Kill(<-pid, 0), syscall.ESRCH)
			requireEmpty(t, o.Scratch[0])
		})
	}
}

// taken is a port that somebody listens on.
func taken(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// Two tries, then an error that names the ports. (TestLocal has real Kafka fail
// once.)
func TestPortsThatAreTakenTwice(t *testing.T) {
	tries := 0
	o := broker.LocalOptions{
		Nodes: 1, Scratch: []string{t.TempDir()}, Logs: t.TempDir(),
		Getenv: environment("KAFKA_HOME", fakeKafka(t, "kafka_2.13-4.3.1.jar"),
			"JAVA_HOME", fakeJava(t, java17+`case "$*" in *kafka.Kafka*) echo Address already in use; exit 1;; esac`)),
	}.WithPorts(func(int) ([]int, error) {
		tries++
		return []int{10 * tries, 11 * tries}, nil
	})
	_, err := broker.StartLocal(t.Context(), spawner(t), o)
	require.EqualError(t, err, "start Apache Kafka 4.3.1: node 1 could not listen on 127.0.0.1:20 and 127.0.0.1:22: another program took one of them, try again; "+
		"node 1 ended (exit status 1); the last lines of its log:\nAddress already in use\nAddress already in use")
	require.Equal(t, 2, tries)
	requireEmpty(t, o.Scratch[0])
}

func TestChosenPortsDifferAndAreNotTheKernelsToGive(t *testing.T) {
	chosen, err := process.FreePorts(50)
	require.NoError(t, err)
	seen := map[int]bool{}
	for _, port := range chosen {
		require.False(t, seen[port], port)
		seen[port] = true
		require.Less(t, port, 32768)
		require.GreaterOrEqual(t, port, 10000)
	}
}

// The settings are read by Kafka in the other tests; here are those whose
// effect none of them sees.
func TestServerProperties(t *testing.T) {
	all := map[string]string{}
	for line := range strings.Lines(broker.ServerProperties("/where", 2, 3)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		require.NotContains(t, all, name)
		all[name] = value
	}
	for name, want := range map[string]string{
		"node.id":                              "2",
		"controller.quorum.voters":             "1@127.0.0.1:2,2@127.0.0.1:4,3@127.0.0.1:6",
		"listeners":                            "PLAINTEXT://127.0.0.1:3,CONTROLLER://127.0.0.1:4",
		"advertised.listeners":                 "PLAINTEXT://127.0.0.1:3",
		"log.dirs":                             "/where/data",
		"group.initial.rebalance.delay.ms":     "0",
		"group.min.session.timeout.ms":         "100",
		"group.consumer.heartbeat.interval.ms": "500",
		"auto.create.topics.enable":            "false",
		"auto.leader.rebalance.enable":         "false",
	} {
		require.Equal(t, want, all[name], name)
	}
	for _, name := range []string{"unclean.leader.election.enable", "broker.session.timeout.ms", "broker.heartbeat.interval.ms", "replica.lag.time.max.ms"} {
		require.NotContains(t, all, name, "recovery is measured as Kafka ships")
	}
}
