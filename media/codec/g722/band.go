package g722

// band is the adaptive predictor of one band, which encoder and decoder run in
// step (G.722 section 3.6: blocks 3L, 4L, 3H and 4H). All values are 16 bits wide;
// they lie in words so that products need no conversion.
type band struct {
	step, log int32 // DET and NB

	predicted, zeros int32 // S and SZ
	r1               int32 // the last reconstructed sample, doubled and limited
	a1, a2           int32 // poles
	p1, p2           int32 // the last two partial reconstructions, of which the signs count

	b [6]int32 // zeros
	d [6]int32 // the last six differences
}

// limit keeps a value within 16 bits.
func limit(v int32) int32 { return min(max(v, -32768), 32767) }

// limit15 keeps a value within the 15 bits of a band's output.
func limit15(v int32) int32 { return min(max(v, -16384), 16383) }

// adapt moves the step by a code and the predictor by the difference it stands
// for. grow and steps are those of the band.
func (s *band) adapt(difference, grow, most int32, steps *[353]int32) {
	s.log = min(max(s.log*127>>7+grow, 0), most)
	s.step = steps[s.log>>6]
	s.predict(difference)
}

// predict takes the quantised difference and foretells the next sample.
func (s *band) predict(d0 int32) {
	r0 := limit(s.predicted + d0)
	p0 := limit(s.zeros + d0)

	// Two poles, moved by the signs of the last partial reconstructions. same is
	// 0 for equal signs and -1 for different ones.
	same1, same2 := (p0^s.p1)>>31, (p0^s.p2)>>31
	w := limit(s.a1 << 2)
	w = min((w^^same1)-^same1, 32767) // minus w for equal signs
	a2 := min(max((128^same2)-same2+w>>7+s.a2*32512>>15, -12288), 12288)
	bound := 15360 - a2
	a1 := min(max((192^same1)-same1+s.a1*32640>>15, -bound), bound)
	s.p2, s.p1, s.a1, s.a2 = s.p1, p0, a1, a2

	// Six zeros, each moved by whether its difference had the sign of this one.
	var move int32
	if d0 != 0 {
		move = 128
	}
	b, d := &s.b, &s.d
	newest := limit(d0 << 1)
	var sum int32
	late := newest
	for i := range b {
		other := (d0 ^ d[i]) >> 31
		b[i] = limit((move ^ other) - other + b[i]*32640>>15)
		sum += b[i] * late >> 15
		late, d[i] = d[i], late
	}
	s.zeros = limit(sum)

	r := limit(r0 << 1)
	s.predicted = limit(limit(a1*r>>15+a2*s.r1>>15) + s.zeros)
	s.r1 = r
}
