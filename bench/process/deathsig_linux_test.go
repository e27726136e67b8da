package process_test

import (
	"encoding/json"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A program that is killed has no chance to end what it started, and the end of
// its input does not end everything: the kernel must. One that runs is the
// proof: the kernel also hangs up on a frozen one that has lost its parent.
func TestAKilledProgramTakesAlongWhatItStarted(t *testing.T) {
	for name, c := range map[string]struct {
		verb   string
		frozen bool
	}{
		"child":          {parent, false},
		"frozen child":   {parent, true},
		"program":        {host, false},
		"frozen program": {host, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, spawner(t), c.verb, nil)
			var grandchild int
			require.NoError(t, json.Unmarshal(await(t, p.Lines(), "the grandchild's id"), &grandchild))
			end, err := unix.PidfdOpen(grandchild, 0)
			require.NoError(t, err)
			defer func() { // what the kernel let live
				_ = unix.PidfdSendSignal(end, unix.SIGKILL, nil, 0)
				_ = unix.Close(end)
			}()
			if c.frozen {
				require.NoError(t, syscall.Kill(grandchild, syscall.SIGSTOP))
			}
			p.Kill()
			ended := make(chan int, 1)
			go func() { // a pid descriptor can be read once its process has ended
				for {
					n, err := unix.Poll([]unix.PollFd{{Fd: int32(end), Events: unix.POLLIN}}, int(within.Milliseconds()))
					if err != unix.EINTR {
						ended <- n
						return
					}
				}
			}()
			require.Equal(t, 1, await(t, ended, "the grandchild to end"))
		})
	}
}
