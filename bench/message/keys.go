package message

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"deliverybench/bench/profile"
)

// ZipfSkew is the exponent of zipf keys: key k (from 0) is drawn in proportion
// to 1 / (k + 1)^ZipfSkew. It is the value that YCSB made usual
// (ZipfianGenerator.ZIPFIAN_CONSTANT).
const ZipfSkew = 0.99

// mostKeys bounds the memory of the key table to about 300 MB.
const mostKeys = 10_000_000

// Keys draws the messages' keys. Key n is a pure function of (seed, n). It is
// read only after it was made, and may be shared by many goroutines.
type Keys struct {
	seed     uint64
	count    uint64
	rendered []byte // count keys of width bytes each
	width    int
	// zipf only: key k is kept when the coin is below keep[k], else it is other[k].
	keep  []uint32
	other []uint32
}

// NewKeys prepares keys of the kind: none, uniform over count keys, or zipf
// over count keys. It errs on an unknown kind, and on a count outside 1 to
// 10,000,000 where the kind needs one.
func NewKeys(kind profile.Key, count int, seed uint64) (*Keys, error) {
	if kind == profile.NoKey {
		return &Keys{}, nil
	}
	if kind != profile.UniformKey && kind != profile.ZipfKey {
		return nil, fmt.Errorf("message: load.message.key is %q: use %s, %s or %s", kind,
			profile.NoKey, profile.UniformKey, profile.ZipfKey)
	}
	if count < 1 || count > mostKeys {
		return nil, fmt.Errorf("message: load.message.keys is %d: use 1 to %d", count, mostKeys)
	}
	k := &Keys{seed: Mix(seed), count: uint64(count), width: len("key-") + len(strconv.Itoa(count-1))}
	k.rendered = make([]byte, 0, count*k.width)
	for i := range count {
		k.rendered = fmt.Appendf(k.rendered, "key-%0*d", k.width-len("key-"), i)
	}
	if kind == profile.ZipfKey {
		k.keep, k.other = zipfTable(count)
	}
	return k, nil
}

// At returns the key of message n, nil for none. The caller does not change it.
func (k *Keys) At(n int64) []byte {
	if k.count == 0 {
		return nil
	}
	// The product's high word is a uniform column, its low word what is left
	// of the draw: a coin independent of it.
	column, rest := bits.Mul64(Mix(k.seed+uint64(n)), k.count)
	if k.keep != nil && uint32(rest>>32) >= k.keep[column] {
		column = uint64(k.other[column])
	}
	at := int(column) * k.width
	return k.rendered[at : at+k.width : at+k.width]
}

// zipfTable is an alias table (A. J. Walker, 1977, in M. D. Vose's linear
// form, 1991): count columns of equal weight, each split between at most two
// keys, so that a draw takes one column and one coin.
func zipfTable(count int) (keep, other []uint32) {
	weights := make([]float64, count)
	var sum float64
	for k := range weights {
		weights[k] = math.Pow(float64(k+1), -ZipfSkew)
		sum += weights[k]
	}
	var under, over []int // columns with less and with more than their share
	for k := range weights {
		weights[k] *= float64(count) / sum
		if weights[k] < 1 {
			under = append(under, k)
		} else {
			over = append(over, k)
		}
	}
	keep, other = make([]uint32, count), make([]uint32, count)
	for len(under) > 0 && len(over) > 0 {
		small, large := under[len(under)-1], over[len(over)-1]
		under = under[:len(under)-1]
		keep[small], other[small] = uint32(weights[small]*(1<<32)), uint32(large)
		weights[large] -= 1 - weights[small]
		if weights[large] < 1 {
			over = over[:len(over)-1]
			under = append(under, large)
		}
	}
	// What is left is full up to rounding: both halves are the column's own key.
	for _, k := range append(under, over...) {
		keep[k], other[k] = math.MaxUint32, uint32(k)
	}
	return keep, other
}

// Mix is the output function of SplitMix64 (G. L. Steele, D. Lea, C. H. Flood,
// OOPSLA 2014) on its Weyl sequence: every bit of the input changes about half
// of the output's.
func Mix(n uint64) uint64 {
	n = (n + 1) * 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
