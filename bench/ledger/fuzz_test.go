package ledger

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/profile"
)

// Whatever layout.json holds, what is read from it is a layout or an error.
func FuzzReadLayout(f *testing.F) {
	f.Add([]byte(`{"producers": 2, "capacity": 10, "relay": true}`))
	f.Add([]byte(`{"producers": -1}`))
	f.Add([]byte(`{"producers": 9223372036854775807, "capacity": 9223372036854775807}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, layoutFile), text, 0o600))
		l, err := ReadLayout(dir)
		if err != nil {
			return
		}
		require.Positive(t, l.Messages())
		require.LessOrEqual(t, l.Messages(), int64(maxMessages))
		back, err := json.Marshal(l)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, layoutFile), back, 0o600))
		again, err := ReadLayout(dir)
		require.NoError(t, err)
		require.Equal(t, l, again)
	})
}

func FuzzReadMark(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "mark-x"), content, 0o600))
		_, fired, err := ReadMark(dir, "x")
		require.NoError(t, err)
		if fired {
			require.GreaterOrEqual(t, len(content), markBytes)
		}
	})
}

// Whatever the planes' files hold, Settle gives an error or a verdict that
// accounts for every message due.
func FuzzSettle(f *testing.F) {
	f.Add([]byte{5, 1, 1, 1, 1, 0, 1, 1}, []byte(`{"uncommitted": 1, "committed": 1, "output_uncommitted": 1, "output_committed": 1}`), uint8(1), true)
	f.Add([]byte{0x10, 0, 0, 0, 0, 0, 0, 0, 3, 255, 255, 255, 255, 3, 255, 255}, []byte(`{}`), uint8(2), false)
	f.Add([]byte{0xff}, []byte(`{"reordered": -1}`), uint8(0), false)
	f.Fuzz(func(t *testing.T, content, audit []byte, due uint8, relay bool) {
		const capacity = 32
		dir := t.TempDir()
		require.NoError(t, Create(dir, Layout{Producers: 1, Capacity: capacity, Relay: relay}))
		for k, name := range append([]string{outcomesFile(0), effectsPrefix + "0.0"}, auditPlanes[:]...) {
			var plane []byte
			for i := k; i < len(content); i += signatureBytes {
				plane = append(plane, content[i])
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), plane, 0o600))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, auditFile), audit, 0o600))
		in := Inputs{Due: []int64{int64(due)}, Pipeline: profile.Consume, Drained: true}
		if relay {
			in.Pipeline = profile.RelayTo
		}
		v, err := Settle(dir, in)
		if err != nil {
			require.Equal(t, Verdict{}, v)
			return
		}
		sum := int64(0)
		for _, n := range v.Table {
			sum += n
		}
		require.EqualValues(t, due, sum)
		require.EqualValues(t, due, v.NotSent+v.Sent+v.Acked+v.Rejected+v.Unknown+v.Aborted)
		require.LessOrEqual(t, v.Lost.Total, v.Acked+v.Sent)
		require.GreaterOrEqual(t, v.WithoutEffect(), int64(0))
		for _, n := range []int64{v.Duplicates.Retried, v.Duplicates.Resent, v.Duplicates.Redelivered} {
			require.GreaterOrEqual(t, n, int64(0))
		}
	})
}
