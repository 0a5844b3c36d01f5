package media

import (
	"slices"

	"github.com/cordpair/cordpair/media/codec"
	"github.com/cordpair/cordpair/media/codec/noise"
	"github.com/cordpair/cordpair/media/jitter"
	"github.com/cordpair/cordpair/media/sdp"
)

// restless is how long a party may send nothing before its recoder rests, in ns.
// Comfort noise is refreshed more often.
const restless = 1e9

// plan is what a recoder does. It never changes.
type plan struct {
	to     *stream
	in     []sdp.Codec // formats of the party that are coded anew, under its payload types
	out    sdp.Codec
	rate   int // of the samples between the two codecs, in Hz
	ptime  int // of what we send, in ms
	events passage
	// rates of the events on either side
	eventsIn, eventsOut int
}

// newPlan collects what a relay leaves to a recoder; nothing if in is empty.
func newPlan(r *relay, from, there *terms) plan {
	p := plan{to: r.to, out: there.Codec, eventsIn: r.eventsIn, eventsOut: r.eventsOut}
	for _, c := range from.Accepted {
		if r.way[c.PayloadType&0x7f].how == recode {
			p.in = append(p.in, c)
			p.rate = max(p.rate, coder(c).Rate)
		}
	}
	if len(p.in) == 0 {
		return plan{}
	}
	p.rate, p.ptime = min(p.rate, coder(p.out).Rate), packetTime(there)
	if from.ReceiveEvents >= 0 {
		p.events = r.way[from.ReceiveEvents&0x7f]
	}
	return p
}

// packetTime is how long the packets that we code for a party are, in ms: what it asks
// for, as far as that makes sense.
func packetTime(there *terms) int {
	switch t := there.PTime / 10 * 10; {
	case there.PTime == 0:
		return 20
	case there.Codec.Clock == 48000 && (t == 30 || t == 50):
		return 20 // frames of opus are 10, 20, 40 or 60 ms long
	default:
		return min(max(t, 10), 60)
	}
}

// is tells whether two plans are one.
func (p *plan) is(other plan) bool {
	return p.to == other.to && p.out == other.out && p.rate == other.rate && p.ptime == other.ptime &&
		p.events == other.events && p.eventsIn == other.eventsIn && p.eventsOut == other.eventsOut &&
		slices.Equal(p.in, other.in)
}

// recoder is where two parties have no codec in common but we have both: what
// arrives waits in a jitter buffer, and 20 ms after 20 ms is decoded, in order, and
// said to the other party. It is part of a relay, belongs to the loop of both streams
// and works from the first packet on until nothing has come for a second.
type recoder struct {
	plan plan

	// loop only
	from     *stream
	active   bool  // it has its frames
	dead     bool  // it has failed
	heard    int64 // when the last packet came
	epoch    uint64
	buffer   *jitter.Buffer
	clock    int             // of the buffer
	decoders []codec.Decoder // of plan.in
	conceal  codec.Concealer
	noise    noise.Generator
	said     utterance
	key      key

	pcm   []int16
	have  int  // samples in pcm
	due   int  // samples that have to go out; less than 0 where some went early
	last  int  // length of the last packet in samples
	begun bool // something was decoded
	real  bool // something of it is in pcm
}

// relayed is the relay that takes what a stream receives; nil without one.
func relayed(s *stream) *relay {
	k := s.sink.Load()
	if k == nil {
		return nil
	}
	r, _ := (*k).(*relay)
	return r
}

// take holds a packet of the party back until it is its turn.
func (r *recoder) take(from *stream, p *packet, how conversion) {
	if r.dead {
		from.counters.dropped.add(1)
		return
	}
	if !r.active {
		r.start(from)
	}
	if how == recode {
		r.tune(p.pt)
	}
	if from.in.epoch != r.epoch {
		r.epoch = from.in.epoch
		r.buffer.Reset()
	}
	r.heard = from.loop.now
	if r.buffer.Put(r.heard, jitter.Packet{
		Seq: p.seq, TS: p.ts, Type: p.pt, Marker: p.marker, Event: how == keyPress, Payload: p.payload(),
	}) != jitter.Kept {
		from.counters.dropped.add(1)
	}
}

// yield lets go of what is held back and rests, because the party goes on in a format
// that passes: nothing is to be made up beside that.
func (r *recoder) yield() {
	if r.active {
		r.heard = r.from.loop.now - restless - 1
		r.buffer.Reset()
	}
}

// start makes ready what the recoder needs and lets it have its frames.
func (r *recoder) start(from *stream) {
	if r.buffer == nil {
		r.from = from
		r.decoders = make([]codec.Decoder, len(r.plan.in))
		r.pcm = make([]int16, r.plan.rate/4)
		r.conceal.Reset(r.plan.rate)
		r.clock = r.plan.in[0].Clock
		r.buffer = jitter.New(r.clock)
	}
	r.active, r.begun, r.have, r.due = true, false, 0, 0
	r.last = r.plan.rate / 50
	r.buffer.Reset()
	r.epoch = from.in.epoch
	r.said.epoch = from.engine.nextEpoch()
	from.loop.startSource(r)
	from.loop.io.wake() // what starts with a packet is not seen by the clock of every engine
}

// tune makes the buffer count at the rate of a format.
func (r *recoder) tune(pt uint8) {
	if c := r.plan.in[r.format(pt)].Clock; c != r.clock {
		r.clock = c
		r.buffer.Retime(c)
	}
}

// format is the index of a payload type in the plan; the relay sends no other here.
func (r *recoder) format(pt uint8) int {
	for i := range r.plan.in {
		if r.plan.in[i].PayloadType == pt {
			return i
		}
	}
	return 0
}

// frame implements source.
func (r *recoder) frame(l *loop) bool {
	now := relayed(r.from)
	if now == nil || now.recoder != r || l.now-r.heard > restless && r.buffer.Held() == 0 {
		r.active = false
		return false
	}
	if r.key.down && l.now-r.key.at > pressed {
		r.key.down = false
	}
	r.plan.to.out.hear(now.turn)
	r.due += r.plan.rate / 50
	r.draw(l)
	for frame := r.frameSize(); r.due >= frame && r.have >= frame; {
		r.send(frame)
	}
	return true
}

// frameSize is the length of our packets in samples.
func (r *recoder) frameSize() int { return r.plan.rate / 1000 * r.plan.ptime }

// broken implements source: this leg is not heard any more, and its owner is told.
func (r *recoder) broken(*loop, any) {
	r.active, r.dead = false, true
	if f := r.from.events.Broken; f != nil {
		f()
	}
}

// draw takes packets until there is enough to say.
func (r *recoder) draw(l *loop) {
	for r.have < r.due {
		p, what := r.buffer.Next(l.now)
		switch {
		case what == jitter.Play && p.Event:
			r.press(&p, l.now)
		case what == jitter.Play:
			r.play(&p)
		case what == jitter.Lost:
			r.makeUp(r.last, false)
		case !r.begun:
			r.due = 0 // nobody waits for what has not begun
		default:
			r.makeUp(r.due-r.have, what == jitter.Silence)
		}
	}
}

// play decodes a packet.
func (r *recoder) play(p *jitter.Packet) {
	if p.Type == comfortNoise && r.from.terms.carries[comfortNoise] == background {
		r.noise.Describe(p.Payload)
		r.buffer.Pause()
		return
	}
	pcm := r.pcm[r.have:]
	n, err := r.decoder(r.format(p.Type)).Decode(pcm, p.Payload)
	if err != nil || n == 0 {
		r.from.counters.dropped.add(1)
		r.makeUp(r.last, false)
		return
	}
	r.last = n
	r.buffer.Advance(n * r.clock / r.plan.rate)
	if p.Hurry {
		n = r.conceal.Shorten(pcm[:n])
	}
	r.conceal.Good(pcm[:n], p.Torn && r.begun)
	r.have += n
	r.begun, r.real = true, true
}

// decoder is that of a format, made when it is first needed.
func (r *recoder) decoder(i int) codec.Decoder {
	if r.decoders[i] == nil {
		d, err := coder(r.plan.in[i]).NewDecoder(r.plan.rate)
		if err != nil {
			panic(err) // the plan holds formats we decode, and rates of the table
		}
		r.decoders[i] = d
	}
	return r.decoders[i]
}

// makeUp fills in for n samples that are missing, or for silence.
func (r *recoder) makeUp(n int, silence bool) {
	pcm := r.pcm[r.have:min(r.have+n, len(r.pcm))]
	if silence {
		r.conceal.Silent(pcm)
	} else {
		r.conceal.Lost(pcm)
	}
	if silence || r.conceal.Faded() {
		r.noise.Add(pcm)
	}
	r.have += len(pcm)
}

// send says the first samples. While a key is pressed nothing is said that was not
// heard, but time goes on.
func (r *recoder) send(frame int) {
	if r.real || !r.key.down {
		r.plan.to.say(&r.said, r.pcm[:frame], r.plan.rate)
	} else {
		r.said.ts += uint32(frame * r.plan.out.Clock / r.plan.rate)
	}
	copy(r.pcm, r.pcm[frame:r.have])
	r.have -= frame
	r.due -= frame
	r.real = r.real && r.have > 0
}
