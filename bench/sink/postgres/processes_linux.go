package postgres

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// stat is a process's state and parent (proc_pid_stat(5)).
func stat(pid int) (state byte, parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// The name, which may hold anything, ends at the last parenthesis.
	_, rest, _ := bytes.Cut(text[bytes.LastIndexByte(text, ')')+1:], []byte(" "))
	if err != nil || len(rest) == 0 {
		return 0, 0
	}
	_, _ = fmt.Sscan(string(rest[1:]), &parent)
	return rest[0], parent
}

// children are the processes that another has started. The server's are
// sessions of their own, so no group holds them all.
func children(parent int) (all []int) {
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if _, its := stat(pid); its == parent {
			all = append(all, pid)
		}
	}
	return all
}

// alive is false also for one that nobody has collected.
func alive(pid int) bool {
	state, _ := stat(pid)
	return state != 0 && state != 'Z' && state != 'X'
}

// releaseMemory has the kernel remove the server's System V segment with the
// last process that is attached to it. After a SIGKILL it would stay for ever.
// It is only there to keep a second server from the same data, and Kill waits
// for all of the first.
func releaseMemory(data string) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	lines := strings.Split(string(text), "\n")
	if err != nil || len(lines) < 7 { // the seventh has its key and id
		return
	}
	var key, id int
	if n, _ := fmt.Sscan(lines[6], &key, &id); n == 2 {
		_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	}
}
