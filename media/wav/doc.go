// Package wav reads and writes mono WAV files of the three formats telephony
// uses: 16-bit PCM, mu-law and A-law.
//
// [Decode] and [Encode] work on whole files in memory. A [Writer] writes one
// piece by piece and can bring the header up to date at any time, data first and
// sizes second, so that a file cut off by a crash is a valid file that lacks
// what came after the last Flush. A Writer belongs to one goroutine.
//
//	audio, err := wav.Decode(file)
//	...
//	file = wav.Encode(wav.MuLaw, 8000, samples)
package wav
