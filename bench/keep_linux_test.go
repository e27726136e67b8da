package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/client"
)

// keep starts the broker verb with a broker of this name, and returns the address
// that it prints; ended tells its exit code.
func (p *place) keep(ctx context.Context, name string, stderr io.Writer) (address string, ended <-chan int) {
	p.t.Helper()
	stdout, printed := io.Pipe()
	b := program{
		args: []string{"broker", "-broker", name, "-out", p.out}, stdin: strings.NewReader(""), stdout: printed, stderr: stderr,
		getenv:     func(name string) string { return p.env[name] },
		executable: p.executable, scratch: []string{p.scratch},
	}
	code := make(chan int, 1)
	go func() {
		code <- b.run(ctx)
		_ = printed.Close()
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(p.t, err)
	return strings.TrimSpace(line), code
}

// The broker verb keeps a broker that others can use, and leaves nothing but
// its log when it is interrupted.
func TestABrokerIsKeptUntilTheInterrupt(t *testing.T) {
	p := newPlace(t)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	address, ended := p.keep(ctx, "embedded", io.Discard)
	admin, err := client.NewAdmin(client.Endpoint{Bootstrap: address})
	require.NoError(t, err)
	defer admin.Close()
	nodes, err := admin.Nodes(within)
	require.NoError(t, err)
	require.Equal(t, 1, nodes)
	cancel()
	require.Equal(t, exitMet, <-ended)
	requireNoChildren(t)
	p.requireNothingLeft()
	require.FileExists(t, filepath.Join(p.out, "broker.log"))
}

func TestABrokerThatEndsIsNotKept(t *testing.T) {
	p := newPlace(t)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var stderr bytes.Buffer
	_, ended := p.keep(ctx, "embedded", &stderr)
	for pid := range children() {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	require.Equal(t, exitFailed, <-ended)
	require.Contains(t, stderr.String(), "the embedded broker ended (signal: killed)")
	requireNoChildren(t)
}
