package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// KafkaVersion is the release that scripts/fetch-kafka.sh fetches.
const KafkaVersion = "4.3.1"

// oldestKafka is the first that was made for KRaft alone, by its major version.
const oldestKafka = "4"

// oldestJava is the oldest that runs a broker of Kafka 4.
const oldestJava = 17

// javaWithin bounds the wait for a Java to tell its version.
const javaWithin = 20 * time.Second

// kafka is an installation that can be run.
type kafka struct {
	java    string // the executable
	libs    string // the folder with Kafka's jars and what they need
	version string
}

// findKafka finds Java and the jars of Kafka, or says what to do about it.
// Kafka is what KAFKA_HOME names, else what scripts/fetch-kafka.sh left in the
// folder or in one above it.
func findKafka(ctx context.Context, getenv func(string) string, folder string) (kafka, error) {
	libs, version, err := findJars(getenv, folder)
	if err != nil {
		return kafka{}, err
	}
	if major, _, _ := strings.Cut(version, "."); len(major) == 1 && major < oldestKafka {
		return kafka{}, fmt.Errorf("found Apache Kafka %s in %s: %s.0 or newer is needed", version, libs, oldestKafka)
	}
	java, err := findJava(ctx, getenv)
	if err != nil {
		return kafka{}, err
	}
	return kafka{java: java, libs: libs, version: version}, nil
}

func findJars(getenv func(string) string, folder string) (libs, version string, err error) {
	if home := getenv("KAFKA_HOME"); home != "" {
		libs := filepath.Join(home, "libs")
		if version := kafkaIn(libs); version != "" {
			return libs, version, nil
		}
		return "", "", fmt.Errorf("KAFKA_HOME=%s holds no libs/kafka_*.jar: set it to the folder of an unpacked Apache Kafka, or unset it and run scripts/fetch-kafka.sh", home)
	}
	folder, err = filepath.Abs(folder)
	if err != nil {
		return "", "", err
	}
	for at := folder; ; at = filepath.Dir(at) {
		libs := filepath.Join(at, ".cache", "kafka", KafkaVersion, "libs")
		if version := kafkaIn(libs); version != "" {
			return libs, version, nil
		}
		if at == filepath.Dir(at) {
			return "", "", fmt.Errorf("found no Apache Kafka in .cache/kafka/%s of %s or a folder above it: run scripts/fetch-kafka.sh, or set KAFKA_HOME to the folder of an unpacked one", KafkaVersion, folder)
		}
	}
}

// kafkaJar is the broker's own, named by the versions of Scala and of Kafka.
var kafkaJar = regexp.MustCompile(`^kafka_[0-9.]+-([0-9][0-9A-Za-z.-]*)\.jar$`)

// kafkaIn returns the version of the Kafka whose jars are in the folder, "" for none.
func kafkaIn(libs string) string {
	entries, _ := os.ReadDir(libs)
	for _, entry := range entries {
		if found := kafkaJar.FindStringSubmatch(entry.Name()); found != nil {
			return found[1]
		}
	}
	return ""
}

func findJava(ctx context.Context, getenv func(string) string) (string, error) {
	const remedy = "install one (on Debian: apt-get install openjdk-17-jre-headless), or set JAVA_HOME to it"
	java, err := lookUpJava(getenv)
	if err != nil {
		return "", fmt.Errorf("running Apache Kafka needs Java %d or newer, and %w: %s", oldestJava, err, remedy)
	}
	version, err := javaVersion(ctx, java)
	if err != nil {
		return "", fmt.Errorf("running Apache Kafka needs Java %d or newer, and %s does not tell its version (%w): %s", oldestJava, java, err, remedy)
	}
	if version < oldestJava {
		return "", fmt.Errorf("running Apache Kafka needs Java %d or newer, and %s is Java %d: %s", oldestJava, java, version, remedy)
	}
	return java, nil
}

func lookUpJava(getenv func(string) string) (string, error) {
	if home := getenv("JAVA_HOME"); home != "" {
		java, err := exec.LookPath(filepath.Join(home, "bin", "java"))
		if err != nil {
			return "", fmt.Errorf("JAVA_HOME=%s holds no bin/java that runs", home)
		}
		return java, nil
	}
	for _, folder := range filepath.SplitList(getenv("PATH")) {
		if java, err := exec.LookPath(filepath.Join(folder, "java")); err == nil {
			return java, nil
		}
	}
	return "", errors.New("there is none on the PATH")
}

// javaRelease finds the feature release in what "java -version" says: 17 in
// "17.0.15", 8 in "1.8.0_462".
var javaRelease = regexp.MustCompile(`version "(?:1\.)?([0-9]+)`)

func javaVersion(ctx context.Context, java string) (int, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, javaWithin, fmt.Errorf("waited %s for it", javaWithin))
	defer cancel()
	said, err := exec.CommandContext(ctx, java, leavesNoTrace, "-version").CombinedOutput()
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if err != nil {
		return 0, err
	}
	found := javaRelease.FindSubmatch(said)
	if found == nil {
		first, _, _ := strings.Cut(string(said), "\n")
		return 0, fmt.Errorf("it says %q", first)
	}
	return strconv.Atoi(string(found[1]))
}

// serverFlags are those of Kafka's own start script.
var serverFlags = [...]string{
	"-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
	"-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true",
}

// server is the command that runs the node in the folder as a broker.
func (k kafka) server(folder string, heapMiB int) *exec.Cmd {
	args := append(serverFlags[:len(serverFlags):len(serverFlags)],
		fmt.Sprintf("-Xms%dm", heapMiB), fmt.Sprintf("-Xmx%dm", heapMiB))
	return k.command(folder, args, "kafka.Kafka", propertiesIn(folder))
}

// format is the command that makes the storage of the node in the folder.
func (k kafka) format(folder, clusterID string, users []string) *exec.Cmd {
	// It lives for a second, in which compiling well does not pay.
	flags := []string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}
	args := []string{"format", "--cluster-id", clusterID, "--config", propertiesIn(folder)}
	return k.command(folder, flags, "kafka.tools.StorageTool", append(args, users...)...)
}

// leavesNoTrace keeps a Java from telling others of itself in /tmp/hsperfdata_*.
const leavesNoTrace = "-XX:-UsePerfData"

// command runs a class of Kafka. Whatever it writes besides its log lies in the
// folder and goes with it, also after a SIGKILL: native libraries that it unpacks.
func (k kafka) command(folder string, flags []string, class string, args ...string) *exec.Cmd {
	all := append(flags,
		leavesNoTrace, "-Djava.io.tmpdir="+folder, "-Dlog4j2.configurationFile="+loggingIn(folder),
		"-cp", filepath.Join(k.libs, "*"), class)
	command := exec.Command(k.java, append(all, args...)...)
	command.Dir = folder
	return command
}
