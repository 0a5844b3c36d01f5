package media

import (
	"encoding/hex"
	"net/netip"

	"github.com/cordpair/cordpair/media/ice"
	"github.com/cordpair/cordpair/media/sdp"
	"github.com/cordpair/cordpair/media/secure"
)

// Encryption says what a leg may and must do about SRTP.
type Encryption uint8

// The policies.
const (
	// EncryptDefault is what the engine's Config says, there EncryptOffered.
	EncryptDefault Encryption = iota
	// EncryptOffered answers what the party offers, encrypted if it wants or allows
	// that, and offers plain RTP.
	EncryptOffered
	// EncryptNever refuses whoever insists on encryption, and offers plain RTP.
	EncryptNever
	// EncryptPreferred is EncryptOffered, but offers RTP/AVP with keys, which leaves
	// it to the party (RFC 8643).
	EncryptPreferred
	// EncryptRequired offers RTP/SAVP, and refuses whoever will not encrypt.
	EncryptRequired
)

// maxMeeting is how long a playback waits for the keys of DTLS, in ns from the
// answer on.
const maxMeeting = 3e9

// shield is what a leg has for encryption and ICE, made when it is first needed and
// the same from then on: a new key or new credentials would change keys or restart
// ICE.
type shield struct {
	keys []sdp.Crypto // one for each suite that came up
	mine ice.Credentials
	// met is the far end's ufrag that mine were drawn for; others mean a restart
	// (RFC 8839 section 4.4.3).
	met string
}

// secrets are the leg's.
func (n *negotiation) secrets() *shield {
	if n.shield == nil {
		n.shield = new(shield)
	}
	return n.shield
}

// crypto gives our key for a suite.
func (x *shield) crypto(suite sdp.Suite) sdp.Crypto {
	for _, c := range x.keys {
		if c.Suite == suite {
			return c
		}
	}
	s, _ := secure.SuiteOf(string(suite))
	c := sdp.Crypto{Suite: suite, Key: secure.NewKey(s).Material()}
	x.keys = append(x.keys, c)
	return c
}

// credentials gives ours towards a far end with a ufrag, which is empty while we do
// not know it.
func (x *shield) credentials(ufrag string) ice.Credentials {
	if x.mine.Ufrag == "" || x.met != "" && x.met != ufrag {
		x.mine = ice.NewCredentials()
	}
	x.met = ufrag
	return x.mine
}

// answering is our side of the answer to an offer. The caller holds negotiating.
func (s *Session) answering(offer *sdp.Description) sdp.Policy {
	n := &s.talk
	p := n.policy()
	if n.encryption == EncryptNever {
		return p
	}
	p.MustSecure = n.encryption == EncryptRequired
	for i := range offer.Media {
		if m := &offer.Media[i]; m.IsAudio() && m.Secure != nil {
			if p.Secure == nil {
				p.Secure = new(sdp.Secure)
			}
			s.meet(p.Secure, m)
		}
	}
	return p
}

// meet adds to ours what answers a line.
func (s *Session) meet(ours *sdp.Secure, far *sdp.Media) {
	x := s.talk.secrets()
	for _, c := range far.Secure.Crypto {
		ours.Crypto = append(ours.Crypto, x.crypto(c.Suite))
	}
	if len(far.Secure.Fingerprints) == 0 {
		return
	}
	ours.Fingerprints, ours.Source = []sdp.Fingerprint{sdp.Fingerprint(s.stream.engine.identity.Fingerprint())}, s.origin()
	now := s.terms.Load()
	if now != nil && now.Protection.DTLS() {
		ours.Setup = now.Protection.Setup
	}
	if far.Secure.ICE.Used() {
		ufrag := far.Secure.ICE.Ufrag
		if now != nil && now.usesICE() && now.ICE.Ufrag == ufrag {
			ours.ICE = s.talk.lite(now.mine, far.Mux)
		} else {
			ours.ICE = s.talk.lite(x.credentials(ufrag), far.Mux)
		}
	}
}

// offering is our side of an offer of ours. The caller holds negotiating.
func (s *Session) offering() sdp.Policy {
	n := &s.talk
	p := n.policy()
	if s.stream.engine.speaksOpus() {
		p.Codecs = decodedWithOpus
	}
	switch {
	case n.browser && n.encryption != EncryptNever:
		p.Profile = sdp.DTLSAVPF
		p.Secure = &sdp.Secure{
			Fingerprints: []sdp.Fingerprint{sdp.Fingerprint(s.stream.engine.identity.Fingerprint())},
			ICE:          n.lite(n.secrets().credentials(n.secrets().met), true),
			Source:       s.origin(),
		}
	case n.encryption == EncryptPreferred || n.encryption == EncryptRequired:
		if n.encryption == EncryptRequired {
			p.Profile, p.MustSecure = sdp.SAVP, true
		}
		p.Secure = new(sdp.Secure)
		for _, suite := range secure.Offered() {
			p.Secure.Crypto = append(p.Secure.Crypto, n.secrets().crypto(sdp.Suite(suite.String())))
		}
	}
	return p
}

// Insist makes the next offer, which begins a new dialog with the party, one of
// RTP/SAVP: there are phones that take nothing else and say so with a 488. It is
// true after an offer that left encryption to the party, once.
func (s *Session) Insist() bool {
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	n := &s.talk
	if n.browser || n.encryption != EncryptPreferred || n.asked == nil {
		return false
	}
	n.encryption = EncryptRequired
	n.sent, n.asked = nil, nil
	return true
}

// origin is what our packets are known by, which stays the same.
func (s *Session) origin() sdp.Source {
	return sdp.Source{SSRC: s.stream.out.ssrc, CName: hex.EncodeToString(s.stream.cname[:])}
}

// lite describes our side of ICE: one address that everybody can reach.
func (n *negotiation) lite(mine ice.Credentials, mux bool) sdp.ICE {
	out := sdp.ICE{Ufrag: mine.Ufrag, Pwd: mine.Pwd, Lite: true, Options: []string{"ice2"}}
	components := uint8(2)
	if mux {
		components = 1
	}
	for c := uint8(1); c <= components; c++ {
		out.Candidates = append(out.Candidates, sdp.Candidate{
			Foundation: "1", Component: c, Transport: "udp", Type: "host",
			Priority: 126<<24 | 65535<<8 | (256 - uint32(c)), // RFC 8445 section 5.1.2.1
			Address:  netip.AddrPortFrom(n.shown, n.local.Port()+uint16(c)-1),
		})
	}
	return out
}

// prove makes terms wait for ICE where both sides use it: no address is the party's
// before it has proven to hold it, whatever its description says. ours is our line
// of the exchange.
func (t *terms) prove(ours *sdp.Media) {
	if t.ICE == nil || t.ICE.Lite || !t.Protection.DTLS() || ours.Secure == nil || !ours.Secure.ICE.Used() {
		return // two lite sides send no checks (RFC 8445 section 6.1.1)
	}
	t.mine = ice.Credentials{Ufrag: ours.Secure.ICE.Ufrag, Pwd: ours.Secure.ICE.Pwd}
	t.rtp, t.hosts = netip.AddrPort{}, [2]netip.Addr{}
	t.rtcp, t.rtcpHosts = t.rtp, t.hosts
}

// usesICE tells whether the party proves its address.
func (t *terms) usesICE() bool { return t.mine.Ufrag != "" }
