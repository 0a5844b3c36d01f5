package codec

// Concealer makes up for what is missing of one stream of samples, as those who
// listen notice least: the last period of the voice is repeated and fades away
// within 60 ms (as ITU-T G.711 appendix I does). What comes next is faded in. It
// also cuts a period out where there is too much. It belongs to one goroutine and
// allocates nothing after Reset.
type Concealer struct {
	step           int     // samples per sample of 8 kHz
	past           []int16 // the last 30 ms
	period         []int16 // what is repeated; nil while nothing is missing
	room           []int16
	at             int   // in period
	made           int   // samples made up since the last good one
	offset, smooth int32 // from the period to the last good sample; how much longer
}

// Times in samples at 8 kHz.
const (
	pastTime   = 240
	matchTime  = 80 // 10 ms are compared to find the period
	leastLag   = 20 // 400 Hz
	mostLag    = 120
	blendTime  = 40  // 5 ms to fade in
	soundTime  = 80  // made up at full level
	fadeTime   = 400 // then fading
	smoothTime = 16
)

// Reset makes c the concealer of a new stream at rate Hz, 8000 or a multiple.
func (c *Concealer) Reset(rate int) {
	step := rate / 8000
	*c = Concealer{step: step, past: make([]int16, pastTime*step), room: make([]int16, (mostLag+blendTime)*step)}
}

// Good takes samples that were received. torn says that they do not go on where
// the last ones ended; they are changed at their beginning then, as after Lost.
func (c *Concealer) Good(pcm []int16, torn bool) {
	if torn || c.period != nil {
		c.blend(pcm)
	}
	c.keep(pcm)
}

// blend lets what was made up fade into the first samples that are good.
func (c *Concealer) blend(pcm []int16) {
	n := min(blendTime*c.step, len(pcm))
	made := c.room[mostLag*c.step:][:n]
	c.fill(made)
	for i := range n {
		pcm[i] = int16((int32(made[i])*int32(n-i) + int32(pcm[i])*int32(i)) / int32(n))
	}
	c.period, c.made = nil, 0
}

// Lost makes samples up.
func (c *Concealer) Lost(pcm []int16) {
	c.fill(pcm)
	c.keep(pcm)
}

// Silent is Lost where nothing is missing: the party has ended its speech, and what
// is made up only fades.
func (c *Concealer) Silent(pcm []int16) {
	c.made = max(c.made, soundTime*c.step)
	c.Lost(pcm)
}

// Faded tells whether nothing is left of what was heard last.
func (c *Concealer) Faded() bool { return c.made >= (soundTime+fadeTime)*c.step }

// keep remembers the end of what is heard.
func (c *Concealer) keep(pcm []int16) {
	if n := len(pcm); n < len(c.past) {
		copy(c.past, c.past[n:])
		copy(c.past[len(c.past)-n:], pcm)
	} else {
		copy(c.past, pcm[n-len(c.past):])
	}
}

// fill goes on with what was heard last.
func (c *Concealer) fill(pcm []int16) {
	if c.period == nil {
		c.begin()
	}
	full, fade := soundTime*c.step, fadeTime*c.step
	for i := range pcm {
		s := int32(c.period[c.at])
		if c.smooth > 0 {
			s += c.offset * c.smooth / int32(smoothTime*c.step)
			c.smooth--
		}
		if over := c.made - full; over >= fade {
			s = 0
		} else if over > 0 {
			s = s * int32(fade-over) / int32(fade)
		}
		pcm[i] = limit(s)
		c.made++
		if c.at++; c.at == len(c.period) {
			c.at = 0
		}
	}
}

// begin finds the period that goes on. Where it is repeated its end is made to
// lead to its beginning, and where it begins a step would be, the step fades.
func (c *Concealer) begin() {
	n := len(c.past)
	lag := c.lag(c.past)
	c.period = c.room[:lag]
	copy(c.period, c.past[n-lag:])
	blend := min(lag/4, n-lag)
	for i := range blend {
		now, before := int32(c.past[n-blend+i]), int32(c.past[n-lag-blend+i])
		c.period[lag-blend+i] = int16((now*int32(blend-i) + before*int32(i)) / int32(blend))
	}
	c.at, c.smooth = 0, int32(smoothTime*c.step)
	c.offset = int32(c.past[n-1]) - int32(c.past[n-lag-1])
}

// lag is the period at the end of the samples, in samples.
func (c *Concealer) lag(pcm []int16) int {
	n, match := len(pcm), matchTime*c.step
	return c.best(pcm[n-match:], func(lag int) []int16 { return pcm[n-match-lag:] }, mostLag)
}

// best finds the lag, up to most at 8 kHz, at which other looks most like pattern.
func (c *Concealer) best(pattern []int16, other func(lag int) []int16, most int) int {
	found, peak, coarse := leastLag*c.step, -1.0, 2*c.step
	for lag := found; lag <= most*c.step; lag += coarse {
		if like := alike(pattern, other(lag), coarse); like > peak {
			found, peak = lag, like
		}
	}
	middle := found
	peak = -1
	for lag := max(middle-coarse+1, leastLag*c.step); lag < min(middle+coarse, most*c.step+1); lag++ {
		if like := alike(pattern, other(lag), c.step); like > peak {
			found, peak = lag, like
		}
	}
	return found
}

// alike is the normalised correlation of the samples step apart.
func alike(a, b []int16, step int) float64 {
	var both, power, own int64
	for i := 0; i < len(a); i += step {
		x, y := int64(a[i]), int64(b[i])
		both += x * y
		power += y * y
		own += x * x
	}
	if both <= 0 || power == 0 || own == 0 {
		return 0
	}
	return float64(both) / float64(power) * float64(both) / float64(own)
}

// Shorten cuts a period out of samples that are to be played, where it is heard
// least, and returns how many are left; all if there are too few.
func (c *Concealer) Shorten(pcm []int16) int {
	blend := blendTime * c.step
	most := min(len(pcm)/c.step-blendTime, mostLag)
	if most < leastLag {
		return len(pcm)
	}
	lag := c.best(pcm[:blend], func(lag int) []int16 { return pcm[lag:] }, most)
	for i := range blend {
		pcm[i] = int16((int32(pcm[i])*int32(blend-i) + int32(pcm[lag+i])*int32(i)) / int32(blend))
	}
	return blend + copy(pcm[blend:], pcm[lag+blend:])
}

func limit(v int32) int16 { return int16(min(max(v, -32768), 32767)) }
