package mediatest

import (
	"math"
	"time"
)

// Tone makes a sine of freq Hz at the given RMS level in dBFS (-3.01 touches full
// scale, more is clipped), sampled at rate Hz, beginning at zero.
func Tone(freq float64, rate int, length time.Duration, level float64) []int16 {
	out := make([]int16, int(length.Seconds()*float64(rate)+0.5))
	amplitude := 32767 * math.Sqrt2 * math.Pow(10, level/20)
	for i := range out {
		s := amplitude * math.Sin(2*math.Pi*freq*float64(i)/float64(rate))
		out[i] = int16(math.Round(max(-32767, min(32767, s))))
	}
	return out
}

// Silence makes samples of zero, sampled at rate Hz.
func Silence(rate int, length time.Duration) []int16 {
	return make([]int16, int(length.Seconds()*float64(rate)+0.5))
}
