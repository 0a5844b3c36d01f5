package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cordpair/cordpair/media/g711"
)

// Format is how samples are stored; the value is the tag in the fmt chunk.
type Format uint16

// The formats.
const (
	PCM16 Format = 1
	ALaw  Format = 6
	MuLaw Format = 7
)

// maxRate is the highest sampling rate taken, in Hz.
const maxRate = 192000

// ErrFormat is matched by every error of Decode.
var ErrFormat = errors.New("not a usable WAV file")

// Audio is a decoded file.
type Audio struct {
	Format  Format
	Rate    int // samples per second
	Samples []int16
}

// width is the number of bytes of a sample, 0 for a format we do not know.
func (f Format) width() int {
	switch f {
	case PCM16:
		return 2
	case ALaw, MuLaw:
		return 1
	}
	return 0
}

// Decode reads a whole file. It takes mono PCM16, A-law and mu-law of 1 to
// 192,000 Hz and skips chunks it does not know; anything else, and sizes that
// reach beyond the file, fails with an error matching ErrFormat.
func Decode(file []byte) (Audio, error) {
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return Audio{}, fmt.Errorf("%w: no RIFF header", ErrFormat)
	}
	var audio Audio
	for rest := file[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:8]))
		rest = rest[8:]
		if size > uint64(len(rest)) {
			return Audio{}, fmt.Errorf("%w: chunk %q is cut off", ErrFormat, name)
		}
		chunk := rest[:size]
		switch name {
		case "fmt ":
			if err := audio.readFormat(chunk); err != nil {
				return Audio{}, err
			}
		case "data":
			return audio, audio.readData(chunk)
		}
		rest = rest[min(size+size&1, uint64(len(rest))):] // chunks begin at even offsets
	}
	return Audio{}, fmt.Errorf("%w: no data chunk", ErrFormat)
}

// readFormat reads the fmt chunk.
func (a *Audio) readFormat(chunk []byte) error {
	if a.Format != 0 {
		return fmt.Errorf("%w: two fmt chunks", ErrFormat)
	}
	if len(chunk) < 16 {
		return fmt.Errorf("%w: short fmt chunk", ErrFormat)
	}
	le := binary.LittleEndian
	format, channels, rate := Format(le.Uint16(chunk)), le.Uint16(chunk[2:]), le.Uint32(chunk[4:])
	align, bits := le.Uint16(chunk[12:]), le.Uint16(chunk[14:])
	width := format.width()
	switch {
	case width == 0:
		return fmt.Errorf("%w: format tag %d", ErrFormat, format)
	case channels != 1:
		return fmt.Errorf("%w: %d channels", ErrFormat, channels)
	case rate == 0 || rate > maxRate:
		return fmt.Errorf("%w: %d Hz", ErrFormat, rate)
	case int(align) != width || int(bits) != 8*width:
		return fmt.Errorf("%w: %d bits in %d bytes", ErrFormat, bits, align)
	}
	a.Format, a.Rate = format, int(rate)
	return nil
}

// readData reads the data chunk into samples.
func (a *Audio) readData(chunk []byte) error {
	width := a.Format.width()
	if width == 0 {
		return fmt.Errorf("%w: data before fmt", ErrFormat)
	}
	if len(chunk)%width != 0 {
		return fmt.Errorf("%w: half a sample at the end", ErrFormat)
	}
	a.Samples = make([]int16, len(chunk)/width)
	switch a.Format {
	case MuLaw:
		g711.DecodePCMU(a.Samples, chunk)
	case ALaw:
		g711.DecodePCMA(a.Samples, chunk)
	default:
		for i := range a.Samples {
			a.Samples[i] = int16(binary.LittleEndian.Uint16(chunk[2*i:]))
		}
	}
	return nil
}

// Encode makes a whole file of mono samples at rate Hz. It panics on a format
// that is none of the constants.
func Encode(f Format, rate int, samples []int16) []byte {
	head := header(f, rate, len(samples))
	file := appendSamples(slices.Grow(head, len(samples)*f.width()+1), f, samples)
	if len(file)&1 != 0 {
		file = append(file, 0) // chunks end at even offsets
	}
	return file
}

// headerSize is the length of what header makes for a format: 44 bytes for PCM;
// the others must have an empty extension in fmt and a fact chunk.
func headerSize(f Format) int {
	if f == PCM16 {
		return 44
	}
	return 58
}

// header makes everything before the samples, for a file of n of them. Sizes of
// more than 4 GiB stay at the most the format can say.
func header(f Format, rate, n int) []byte {
	width, size := f.width(), headerSize(f)
	if width == 0 {
		panic(fmt.Sprintf("wav: format %d", f))
	}
	le := binary.LittleEndian
	data := min(uint64(n)*uint64(width), 1<<32-1-uint64(size))
	data -= data % uint64(width)
	b := make([]byte, 0, size)
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(uint64(size)-8+data+data&1))
	b = append(b, "WAVEfmt "...)
	if f == PCM16 {
		b = le.AppendUint32(b, 16)
	} else {
		b = le.AppendUint32(b, 18)
	}
	b = le.AppendUint16(b, uint16(f))
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*width))
	b = le.AppendUint16(b, uint16(width))
	b = le.AppendUint16(b, uint16(8*width))
	if f != PCM16 {
		b = append(b, 0, 0)
		b = append(b, "fact"...)
		b = le.AppendUint32(b, 4)
		b = le.AppendUint32(b, uint32(data))
	}
	b = append(b, "data"...)
	return le.AppendUint32(b, uint32(data))
}

// appendSamples appends the stored form of samples.
func appendSamples(b []byte, f Format, samples []int16) []byte {
	if f == PCM16 {
		for _, s := range samples {
			b = binary.LittleEndian.AppendUint16(b, uint16(s))
		}
		return b
	}
	at := len(b)
	b = append(b, make([]byte, len(samples))...)
	if f == MuLaw {
		g711.EncodePCMU(b[at:], samples)
	} else {
		g711.EncodePCMA(b[at:], samples)
	}
	return b
}
