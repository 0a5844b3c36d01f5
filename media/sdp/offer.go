package sdp

import "slices"

// Payload types that have no fixed meaning (RFC 3551 section 3), and the one most
// of the trade uses for digits.
const (
	firstDynamic = 96
	lastDynamic  = 127
	usualEvents  = 101
)

// Offer makes an offer (RFC 3264 section 5): the speech codecs of like first, so
// that the two parties need no transcoding, under the payload types they have
// there, then those of p.Codecs that are missing, then telephone-event at 8000 Hz
// and at the wider rates of the speech formats, where like has it or we decode them. like are the codecs of the other party,
// telephone-events included; without p.PassThrough only those also in p.Codecs
// are used. previous is the last description we sent in this dialog, nil in a new
// one: its lines keep their places and its payload types their meaning (RFC 3264
// section 8). It fails with ErrNoCodec when nothing is left to offer.
func Offer(previous *Description, like []Codec, p Policy) (*Description, error) {
	line, lines, proto := 0, 1, max(p.Profile, AVP).String()
	var before *Media
	used := p.Used
	if previous != nil {
		line = previous.audioLine()
		lines = max(len(previous.Media), line+1)
		if line < len(previous.Media) {
			before = &previous.Media[line]
			proto, used = before.Proto, append(slices.Clip(used), before.Codecs...)
		}
	}
	formats := p.formats(like, used)
	if len(formats) == 0 || !formats[0].isSpeech() {
		return nil, ErrNoCodec
	}
	offer := p.description(lines)
	for i := range lines {
		if i == line {
			offer.Media[i] = p.media(proto, formats, p.Direction)
			p.offered(&offer.Media[i], before)
			offer.grouped(&offer.Media[i], true)
		} else {
			offer.Media[i] = previous.Media[i].rejected()
		}
	}
	return offer, nil
}

// audioLine is the index of the line that carries our audio, or that of a new
// line behind the others when all were rejected: a rejected line may be of a kind
// or protocol the far end could not take either.
func (d *Description) audioLine() int {
	for i := range d.Media {
		if d.Media[i].IsAudio() {
			return i
		}
	}
	return len(d.Media)
}

// Audio is the line of ours that carries audio; nil when there is none.
func (d *Description) Audio() *Media {
	if i := d.audioLine(); i < len(d.Media) {
		return &d.Media[i]
	}
	return nil
}

// formats lists what to offer, each under a payload type of its own.
func (p *Policy) formats(like, before []Codec) []Codec {
	numbers := numbers{before: before}
	for _, c := range before {
		numbers.taken[c.PayloadType] = true
	}
	out := make([]Codec, 0, len(like)+len(p.Codecs)+1)
	add := func(c Codec) {
		if find(out, c) >= 0 {
			return
		}
		if pt, ok := numbers.assign(c); ok {
			c.PayloadType = pt
			out = append(out, c)
		}
	}
	events := append(make([]Codec, 0, 4), eventCodec(usualEvents, 8000))
	for _, c := range like {
		switch {
		case c.isSpeech() && (p.PassThrough || p.serves(c)):
			add(c)
		case c.isEvent() && c.Clock == 8000:
			events[0].PayloadType = c.PayloadType
		case c.isEvent():
			events = append(events, eventCodec(c.PayloadType, c.Clock))
		}
	}
	for _, c := range p.Codecs {
		add(c)
		if !hasClock(events, c.Clock) {
			events = append(events, eventCodec(usualEvents, c.Clock))
		}
	}
	speech := len(out)
	for i, e := range events {
		if i == 0 || hasClock(out[:speech], e.Clock) {
			add(e)
		}
	}
	return out
}

func hasClock(list []Codec, clock int) bool {
	for _, c := range list {
		if c.Clock == clock {
			return true
		}
	}
	return false
}

// numbers gives out the payload types of one line.
type numbers struct {
	before []Codec // what they meant so far in this dialog
	taken  [lastDynamic + 1]bool
}

// assign gives the type c had before, else its static one, else the one it has
// with the other party, else any that is free; ok is false when none is.
func (n *numbers) assign(c Codec) (pt uint8, ok bool) {
	if i := find(n.before, c); i >= 0 {
		return n.before[i].PayloadType, true
	}
	pt = c.PayloadType
	fixed, isFixed := static(pt)
	switch {
	case isFixed && fixed.Is(c):
		return pt, n.take(pt)
	case pt >= firstDynamic && n.take(pt):
		return pt, true
	}
	for pt = firstDynamic; pt <= lastDynamic; pt++ {
		if n.take(pt) {
			return pt, true
		}
	}
	return 0, false
}

// take marks a type as used; it is false if it was.
func (n *numbers) take(pt uint8) bool {
	free := !n.taken[pt]
	n.taken[pt] = true
	return free
}

// ReadAnswer matches an answer with the offer we sent (RFC 3264 section 7). It
// fails with ErrNoMedia when the far end refused our audio line or left it out,
// with ErrNoCodec when it accepted none of our formats, and with ErrNoProtection
// when one side demands encryption and it does not come about.
func ReadAnswer(offer, answer *Description) (Result, error) {
	line := offer.audioLine()
	at := answer.reply(offer, line)
	if at < 0 {
		return Result{}, ErrNoMedia
	}
	ours, far := &offer.Media[line], answer.Media[at]
	if len(far.Codecs) < len(far.Formats) {
		far.Codecs = far.codecsLike(ours)
	}
	r := newResult(at, &far)
	for _, c := range far.Codecs {
		i := find(ours.Codecs, c)
		if i < 0 || !c.isSpeech() {
			continue // a format we did not offer
		}
		if r.Codec.IsZero() {
			r.Codec = c
		}
		if find(r.Accepted, c) < 0 {
			r.Accepted = append(r.Accepted, ours.Codecs[i])
		}
	}
	if r.Codec.IsZero() {
		return Result{}, ErrNoCodec
	}
	if send, ok := far.events(r.Codec.Clock); ok {
		if i := find(ours.Codecs, send); i >= 0 {
			r.setEvents(send, ours.Codecs[i])
		}
	}
	r.Direction = ours.Direction.And(far.direction().Reverse())
	r.Held = ours.Direction.Sends() && far.OnHold()
	if !r.answered(ours, &far) {
		return Result{}, ErrNoProtection
	}
	return r, nil
}

// reply is the index of the line that answers the one of an offer: that at its
// place. Some far ends leave out the lines that the offer had disabled: with fewer
// lines than offered, the first audio counts. -1 without one.
func (d *Description) reply(offer *Description, line int) int {
	switch {
	case line >= len(offer.Media):
		return -1
	case line < len(d.Media) && d.Media[line].IsAudio():
		return line
	case len(d.Media) >= len(offer.Media):
		return -1
	}
	if at := d.audioLine(); at < len(d.Media) {
		return at
	}
	return -1
}

// codecsLike completes the codecs of an answer: some phones list a dynamic type
// of the offer without repeating its rtpmap.
func (m *Media) codecsLike(offered *Media) []Codec {
	var out []Codec
	for _, word := range m.Formats {
		pt, err := payloadType(word)
		if err != nil {
			continue
		}
		c, ok := byType(m.Codecs, pt)
		if !ok {
			c, ok = byType(offered.Codecs, pt)
		}
		if ok {
			out = append(out, c)
		}
	}
	return out
}

func byType(list []Codec, pt uint8) (Codec, bool) {
	for _, c := range list {
		if c.PayloadType == pt {
			return c, true
		}
	}
	return Codec{}, false
}
