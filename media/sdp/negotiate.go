package sdp

import "net/netip"

// Policy is our side of a negotiation.
type Policy struct {
	// Address goes into o= and c=; its family is that of the socket the SIP
	// came on.
	Address netip.Addr
	// Port is our RTP port, RTCP is the next one. Never 0.
	Port uint16
	// Codecs are the formats we decode ourselves, preferred first. Their payload
	// types are used in our offers.
	Codecs []Codec
	// Prefer is the codec the party at the other side speaks, or the one in use
	// before a re-offer; zero when there is none. It is chosen if the offer has
	// it, wherever it stands there.
	Prefer Codec
	// PassThrough allows formats that are not in Codecs: Prefer in an answer,
	// those of the other party in an offer. Their packets are relayed as they are.
	PassThrough bool
	// Direction is what we are willing to do; an answer narrows it to what the
	// offer allows.
	Direction Direction
}

// Result is what a finished exchange settles for one stream.
type Result struct {
	// Media is the index of the m= line.
	Media int
	// Codec is the format we send, under the far end's payload type and with
	// its parameters.
	Codec Codec
	// Accepted are the formats the far end may send, under the payload types it
	// will use: those of our description. It is never empty and has one entry
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
}

// Answer decides about an offer (RFC 3264 section 6): the first audio line with
// a format we can serve is accepted with that one format and its telephone-event;
// every other line stays in its place with port 0. The formats are tried in the
// order Prefer, then as the offer has them. It fails with ErrNoMedia or ErrNoCodec.
func Answer(offer *Description, p Policy) (*Description, Result, error) {
	return nil, Result{}, ErrNoMedia
}

// Offer makes an offer (RFC 3264 section 5): the speech codecs of like first, so
// that the two parties need no transcoding, under the payload types they have
// there, then those of p.Codecs that are missing, then telephone-event for each
// clock rate. like are the codecs of the other party, with its telephone-events
// as far as their payload types should be kept; without p.PassThrough only those
// also in p.Codecs are used. previous is the last description we sent in this
// dialog, nil in a new one: its lines keep their places and its payload types
// their meaning (RFC 3264 section 8). It fails with ErrNoCodec when nothing is
// left to offer.
func Offer(previous *Description, like []Codec, p Policy) (*Description, error) {
	return nil, ErrNoCodec
}

// ReadAnswer matches an answer with the offer we sent (RFC 3264 section 7). It
// fails with ErrNoMedia when the far end refused our audio line or left it out,
// and with ErrNoCodec when it accepted none of our formats.
func ReadAnswer(offer, answer *Description) (Result, error) {
	return Result{}, ErrNoMedia
}
