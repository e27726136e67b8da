package process_test

import (
	"encoding/json"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A program that is killed has no chance to end what it started, and a frozen
// child never sees the end of its input: the kernel must end it.
func TestAKilledProgramTakesAlongWhatItStarted(t *testing.T) {
	for what, verb := range map[string]string{"child": parent, "program": host} {
		t.Run(what, func(t *testing.T) {
			p := start(t, spawner(t), verb, nil)
			var grandchild int
			require.NoError(t, json.Unmarshal(await(t, p.Lines(), "the grandchild's id"), &grandchild))
			end, err := unix.PidfdOpen(grandchild, 0)
			require.NoError(t, err)
			defer unix.Close(end)
			require.NoError(t, syscall.Kill(grandchild, syscall.SIGSTOP))
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
