package sdp

// Answer decides about an offer (RFC 3264 section 6): the first audio line with
// a format we can serve is accepted with that one format and its telephone-event;
// every other line stays in its place with port 0. The formats are tried in the
// order Prefer, then as the offer has them. It fails with ErrNoMedia or ErrNoCodec.
//
// One format and not all that are common: a far end that may change between them
// in mid-stream would make the relay transcode packet by packet.
func Answer(offer *Description, p Policy) (*Description, Result, error) {
	answer := p.description()
	result, failure := Result{}, ErrNoMedia
	for i := range offer.Media {
		far := &offer.Media[i]
		if failure == nil || !far.IsAudio() {
			answer.Media = append(answer.Media, far.rejected())
			continue
		}
		codec, ok := p.choose(far)
		if !ok {
			failure = ErrNoCodec
			answer.Media = append(answer.Media, far.rejected())
			continue
		}
		var ours Media
		ours, result = p.accept(i, far, codec)
		answer.Media = append(answer.Media, ours)
		failure = nil
	}
	if failure != nil {
		return nil, Result{}, failure
	}
	return answer, result, nil
}

// choose picks the format of an answer out of the offered ones.
func (p *Policy) choose(far *Media) (Codec, bool) {
	speech := far.Speech()
	if !p.Prefer.IsZero() && (p.PassThrough || p.serves(p.Prefer)) {
		if i := find(speech, p.Prefer); i >= 0 {
			return speech[i], true
		}
	}
	for _, c := range speech {
		if p.serves(c) {
			return c, true
		}
	}
	return Codec{}, false
}

// accept makes our line of an answer, under the payload types of the offer
// (RFC 3264 section 6.1 wants the mapping kept), and the result.
func (p *Policy) accept(index int, far *Media, codec Codec) (Media, Result) {
	r := newResult(index, far)
	r.Codec = codec
	r.Held = far.OnHold()
	r.Direction = far.direction().Reverse().And(p.Direction)

	ours := codec
	ours.Fmtp = ""
	if p.Prefer.Is(codec) {
		ours.Fmtp = p.Prefer.Fmtp // what the party behind us wants to receive
	}
	r.Accepted = []Codec{ours}
	formats := r.Accepted
	if events, ok := far.events(codec.Clock); ok {
		r.setEvents(events, events)
		formats = []Codec{ours, eventCodec(events.PayloadType, events.Clock)}
	}
	return p.media(far.Proto, formats, r.Direction), r
}
