package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Versions come from what the program was built with, which a test's binary
// does not know: the real one must.
func TestBuiltProgramKnowsItsVersions(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "bench")
	output, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(output))
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/confluentinc/confluent-kafka-go/v2").Output()
	require.NoError(t, err)
	version := strings.TrimSpace(string(module))
	said, err := exec.Command(program, "version").Output()
	require.NoError(t, err)
	// The binding links the librdkafka of its own version.
	require.Contains(t, string(said), "confluent-kafka-go "+version+" (librdkafka "+strings.TrimPrefix(version, "v")+")\n")
}
