package process_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/process"
)

func TestProgramHasALogAndNoInput(t *testing.T) {
	logPath, dir := filepath.Join(t.TempDir(), "log"), t.TempDir()
	require.NoError(t, os.WriteFile(logPath, []byte("before\n"), 0o600))
	command := exec.Command("sh", "-c", `cat; echo "$WORD"; pwd; echo wrong >&2; exit 3`)
	command.Env, command.Dir = []string{"WORD=word"}, dir
	p, err := spawner(t).StartProgram("the shell", command, logPath)
	require.NoError(t, err)
	require.Equal(t, "the shell", p.Name())
	await(t, p.Done(), "the end")
	require.EqualError(t, p.Exit().Err, "exit status 3")
	require.False(t, p.Exit().Killed)
	require.Equal(t, "before\nword\n"+dir+"\nwrong", p.LogTail(10))
	require.Equal(t, "wrong", p.LastWords())
	require.NoError(t, p.Signal(syscall.SIGSTOP), "a signal to one that has ended does nothing")
	p.Kill() // nor does this
}

func TestProgramIsFrozenAndKilled(t *testing.T) {
	p, err := spawner(t).StartProgram("the sleeper", exec.Command("sleep", "1000"), filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	group, err := syscall.Getpgid(p.PID())
	require.NoError(t, err)
	require.Equal(t, p.PID(), group, "Ctrl-C does not reach it")
	require.NoError(t, p.Signal(syscall.SIGSTOP))
	p.Kill()
	require.True(t, p.Exit().Killed)
	require.EqualError(t, p.Exit().Err, "signal: killed")
}

func TestSomeOfTheEnvironmentIsWithheld(t *testing.T) {
	t.Setenv("WORD", "word")
	t.Setenv("SECRET", "hunter2")
	s := spawner(t)
	s.Withhold("SECRET", "ABSENT")
	logPath := filepath.Join(t.TempDir(), "log")
	p, err := s.StartProgram("the shell", exec.Command("sh", "-c", `echo "($WORD $SECRET)"`), logPath)
	require.NoError(t, err)
	await(t, p.Done(), "the end")
	require.Equal(t, "(word )", p.LogTail(1))
}

func TestProgramThatDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	s := spawner(t)
	_, err := s.StartProgram("it", exec.Command(filepath.Join(dir, "no-program")), filepath.Join(dir, "log"))
	require.ErrorContains(t, err, "start it:")
	_, err = s.StartProgram("it", exec.Command("true"), filepath.Join(dir, "no", "log"))
	require.ErrorContains(t, err, "log of it:")
	s.Close()
	_, err = s.StartProgram("it", exec.Command("true"), filepath.Join(dir, "log"))
	require.EqualError(t, err, "start it: the program is ending")
}

func TestClosingTheSpawnerEndsItsPrograms(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	s := process.NewSpawner(self)
	p, err := s.StartProgram("the sleeper", exec.Command("sleep", "1000"), filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	require.NoError(t, p.Signal(syscall.SIGSTOP))
	s.Close()
	require.True(t, p.Exit().Killed)
}
