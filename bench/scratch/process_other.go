//go:build !linux

package scratch

import (
	"os/exec"
	"strconv"
)

// commandLine is that of a process, "" once it has ended.
func commandLine(pid int) string {
	line, _ := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return string(line)
}
