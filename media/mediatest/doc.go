// Package mediatest makes and judges audio in tests: tones, the level and the
// share of one frequency, clicks, WAV files.
//
// Samples are mono, 16 bits, full scale ±32767. Levels are RMS in dBFS: a square
// wave of full scale has 0, a sine that touches full scale -3, one of half that
// amplitude -9. Everything is pure and may be used from anywhere at once.
//
//	heard, rate := mediatest.ReadWAV(t, "dump-dec.wav")
//	if share := mediatest.Share(heard, rate, 440); share < -3 {
//		t.Errorf("440 Hz has %.1f dB of what was heard", share)
//	}
package mediatest
