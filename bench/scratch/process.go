package scratch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// pidSuffix is that of files that say which process runs in a folder.
const pidSuffix = ".pid"

// goneWithin bounds the wait for the end of a process that was killed.
const goneWithin = 10 * time.Second

// Runs notes that a process runs in the folder, under a name that a later
// note may take over: whoever finds the folder stale ends the process, should
// its command line name a file in the folder.
func Runs(dir, name string, pid int) error {
	if err := os.WriteFile(filepath.Join(dir, name+pidSuffix), []byte(strconv.Itoa(pid)), 0o600); err != nil {
		return fmt.Errorf("note what runs in %s: %w", dir, err)
	}
	return nil
}

// endRunning kills the processes noted in the folder. A process id by itself
// proves nothing: it may be another's by now.
func endRunning(dir string) error {
	notes, err := filepath.Glob(filepath.Join(dir, "*"+pidSuffix))
	for _, note := range notes {
		text, _ := os.ReadFile(note)
		if pid, unreadable := strconv.Atoi(string(text)); unreadable == nil && pid > 0 {
			err = errors.Join(err, end(pid, dir))
		}
	}
	return err
}

func end(pid int, dir string) error {
	// The handle first: it stays with the process whose command line is then read.
	handle, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer func() { _ = handle.Release() }()
	inFolder := func() bool { return strings.Contains(commandLine(pid), dir+string(filepath.Separator)) }
	if !inFolder() {
		return nil
	}
	if err := handle.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end process %d, which runs there: %w", pid, err)
	}
	for deadline := time.Now().Add(goneWithin); inFolder(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s for process %d, which runs there, to end", goneWithin, pid)
		}
	}
	return nil
}
