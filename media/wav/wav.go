package wav

import "errors"

// Format is how samples are stored; the value is the tag in the fmt chunk.
type Format uint16

// The formats.
const (
	PCM16 Format = 1
	ALaw  Format = 6
	MuLaw Format = 7
)

// ErrFormat is matched by every error of Decode.
var ErrFormat = errors.New("not a usable WAV file")

// Audio is a decoded file.
type Audio struct {
	Format  Format
	Rate    int // samples per second
	Samples []int16
}

// Decode reads a whole file. It takes mono PCM16, A-law and mu-law of 1 to
// 192,000 Hz and skips chunks it does not know; anything else, and sizes that
// reach beyond the file, fails with an error matching ErrFormat.
func Decode(file []byte) (Audio, error) { return Audio{}, ErrFormat }

// Encode makes a whole file of mono samples.
func Encode(f Format, rate int, samples []int16) []byte { return nil }
