// Package mediatest makes and judges audio in tests: tones, the level and the
// share of one frequency, clicks, WAV files.
//
// Samples are mono, 16 bits, full scale ±32767. Levels are in dBFS: decibels
// relative to a sine of full scale, whose RMS is 0 dBFS here only if it touches
// full scale; a square wave of full scale has +3 dBFS. Everything is pure and
// may be used from anywhere at once.
//
//	heard := mediatest.ReadWAV(t, "dump-dec.wav")
//	if share := mediatest.Share(heard, 8000, 440); share < -3 {
//		t.Errorf("440 Hz has %.1f dB of what was heard", share)
//	}
package mediatest
