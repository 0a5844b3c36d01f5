package mediatest

import "math"

// Clicks finds discontinuities: samples that differ from what their neighbours
// foretell by more than threshold (a share of full scale, 0–1). The forecast is
// the cubic through the two samples before and the two after, which smooth audio
// follows closely and a cut or a lost packet does not. It returns their indexes,
// at most one per 5 samples. A third of its amplitude suits a tone below 1 kHz,
// 0.05 music at -20 dBFS. Speech has such steps of its own, up to 0.3 in every
// period of a voice and in every s: compare it with the original instead.
func Clicks(samples []int16, threshold float64) []int {
	var out []int
	for i := 2; i+2 < len(samples); i++ {
		a, b := float64(samples[i-2]), float64(samples[i-1])
		c, d := float64(samples[i+1]), float64(samples[i+2])
		forecast := (4*(b+c) - (a + d)) / 6
		if math.Abs(float64(samples[i])-forecast) > threshold*32767 {
			out = append(out, i)
			i += 4
		}
	}
	return out
}
