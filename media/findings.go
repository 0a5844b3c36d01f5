package media

import (
	"net/netip"
	"slices"

	"github.com/cordpair/cordpair/media/g711"
	"github.com/cordpair/cordpair/media/sdp"
)

// FindingKind names what is wrong with the audio of a party, for programs.
type FindingKind string

// What is looked for. Each is told once per session at most, the first eight
// within two seconds of the answer if they are there by then.
const (
	FindingNoMedia     FindingKind = "no_media"              // nothing was sent since the answer
	FindingSource      FindingKind = "other_source"          // audio comes from elsewhere than announced
	FindingStrangers   FindingKind = "strangers"             // packets of a host that may not send (M1) are dropped
	FindingUnreachable FindingKind = "unreachable_address"   // nothing can be sent to the announced address
	FindingNoCodec     FindingKind = "no_codec"              // what it speaks cannot be given to the other party
	FindingPayload     FindingKind = "unknown_payload"       // packets of a type that was not negotiated are dropped
	FindingDigits      FindingKind = "digits_not_negotiated" // keys pressed get lost
	FindingClipping    FindingKind = "clipping"              // its audio is distorted, being too loud
	FindingSilence     FindingKind = "silence"               // it sent, and has stopped
	FindingLoss        FindingKind = "loss"                  // too many of its packets do not arrive
	FindingJitter      FindingKind = "jitter"                // they arrive too irregularly
)

// findingKinds are all of them, in the order in which they are looked for.
var findingKinds = [...]FindingKind{FindingUnreachable, FindingStrangers, FindingPayload, FindingNoCodec, FindingDigits,
	FindingNoMedia, FindingSilence, FindingSource, FindingClipping, FindingLoss, FindingJitter}

// FindingKinds lists them all, in the order in which they are looked for.
func FindingKinds() []FindingKind { return slices.Clone(findingKinds[:]) }

// Finding is one thing that is wrong with the audio of the party at a session.
type Finding struct {
	Kind FindingKind
	// Text is a sentence for people without its subject, the party: it says what
	// was seen and what to do.
	Text string
}

// What a finding has to exceed.
const (
	quietLimit     = 10e9 // ns without RTP and RTCP of a party that has been heard; reports come every 7.5 s at the latest
	strangersLimit = 10   // packets; fewer are somebody's last ones
	strangersGone  = 1e9  // ns after the last of them they are no matter any more
	payloadLimit   = 5    // packets of one unknown type
	stuckLimit     = 5    // packets that could not be passed on
	clipSample     = 1280 // samples, fewer make no share
	clipLimit      = 1    // % of the samples at full scale
	fullScale      = 31000
	lossSample     = 250 // packets
	lossPercent    = 5
	jitterLimit    = 30 // ms, at two looks in a row
)

// listenEvery is which packets the doctor listens to: looking for clipping in all
// of them would be the dearest thing that is done to a packet.
const listenEvery = 8

// loudCodes are the G.711 codes at full scale, by law.
var loudCodes = [...][256]uint8{notG711: {}, muLaw: loud(g711.DecodePCMU), aLaw: loud(g711.DecodePCMA)}

func loud(decode func([]int16, []byte) int) (flags [256]uint8) {
	var pcm [1]int16
	for code := range flags {
		decode(pcm[:], []byte{byte(code)})
		if pcm[0] >= fullScale || pcm[0] <= -fullScale {
			flags[code] = 1
		}
	}
	return flags
}

// patient is what the doctor knows of a stream from the answer on. It belongs to the
// loop.
type patient struct {
	since    int64    // when the party was answered, or last asked to send after that
	due      int64    // of the next look; 0 for none
	trouble  *trouble // nil while nothing was refused
	samples  uint32   // listened to since the last verdict
	full     uint32   // of them, those at full scale
	received uint32   // at the last verdict on losses, modulo 1<<32
	lost     uint32
	told     uint16
	reported bool // RTCP came
	shaky    bool // the jitter was too high at the last look
}

// trouble is what went no further of what arrived. Few streams have any.
type trouble struct {
	strangers     uint32 // packets of hosts that may not send
	stranger      netip.AddrPort
	strangerAt    int64  // when the last of them came
	unknown       uint32 // packets of unknown types
	unknownEvents uint32 // those that look like a key pressed
	stuckSpeech   uint32 // packets that the other party cannot be given
	stuckEvents   uint32
	unknownType   uint8
	eventType     uint8
}

// refusing is where to note what goes no further; nil while nobody asks.
func (s *stream) refusing() *trouble {
	h := s.health
	if h == nil {
		return nil
	}
	if h.trouble == nil {
		h.trouble = new(trouble)
	}
	return h.trouble
}

// reportCame notes RTCP of the party.
func (s *stream) reportCame() {
	if s.health != nil {
		s.health.reported = true
	}
}

// awaitAnew: from now on the party is to send once more.
func (s *stream) awaitAnew() {
	if s.health != nil {
		s.health.since = s.loop.now
	}
}

// stranger notes a packet of a host that may not send.
func (s *stream) stranger(from netip.AddrPort) {
	if x := s.refusing(); x != nil {
		x.strangers++
		x.stranger, x.strangerAt = from, s.loop.now
	}
}

// unknown notes a packet of a type that was not negotiated.
func (s *stream) unknown(p *packet) {
	x := s.refusing()
	if x == nil || p.pt == 13 || p.pt == 19 { // these are comfort noise
		return
	}
	if looksLikeKey(p) {
		x.unknownEvents++
		x.eventType = p.pt
		s.hurry(FindingDigits)
		return
	}
	x.unknown++
	x.unknownType = p.pt
}

// looksLikeKey tells whether a packet is built like the report of a key pressed
// (RFC 4733 section 2.3).
func looksLikeKey(p *packet) bool {
	b := p.payload()
	return p.pt >= 96 && len(b) == 4 && int(b[0]) < len(digitNames) && b[1]&0x40 == 0
}

// stuck notes a packet that the other party cannot be given.
func (s *stream) stuck(p *packet) {
	x := s.refusing()
	if x == nil {
		return
	}
	if s.terms.carries[p.pt] == events {
		x.stuckEvents++
		s.hurry(FindingDigits)
		return
	}
	x.stuckSpeech++
}

// listen looks for clipping in a packet of speech of the given format.
func (s *stream) listen(p *packet, format *sdp.Codec) {
	if p.seq%listenEvery != 0 || s.health == nil {
		return
	}
	l := lawOf(*format)
	if l == notG711 {
		return
	}
	flags := &loudCodes[l]
	full := uint32(0)
	for _, code := range p.payload() {
		full += uint32(flags[code])
	}
	s.health.samples += uint32(len(p.payload()))
	s.health.full += full
}

// examine looks at the stream and tells when to look again, 0 for never.
func (s *stream) examine() (due int64) {
	t, h, now := s.terms, s.health, s.loop.now
	if t == nil {
		return 0
	}
	s.unreachable()
	s.refusedPackets()
	if t.talking() {
		if left := h.since + firstLook - now; left > 0 && s.counters.received.get() == 0 {
			return now + left
		}
		s.quiet()
		s.elsewhere()
		s.tooLoud()
		s.badLine()
	}
	return now + nextLook
}

// tell reports a finding, unless it was reported before.
func (s *stream) tell(k FindingKind, text string) {
	s.health.told |= k.bit()
	if s.events.Found != nil {
		s.events.Found(Finding{k, text})
	}
}

func (s *stream) knows(k FindingKind) bool { return s.health.told&k.bit() != 0 }

// bit stands for the kind in a set.
func (k FindingKind) bit() uint16 {
	for i, other := range findingKinds {
		if k == other {
			return 1 << i
		}
	}
	return 0
}

// unreachable: nothing can be sent to the address that the party announced.
func (s *stream) unreachable() {
	if s.knows(FindingUnreachable) {
		return
	}
	if why := s.terms.unreachable(s.pair.local.Addr(), s.named); why != "" {
		s.tell(FindingUnreachable, unreachableText(s.terms, why, s.rtpLatch.src))
	}
}

// refusedPackets: what arrived went no further.
func (s *stream) refusedPackets() {
	x, t := s.health.trouble, s.terms
	if x == nil {
		return
	}
	if x.strangers >= strangersLimit && s.loop.now-x.strangerAt < strangersGone && !s.knows(FindingStrangers) {
		s.tell(FindingStrangers, strangersText(t, x.stranger, x.strangers))
	}
	if x.unknown >= payloadLimit && !s.knows(FindingPayload) {
		s.tell(FindingPayload, payloadText(t, x.unknownType, x.unknown))
	}
	if x.stuckSpeech >= stuckLimit && !s.knows(FindingNoCodec) {
		s.tell(FindingNoCodec, noCodecText(t))
	}
	if s.knows(FindingDigits) {
		return
	}
	switch {
	case x.unknownEvents > 0:
		s.tell(FindingDigits, unknownDigitsText(t, x.eventType))
	case x.stuckEvents > 0:
		s.tell(FindingDigits, stuckDigitsText)
	}
}

// quiet: the party should send and does not. One whose packets are dropped sends:
// that has been told.
func (s *stream) quiet() {
	refused := FindingStrangers.bit() | FindingPayload.bit()
	switch {
	case s.counters.received.get() == 0:
		if s.health.told&(refused|FindingNoMedia.bit()) == 0 {
			s.tell(FindingNoMedia, noMediaText(s.pair.local, s.health.reported))
		}
	case s.loop.now-s.heard >= quietLimit && !s.knows(FindingSilence):
		s.tell(FindingSilence, silenceText(s.loop.now-s.heard))
	}
}

// elsewhere: the audio comes from elsewhere than announced. Where nobody can send
// to what was announced, that has been told.
func (s *stream) elsewhere() {
	t, src := s.terms, s.rtpLatch.src
	if !src.IsValid() || !t.rtp.IsValid() || src == t.rtp || s.knows(FindingSource) || s.knows(FindingUnreachable) {
		return
	}
	s.tell(FindingSource, sourceText(src, t.rtp))
}

// tooLoud judges what was listened to.
func (s *stream) tooLoud() {
	h := s.health
	if h.samples < clipSample {
		return
	}
	if h.full*100 > h.samples*clipLimit && !s.knows(FindingClipping) {
		s.tell(FindingClipping, clippingText(h.full, h.samples))
	}
	h.samples, h.full = 0, 0
}

// badLine judges losses and jitter.
func (s *stream) badLine() {
	h := s.health
	received, lost := uint32(s.counters.received.get()), uint32(s.counters.lost.get())
	gone := max(int32(lost-h.lost), 0) // late packets make it less
	if sent := int32(received-h.received) + gone; sent >= lossSample {
		if gone*100 > sent*lossPercent && !s.knows(FindingLoss) {
			s.tell(FindingLoss, lossText(gone, sent))
		}
		h.received, h.lost = received, lost
	}
	jitter := milliseconds(s.counters.jitter.get())
	if jitter > jitterLimit && h.shaky && !s.knows(FindingJitter) {
		s.tell(FindingJitter, jitterText(jitter))
	}
	h.shaky = jitter > jitterLimit
}
