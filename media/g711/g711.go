package g711

// DecodePCMU expands mu-law bytes into dst and returns how many samples it
// wrote: the shorter of the two lengths.
func DecodePCMU(dst []int16, src []byte) int { return decode(dst, src, &fromMu) }

// DecodePCMA expands A-law bytes into dst and returns how many samples it
// wrote: the shorter of the two lengths.
func DecodePCMA(dst []int16, src []byte) int { return decode(dst, src, &fromA) }

// EncodePCMU compresses samples into dst and returns how many bytes it wrote:
// the shorter of the two lengths.
func EncodePCMU(dst []byte, src []int16) int {
	n := min(len(dst), len(src))
	dst = dst[:n]
	for i, s := range src[:n] {
		dst[i] = encodeMu(s)
	}
	return n
}

// EncodePCMA compresses samples into dst and returns how many bytes it wrote:
// the shorter of the two lengths.
func EncodePCMA(dst []byte, src []int16) int {
	n := min(len(dst), len(src))
	dst = dst[:n]
	for i, s := range src[:n] {
		dst[i] = encodeA(s)
	}
	return n
}

// PCMUToPCMA turns mu-law bytes into A-law bytes and returns how many it wrote:
// the shorter of the two lengths. dst and src may be the same slice.
func PCMUToPCMA(dst, src []byte) int { return translate(dst, src, &muToA) }

// PCMAToPCMU turns A-law bytes into mu-law bytes and returns how many it wrote:
// the shorter of the two lengths. dst and src may be the same slice.
func PCMAToPCMU(dst, src []byte) int { return translate(dst, src, &aToMu) }

func decode(dst []int16, src []byte, table *[256]int16) int {
	n := min(len(dst), len(src))
	dst = dst[:n]
	for i, b := range src[:n] {
		dst[i] = table[b]
	}
	return n
}

func translate(dst, src []byte, table *[256]byte) int {
	n := min(len(dst), len(src))
	dst = dst[:n]
	for i, b := range src[:n] {
		dst[i] = table[b]
	}
	return n
}

// encodeMu looks up the magnitude, whose decision values are all multiples of 4.
// It is the one's complement, which needs no special case for -32768 and makes
// the decision interval of a negative code the mirror image but for its edges.
func encodeMu(s int16) byte {
	sign := s >> 15
	return toMu[(s^sign)>>2&0x1fff] ^ byte(sign)&0x80
}

// encodeA does the same; decision values are multiples of 16.
func encodeA(s int16) byte {
	sign := s >> 15
	return toA[(s^sign)>>4&0x7ff] ^ byte(sign)&0x80
}
