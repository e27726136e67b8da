package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/result"
)

// smallDiskVerb makes the test binary mount a small disk, in a mount namespace
// that ends with it, and run the program there.
const smallDiskVerb = "on-a-small-disk"

// What is wrong with the disk.
const (
	fillsUp  = "fills-up" // after the first trial
	readOnly = "read-only"
	tooSmall = "too-small"
)

// onASmallDisk is given what is wrong, where the disk is mounted, where its
// files are copied to in the end, and the program's arguments.
func onASmallDisk(args []string) int {
	wrong, disk, kept := args[0], args[1], args[2]
	flags := uintptr(0)
	if wrong == readOnly {
		flags = syscall.MS_RDONLY
	}
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount("small", disk, "tmpfs", flags, "size=4m")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mount:", err)
		return -1
	}
	self, _ := os.Executable()
	command := exec.Command(self, args[3:]...)
	command.Env = append(os.Environ(), asProgram+"=1")
	command.Stdout = os.Stdout
	stderr, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return -1
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		fmt.Fprintln(os.Stderr, lines.Text())
		if wrong == fillsUp && strings.HasPrefix(lines.Text(), "1/") {
			fill(disk)
		}
	}
	_ = command.Wait()
	if err := os.CopyFS(kept, os.DirFS(disk)); err != nil {
		fmt.Fprintln(os.Stderr, "copy:", err)
		return -1
	}
	return command.ProcessState.ExitCode()
}

// fill writes until there is no room.
func fill(disk string) {
	f, err := os.Create(filepath.Join(disk, "ballast"))
	if err != nil {
		return
	}
	_, _ = io.Copy(f, zeros{}) // ends with ENOSPC
	_ = f.Close()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// onDisk runs the program with "DISK" in its arguments replaced by the disk.
func (p *place) onDisk(wrong string, args ...string) (got said, kept string) {
	p.t.Helper()
	disk, kept := p.t.TempDir(), filepath.Join(p.t.TempDir(), "kept")
	for i := range args {
		args[i] = strings.Replace(args[i], "DISK", disk, 1)
	}
	command := exec.Command(p.executable, append([]string{smallDiskVerb, wrong, disk, kept}, args...)...)
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 { // who is not root may mount as root of a user namespace
		command.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(p.t, err)
	}
	requireNoChildren(p.t)
	p.requireNothingLeft()
	return said{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}, kept
}

func TestADiskThatFillsUp(t *testing.T) {
	p := newPlace(t)
	got, kept := p.onDisk(fillsUp, "-profile", p.profile("tiny", tiny+"repeats: 3\n"), "-out", "DISK", "-scratch", p.scratch)
	require.Equal(t, exitFailed, got.code, got.stderr)
	require.Equal(t, 1, strings.Count(got.stderr, "no space left on device"), "told once: %s", got.stderr)
	require.Contains(t, got.stderr, "free some space or name another disk with -out; what was saved before is intact")
	require.Contains(t, got.stderr, " go on with it\n")
	dirs, err := filepath.Glob(filepath.Join(kept, "tiny-*"))
	require.NoError(t, err)
	require.Len(t, dirs, 1)
	run, err := result.Load(dirs[0])
	require.NoError(t, err, "run.json is whole")
	require.Equal(t, map[string]result.Status{"001": result.Completed}, trials(run))
	partial, err := filepath.Glob(filepath.Join(dirs[0], ".*"))
	require.NoError(t, err)
	require.Empty(t, partial)

	// With room again the run goes on.
	p.out = kept
	require.NoError(t, os.Remove(filepath.Join(kept, "ballast")))
	again := p.measure(filepath.Join(dirs[0], "profile.yaml"), "-resume", dirs[0])
	require.Equal(t, exitMet, again.code, again.stderr)
	_, run = p.run()
	require.Equal(t, map[string]result.Status{"001": result.Completed, "002": result.Completed, "003": result.Completed}, trials(run))
}

func TestAReadOnlyDisk(t *testing.T) {
	p := newPlace(t)
	got, _ := p.onDisk(readOnly, "-profile", p.profile("tiny", tiny), "-out", "DISK", "-scratch", p.scratch)
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stderr, "deliverybench: cannot write to the results folder ")
	require.Contains(t, got.stderr, " (read-only file system): name another with -out\n")
}

func TestNoRoomInMemoryForTheLedger(t *testing.T) {
	p := newPlace(t)
	got, _ := p.onDisk(tooSmall, "-profile", p.profile("tiny", tiny), "-out", p.out, "-scratch", "DISK")
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stderr, "deliverybench: 1 trial could not be run; the first is 001-tiny-steady-1: ledger: no folder has room for ")
	require.Contains(t, got.stderr, " has 4.0 MiB free: free some, send fewer messages")
}
