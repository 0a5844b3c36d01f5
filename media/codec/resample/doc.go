// Package resample converts between the rates of telephone audio, 8, 16 and
// 48 kHz, by a polyphase FIR filter.
//
// Up to 0.4375 of the lower rate (3.5 kHz at 8 kHz, 7 kHz at 16 kHz) the level
// stays within 0.5 dB; what lies above 0.525 of it leaves less than -60 dB of itself
// behind. The delay is 20 samples of the lower rate.
//
// A Filter is the state of one stream, belongs to whoever uses it and allocates
// nothing; its tables are shared and never change.
//
//	var f resample.Filter
//	f.Reset(8000, 16000)
//	n := f.Process(wide[:], narrow[:160]) // 320 samples, whatever came before
package resample
