package message

import "hash/crc32"

// A CRC is a register that every byte moves on, linearly over GF(2): the
// register after A and then B is that after A, carried over as many zero bytes
// as B has, XOR the register after B alone from zero (R. N. Williams, "A
// Painless Guide to CRC Error Detection Algorithms", 1993; zlib's crc32_combine).
// CRC-32C begins with a register of ones and ends by inverting it.

// run returns the register after the bytes, from a given register.
func run(register uint32, b []byte) uint32 {
	return ^crc32.Update(^register, castagnoli, b) // Update inverts before and after
}

// register carries a register over a fixed number of zero bytes: one table for
// each of its four bytes.
type register [4][256]uint32

func newRegister(bytes int) register {
	zeros := make([]byte, bytes)
	var bits [32]uint32
	for i := range bits {
		bits[i] = run(1<<i, zeros)
	}
	var r register
	for table := range r {
		for value := range r[table] {
			for bit := range 8 {
				if value>>bit&1 == 1 {
					r[table][value] ^= bits[8*table+bit]
				}
			}
		}
	}
	return r
}

func (r *register) over(v uint32) uint32 {
	return r[0][v&0xff] ^ r[1][v>>8&0xff] ^ r[2][v>>16&0xff] ^ r[3][v>>24]
}
