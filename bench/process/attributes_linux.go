package process

import "syscall"

// attributes puts a child into a group of its own and, should the thread that
// starts it end, has the kernel kill it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// residentUnit is what getrusage(2) counts the resident size in, bytes.
const residentUnit = 1 << 10
