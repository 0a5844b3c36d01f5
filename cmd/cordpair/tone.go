package main

import (
	"encoding/binary"
	"math"
)

const (
	toneRate    = 8000
	wavSeconds  = 300 // baresip hangs up when its source ends
	pcmuSeconds = 2
	toneLevel   = 0.5 * math.MaxInt16
)

// tone is n samples of a sine at half of full scale.
func tone(hz float64, n int) []int16 {
	out := make([]int16, n)
	for i := range out {
		out[i] = int16(toneLevel * math.Sin(2*math.Pi*hz*float64(i)/toneRate))
	}
	return out
}

// toneWAV is a mono WAV file of 16-bit samples.
func toneWAV(hz float64) []byte {
	samples := tone(hz, toneRate*wavSeconds)
	size := uint32(2 * len(samples))
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, 36+size)...)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	for _, v := range []uint16{1, 1} { // PCM, one channel
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	b = binary.LittleEndian.AppendUint32(b, toneRate)
	b = binary.LittleEndian.AppendUint32(b, 2*toneRate)
	for _, v := range []uint16{2, 16} { // bytes and bits of a sample
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// tonePCMU is what SIPp streams: raw mu-law.
func tonePCMU() []byte {
	samples := tone(440, toneRate*pcmuSeconds)
	out := make([]byte, len(samples))
	for i, s := range samples {
		out[i] = muLaw(s)
	}
	return out
}

// muLaw encodes one sample (ITU-T G.711).
func muLaw(s int16) byte {
	const bias, clip = 132, 32635
	sign, v := byte(0), int(s)
	if v < 0 {
		sign, v = 0x80, -v
	}
	v = min(v, clip) + bias
	exponent := 7
	for mask := 0x4000; exponent > 0 && v&mask == 0; mask >>= 1 {
		exponent--
	}
	return ^(sign | byte(exponent<<4) | byte(v>>(exponent+3))&0x0f)
}
