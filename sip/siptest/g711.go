package siptest

import "math/bits"

// G.711 as ITU-T defines it, on its own here so that a phone can witness for
// or against the switch's.

// encode turns one sample into one octet.
func (c Codec) encode(s int16) byte {
	if c == PCMA {
		return alaw(s)
	}
	return ulaw(s)
}

// decode turns one octet into one sample.
func (c Codec) decode(b byte) int16 {
	if c == PCMA {
		return fromAlaw(b)
	}
	return fromUlaw(b)
}

func ulaw(s int16) byte {
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, 32635) + 132
	segment := bits.Len(uint(v)) - 8 // 132 has 8 bits and lies in segment 0
	return ^(sign | byte(segment)<<4 | byte(v>>(segment+3))&0x0f)
}

func fromUlaw(b byte) int16 {
	b = ^b
	segment := int(b>>4) & 7
	v := (int(b&0x0f)<<3+132)<<segment - 132
	if b&0x80 != 0 {
		v = -v
	}
	return int16(v)
}

func alaw(s int16) byte {
	v, sign := int(s)>>3, byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	segment := max(bits.Len(uint(v))-5, 0) // 13-bit values below 32 lie in segment 0
	return (sign | byte(segment)<<4 | byte(v>>max(segment, 1))&0x0f) ^ 0x55
}

func fromAlaw(b byte) int16 {
	b ^= 0x55
	segment := int(b>>4) & 7
	v := int(b&0x0f)<<4 + 8
	if segment > 0 {
		v = (v + 256) << (segment - 1)
	}
	if b&0x80 == 0 {
		v = -v
	}
	return int16(v)
}
