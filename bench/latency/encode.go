package latency

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"time"
)

// Cookies of HdrHistogram's V2 encoding, with the word size that every
// implementation writes (0x10).
const (
	plainCookie      uint32 = 0x1c849303 | 0x10
	compressedCookie uint32 = 0x1c849304 | 0x10
)

// Lines of the header and comments that are read back. The rest of the format
// is HdrHistogram's log format 1.3, whose readers skip comments.
const (
	gridComment  = "#[Grid: "
	rangeComment = "#[OutOfRange: "
	startComment = "#[StartTime: "
)

// appendHeader states the grid in whole nanoseconds, so that logs merge
// exactly. Interval lines hold seconds since StartTime.
func appendHeader(dst []byte, grid Grid, started time.Time) []byte {
	dst = append(dst, "#[Histogram log format version 1.3]\n"...)
	dst = append(dst, startComment...)
	dst = appendDecimal(dst, started.UnixMilli(), 3)
	dst = append(dst, " (seconds since epoch), "...)
	dst = started.UTC().AppendFormat(dst, time.RFC3339)
	dst = append(dst, "]\n"+gridComment...)
	dst = strconv.AppendInt(dst, grid.Origin, 10)
	dst = append(dst, ',')
	dst = strconv.AppendInt(dst, int64(grid.Interval), 10)
	dst = append(dst, " (origin on CLOCK_MONOTONIC and interval, nanoseconds)]\n"...)
	dst = append(dst, "#[Histograms hold microseconds; Interval_Max is milliseconds]\n"...)
	return append(dst, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"...)
}

// encoder keeps what encoding needs between intervals. The library's own
// EncodeV2 makes a new compressor each time: four times the processor time and
// 0.9 MB of garbage per interval, in a process whose latency is being measured.
type encoder struct {
	payload    []byte
	compressed bytes.Buffer
	compressor *zlib.Writer
}

func newEncoder() *encoder {
	e := &encoder{}
	// A slower level does not make these payloads smaller. The level is valid, so there is no error.
	e.compressor, _ = zlib.NewWriterLevel(&e.compressed, zlib.BestSpeed)
	return e
}

// appendInterval appends the interval's line, and before it a comment with what
// was out of range: the format has no field for that.
func (e *encoder) appendInterval(dst []byte, grid Grid, role string, index int64, r *Recorder) []byte {
	return e.appendCounts(dst, grid, role, index, r.under, r.over, r.histogram.ValueAtPercentile(100), r.histogram.Export().Counts)
}

func (e *encoder) appendCounts(dst []byte, grid Grid, role string, index, under, over, highest int64, counts []int64) []byte {
	if under != 0 || over != 0 {
		dst = append(dst, rangeComment...)
		dst = append(dst, role...)
		for _, field := range []int64{index, under, over} {
			dst = append(dst, ',')
			dst = strconv.AppendInt(dst, field, 10)
		}
		dst = append(dst, " (interval, under, over)]\n"...)
	}
	dst = append(dst, "Tag="...)
	dst = append(dst, role...)
	dst = append(dst, ',')
	dst = appendDecimal(dst, int64(grid.Start(index)), 9)
	dst = append(dst, ',')
	dst = appendDecimal(dst, int64(grid.Interval), 9)
	dst = append(dst, ',')
	dst = appendDecimal(dst, min(highest, highestMicros), 3)
	dst = append(dst, ',')
	dst = base64.StdEncoding.AppendEncode(dst, e.compress(counts))
	return append(dst, '\n')
}

// compress returns the V2 compressed form of the counts, valid until the next call.
func (e *encoder) compress(counts []int64) []byte {
	e.payload = appendPlain(e.payload[:0], counts)
	e.compressed.Reset()
	var head [8]byte // the length follows when it is known
	binary.BigEndian.PutUint32(head[:], compressedCookie)
	e.compressed.Write(head[:])
	e.compressor.Reset(&e.compressed)
	// Writes to memory do not fail.
	_, _ = e.compressor.Write(e.payload)
	_ = e.compressor.Close()
	out := e.compressed.Bytes()
	binary.BigEndian.PutUint32(out[4:], uint32(len(out)-len(head)))
	return out
}

// appendPlain appends the V2 form: a header of 40 bytes, then each count as a
// ZigZag LEB128 number, a run of zeros as its negative length. (For counts
// below 2^55 that is Go's varint.) Zeros after the last count are left out.
func appendPlain(dst []byte, counts []int64) []byte {
	const headerBytes = 40
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, plainCookie)
	dst = binary.BigEndian.AppendUint32(dst, 0) // the payload's length, below
	dst = binary.BigEndian.AppendUint32(dst, 0) // normalizing index offset
	dst = binary.BigEndian.AppendUint32(dst, significantDigits)
	dst = binary.BigEndian.AppendUint64(dst, lowestMicros)
	dst = binary.BigEndian.AppendUint64(dst, uint64(highestMicros))
	dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(1)) // integer to double ratio
	var zeros int64
	for _, count := range counts {
		if count == 0 {
			zeros++
			continue
		}
		if zeros > 0 {
			dst = binary.AppendVarint(dst, -zeros)
			zeros = 0
		}
		dst = binary.AppendVarint(dst, count)
	}
	binary.BigEndian.PutUint32(dst[start+4:], uint32(len(dst)-start-headerBytes))
	return dst
}

// appendDecimal appends n / 10^places.
func appendDecimal(dst []byte, n int64, places int) []byte {
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	unit := int64(1)
	for range places {
		unit *= 10
	}
	dst = strconv.AppendInt(dst, n/unit, 10)
	dst = append(dst, '.')
	fraction := strconv.FormatInt(unit+n%unit, 10) // the leading 1 keeps the zeros
	return append(dst, fraction[1:]...)
}
