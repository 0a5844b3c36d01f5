package sdp

import (
	"slices"
	"strconv"
	"strings"
)

// Secure is what one side says, for one m= line, about encryption and ICE. Read, it
// has what the line and the session say; in a Policy it is what we have: a key for
// each suite we do, preferred first, our certificate's fingerprint, our ICE.
type Secure struct {
	// Crypto are the keys of SDES in order of preference.
	Crypto []Crypto
	// Ignored counts a=crypto, a=fingerprint and a=candidate lines that were passed
	// over, because they are broken or name something we do not know.
	Ignored int
	// Fingerprints are those of the certificate; several hash it differently.
	Fingerprints []Fingerprint
	// Setup is the part in DTLS. In a Policy it is the one we take when an offer
	// leaves it to us, or the one we have in an association that exists: Active or
	// Passive; NoSetup is Passive. Our offers always leave it to the far end.
	Setup Setup
	ICE   ICE
	// Source names our packets in the descriptions of DTLS; zero for not at all. What
	// the far end says of its own is not read.
	Source Source
}

// Source is where packets come from (RFC 5576 section 4): there are browser libraries
// that hear nobody who does not name it.
type Source struct {
	SSRC  uint32
	CName string
}

// appendTo writes the line.
func (s *Source) appendTo(b []byte) []byte {
	if *s == (Source{}) {
		return b
	}
	b = strconv.AppendUint(append(b, "a=ssrc:"...), uint64(s.SSRC), 10)
	return append(append(append(b, " cname:"...), s.CName...), "\r\n"...)
}

// Protection says how the packets of an accepted line are encrypted: by the keys of
// SDES, or else by those that DTLS brings about.
type Protection struct {
	// Send and Receive are our key and the far end's; no Suite under DTLS. The MKI
	// of each goes into the packets it encrypts.
	Send, Receive Crypto
	// Fingerprints are those the far end's certificate must have: one that matches
	// is enough. Never empty under DTLS.
	Fingerprints []Fingerprint
	// Setup is our part in DTLS, Active or Passive.
	Setup Setup
}

// DTLS tells whether the keys come by DTLS.
func (p *Protection) DTLS() bool { return p != nil && p.Send.Suite == "" }

// security gives the Secure of a line, made when it is first needed.
func (m *Media) security() *Secure {
	if m.Secure == nil {
		m.Secure = new(Secure)
	}
	return m.Secure
}

// readSecurity reads an attribute that is about encryption, ICE or multiplexing,
// under its key in lower case; others are passed over.
func (m *Media) readSecurity(key, value string) {
	switch key {
	case "crypto":
		s := m.security()
		if c, ok := readCrypto(value); ok {
			s.Crypto = append(s.Crypto, c)
		} else {
			s.Ignored++
		}
	case "fingerprint":
		s := m.security()
		if f, ok := readFingerprint(value); ok {
			s.Fingerprints = append(s.Fingerprints, f)
		} else {
			s.Ignored++
		}
	case "setup":
		m.security().Setup = readSetup(value)
	case "ice-ufrag":
		m.security().ICE.Ufrag = value
	case "ice-pwd":
		m.security().ICE.Pwd = value
	case "ice-options":
		var f [8]string // nobody has more
		m.security().ICE.Options = slices.Clone(f[:firstFields(value, f[:])])
	case "ice-lite":
		m.security().ICE.Lite = true
	case "end-of-candidates":
		m.security().ICE.End = true
	case "candidate":
		m.security().readCandidate(value)
	case "rtcp-mux", "rtcp-mux-only":
		m.Mux, m.MuxOnly = true, m.MuxOnly || key == "rtcp-mux-only"
	case "mid":
		m.MID = value
	}
}

func (s *Secure) readCandidate(value string) {
	c, ok := readCandidate(value)
	if !ok || len(s.ICE.Candidates) == MaxCandidates {
		s.Ignored++
		return
	}
	s.ICE.Candidates = append(s.ICE.Candidates, c)
}

// inherit fills in what the session says for all lines (RFC 8839 section 5.4, RFC
// 8122 section 5, RFC 4145 section 4).
func (m *Media) inherit(session *Secure) {
	if session == nil {
		if m.Secure != nil {
			m.Secure.ICE.settle()
		}
		return
	}
	s := m.security()
	if len(s.Fingerprints) == 0 {
		s.Fingerprints = session.Fingerprints
	}
	if s.Setup == NoSetup {
		s.Setup = session.Setup
	}
	if s.ICE.Ufrag == "" && s.ICE.Pwd == "" {
		s.ICE.Ufrag, s.ICE.Pwd = session.ICE.Ufrag, session.ICE.Pwd
	}
	if s.ICE.Options == nil {
		s.ICE.Options = session.ICE.Options
	}
	s.ICE.Lite = session.ICE.Lite
	s.ICE.End = s.ICE.End || session.ICE.End
	s.Ignored += session.Ignored
	s.ICE.settle()
}

// ice is what the line says about ICE; nil when it cannot be used.
func (m *Media) ice() *ICE {
	if m.Secure == nil || !m.Secure.ICE.Used() {
		return nil
	}
	return &m.Secure.ICE
}

// appendTo writes the lines.
func (s *Secure) appendTo(b []byte) []byte {
	for i := range s.Crypto {
		b = s.Crypto[i].appendTo(b)
	}
	for i := range s.Fingerprints {
		b = s.Fingerprints[i].appendTo(b)
	}
	if s.Setup != NoSetup {
		b = append(append(append(b, "a=setup:"...), s.Setup.String()...), "\r\n"...)
	}
	if s.ICE.Used() {
		b = s.ICE.appendTo(b)
	}
	return s.Source.appendTo(b)
}

// Bundles lists the BUNDLE groups (RFC 9143), each the identifiers (Media.MID) of its
// lines in order.
func (d *Description) Bundles() [][]string {
	var out [][]string
	for _, a := range d.Attributes {
		if lowerKey(a.Key) != "group" {
			continue
		}
		if f := strings.Fields(a.Value); len(f) > 0 && strings.EqualFold(f[0], "BUNDLE") {
			out = append(out, f[1:])
		}
	}
	return out
}

// bundled tells whether a line is in a BUNDLE group.
func (d *Description) bundled(m *Media) bool {
	if m.MID == "" {
		return false
	}
	for _, group := range d.Bundles() {
		for _, mid := range group {
			if mid == m.MID {
				return true
			}
		}
	}
	return false
}
