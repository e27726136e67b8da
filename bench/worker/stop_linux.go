package worker

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// stopSelf stops this process until somebody continues it. The signal is sent
// to the calling thread: sent to the process, another thread might take it, and
// this one go on for a moment.
func stopSelf() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
}
