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
	return float64(statField(r.pid, 14)+statField(r.pid, 15)) / clockTicksPerSecond
}

// beganTicks is when a process began, in clock ticks since the machine did
// (field 22); 0 when it is gone, and on systems without /proc.
func beganTicks(pid int) uint64 { return statField(pid, 22) }

// statField returns a field of /proc/PID/stat after the second, 0 where there is none.
func statField(pid, field int) uint64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The command name, field 2, may hold blanks: count from its closing bracket.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) <= field-3 {
		return 0
	}
	value, _ := strconv.ParseUint(string(fields[field-3]), 10, 64)
	return value
}
