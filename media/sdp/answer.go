package sdp

// Answer decides about an offer (RFC 3264 section 6): the first audio line with
// a format we can serve is accepted with that one format and its telephone-event;
// every other line stays in its place with port 0. The formats are tried in the
// order Prefer, then as the offer has them. It fails with ErrNoMedia or ErrNoCodec.
//
// One format and not all that are common: a far end that may change between them
// in mid-stream would make the relay transcode packet by packet.
func Answer(offer *Description, p Policy) (*Description, Result, error) {
	at, codec, err := p.line(offer)
	if err != nil {
		return nil, Result{}, err
	}
	answer := p.description(len(offer.Media))
	result, formats := p.accept(at, &offer.Media[at], codec)
	for i := range offer.Media {
		far := &offer.Media[i]
		if i == at {
			answer.Media[i] = p.media(far.Proto, formats, result.Direction)
		} else {
			answer.Media[i] = far.rejected()
		}
	}
	return answer, result, nil
}

// Rehearse is Answer for who wants to know what would come of it only.
func Rehearse(offer *Description, p Policy) (Result, error) {
	at, codec, err := p.line(offer)
	if err != nil {
		return Result{}, err
	}
	result, _ := p.accept(at, &offer.Media[at], codec)
	return result, nil
}

// line finds the line to accept, and the format.
func (p *Policy) line(offer *Description) (at int, codec Codec, err error) {
	err = ErrNoMedia
	for i := range offer.Media {
		far := &offer.Media[i]
		if !far.IsAudio() {
			continue
		}
		if codec, ok := p.choose(far); ok {
			return i, codec, nil
		}
		err = ErrNoCodec
	}
	return 0, Codec{}, err
}

// choose picks the format of an answer out of the offered ones.
func (p *Policy) choose(far *Media) (Codec, bool) {
	if !p.Prefer.IsZero() && p.Prefer.isSpeech() && (p.PassThrough || p.serves(p.Prefer)) {
		if i := find(far.Codecs, p.Prefer); i >= 0 {
			return far.Codecs[i], true
		}
	}
	for _, c := range far.Codecs {
		if c.isSpeech() && p.serves(c) {
			return c, true
		}
	}
	return Codec{}, false
}

// accept says what comes of accepting a line with a format, and which formats our
// line of the answer has, under the payload types of the offer (RFC 3264 section
// 6.1 wants the mapping kept).
func (p *Policy) accept(index int, far *Media, codec Codec) (Result, []Codec) {
	r := newResult(index, far)
	r.Codec = codec
	r.Held = far.OnHold()
	r.Direction = far.direction().Reverse().And(p.Direction)

	ours := codec
	ours.Fmtp = ""
	if p.Prefer.Is(codec) {
		ours.Fmtp = p.Prefer.Fmtp // what the party behind us wants to receive
	}
	formats := append(make([]Codec, 0, 2), ours)
	r.Accepted = formats[:1:1]
	if events, ok := far.events(codec.Clock); ok {
		r.setEvents(events, events)
		formats = append(formats, eventCodec(events.PayloadType, events.Clock))
	}
	return r, formats
}
