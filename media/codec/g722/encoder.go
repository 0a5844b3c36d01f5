package g722

// Encoder turns the samples of one stream into bytes.
type Encoder struct {
	low, high band
	narrow    bool
	past      [history]int32 // samples
}

// Reset makes e the encoder of a new stream. rate is that of the samples in Hz,
// 16000 or 8000; any other value counts as 16000. At 8000 the upper band is
// silent.
func (e *Encoder) Reset(rate int) {
	*e = Encoder{narrow: rate == 8000}
	e.low.step, e.high.step = lowSteps[0], highSteps[0]
}

// Encode compresses samples into payload and returns how many bytes it wrote: one
// per two samples at 16 kHz, one per sample at 8 kHz, as far as payload has room.
// A last odd sample is left out.
func (e *Encoder) Encode(payload []byte, pcm []int16) int {
	if e.narrow {
		n := min(len(payload), len(pcm))
		e.encodeLow(payload[:n], pcm[:n])
		return n
	}
	n := min(len(payload), len(pcm)/2)
	payload, pcm = payload[:n], pcm[:2*n]
	for len(payload) > 0 {
		part := min(len(payload), maxBytes)
		e.encodeBoth(payload[:part], pcm[:2*part])
		payload, pcm = payload[part:], pcm[2*part:]
	}
	return n
}

// quiet is the code of the upper band that moves nothing once its step is the
// smallest: the least value, which rounds to no difference at all.
const quiet = 3 << 6

// encodeLow is the encoder at 8 kHz. Both slices are of one length.
func (e *Encoder) encodeLow(payload []byte, pcm []int16) {
	for i, s := range pcm {
		payload[i] = quiet | e.low.codeLow(int32(s)>>1)
	}
}

// encodeBoth splits at most 2*maxBytes samples into bands and codes them.
func (e *Encoder) encodeBoth(payload []byte, pcm []int16) {
	var line [history + 2*maxBytes]int32
	copy(line[:], e.past[:])
	for i, s := range pcm {
		line[history+i] = int32(s)
	}
	for i := range payload {
		x := (*[24]int32)(line[2*i:])
		even, odd := evenSum(x), oddSum(x)
		payload[i] = e.high.codeHigh((odd-even)>>14) | e.low.codeLow((odd+even)>>14)
	}
	copy(e.past[:], line[len(pcm):])
}

// codeLow codes a sample of the lower band in six bits.
func (s *band) codeLow(sample int32) byte {
	e := limit(sample - s.predicted)
	sign := e >> 31
	n := interval(e^sign, s.step) // of the one's complement, as the recommendation has it
	// Codes count down from 61 for positive differences, from 63 and then from 31
	// for negative ones; the largest value is in the last interval.
	code := byte(61 - n)
	if sign < 0 {
		if code = byte(33 - n); n < 2 {
			code = byte(63 - n)
		}
	}
	short := code >> 2
	s.adapt(s.step*output4[short]>>15, grow4[short], lowMost, &lowSteps)
	return code
}

// interval finds the quantiser's interval of a magnitude, 0 to 29, in five steps.
func interval(magnitude, step int32) int32 {
	var n int32
	for half := int32(16); half > 0; half >>= 1 {
		if at := n + half; at < int32(len(decision)) && magnitude >= decision[at]*step>>12 {
			n = at
		}
	}
	return n
}

// codeHigh codes a sample of the upper band in two bits, where they belong.
func (s *band) codeHigh(sample int32) byte {
	e := limit(sample - s.predicted)
	sign := e >> 31
	var far byte
	if e^sign >= 564*s.step>>12 {
		far = 1
	}
	code := 3 - far
	if sign < 0 {
		code = 1 - far
	}
	s.adapt(s.step*output2[code]>>15, grow2[code], highMost, &highSteps)
	return code << 6
}
