package calltest

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// SoundLength is how long every sound of a fake Media lasts.
const SoundLength = time.Second

// ErrReplaced is what a Play is told whose party now hears something else.
var ErrReplaced = errors.New("replaced by another source")

// Media is audio without audio: it knows what its party would hear.
type Media struct {
	name string

	mu    sync.Mutex
	hears string
	stop  func() // ends the Play under way
}

// Hears is what the party hears now: "" for nothing, "echo", "play a b" or
// "loop a b" for sounds, or the ID of the leg it is joined to. Joined parties
// need not hear each other: one of them may have been given another source.
func (m *Media) Hears() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hears
}

// Play lasts SoundLength for each sound.
func (m *Media) Play(sounds []string, loop bool, done func(error)) {
	names := strings.Join(sounds, " ")
	if loop {
		m.set("loop "+names, func() { done(ErrReplaced) })
		return
	}
	var once sync.Once
	end := func(err error) { once.Do(func() { done(err) }) }
	timer := time.AfterFunc(time.Duration(len(sounds))*SoundLength, func() {
		m.clear("play " + names)
		end(nil)
	})
	m.set("play "+names, func() {
		timer.Stop()
		end(ErrReplaced)
	})
}

// Echo lets the party hear itself.
func (m *Media) Echo() { m.set("echo", nil) }

// Quiet lets the party hear nothing.
func (m *Media) Quiet() { m.set("", nil) }

// set changes the source and tells the one before that it was replaced.
func (m *Media) set(hears string, stop func()) {
	m.mu.Lock()
	old := m.stop
	m.hears, m.stop = hears, stop
	m.mu.Unlock()
	if old != nil {
		old()
	}
}

// clear forgets a source that came to its natural end.
func (m *Media) clear(hears string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hears == hears {
		m.hears, m.stop = "", nil
	}
}

// Mixer joins fake media.
type Mixer struct{}

// Join lets each of the two hear the other. Both must be *Media.
func (Mixer) Join(a, b call.Media) {
	x, y := a.(*Media), b.(*Media)
	x.set(y.name, nil)
	y.set(x.name, nil)
}
