package sdp

import "net/netip"

// Policy is our side of a negotiation.
type Policy struct {
	// Address goes into o= and c=; its family is that of the socket the SIP
	// came on.
	Address netip.Addr
	// Port is our RTP port, RTCP is the next one. Never 0.
	Port uint16
	// Codecs are the formats we decode and encode ourselves, preferred first. Their
	// payload types are used in our offers, their Fmtp says what we want to receive.
	Codecs []Codec
	// Prefer is the codec the party at the other side speaks, or the one in use
	// before a re-offer; zero when there is none. It is chosen if the offer has
	// it, wherever it stands there. Its Fmtp goes into the answer.
	Prefer Codec
	// PassThrough allows formats that are not in Codecs: Prefer in an answer,
	// those of the other party in an offer. Their packets are relayed as they are.
	PassThrough bool
	// Direction is what we are willing to do; an answer narrows it to what the
	// offer allows.
	Direction Direction
	// PTime is the packet length we ask for in ms: what the party at the other side
	// asks for where packets are relayed. 0 repeats the offer's in an answer, if it
	// is 10–60, and is 20 in an offer.
	PTime int

	// Secure is what we have for encryption and ICE; nil for plain RTP only. An
	// answer uses it when the offer asks for it or allows it, the plain profiles
	// included (RFC 8643). Its values are those of this session; a later exchange
	// must have the same ones unless it is to change keys.
	Secure *Secure
	// Used are the formats our descriptions of this dialog had before the last one:
	// their payload types keep their meaning in our offers (RFC 3264 section 8.3.2).
	Used []Codec

	// Profile is that of a new line in our offers, AVP when zero. With Secure the
	// offer of a plain one leaves encryption to the far end (RFC 8643).
	Profile Profile
	// MustSecure refuses what would not be encrypted.
	MustSecure bool
	// Mux tells that we take RTCP on the port of RTP where an offer has that, and
	// ask for it in DTLS profiles.
	Mux bool
}

// Result is what a finished exchange settles for one stream.
type Result struct {
	// Media is the index of the m= line in the far end's description.
	Media int
	// Codec is the format we send, under the far end's payload type and with
	// its parameters.
	Codec Codec
	// Accepted are the formats the far end may send, under the payload types it
	// must use: those of our description. It is never empty and has one entry
	// unless an answer to our offer kept several.
	Accepted []Codec
	// SendEvents and ReceiveEvents are the payload types of telephone-event
	// towards and from the far end, -1 without; EventClock is their rate in Hz.
	SendEvents, ReceiveEvents int
	EventClock                int
	// Remote is where the far end wants RTP. The address is invalid when it
	// named a host or nothing, and unspecified under the old form of hold: then
	// only the source of its packets tells.
	Remote netip.AddrPort
	// RemoteRTCP is where it wants RTCP, with port 0 when nowhere.
	RemoteRTCP netip.AddrPort
	// Direction is ours: what we may send and what we will get.
	Direction Direction
	// Held is set while the far end does not want to hear us.
	Held bool
	// PTime is the packet length the far end asks for in ms, 0 when it does not.
	PTime int

	// Profile is that of the line as it was agreed on.
	Profile Profile
	// Protection says how packets are encrypted; nil when they are not.
	Protection *Protection
	// ICE is the far end's; nil unless both sides use it. Remote is then no more
	// than a first guess.
	ICE *ICE
	// Mux says that RTCP has the port of RTP, both ways.
	Mux bool
}

// serves tells whether we decode the format ourselves.
func (p *Policy) serves(c Codec) bool { return find(p.Codecs, c) >= 0 }

// find gives the index of the first codec that is the same format, or -1.
func find(list []Codec, c Codec) int {
	for i, other := range list {
		if other.Is(c) {
			return i
		}
	}
	return -1
}

// newResult begins a result with what the far end's line says.
func newResult(index int, far *Media) Result {
	rtp, rtcp := far.remote()
	r := Result{Media: index, SendEvents: -1, ReceiveEvents: -1, Remote: rtp, RemoteRTCP: rtcp, PTime: int(far.PTime), Profile: far.Profile()}
	// A limit below our own 20 ms counts like a wish.
	if limit := int(far.MaxPTime); limit > 0 && (r.PTime > limit || r.PTime == 0 && limit < ptime) {
		r.PTime = limit
	}
	return r
}

// setMux notes whether RTCP shares the port of RTP.
func (r *Result) setMux(far *Media, mux bool) {
	r.Mux = mux
	switch {
	case mux:
		r.RemoteRTCP = r.Remote
	case far.MuxOnly, far.noReports(): // it has no other port, or wants nothing there
		r.RemoteRTCP = netip.AddrPortFrom(r.Remote.Addr(), 0)
	}
}

// setEvents notes the telephone-event types of both sides.
func (r *Result) setEvents(send, receive Codec) {
	r.SendEvents, r.ReceiveEvents, r.EventClock = int(send.PayloadType), int(receive.PayloadType), send.Clock
}
