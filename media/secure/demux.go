package secure

// Kind is what a datagram on a media port is (RFC 7983, RFC 5761).
type Kind uint8

// The kinds of datagrams.
const (
	Other Kind = iota // nothing a media port takes
	STUN
	DTLS
	RTP // or SRTP
	RTCP
)

// KindOf tells what a datagram is by its first two bytes; what it claims to be may
// still be malformed.
func KindOf(b []byte) Kind {
	if len(b) < 2 {
		return Other
	}
	switch first := b[0]; {
	case first <= 3:
		return STUN
	case first >= 20 && first <= 63:
		return DTLS
	case first < 128 || first > 191:
		return Other
	case b[1] >= 192 && b[1] <= 223:
		return RTCP
	}
	return RTP
}
