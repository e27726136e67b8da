package message

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/profile"
)

// Sealing a message is filling and encoding it, to the byte.
func TestSealIsFillAndEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(MinSize, 2000).Draw(t, "size")
		p, err := NewPayload(rapid.Uint64().Draw(t, "seed"), size, profile.Share(rapid.Float64Range(0, 1).Draw(t, "entropy")), rapid.Bool().Draw(t, "compressed"))
		require.NoError(t, err)
		for range 5 {
			n := rapid.Int64Min(0).Draw(t, "n")
			h := Header{
				Tag: rapid.Uint64().Draw(t, "tag"), Producer: rapid.Uint32().Draw(t, "producer"), Attempt: rapid.Uint32().Draw(t, "attempt"),
				Sequence: rapid.Uint64().Draw(t, "sequence"), Intended: rapid.Int64().Draw(t, "intended"), Sent: rapid.Int64().Draw(t, "sent"),
			}
			want, got := make([]byte, size), make([]byte, size)
			p.Fill(want, n)
			Encode(want, h)
			p.Seal(got, n, h)
			require.Equal(t, want, got)
		}
	})
}

func BenchmarkSeal256B(b *testing.B) {
	p, err := NewPayload(1, 256, 1, false)
	require.NoError(b, err)
	value := make([]byte, 256)
	b.ReportAllocs()
	b.SetBytes(256)
	n := int64(0)
	for b.Loop() {
		p.Seal(value, n, Header{Tag: 7, Sequence: uint64(n), Intended: n, Sent: n})
		n++
	}
}
