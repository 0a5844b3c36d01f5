package noise

import "math"

// order is how many reflection coefficients count; RFC 3389 section 3.2 lets a
// receiver leave out the rest.
const order = 12

// lowest is the level of silence in -dBov.
const lowest = 127

// Generator makes the noise of one stream.
type Generator struct {
	gain        float32
	order       int
	reflections [order]float32
	state       [order + 1]float32
	seed        uint32
}

// Describe takes the payload of a comfort-noise packet: the level in -dBov, then
// the reflection coefficients of the spectrum (RFC 3389 section 3). None at all
// means silence.
func (g *Generator) Describe(payload []byte) {
	g.gain, g.order = 0, 0
	if len(payload) == 0 || payload[0]&0x7f == lowest {
		return
	}
	// The excitation is weaker than the noise by what the filter adds to it.
	rest := 1.0
	for _, b := range payload[1:min(len(payload), order+1)] {
		// 127 stands for none; the ends are kept off instability.
		k := min(max(258*(float64(b)-127)/32768, -0.98), 0.98)
		g.reflections[g.order] = float32(k)
		g.order++
		rest *= 1 - k*k
	}
	level := 32768 * math.Pow(10, -float64(payload[0]&0x7f)/20)
	// An even distribution between -1 and 1 has a power of one third.
	g.gain = float32(level * math.Sqrt(3*rest))
}

// Silent tells whether there is nothing to hear.
func (g *Generator) Silent() bool { return g.gain == 0 }

// Add adds the noise to samples.
func (g *Generator) Add(pcm []int16) {
	if g.gain == 0 {
		return
	}
	for i, s := range pcm {
		g.seed = g.seed*1664525 + 1013904223
		v := int32(s) + int32(g.shape(float32(int32(g.seed))/(1<<31)*g.gain))
		pcm[i] = int16(min(max(v, -32768), 32767))
	}
}

// shape is the all-pole lattice filter.
func (g *Generator) shape(x float32) float32 {
	for i := g.order - 1; i >= 0; i-- {
		x -= g.reflections[i] * g.state[i]
		g.state[i+1] = g.state[i] + g.reflections[i]*x
	}
	g.state[0] = x
	return x
}
