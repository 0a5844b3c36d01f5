package g711

import "math/bits"

// The tables, computed once from the segment form of both laws: a code is a sign,
// three bits of segment and four of step, inverted on the line wholly (mu-law) or
// in every second bit (A-law). 8 KiB and 2 KiB for encoding stay in the first
// level cache, a table over all 65,536 samples would not.
var (
	fromMu = expand(muLevel)
	fromA  = expand(aLevel)
	toMu   = compressMu()
	toA    = compressA()
	muToA  = through(&fromMu, encodeA)
	aToMu  = through(&fromA, encodeMu)
)

// muBias makes the segment borders of mu-law powers of two: 33 units of 14 bits.
const muBias = 33 << 2

// muLevel is the value of a mu-law code (G.711 table 2).
func muLevel(code byte) int16 {
	code = ^code
	segment := code >> 4 & 7
	level := (int(code&15)<<3+muBias)<<segment - muBias
	if code&0x80 != 0 {
		return int16(-level)
	}
	return int16(level)
}

// aLevel is the value of an A-law code (G.711 table 1).
func aLevel(code byte) int16 {
	code ^= 0x55
	level := int(code&15)<<4 + 8
	if segment := code >> 4 & 7; segment > 0 {
		level = (level + 0x100) << (segment - 1)
	}
	if code&0x80 == 0 {
		return int16(-level)
	}
	return int16(level)
}

func expand(level func(byte) int16) (table [256]int16) {
	for code := range table {
		table[code] = level(byte(code))
	}
	return table
}

// compressMu gives the positive code of each magnitude in units of 4.
func compressMu() (table [8192]byte) {
	for i := range table {
		biased := min(i<<2+muBias, 0x7fff)
		segment := bits.Len(uint(biased)) - 8
		step := biased >> (segment + 3) & 15
		table[i] = ^byte(segment<<4 | step)
	}
	return table
}

// compressA gives the positive code of each magnitude in units of 16.
func compressA() (table [2048]byte) {
	for i := range table {
		segment := max(bits.Len(uint(i))-4, 0)
		step := i >> max(segment-1, 0) & 15
		table[i] = byte(segment<<4|step) ^ 0xd5
	}
	return table
}

func through(from *[256]int16, to func(int16) byte) (table [256]byte) {
	for code, sample := range from {
		table[code] = to(sample)
	}
	return table
}
