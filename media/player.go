package media

import (
	"sync/atomic"

	"github.com/cordpair/cordpair/media/g711"
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
	epoch uint64
	over  atomic.Bool // set once, by whoever ends it

	// loop only
	begun    bool // the first sample is out
	clip, at int
	tail     int // frames of silence sent after the last sample
	seq      uint16
	ts       uint32
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

// play starts a player. The first starts the clock. A player to a party that has
// negotiated nothing yet waits for the terms: a call answers and plays in one
// breath, and the answer takes its way through the SIP edge.
func (l *loop) play(p *player) {
	if p.to.terms == nil {
		p.to.waiting = p
		return
	}
	l.players = append(l.players, p)
	if l.tickAt == 0 {
		l.tickAt = l.now
	}
}

// tick sends the frames that are due and stops the clock with the last player.
func (l *loop) tick() {
	for behind := l.now - l.tickAt; behind >= 0; behind -= frameTime {
		l.tickAt += frameTime
		if behind > maxCatchUp {
			continue // suspended for a while: what was missed is not sent at once
		}
		kept := l.players[:0]
		for _, p := range l.players {
			if l.playFrame(p) {
				kept = append(kept, p)
			}
		}
		clear(l.players[len(kept):])
		l.players = kept
	}
	if len(l.players) == 0 {
		l.tickAt = 0
	}
}

// playFrame sends one frame and tells whether the player goes on. Its end is
// reported when the last frame has been heard out.
func (l *loop) playFrame(p *player) bool {
	if p.over.Load() {
		return false
	}
	t := p.to.terms
	if t.sends == notG711 {
		p.finish(ErrNoG711)
		return false
	}
	if !p.fill(l.pcm[:]) {
		p.finish(nil)
		return false
	}
	payload := l.frame[rtpHeader:]
	if t.sends == muLaw {
		g711.EncodePCMU(payload, l.pcm[:])
	} else {
		g711.EncodePCMA(payload, l.pcm[:])
	}
	frame := &l.packet
	*frame = packet{buf: l.frame[:], head: rtpHeader, end: len(l.frame), seq: p.seq, ts: p.ts}
	p.seq++
	p.ts += frameSamples
	p.to.forward(frame, p.epoch, t.Codec.PayloadType)
	return true
}
