package sounds

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/cordpair/cordpair/media/wav"
)

// Rate is the sampling rate of every sound in Hz.
const Rate = 8000

//go:embed files
var embedded embed.FS

// Library gives sounds by name. It may be used from any goroutine.
type Library struct {
	sounds map[string]func() []int16 // not changed after New
}

// New makes the library of the built-in sounds. It decodes nothing yet.
func New() *Library {
	l := &Library{sounds: make(map[string]func() []int16)}
	// Reading what is embedded cannot fail, and a test decodes every file.
	_ = fs.WalkDir(embedded, "files", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name := strings.TrimSuffix(strings.TrimPrefix(path, "files/"), ".wav")
			l.sounds[name] = sync.OnceValue(func() []int16 { return decode(path) })
		}
		return err
	})
	return l
}

// decode reads one embedded file.
func decode(path string) []int16 {
	file, err := embedded.ReadFile(path)
	if err != nil {
		panic(fmt.Sprintf("sounds: %v", err))
	}
	audio, err := wav.Decode(file)
	if err != nil || audio.Rate != Rate {
		panic(fmt.Sprintf("sounds: %s: %d Hz, %v", path, audio.Rate, err))
	}
	return audio.Samples
}

// Lookup gives the samples of a sound, 8 kHz mono, and whether there is one of
// that name. The slice is shared: nobody may change it. The first call for a
// sound decodes it, which takes well under a millisecond for a word and about
// two for the music.
func (l *Library) Lookup(name string) ([]int16, bool) {
	sound, ok := l.sounds[name]
	if !ok {
		return nil, false
	}
	samples := sound()
	return samples[:len(samples):len(samples)], true
}

// Names lists the sounds in alphabetical order.
func (l *Library) Names() []string {
	out := make([]string, 0, len(l.sounds))
	for name := range l.sounds {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
