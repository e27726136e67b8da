package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/result"
)

var update = flag.Bool("update", false, "write what the reports are now into testdata")

// golden compares with testdata/name, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run go test -update ./bench/report once")
	require.Equal(t, string(want), string(got))
}

func tableOf(t testing.TB, run *result.Run, o Options) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Table(&b, run, o))
	return b.String()
}

func TestTable(t *testing.T) {
	for name, run := range fixtures() {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".txt", []byte(tableOf(t, run, Options{Heading: true})))
		})
	}
}
