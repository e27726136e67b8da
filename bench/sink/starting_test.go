package sink_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
	"deliverybench/bench/sink"
)

// What makes or removes tables waits for a server that recovers from a crash.
func TestTablesInAServerThatRecovers(t *testing.T) {
	s := started(t)
	target := inServer(s).target(t)
	target.Write, target.Effect, target.Accounts = profile.Insert, profile.AddToBalance, accounts
	recovering := target
	recovering.Address = recoveringAt(t, target.Address, 3)
	require.NoError(t, sink.Create(t.Context(), recovering))
	requireBooks(t, target, nil, 0)
	recovering.Address = recoveringAt(t, target.Address, 3)
	found, err := sink.Leftovers(t.Context(), recovering)
	require.NoError(t, err)
	require.Len(t, found, 1)
	recovering.Address = recoveringAt(t, target.Address, 3)
	require.NoError(t, sink.Drop(t.Context(), recovering))
}

// recoveringAt is the address of a server that says so many times that it is
// starting up, as PostgreSQL does, and then lets clients through to the real one.
func recoveringAt(t *testing.T, address string, times int64) string {
	t.Helper()
	var refused atomic.Int64
	t.Cleanup(func() { require.GreaterOrEqual(t, refused.Load(), times, "it was asked again") })
	return before(t, address, func(client net.Conn, server string) {
		if refused.Add(1) > times {
			pass(client, server)
			return
		}
		startingUp(client)
	})
}

func startingUp(client net.Conn) {
	defer client.Close()
	backend := pgproto3.NewBackend(client, client)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "57P03", Message: "the database system is starting up"})
	_ = backend.Flush()
}

// pass is a proxy of one connection.
func pass(client net.Conn, server string) {
	defer client.Close()
	up, err := net.Dial("tcp4", server)
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		defer client.Close()
		_, _ = io.Copy(client, up)
	}()
	_, _ = io.Copy(up, client)
}
