package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// processes returns those of which the predicate is true, by id, with their
// command lines.
func processes(is func(pid int) bool) map[int]string {
	found := map[int]string{}
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err != nil || !is(pid) {
			continue
		}
		line, _ := os.ReadFile(entry + "/cmdline")
		found[pid] = string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
	}
	return found
}

// stat returns the state and the parent of a process (fields 3 and 4, proc(5)).
func stat(pid int) (state string, parent int) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	parent, _ = strconv.Atoi(string(fields[1]))
	return string(fields[0]), parent
}

// requireNoChildren: this process has no child, not even one that has ended.
func requireNoChildren(t *testing.T) {
	t.Helper()
	require.Empty(t, children(), "processes left behind")
}

// children are this process's, by their id.
func children() map[int]string {
	return processes(func(pid int) bool {
		_, parent := stat(pid)
		return parent == os.Getpid()
	})
}

// marked returns the living processes whose environment holds the mark: the
// program's children inherit it, and keep it when the program is gone.
func marked(mark string) map[int]string {
	return processes(func(pid int) bool {
		environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		state, _ := stat(pid)
		return err == nil && bytes.Contains(environment, []byte(mark)) && state != "Z"
	})
}

// descriptors of processes, to wait for their ends.
func descriptors(t *testing.T, pids map[int]string) []unix.PollFd {
	t.Helper()
	var fds []unix.PollFd
	for pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		if err == unix.ESRCH {
			continue
		}
		require.NoError(t, err)
		t.Cleanup(func() { _ = unix.Close(fd) })
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	return fds
}

// awaitEnds waits for the ends of all the processes.
func awaitEnds(t *testing.T, fds []unix.PollFd) {
	t.Helper()
	for i := range fds {
		n, err := 0, error(unix.EINTR)
		for err == unix.EINTR {
			n, err = unix.Poll(fds[i:i+1], int(within.Milliseconds()))
		}
		require.NoError(t, err)
		require.Equal(t, 1, n, "waited %s for a process to end", within)
	}
}
