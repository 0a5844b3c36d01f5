package resample

import "math"

// The filter: a sinc cut off at edge of the lower rate, under a Kaiser window.
const (
	taps = 40 // per phase
	edge = 0.47
	beta = 6.2
	// one is the sum of the taps of each phase.
	one = 1 << 15
)

// kernel is the filter for one ratio of rates, one phase after another. Within a
// phase the order is that of time, as a row of samples has it.
type kernel struct {
	ratio  int
	phases []int32 // taps for each; to interpolate
	whole  []int32 // taps*ratio in order of time; to decimate
}

// The ratios between the rates we work at. Shared by all streams.
var (
	by2 = newKernel(2)
	by3 = newKernel(3)
	by6 = newKernel(6)
)

func newKernel(ratio int) *kernel {
	n := taps * ratio
	ideal := make([]float64, n)
	sum := make([]float64, ratio)
	for i := range ideal {
		t := float64(i) - float64(n-1)/2
		x := 2 * t / float64(n-1)
		ideal[i] = sinc(2*edge*t/float64(ratio)) * bessel(beta*math.Sqrt(max(1-x*x, 0)))
		sum[i%ratio] += ideal[i]
	}
	k := &kernel{ratio: ratio, phases: make([]int32, n), whole: make([]int32, n)}
	for i, v := range ideal {
		// Each phase sums up to exactly one step, or a constant would hum.
		phase := i % ratio
		c := int32(math.Round(v / sum[phase] * one))
		k.whole[n-1-i] = c
		k.phases[phase*taps+taps-1-i/ratio] = c
	}
	return k
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel is I0, by its series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x / 2 / k * (x / 2 / k)
		sum += term
	}
	return sum
}
