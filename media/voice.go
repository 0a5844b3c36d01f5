package media

import (
	"github.com/cordpair/cordpair/media/codec"
	"github.com/cordpair/cordpair/media/codec/opus"
	"github.com/cordpair/cordpair/media/codec/worker"
	"github.com/cordpair/cordpair/media/sdp"
)

// source makes what a party hears, 20 ms at a time, on the loop of its stream.
type source interface {
	// frame tells whether the source goes on.
	frame(l *loop) bool
	// broken ends a source that failed in its frame.
	broken(l *loop, reason any)
}

// startSource lets a source have its frames; the first one starts the clock.
func (l *loop) startSource(x source) {
	l.sources = append(l.sources, x)
	if l.tickAt == 0 {
		l.tickAt = l.now
	}
}

// tick lets every source make the frames that are due, and stops the clock with the
// last of them.
func (l *loop) tick() {
	for behind := l.now - l.tickAt; behind >= 0; behind -= frameTime {
		l.tickAt += frameTime
		if behind > maxCatchUp {
			continue // suspended for a while: what was missed is not sent at once
		}
		kept := l.sources[:0]
		for _, x := range l.sources {
			if l.frameOf(x) {
				kept = append(kept, x)
			}
		}
		clear(l.sources[len(kept):])
		l.sources = kept
	}
	if len(l.sources) == 0 {
		l.tickAt = 0
	}
}

// frameOf lets a source make a frame. A fault in it ends the source, never the loop
// (M10).
func (l *loop) frameOf(x source) (more bool) {
	defer func() {
		if reason := recover(); reason != nil {
			l.failed("making sound failed", reason)
			x.broken(l, reason)
			more = false
		}
	}()
	return x.frame(l)
}

// voice is our own speech to a party: one coder for everything we say, whoever it
// comes from, because the far end decodes it as one. It belongs to the loop.
type voice struct {
	codec   sdp.Codec
	rate    int             // of the samples, in Hz
	encoder codec.Encoder   // nil where the worker encodes
	remote  *worker.Encoder // nil where we do
	epoch   uint64          // of the source that spoke last
	seq     uint16          // under which
	last    int16           // the sample that was spoken last
	step    int32           // from the first sample of a source to the last of the one before
	left    int32           // samples until it has faded
}

// utterance is where a source is in its own numbering.
type utterance struct {
	epoch uint64
	seq   uint16
	ts    uint32
}

// breath is how long a pause may be for speech to go on after it, in ns.
const breath = 60e6

// say encodes samples at rate Hz and sends them to the party as the next packet of
// a source; they are changed. It is false if the party's codec is not ours.
func (s *stream) say(u *utterance, pcm []int16, rate int) bool {
	l, t := s.loop, s.terms
	ts := u.ts
	u.ts += uint32(len(pcm) * t.Codec.Clock / rate)
	if !t.maySend() {
		s.out.interrupt()
		return true
	}
	v := s.speaker(rate)
	if v == nil {
		return false
	}
	if u.epoch != v.epoch {
		v.begin(u.epoch, s.out.seq == v.seq && l.now-s.out.at < breath, pcm)
	}
	v.fade(pcm)
	if v.remote != nil {
		s.sayElsewhere(v, worker.Tag{Epoch: u.epoch, Seq: u.seq, TS: ts, At: l.now}, pcm)
		u.seq++
		return true
	}
	n := v.encoder.Encode(l.frame[rtpHeader:], pcm)
	if n == 0 {
		return true
	}
	p := &l.packet
	*p = packet{buf: l.frame[:], head: rtpHeader, end: rtpHeader + n, seq: u.seq, ts: ts}
	u.seq++
	s.forward(p, u.epoch, t.Codec.PayloadType)
	v.seq = s.out.seq
	return true
}

// speaker is the voice in the codec of the terms; nil if that is not ours.
func (s *stream) speaker(rate int) *voice {
	v := s.voice
	if v != nil && v.rate == rate && v.codec == s.terms.Codec {
		return v
	}
	f := coder(s.terms.Codec)
	if f == nil {
		return nil
	}
	if w := s.engine.cfg.Opus; f.Worker && w != nil {
		s.voice = &voice{codec: s.terms.Codec, rate: rate, remote: w.NewEncoder(rate)}
		return s.voice
	}
	e, err := f.NewEncoder(rate)
	if err != nil {
		return nil
	}
	s.voice = &voice{codec: s.terms.Codec, rate: rate, encoder: e}
	return s.voice
}

// begin changes to another source. Where the one before has just spoken, the step
// between them fades in 5 ms instead of clicking.
func (v *voice) begin(epoch uint64, goesOn bool, pcm []int16) {
	v.epoch, v.left = epoch, 0
	if goesOn && len(pcm) > 0 {
		v.step, v.left = int32(v.last)-int32(pcm[0]), int32(v.rate/200)
	}
}

// fade leads from the source before to the next samples.
func (v *voice) fade(pcm []int16) {
	for i := 0; i < len(pcm) && v.left > 0; i++ {
		pcm[i] = int16(min(max(int32(pcm[i])+v.step*v.left/int32(v.rate/200), -32768), 32767))
		v.left--
	}
	if len(pcm) > 0 {
		v.last = pcm[len(pcm)-1]
	}
}

// overdue is how long the worker may have a frame, in ns. What comes later would not
// fit between the packets that were sent meanwhile.
const overdue = 200e6

// sayElsewhere hands samples to the worker and sends what it has made of earlier
// ones. What it does not take is silence.
func (s *stream) sayElsewhere(v *voice, tag worker.Tag, pcm []int16) {
	payload := s.loop.frame[rtpHeader:]
	taken := v.remote.Encode(tag, pcm)
	for {
		ready, n, ok := v.remote.Take(payload)
		if !ok {
			break
		}
		if s.loop.now-ready.At < overdue {
			s.sayPacket(v, ready, n)
		}
	}
	if !taken {
		s.sayPacket(v, tag, opus.Silence(payload, len(pcm)*1000/v.rate))
	}
}

// sayPacket sends a packet that lies in the frame of the loop.
func (s *stream) sayPacket(v *voice, tag worker.Tag, n int) {
	p := &s.loop.packet
	*p = packet{buf: s.loop.frame[:], head: rtpHeader, end: rtpHeader + n, seq: tag.Seq, ts: tag.TS}
	s.forward(p, tag.Epoch, s.terms.Codec.PayloadType)
	v.seq = s.out.seq
}
