package message_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"deliverybench/bench/message"
	"deliverybench/bench/profile"
)

func drawHeader(t *rapid.T) message.Header {
	return message.Header{
		Tag:      rapid.Uint64().Draw(t, "tag"),
		Producer: rapid.Uint32().Draw(t, "producer"),
		Attempt:  rapid.Uint32().Draw(t, "attempt"),
		Sequence: rapid.Uint64().Draw(t, "sequence"),
		Intended: rapid.Int64().Draw(t, "intended"),
		Sent:     rapid.Int64().Draw(t, "sent"),
	}
}

func drawValue(t *rapid.T) []byte {
	return rapid.SliceOfN(rapid.Byte(), message.MinSize, 600).Draw(t, "value")
}

// The layout is fixed: other programs and saved topics may hold it.
func TestLayout(t *testing.T) {
	value := make([]byte, message.MinSize, message.MinSize+2)
	value = append(value, "hi"...)
	message.Encode(value, message.Header{
		Tag: 0x0102030405060708, Producer: 0x11121314, Attempt: 0x21222324,
		Sequence: 0x3132333435363738, Intended: 0x4142434445464748, Sent: -2,
	})
	require.Equal(t, "64626d31 76271951 0807060504030201 14131211 24232221 "+
		"3837363534333231 4847464544434241 feffffffffffffff 6869", fmt.Sprintf("%x %x %x %x %x %x %x %x %x",
		value[:4], value[4:8], value[8:16], value[16:20], value[20:24], value[24:32], value[32:40], value[40:48], value[48:]))
}

func TestTheHeaderFitsTheSmallestMessageOfAProfile(t *testing.T) {
	require.Equal(t, message.MinSize, profile.MinMessageSize)
}

func TestDecodeReturnsWhatWasEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value, h := drawValue(t), drawHeader(t)
		payload := bytes.Clone(value[message.MinSize:])
		message.Encode(value, h)
		got, err := message.Decode(value)
		require.NoError(t, err)
		require.Equal(t, h, got)
		peeked, err := message.Peek(value)
		require.NoError(t, err)
		require.Equal(t, h, peeked)
		require.Equal(t, payload, value[message.MinSize:])
	})
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := drawValue(t)
		message.Encode(value, drawHeader(t))
		for bit := range 8 * len(value) {
			value[bit/8] ^= 1 << (bit % 8)
			_, err := message.Decode(value)
			if bit < 32 {
				require.ErrorIs(t, err, message.ErrForeign)
			} else {
				require.ErrorIs(t, err, message.ErrCorrupt)
			}
			value[bit/8] ^= 1 << (bit % 8)
		}
	})
}

func TestReaddressKeepsTheIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value, h := drawValue(t), drawHeader(t)
		message.Encode(value, h)
		h.Attempt, h.Sent = rapid.Uint32().Draw(t, "new attempt"), rapid.Int64().Draw(t, "new sent")
		message.Readdress(value, h.Attempt, h.Sent)
		got, err := message.Decode(value)
		require.NoError(t, err)
		require.Equal(t, h, got)
	})
}

func TestForeignValues(t *testing.T) {
	whole := make([]byte, message.MinSize)
	message.Encode(whole, message.Header{})
	for _, value := range [][]byte{nil, {}, whole[:message.MinSize-1], bytes.Repeat([]byte("x"), 256)} {
		_, err := message.Decode(value)
		require.ErrorIs(t, err, message.ErrForeign)
		_, err = message.Peek(value)
		require.ErrorIs(t, err, message.ErrForeign)
	}
}

func FuzzDecode(f *testing.F) {
	value := make([]byte, 64)
	message.Encode(value, message.Header{Tag: 1, Producer: 2, Sequence: 3})
	f.Add(value)
	f.Add(value[:message.MinSize])
	f.Add([]byte("dbm1"))
	f.Fuzz(func(t *testing.T, value []byte) {
		h, err := message.Decode(value)
		if err != nil {
			require.Zero(t, h)
			return
		}
		again := bytes.Clone(value)
		message.Encode(again, h)
		require.Equal(t, value, again)
	})
}

// deflated returns how many bytes of compressed data the payloads of one
// batch come to, as a share of the payloads.
func deflated(t *testing.T, payload *message.Payload, size, messages int) float64 {
	var out bytes.Buffer
	writer, err := flate.NewWriter(&out, flate.DefaultCompression)
	require.NoError(t, err)
	value := make([]byte, size)
	for n := range messages {
		payload.Fill(value, int64(n))
		_, err := writer.Write(value[message.MinSize:])
		require.NoError(t, err)
	}
	require.NoError(t, writer.Close())
	return float64(out.Len()) / float64(messages*(size-message.MinSize))
}

func TestPayloadCompressesToItsEntropy(t *testing.T) {
	for _, size := range []int{256, 1024, 100_000} {
		for _, entropy := range []profile.Share{0, 0.25, 0.5, 0.9, 1} {
			payload, err := message.NewPayload(3, size, entropy, true)
			require.NoError(t, err)
			share := deflated(t, payload, size, max(10, 1<<20/size))
			require.InDelta(t, float64(entropy), share, 0.05, "size %d, entropy %v", size, entropy)
		}
	}
}

func TestPayloadDependsOnSeedAndNumberOnly(t *testing.T) {
	fill := func(seed uint64, n int64) []byte {
		payload, err := message.NewPayload(seed, 256, 1, true)
		require.NoError(t, err)
		value := make([]byte, 256)
		payload.Fill(value, n)
		return value
	}
	require.Equal(t, fill(1, 5), fill(1, 5))
	require.NotEqual(t, fill(1, 5), fill(1, 6))
	require.NotEqual(t, fill(1, 5), fill(2, 5))
	require.Equal(t, make([]byte, message.MinSize), fill(1, math.MaxInt64)[:message.MinSize], "the header's place is left alone")
}

func TestPayloadOfAHeaderAloneIsEmpty(t *testing.T) {
	payload, err := message.NewPayload(0, message.MinSize, 1, true)
	require.NoError(t, err)
	value := make([]byte, message.MinSize)
	payload.Fill(value, 1)
	require.Equal(t, make([]byte, message.MinSize), value)
}

func TestPayloadRefusals(t *testing.T) {
	_, err := message.NewPayload(0, message.MinSize-1, 1, true)
	require.ErrorContains(t, err, "at least 48 B")
	for _, entropy := range []float64{-0.1, 1.1, math.NaN()} {
		_, err = message.NewPayload(0, 256, profile.Share(entropy), true)
		require.ErrorContains(t, err, "0% to 100%")
	}
}

func newKeys(t require.TestingT, kind profile.Key, count int, seed uint64) *message.Keys {
	keys, err := message.NewKeys(kind, count, seed)
	require.NoError(t, err)
	return keys
}

func TestNoKeys(t *testing.T) {
	require.Nil(t, newKeys(t, profile.NoKey, 0, 1).At(7))
}

func TestKeysAreRenderedAtOneWidth(t *testing.T) {
	seen := map[string]bool{}
	keys := newKeys(t, profile.UniformKey, 11, 1)
	for n := range int64(1000) {
		seen[string(keys.At(n))] = true
	}
	require.Len(t, seen, 11)
	require.True(t, seen["key-00"])
	require.True(t, seen["key-10"])
}

// Draws pass the χ² test against their distribution at the 1 % level
// (49 degrees of freedom: 74.92).
func TestKeysFollowTheirDistribution(t *testing.T) {
	const count, draws = 50, 200_000
	weights := map[profile.Key]func(k int) float64{
		profile.UniformKey: func(int) float64 { return 1 },
		profile.ZipfKey:    func(k int) float64 { return math.Pow(float64(k+1), -message.ZipfSkew) },
	}
	for kind, weight := range weights {
		t.Run(string(kind), func(t *testing.T) {
			keys := newKeys(t, kind, count, 42)
			observed := map[string]float64{}
			for n := range int64(draws) {
				observed[string(keys.At(n))]++
			}
			var sum, statistic float64
			for k := range count {
				sum += weight(k)
			}
			for k := range count {
				expected := weight(k) / sum * draws
				deviation := observed[fmt.Sprintf("key-%02d", k)] - expected
				statistic += deviation * deviation / expected
			}
			require.Less(t, statistic, 74.92)
		})
	}
}

func TestKeysArePureFunctions(t *testing.T) {
	keys, again := newKeys(t, profile.ZipfKey, 1000, 5), newKeys(t, profile.ZipfKey, 1000, 5)
	other := newKeys(t, profile.ZipfKey, 1000, 6)
	var same int
	for n := int64(999); n >= 0; n-- {
		require.Equal(t, keys.At(n), again.At(n))
		if bytes.Equal(keys.At(n), other.At(n)) {
			same++
		}
	}
	require.Less(t, same, 200)
}

func TestKeysMayBeShared(t *testing.T) {
	keys := newKeys(t, profile.ZipfKey, 100, 5)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for n := range int64(1000) {
				keys.At(n)
			}
		})
	}
	group.Wait()
}

func TestOneKeyIsAlwaysThatKey(t *testing.T) {
	for _, kind := range []profile.Key{profile.UniformKey, profile.ZipfKey} {
		keys := newKeys(t, kind, 1, 5)
		for n := range int64(100) {
			require.Equal(t, "key-0", string(keys.At(n)))
		}
	}
}

func TestKeyRefusals(t *testing.T) {
	_, err := message.NewKeys("round", 5, 0)
	require.ErrorContains(t, err, `load.message.key is "round"`)
	for _, count := range []int{0, -1, 10_000_001} {
		_, err = message.NewKeys(profile.UniformKey, count, 0)
		require.ErrorContains(t, err, "load.message.keys")
	}
}

func TestTheHotPathDoesNotAllocate(t *testing.T) {
	value := make([]byte, 256)
	payload, err := message.NewPayload(0, len(value), 1, true)
	require.NoError(t, err)
	keys := newKeys(t, profile.ZipfKey, 1000, 0)
	var n int64
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		n++
		payload.Fill(value, n)
		keys.At(n)
		message.Encode(value, message.Header{Sequence: uint64(n)})
		message.Readdress(value, 1, n)
		if _, err := message.Decode(value); err != nil {
			t.Fatal(err)
		}
	}))
}

func BenchmarkEncode256B(b *testing.B) {
	value := make([]byte, 256)
	b.ReportAllocs()
	b.SetBytes(int64(len(value)))
	var n uint64
	for b.Loop() {
		n++
		message.Encode(value, message.Header{Sequence: n})
	}
}

func BenchmarkDecode256B(b *testing.B) {
	value := make([]byte, 256)
	message.Encode(value, message.Header{})
	b.ReportAllocs()
	b.SetBytes(int64(len(value)))
	for b.Loop() {
		if _, err := message.Decode(value); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPeek(b *testing.B) {
	value := make([]byte, 256)
	message.Encode(value, message.Header{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := message.Peek(value); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFill256B(b *testing.B) {
	value := make([]byte, 256)
	payload, err := message.NewPayload(0, len(value), 1, true)
	require.NoError(b, err)
	b.ReportAllocs()
	var n int64
	for b.Loop() {
		n++
		payload.Fill(value, n)
	}
}

func BenchmarkKeys(b *testing.B) {
	for _, kind := range []profile.Key{profile.UniformKey, profile.ZipfKey} {
		b.Run(string(kind), func(b *testing.B) {
			keys := newKeys(b, kind, 10_000, 0)
			b.ReportAllocs()
			var n int64
			for b.Loop() {
				n++
				keys.At(n)
			}
		})
	}
}
