package g722

// maxBytes is the longest payload worked on at once; longer ones are cut in
// pieces of it. It is 20 ms, so that the scratch space stays in the first cache.
const maxBytes = 160

// history is how many earlier values the mirror filters see.
const history = 22

// Decoder turns the bytes of one stream into samples.
type Decoder struct {
	low, high band
	narrow    bool
	past      [history]int32 // of sum and difference of the bands, by turns
}

// Reset makes d the decoder of a new stream. rate is that of the samples in Hz,
// 16000 or 8000; any other value counts as 16000.
func (d *Decoder) Reset(rate int) {
	*d = Decoder{narrow: rate == 8000}
	d.low.step, d.high.step = lowSteps[0], highSteps[0]
}

// Decode expands bytes into pcm and returns how many samples it wrote: two per
// byte at 16 kHz, one at 8 kHz, as far as pcm has room. Bytes without room are
// not looked at.
func (d *Decoder) Decode(pcm []int16, payload []byte) int {
	if d.narrow {
		n := min(len(pcm), len(payload))
		d.decodeLow(pcm[:n], payload[:n])
		return n
	}
	n := min(len(pcm)/2, len(payload))
	pcm, payload = pcm[:2*n], payload[:n]
	for len(payload) > 0 {
		part := min(len(payload), maxBytes)
		d.decodeBoth(pcm[:2*part], payload[:part])
		pcm, payload = pcm[2*part:], payload[part:]
	}
	return 2 * n
}

// nextLow gives the next sample of the lower band.
func (s *band) nextLow(code byte) int32 {
	out := limit15(s.predicted + s.step*output6[code&63]>>15)
	short := code >> 2 & 15
	s.adapt(s.step*output4[short]>>15, grow4[short], lowMost, &lowSteps)
	return out
}

// nextHigh gives the next sample of the upper band.
func (s *band) nextHigh(code byte) int32 {
	short := code >> 6
	difference := s.step * output2[short] >> 15
	out := limit15(s.predicted + difference)
	s.adapt(difference, grow2[short], highMost, &highSteps)
	return out
}

// decodeLow is the decoder at 8 kHz. Both slices are of one length.
func (d *Decoder) decodeLow(pcm []int16, payload []byte) {
	for i, code := range payload {
		pcm[i] = int16(d.low.nextLow(code) << 1)
	}
}

// decodeBoth decodes at most maxBytes and puts the bands together.
func (d *Decoder) decodeBoth(pcm []int16, payload []byte) {
	var line [history + 2*maxBytes]int32
	copy(line[:], d.past[:])
	for i, code := range payload {
		low, high := d.low.nextLow(code), d.high.nextHigh(code)
		line[history+2*i], line[history+2*i+1] = low+high, low-high
	}
	for i := range payload {
		x := (*[24]int32)(line[2*i:])
		pcm[2*i] = int16(limit(oddSum(x) >> 11))
		pcm[2*i+1] = int16(limit(evenSum(x) >> 11))
	}
	copy(d.past[:], line[2*len(payload):])
}

// evenSum and oddSum are the two phases of the mirror filter.
func evenSum(x *[24]int32) int32 {
	m := &mirror
	return x[0]*m[0] + x[2]*m[1] + x[4]*m[2] + x[6]*m[3] + x[8]*m[4] + x[10]*m[5] +
		x[12]*m[6] + x[14]*m[7] + x[16]*m[8] + x[18]*m[9] + x[20]*m[10] + x[22]*m[11]
}

func oddSum(x *[24]int32) int32 {
	m := &mirror
	return x[1]*m[11] + x[3]*m[10] + x[5]*m[9] + x[7]*m[8] + x[9]*m[7] + x[11]*m[6] +
		x[13]*m[5] + x[15]*m[4] + x[17]*m[3] + x[19]*m[2] + x[21]*m[1] + x[23]*m[0]
}
