package chart

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	update   = flag.Bool("update", false, "rewrite the golden files")
	pictures = flag.String("pictures", "", "a folder to leave every picture in, to look at")
)

func TestPictures(t *testing.T) {
	sizes := []string{"64B", "256B", "512B", "1KiB", "4KiB", "16KiB", "64KiB", "256KiB"}
	for name, size := range map[string]struct {
		arms    []arm
		sizes   []string
		repeats int
	}{
		"2-arms":   {arms()[1:], nil, 6},
		"3-arms":   {arms(), nil, 3},
		"24-cells": {arms(), sizes, 6},
	} {
		t.Run(name, func(t *testing.T) {
			dir, run := fixture(t, size.arms, size.sizes, size.repeats)
			names, err := Draw(dir, run)
			require.NoError(t, err)
			for _, file := range names {
				data, err := os.ReadFile(filepath.Join(dir, file))
				require.NoError(t, err)
				if *pictures != "" && filepath.Ext(file) == ".png" {
					require.NoError(t, os.WriteFile(filepath.Join(*pictures, name+"-"+filepath.Base(file)), data, 0o644))
				}
			}
		})
	}
}
