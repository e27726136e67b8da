//go:build !linux

package postgres

import (
	"os/exec"
	"strconv"
	"strings"
)

// children are the processes that another has started. The server's are
// sessions of their own, so no group holds them all.
func children(parent int) (all []int) {
	text, _ := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 2 && fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(fields[0])
			all = append(all, pid)
		}
	}
	return all
}

// alive is false also for one that nobody has collected.
func alive(pid int) bool {
	state, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

// releaseMemory is Linux's alone: elsewhere a killed server's small segment
// stays until the machine is started again.
func releaseMemory(string) {}
