package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkDraw48 draws a run of 48 cells in three scenarios with five repeats.
func BenchmarkDraw48(b *testing.B) {
	dir, run := wide(b)
	for b.Loop() {
		_, err := Draw(dir, run)
		require.NoError(b, err)
	}
}

// A page with all charts of the largest usual run stays under 5 MB, of which
// its tables and trials need some: the light drawings, which it holds, under 1.5 MB.
func TestDrawingsOfManyCellsAreSmall(t *testing.T) {
	dir, run := wide(t)
	names, err := Draw(dir, run)
	require.NoError(t, err)
	var total int64
	drawings := 0
	for _, name := range names {
		if strings.HasSuffix(name, ".svg") && !strings.HasSuffix(name, darkSuffix+".svg") {
			info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
			require.NoError(t, err)
			total += info.Size()
			drawings++
		}
	}
	t.Logf("%d drawings of %d bytes", drawings, total)
	require.Less(t, total, int64(1_500_000))
	require.LessOrEqual(t, drawings, 24)
}
