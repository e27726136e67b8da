package scratch

import (
	"bytes"
	"fmt"
	"os"
)

// commandLine is that of a process, "" once it has ended.
func commandLine(pid int) string {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
}
