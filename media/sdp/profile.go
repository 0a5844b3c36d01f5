package sdp

import "strings"

// Profile is the way packets of an m= line travel: the meaning of its Proto.
type Profile uint8

// The profiles. Those over TCP are known to be refused with the right words.
const (
	NoRTP    Profile = iota // udptl, TCP/MSRP and whatever else is not RTP
	AVP                     // RTP/AVP (RFC 3551)
	AVPF                    // RTP/AVPF (RFC 4585)
	SAVP                    // RTP/SAVP, keys in a=crypto (RFC 4568)
	SAVPF                   // RTP/SAVPF (RFC 5124)
	DTLSAVP                 // UDP/TLS/RTP/SAVP, keys by DTLS (RFC 5764)
	DTLSAVPF                // UDP/TLS/RTP/SAVPF, what browsers speak
	OverTCP                 // any RTP over TCP: never accepted
)

// profiles are the words of the m= line, indexed by Profile.
var profiles = [...]string{
	AVP: "RTP/AVP", AVPF: "RTP/AVPF", SAVP: "RTP/SAVP", SAVPF: "RTP/SAVPF",
	DTLSAVP: "UDP/TLS/RTP/SAVP", DTLSAVPF: "UDP/TLS/RTP/SAVPF",
}

// String is the word of the m= line; empty for NoRTP and OverTCP, which have many.
func (p Profile) String() string {
	if int(p) < len(profiles) {
		return profiles[p]
	}
	return ""
}

// Secure tells whether the profile demands encryption. The plain ones may have it
// too, when both sides say so (RFC 8643).
func (p Profile) Secure() bool { return p >= SAVP && p <= DTLSAVPF }

// DTLS tells whether the profile demands keys by DTLS. An RTP/SAVP(F) line with a
// fingerprint and no key may do with DTLS too, see Result.Protection.
func (p Profile) DTLS() bool { return p == DTLSAVP || p == DTLSAVPF }

// Profile tells how the packets of the line travel.
func (m *Media) Profile() Profile {
	for p, word := range profiles {
		if word != "" && m.Proto == word {
			return Profile(p)
		}
	}
	switch {
	case !m.isRTP():
		return NoRTP
	case strings.HasPrefix(m.Proto, "TCP/"):
		return OverTCP
	}
	return NoRTP // an RTP profile nobody knows
}
