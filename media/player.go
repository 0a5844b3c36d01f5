package media

import (
	"sync/atomic"

	"github.com/cordpair/cordpair/media/sounds"
)

// A frame is what a player sends at once.
const (
	frameTime    = 20e6 // ns
	frameSamples = 160
	// maxCatchUp is how late frames are still sent; beyond it the clock skips.
	maxCatchUp = 5 * frameTime
	// maxLead is how long a playback waits for the first packet of the party. A
	// phone opens its ears when it opens its mouth, which is after our answer has
	// reached it, and behind a NAT only its packet tells us where it is.
	maxLead = 500e6 // ns, from the answer on
	// tailFrames of silence follow the last sound: phones hold back about as
	// much, and throw it away when the call ends.
	tailFrames = 6
)

// player is a source: sounds, one after another, to one stream. It is ticked by
// the loop of that stream, with one clock for all players of a loop.
type player struct {
	to    *stream
	clips [][]int16 // shared samples, never changed
	loop  bool
	done  func(error) // may be nil
	over  atomic.Bool // set once, by whoever ends it

	// loop only
	begun    bool // the first sample is out
	clip, at int
	tail     int // frames of silence sent after the last sample
	said     utterance
}

// end claims the end of the playback; only the first to do so gets true and must
// see to done.
func (p *player) end() bool { return p.over.CompareAndSwap(false, true) }

// finish ends the playback and reports it, if nobody else has.
func (p *player) finish(err error) {
	if p.end() {
		p.report(err)
	}
}

// report calls done.
func (p *player) report(err error) {
	if p.done != nil {
		p.done(err)
	}
}

// fill copies the next samples, between silence while the party is waited for
// and silence after the last; false when there is nothing left.
func (p *player) fill(pcm []int16) bool {
	n := 0
	if !p.begun && len(p.clips) > 0 && p.to.awaited() {
		clear(pcm)
		return true
	}
	for n < len(pcm) {
		if p.clip == len(p.clips) {
			if !p.loop {
				break
			}
			p.clip = 0
		}
		k := copy(pcm[n:], p.clips[p.clip][p.at:])
		n += k
		p.at += k
		if p.at == len(p.clips[p.clip]) {
			p.clip, p.at = p.clip+1, 0
		}
	}
	clear(pcm[n:])
	if n == 0 && p.begun {
		p.tail++
	}
	p.begun = p.begun || n > 0
	return n > 0 || p.begun && p.tail <= tailFrames
}

// play starts a player. A player to a party that has
// negotiated nothing yet waits for the terms: a call answers and plays in one
// breath, and the answer takes its way through the SIP edge.
func (l *loop) play(p *player) {
	if p.to.terms == nil {
		p.to.waiting = p
		return
	}
	l.startSource(p)
}

// frame implements source. The end is reported when the last frame has been heard
// out.
func (p *player) frame(l *loop) bool {
	switch {
	case p.over.Load():
		return false
	case !p.fill(l.pcm[:]):
		p.finish(nil)
		return false
	case !p.to.say(&p.said, l.pcm[:], sounds.Rate):
		p.finish(ErrNoCodec)
		return false
	}
	return true
}

// broken implements source.
func (p *player) broken(*loop, any) { p.finish(ErrBroken) }
