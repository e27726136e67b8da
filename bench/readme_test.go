package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the program prints of the reference results into README.md")

// printedBlock is what README shows of a command: the command in a comment, then what it prints.
var printedBlock = regexp.MustCompile("(?s)<!-- bench (report (results/reference/[^ ]+)) -->\n```\n(.*?)```\n")

func readme(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "README.md"))
	require.NoError(t, err)
	return string(source)
}

// README's numbers are those of the results that are kept beside it: every table in
// it that names one is what the program prints of that today.
func TestReadmePrintsTheReference(t *testing.T) {
	source := readme(t)
	blocks := printedBlock.FindAllStringSubmatch(source, -1)
	require.Len(t, blocks, 3, "semantics, acks-failover and capacity")
	for _, block := range blocks {
		if _, err := os.Stat(filepath.Join("..", block[2])); err != nil && *update {
			continue // scripts/reference.sh is making one after the other
		}
		now := printed(t, block[2])
		if *update {
			source = strings.Replace(source, block[0], strings.Replace(block[0], "```\n"+block[3]+"```", "```\n"+now+"```", 1), 1)
			continue
		}
		require.Equal(t, now, block[3], "README's table of %s: scripts/reference.sh, or go test ./bench -run TestReadmePrintsTheReference -update", block[2])
	}
	if *update {
		require.NoError(t, os.WriteFile(filepath.Join("..", "README.md"), []byte(source), 0o644))
	}
}

// printed is what bench report prints of a folder. It draws in a copy.
func printed(t *testing.T, folder string) string {
	t.Helper()
	p := newPlace(t)
	dir := filepath.Join(t.TempDir(), filepath.Base(folder))
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join("..", folder))))
	got := p.bench("report", dir)
	require.NotContains(t, []int{exitFailed, exitUsage}, got.code, got.stderr)
	text := strings.ReplaceAll(got.stdout, dir, folder)
	return text
}
