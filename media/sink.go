package media

import (
	"github.com/cordpair/cordpair/media/codec"
	"github.com/cordpair/cordpair/media/g711"
	"github.com/cordpair/cordpair/media/sdp"
)

// sink is where the packets of a party go: another stream, and later a mixer, a
// recorder or a tap. It is swapped through an atomic pointer and runs on the loop
// of the stream that feeds it, which is also the loop of whatever it writes to.
// Packets and buffers are the sink's until it returns.
type sink interface {
	rtp(from *stream, p *packet)
}

// conversion is what happens to a payload between two parties.
type conversion uint8

const (
	refuse   conversion = iota // the far end cannot take it
	keep                       // only the payload type changes
	muToA                      // PCMU to PCMA
	aToMu                      // PCMA to PCMU
	recode                     // decoded and encoded anew
	keyPress                   // RFC 4733, the payload type and the unit of time change
	comfort                    // RFC 3389, heard by whom we encode for
)

// passage is the way one payload type goes.
type passage struct {
	how conversion
	pt  uint8
}

// relay hands the packets of one party to another, or back to itself. It never
// changes: new terms of either side make a new relay.
type relay struct {
	self sink // this relay, as a stream wants it
	to   *stream
	turn uint64 // of the source that is heard; new terms do not change it
	// recoder is for those formats that have to be coded anew; nil without any.
	recoder *recoder
	// Rates of the events on either side, which are not always that of speech:
	// there are phones with a wide-band codec that know events at 8000 Hz only.
	eventsIn, eventsOut int
	way                 [128]passage
}

// newRelay makes the way from a party with terms from to the one at to.
func newRelay(to *stream, from, there *terms) *relay {
	r := &relay{to: to, eventsIn: from.EventClock, eventsOut: there.EventClock}
	r.self = r
	for _, c := range from.Accepted {
		how := convert(c, there.Codec, from.opus && there.opus)
		if how == refuse {
			continue
		}
		r.way[c.PayloadType&0x7f] = passage{how, there.Codec.PayloadType}
	}
	if from.ReceiveEvents >= 0 && there.SendEvents >= 0 {
		r.way[from.ReceiveEvents&0x7f] = passage{keyPress, uint8(there.SendEvents)}
	}
	if p := newPlan(r, from, there); len(p.in) > 0 {
		r.recoder = &recoder{plan: p}
	}
	if from.carries[comfortNoise] == background {
		r.way[comfortNoise] = passage{how: comfort}
	}
	return r
}

// inherit goes on with what an earlier relay has decoded, if nothing about that is
// new: an offer that only refreshes the session must not be heard.
func (r *relay) inherit(old *relay) {
	if old != nil && old.recoder != nil && r.recoder != nil && r.turn == old.turn && r.recoder.plan.is(old.recoder.plan) {
		r.recoder = old.recoder
	}
}

// understood tells whether at least one of the formats that a party with terms
// from may send gets through to one with terms there.
func understood(from, there *terms) bool {
	for _, c := range from.Accepted {
		if convert(c, there.Codec, from.opus && there.opus) != refuse {
			return true
		}
	}
	return false
}

// convert tells how one format becomes another; opus that this one is encoded.
func convert(from, to sdp.Codec, opus bool) conversion {
	a, b := lawOf(from), lawOf(to)
	switch {
	case a == muLaw && b == aLaw:
		return muToA
	case a == aLaw && b == muLaw:
		return aToMu
	case from.Is(to):
		return keep
	case ours(from, opus) && ours(to, opus):
		return recode
	}
	return refuse
}

// coder finds our codec for a format; nil without one.
func coder(c sdp.Codec) *codec.Format {
	f, ok := codec.Find(c.Name, c.Clock, c.Channels)
	if !ok {
		return nil
	}
	return f
}

// ours tells whether we can hear a format and speak it; opus that the worker encodes
// this one.
func ours(c sdp.Codec, opus bool) bool {
	f := coder(c)
	return f != nil && f.Decodes && (f.Encodes || f.Worker && opus)
}

// rtp implements sink.
func (r *relay) rtp(from *stream, p *packet) {
	r.to.out.hear(r.turn)
	way := r.way[p.pt]
	switch way.how {
	case refuse:
		from.counters.dropped.add(1)
		from.stuck(p)
		return
	case muToA:
		g711.PCMUToPCMA(p.payload(), p.payload())
	case aToMu:
		g711.PCMAToPCMU(p.payload(), p.payload())
	case recode:
		r.recoder.take(from, p, recode)
		return
	case comfort:
		if r.recoder != nil {
			r.recoder.take(from, p, comfort)
		}
		return
	case keyPress:
		rescale(p.payload(), r.eventsIn, r.eventsOut)
		if r.recoder != nil && r.recoder.active {
			r.recoder.take(from, p, way.how)
			return
		}
	}
	if r.recoder != nil {
		r.recoder.yield()
	}
	r.to.forward(p, from.in.epoch, way.pt)
}
