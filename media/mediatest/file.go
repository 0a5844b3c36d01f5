package mediatest

import (
	"os"
	"testing"

	"github.com/cordpair/cordpair/media/wav"
)

// ReadWAV reads a mono WAV file of any rate and ends the test if it cannot.
func ReadWAV(t testing.TB, path string) (samples []int16, rate int) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	audio, err := wav.Decode(file)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return audio.Samples, audio.Rate
}

// WriteWAV writes samples as 16-bit PCM and ends the test if it cannot.
func WriteWAV(t testing.TB, path string, rate int, samples []int16) {
	t.Helper()
	if err := os.WriteFile(path, wav.Encode(wav.PCM16, rate, samples), 0o600); err != nil {
		t.Fatal(err)
	}
}
