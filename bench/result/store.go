package result

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Names of the files and folders of a run.
const (
	RunFile             = "run.json"
	ProfileFile         = "profile.yaml"
	ResolvedProfileFile = "profile.resolved.yaml"
	CellsFile           = "cells.csv"
	TrialsFile          = "trials.csv"
	BenchFile           = "bench.txt"
	PageFile            = "report.html"
	HistogramsFolder    = "histograms"
	ChartsFolder        = "charts"
)

// runIDTime is how a run's start appears in its ID, in UTC.
const runIDTime = "20060102T150405Z"

// mostClashes bounds the search for a free folder name.
const mostClashes = 100

// Store is the folder of one run. It is not safe for concurrent use.
type Store struct {
	dir string
}

// Create makes a new folder for the run below outDir, which it creates when it
// is missing, and saves the run there. It fills in what every run.json states:
// Schema, Units, and the ID, made of Run.Profile and Run.Started. Two runs of
// one second get different folders: the second is called "…-2".
func Create(outDir string, run *Run) (*Store, error) {
	id, err := MakeFolder(outDir, run.Run.Profile, run.Run.Started)
	if err != nil {
		return nil, err
	}
	run.Run.ID = id
	return fill(filepath.Join(outDir, id), run)
}

// CreateIn is Create in this folder, which it makes when it is missing: the
// run's ID is the folder's name and its parent's.
func CreateIn(dir string, run *Run) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot create the results folder %s (%w): name one that can be written with -out", dir, reason(err))
	}
	run.Run.ID = filepath.Base(filepath.Dir(dir)) + "/" + filepath.Base(dir)
	return fill(dir, run)
}

// fill makes what every run's folder has and saves the run there.
func fill(dir string, run *Run) (*Store, error) {
	run.Schema, run.Units = Schema, Units()
	s := &Store{dir: dir}
	for _, folder := range []string{HistogramsFolder, ChartsFolder} {
		if err := os.MkdirAll(s.Path(folder), 0o755); err != nil {
			return nil, writeError(s.Path(folder), err)
		}
	}
	if err := s.Save(run); err != nil {
		return nil, err
	}
	return s, nil
}

// Open loads the run of an existing folder, to go on with it.
func Open(dir string) (*Store, *Run, error) {
	run, err := Load(dir)
	if err != nil {
		return nil, nil, err
	}
	s := &Store{dir: dir}
	for _, folder := range []string{HistogramsFolder, ChartsFolder} {
		if err := os.MkdirAll(s.Path(folder), 0o755); err != nil {
			return nil, nil, writeError(s.Path(folder), err)
		}
	}
	return s, run, nil
}

// Dir is the run's folder.
func (s *Store) Dir() string { return s.dir }

// Path is the path of a file of the run, given by its slash-separated name in the folder.
func (s *Store) Path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// Save writes run.json and then the tables made from it. Each file is replaced
// whole or, when an error is returned, left as it was.
func (s *Store) Save(run *Run) error {
	if err := s.WriteFile(RunFile, func(w io.Writer) error { return Encode(w, run) }); err != nil {
		return err
	}
	if err := s.WriteFile(TrialsFile, func(w io.Writer) error { return WriteTrialsCSV(w, run) }); err != nil {
		return err
	}
	if err := s.WriteFile(CellsFile, func(w io.Writer) error { return WriteCellsCSV(w, run) }); err != nil {
		return err
	}
	return s.WriteFile(BenchFile, func(w io.Writer) error { return WriteBench(w, run) })
}

// SaveTrial puts the trial into its cell, in place of one with the same ID,
// and saves the run. It fails when the run has no such cell.
func (s *Store) SaveTrial(run *Run, cell string, trial Trial) error {
	if err := run.Put(cell, trial); err != nil {
		return err
	}
	return s.Save(run)
}

// SaveProfile writes the profile as given and as resolved.
func (s *Store) SaveProfile(given, resolved []byte) error {
	if err := s.WriteFile(ProfileFile, write(given)); err != nil {
		return err
	}
	return s.WriteFile(ResolvedProfileFile, write(resolved))
}

// SaveHistogramLog writes a trial's interval log, every role in one file.
func (s *Store) SaveHistogramLog(trial string, fill func(io.Writer) error) error {
	return s.WriteFile(HistogramLogFile(trial), fill)
}

// SavePercentiles writes the percentile file of one role of a trial.
func (s *Store) SavePercentiles(trial, role string, fill func(io.Writer) error) error {
	return s.WriteFile(PercentilesFile(trial, role), fill)
}

// HistogramLogFile is the name of a trial's interval log in a run's folder.
func HistogramLogFile(trial string) string {
	return HistogramsFolder + "/" + FileName(trial) + ".hlog"
}

// PercentilesFile is the name of the percentile file of one role of a trial.
func PercentilesFile(trial, role string) string {
	return HistogramsFolder + "/" + FileName(trial) + "." + FileName(role) + ".hgrm"
}

// Put adds the trial to the named cell, in place of one with the same ID.
func (r *Run) Put(cell string, trial Trial) error {
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Name != cell {
			continue
		}
		for j := range c.Trials {
			if c.Trials[j].ID == trial.ID {
				c.Trials[j] = trial
				return nil
			}
		}
		c.Trials = append(c.Trials, trial)
		return nil
	}
	return fmt.Errorf("the run has no cell %q to put trial %q into", cell, trial.ID)
}

// WriteFile replaces a file of the run, given by its slash-separated name in
// the folder, with what fill writes; see the function of the same name.
func (s *Store) WriteFile(name string, fill func(io.Writer) error) error {
	return WriteFile(s.Path(name), fill)
}

// WriteFile replaces the file at path with what fill writes. The bytes reach
// the disk under another name first, and the name is changed last: a reader, or
// a run that continues after a crash, finds the old file or the new one, never
// half of either.
func WriteFile(path string, fill func(io.Writer) error) error {
	// One fixed name per file: what a killed process left is overwritten by the next save.
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".partial")
	err := writeSynced(temp, fill)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
		return writeError(path, err)
	}
	return syncFolder(filepath.Dir(path))
}

func writeSynced(path string, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	err = fill(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncFolder makes a changed name survive a crash of the machine.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return writeError(dir, err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // some file systems cannot sync a folder
		return writeError(dir, err)
	}
	return nil
}

// MakeFolder makes a new folder below outDir, which it creates when it is
// missing, named by a stem and a time, and returns its name.
func MakeFolder(outDir, stem string, started time.Time) (string, error) {
	if err := os.MkdirAll(outDir, 0o755); err != nil {
		return "", fmt.Errorf("cannot create the results folder %s (%w): name one that can be written with -out", outDir, reason(err))
	}
	return makeFolder(outDir, FileName(stem)+"-"+started.UTC().Format(runIDTime))
}

// makeFolder makes the folder outDir/stem, or stem-2, stem-3, … when it exists.
func makeFolder(outDir, stem string) (id string, err error) {
	id = stem
	for n := 2; ; n++ {
		err := os.Mkdir(filepath.Join(outDir, id), 0o755)
		if err == nil {
			return id, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("cannot write to the results folder %s (%w): name another with -out", outDir, reason(err))
		}
		if n > mostClashes {
			return "", fmt.Errorf("%s holds %d runs called %s already: name another folder with -out", outDir, mostClashes, stem)
		}
		id = fmt.Sprintf("%s-%d", stem, n)
	}
}

// writeError says in one line what could not be written and what to do.
func writeError(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("cannot write %s: %w: free some space or name another disk with -out; what was saved before is intact", path, syscall.ENOSPC)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("cannot write %s (%w): make its folder writable or name another with -out", path, reason(err))
	}
	return fmt.Errorf("cannot write %s: %w", path, reason(err))
}

// reason is the error without the path, which the caller's message names.
func reason(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// FileName turns a name into one that is safe in a file name everywhere:
// letters, digits, dot, dash and underscore stay, everything else becomes a
// dash, and it never starts with a dot.
func FileName(name string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '-'
	}, name)
	if safe == "" || safe[0] == '.' {
		return "_" + safe
	}
	return safe
}

func write(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}
