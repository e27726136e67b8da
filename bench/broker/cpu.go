package broker

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// clockTicksPerSecond is USER_HZ, fixed at 100 on Linux (proc(5)).
const clockTicksPerSecond = 100

// cpuReader reads the processor time of a running process.
type cpuReader struct{ pid int }

// seconds returns utime + stime of /proc/PID/stat (fields 14 and 15, proc(5)); 0 when the process is gone.
func (r cpuReader) seconds() float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.pid))
	if err != nil {
		return 0
	}
	// The command name, field 2, may hold blanks: count from its closing bracket.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(string(fields[11]), 64)
	system, _ := strconv.ParseFloat(string(fields[12]), 64)
	return (user + system) / clockTicksPerSecond
}
