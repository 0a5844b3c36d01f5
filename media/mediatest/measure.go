package mediatest

import (
	"math"
	"time"
)

// silent is the level given for no signal at all, in dB.
const silent = -120

// Level is the RMS level in dBFS: -3.01 for a sine that touches full scale, -120
// for silence or no samples.
func Level(samples []int16) float64 {
	return decibels(meanSquare(samples) / (32767 * 32767))
}

// Peak is the largest magnitude, 0–32768.
func Peak(samples []int16) int {
	peak := 0
	for _, s := range samples {
		peak = max(peak, int(s), -int(s))
	}
	return peak
}

// Share is the power of a sine of freq Hz relative to the power of everything
// in the samples but their mean, in dB: about 0 for that tone alone, -3 if it
// makes half of what is heard, -120 if it is not there at all. It looks at blocks
// of 100 ms, so the tone need not keep its phase (lost packets, a jump at a
// hold); at least one whole block is needed.
func Share(samples []int16, rate int, freq float64) float64 {
	block := rate / 10
	var tone, total float64
	for ; block > 0 && len(samples) >= block; samples = samples[block:] {
		tone += goertzel(samples[:block], rate, freq)
		total += variance(samples[:block])
	}
	if total == 0 {
		return silent
	}
	return decibels(tone / total)
}

// goertzel is the mean power of the component at freq Hz, in the units of
// meanSquare: A²/2 for a sine of amplitude A over whole periods.
func goertzel(samples []int16, rate int, freq float64) float64 {
	omega := 2 * math.Pi * freq / float64(rate)
	coefficient := 2 * math.Cos(omega)
	mean := mean(samples)
	var s1, s2 float64
	for _, s := range samples {
		s1, s2 = float64(s)-mean+coefficient*s1-s2, s1
	}
	n := float64(len(samples))
	return 2 * (s1*s1 + s2*s2 - coefficient*s1*s2) / (n * n)
}

// Has tells whether a tone of freq Hz makes at least half of the power heard and
// the whole is louder than -40 dBFS: the question most tests ask.
func Has(samples []int16, rate int, freq float64) bool {
	return Level(samples) > -40 && Share(samples, rate, freq) > -3
}

// TrimSilence cuts leading and trailing blocks of 10 ms below the level in dBFS.
func TrimSilence(samples []int16, rate int, level float64) []int16 {
	block := max(rate/100, 1)
	for len(samples) >= block && Level(samples[:block]) < level {
		samples = samples[block:]
	}
	for len(samples) >= block && Level(samples[len(samples)-block:]) < level {
		samples = samples[:len(samples)-block]
	}
	return samples
}

// Gaps counts the stretches of at least length below the level in dBFS, in
// blocks of 10 ms: drop-outs of a tone that should be steady.
func Gaps(samples []int16, rate int, length time.Duration, level float64) int {
	block := max(rate/100, 1)
	need := int(length / (10 * time.Millisecond))
	gaps, run := 0, 0
	for ; len(samples) >= block; samples = samples[block:] {
		if Level(samples[:block]) >= level {
			run = 0
			continue
		}
		if run++; run == need {
			gaps++
		}
	}
	return gaps
}

func mean(samples []int16) float64 {
	var sum float64
	for _, s := range samples {
		sum += float64(s)
	}
	return sum / float64(max(len(samples), 1))
}

func meanSquare(samples []int16) float64 {
	var sum float64
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return sum / float64(max(len(samples), 1))
}

func variance(samples []int16) float64 {
	m := mean(samples)
	return meanSquare(samples) - m*m
}

// decibels of a power ratio, not below silent.
func decibels(ratio float64) float64 {
	if ratio <= 0 {
		return silent
	}
	return max(10*math.Log10(ratio), silent)
}
