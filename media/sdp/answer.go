package sdp

// Answer decides about an offer (RFC 3264 section 6): the first audio line with
// a format we can serve is accepted with that one format and its telephone-event,
// one that can be encrypted before one that cannot; every other line stays in its
// place with port 0. The formats are tried in the order Prefer, then as the offer
// has them. It fails with ErrNoMedia, ErrNoCodec or ErrNoProtection.
//
// One format and not all that are common: a far end that may change between them
// in mid-stream would make the relay transcode packet by packet.
func Answer(offer *Description, p Policy) (*Description, Result, error) {
	c, err := p.line(offer)
	if err != nil {
		return nil, Result{}, err
	}
	answer := p.description(len(offer.Media))
	far := &offer.Media[c.at]
	result, formats := p.accept(far, c)
	if p.PTime == 0 {
		p.PTime = result.PTime
	}
	for i := range offer.Media {
		if i != c.at {
			answer.Media[i] = offer.Media[i].rejected()
		}
	}
	ours := &answer.Media[c.at]
	*ours = p.media(far.Profile().String(), formats, result.Direction)
	p.secured(ours, far, &result, c.protection)
	answer.grouped(ours, offer.bundled(far))
	return answer, result, nil
}

// Rehearse is Answer for who wants to know what would come of it only.
func Rehearse(offer *Description, p Policy) (Result, error) {
	c, err := p.line(offer)
	if err != nil {
		return Result{}, err
	}
	far := &offer.Media[c.at]
	result, _ := p.accept(far, c)
	p.secured(new(Media), far, &result, c.protection)
	return result, nil
}

// choice is what an answer takes of an offer.
type choice struct {
	at         int // the line
	codec      Codec
	protection *Protection
}

// line finds the line to accept, and the format: the first that can be encrypted,
// else the first.
func (p *Policy) line(offer *Description) (choice, error) {
	err := ErrNoMedia
	plain, found := choice{}, false
	for i := range offer.Media {
		far := &offer.Media[i]
		if !far.IsAudio() {
			continue
		}
		protection, ok := p.protect(far)
		if !ok {
			if err == ErrNoMedia {
				err = ErrNoProtection
			}
			continue
		}
		codec, ok := p.choose(far)
		switch {
		case !ok:
			err = ErrNoCodec
		case protection != nil:
			return choice{i, codec, protection}, nil
		case !found:
			plain, found = choice{i, codec, nil}, true
		}
		if found && p.Secure == nil {
			break
		}
	}
	if found {
		return plain, nil
	}
	return choice{}, err
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
func (p *Policy) accept(far *Media, c choice) (Result, []Codec) {
	r, codec := newResult(c.at, far), c.codec
	r.Codec = codec
	r.Held = far.OnHold()
	r.Direction = far.direction().Reverse().And(p.Direction)

	ours := codec
	ours.Fmtp = ""
	if p.Prefer.Is(codec) {
		ours.Fmtp = p.Prefer.Fmtp // what the party behind us wants to receive
	} else if i := find(p.Codecs, codec); i >= 0 {
		ours.Fmtp = p.Codecs[i].Fmtp
	}
	formats := append(make([]Codec, 0, 2), ours)
	r.Accepted = formats[:1:1]
	if events, ok := far.events(codec.Clock); ok {
		r.setEvents(events, events)
		formats = append(formats, eventCodec(events.PayloadType, events.Clock))
	}
	return r, formats
}
