package siptest

import (
	"math"
	"time"
)

// rate is the sampling rate of all audio here, in Hz.
const rate = 8000

// silence is the level in dB of full scale below which the phone hears nothing.
const silence = -50

// Tone returns a sine of half amplitude (-9 dB) at 8 kHz.
func Tone(hz float64, d time.Duration) []int16 {
	pcm := make([]int16, int(d*rate/time.Second))
	for i := range pcm {
		pcm[i] = sine(hz, i)
	}
	return pcm
}

func sine(hz float64, i int) int16 {
	return int16(math.Round(16384 * math.Sin(2*math.Pi*hz*float64(i)/rate)))
}

// HasTone is true when pcm is louder than -50 dB and at least half of its
// energy lies at hz; the resolution is about 8000/len(pcm) Hz.
func HasTone(pcm []int16, hz float64) bool {
	return Level(pcm) > silence && share(pcm, hz) >= 0.5
}

// share is the part of the energy of pcm at hz, by Goertzel's algorithm.
func share(pcm []int16, hz float64) float64 {
	k := 2 * math.Cos(2*math.Pi*hz/rate)
	var s1, s2, energy float64
	for _, v := range pcm {
		x := float64(v)
		energy += x * x
		s1, s2 = x+k*s1-s2, s1
	}
	if energy == 0 {
		return 0
	}
	power := s1*s1 + s2*s2 - k*s1*s2
	return 2 * power / (energy * float64(len(pcm)))
}

// Level is the RMS of pcm in dB of full scale; -120 for silence.
func Level(pcm []int16) float64 {
	var energy float64
	for _, v := range pcm {
		energy += float64(v) * float64(v)
	}
	if energy == 0 {
		return -120
	}
	return 10 * math.Log10(energy/float64(len(pcm))/(32768*32768))
}
