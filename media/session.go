package media

import "errors"

// Session is the audio of one leg. Its methods may be called from any goroutine.
type Session struct{}

// Stats are the counters of one session. Received is what the party sent.
type Stats struct {
	PacketsReceived, PacketsSent uint64
	OctetsReceived, OctetsSent   uint64 // RTP payload
	Lost                         uint64 // by gaps in the received sequence numbers
	Dropped                      uint64 // malformed, from a stranger, or of an unknown type
	JitterMS                     float64
	Codec                        string // negotiated, "PCMU"; empty before
}

// SetOffer takes a remote offer, the first or a later one. ErrBadSDP,
// ErrNotAcceptable.
func (s *Session) SetOffer(sdp []byte) (Change, error) { return Change{}, errors.ErrUnsupported }

// Answer is our answer to the last offer; the same bytes until the next one. It
// prefers the codec of the session this one is joined to.
func (s *Session) Answer() ([]byte, error) { return nil, errors.ErrUnsupported }

// Offer is our offer: the codecs of like's party first, then ours. like may be
// nil.
func (s *Session) Offer(like *Session) ([]byte, error) { return nil, errors.ErrUnsupported }

// SetAnswer takes the answer to our offer, early or final.
func (s *Session) SetAnswer(sdp []byte) (Change, error) { return Change{}, errors.ErrUnsupported }

// Play lets the party hear the named sounds, over and over if loop is set. done
// is called exactly once, from any goroutine, unless it is nil.
func (s *Session) Play(sounds []string, loop bool, done func(error)) {}

// Echo returns to the party what it sends.
func (s *Session) Echo() {}

// Quiet stops whatever the party hears.
func (s *Session) Quiet() {}

// Join lets two parties hear each other. PCMU and PCMA are transcoded; other
// codecs pass only if both sides negotiated them.
func Join(a, b *Session) {}

// Stats are the counters up to now.
func (s *Session) Stats() Stats { return Stats{} }

// Close ends the session, returns its ports to the pool and reports the final
// counters. It is idempotent.
func (s *Session) Close() Stats { return Stats{} }
