package sink_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// A server that answers a commit with its own end may have it in its log and find
// it there when it recovers: only a plain error says that nothing is applied.
func TestACommitThatFails(t *testing.T) {
	s := started(t)
	for _, c := range []struct {
		severity, code string
		unknown        bool
	}{
		{"PANIC", "53100", true}, // the log could not be made durable
		{"PANIC", "58030", true},
		{"FATAL", "58030", true},
		{"FATAL", "57P01", true}, // it is shut down
		{"ERROR", "53100", false},
		{"ERROR", "23505", false}, // a constraint that is checked at the commit
	} {
		t.Run(c.severity+" "+c.code, func(t *testing.T) {
			target := inServer(s).made(t, profile.Insert, profile.AddToBalance)
			through := target
			through.Address = answeredAtCommit(t, target.Address, c.unknown, &pgproto3.ErrorResponse{
				Severity: c.severity, SeverityUnlocalized: c.severity, Code: c.code, Message: "could not commit",
			})
			ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, errors.New("waited 10 s for the answer to the commit"))
			defer cancel()
			err := opened(t, through).Apply(ctx, messages(0, 20))
			if c.unknown {
				require.ErrorIs(t, err, sink.ErrUnknown)
				require.NotErrorIs(t, err, sink.ErrLost)
				requireBooks(t, target, messages(0, 20), 1)
				return
			}
			require.ErrorContains(t, err, "could not commit (SQLSTATE "+c.code+")")
			require.NotErrorIs(t, err, sink.ErrUnknown)
			require.NotErrorIs(t, err, sink.ErrLost)
			requireBooks(t, target, nil, 0)
		})
	}
}

// answeredAtCommit is the address of a proxy that answers a connection's first
// commit by itself and ends the connection, with or without delivering the commit
// to the server before.
func answeredAtCommit(t *testing.T, address string, deliver bool, answer *pgproto3.ErrorResponse) string {
	t.Helper()
	text, err := answer.Encode(nil)
	require.NoError(t, err)
	if answer.Severity == "ERROR" { // after any other the server ends the connection
		text, err = (&pgproto3.ReadyForQuery{TxStatus: 'I'}).Encode(text)
		require.NoError(t, err)
	}
	return before(t, address, func(client net.Conn, server string) { answerCommit(client, server, deliver, text) })
}

// answerCommit passes on what both say up to the client's first commit.
func answerCommit(client net.Conn, server string, deliver bool, answer []byte) {
	defer client.Close()
	up, err := net.Dial("tcp4", server)
	if err != nil {
		return
	}
	defer up.Close()
	committing := make(chan struct{})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		buffer := make([]byte, 1<<16)
		for {
			n, err := up.Read(buffer)
			select {
			case <-committing: // the server's own answer
				return
			default:
			}
			if err != nil {
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 1<<20)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if !bytes.Contains(buffer[:n], []byte("Q\x00\x00\x00\x0bcommit\x00")) {
			if _, err := up.Write(buffer[:n]); err != nil {
				return
			}
			continue
		}
		close(committing)
		if deliver {
			if _, err := up.Write(buffer[:n]); err != nil {
				return
			}
			<-answered
		}
		_, _ = client.Write(answer)
		return
	}
}
