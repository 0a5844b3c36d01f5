package sdp

import "strings"

// protect finds out how an offered line would be encrypted: nil Protection for not
// at all. It is false when that cannot be: the line demands encryption that we do
// not have, or we demand it and the line has none.
func (p *Policy) protect(far *Media) (*Protection, bool) {
	if p.Secure == nil || far.Secure == nil {
		return nil, !far.Profile().Secure() && !p.MustSecure
	}
	if !far.Profile().DTLS() {
		for _, theirs := range far.Secure.Crypto {
			for _, ours := range p.Secure.Crypto {
				if ours.Suite == theirs.Suite {
					ours.Tag, ours.name = theirs.Tag, strings.Clone(theirs.name)
					return &Protection{Send: ours, Receive: theirs}, true
				}
			}
		}
	}
	if len(far.Secure.Fingerprints) > 0 && len(p.Secure.Fingerprints) > 0 && far.Secure.Setup != HoldConn {
		return &Protection{Fingerprints: far.Secure.Fingerprints, Setup: p.part(far.Secure.Setup)}, true
	}
	return nil, !far.Profile().Secure() && !p.MustSecure
}

// part is the one we take in DTLS beside an offered one. An offer that does not say
// is active (RFC 4145 section 4).
func (p *Policy) part(offered Setup) Setup {
	switch {
	case offered == Passive, offered == ActPass && p.Secure.Setup == Active:
		return Active
	}
	return Passive
}

// secured completes our line of an answer and the result with what the offered line
// says beside the formats.
func (p *Policy) secured(ours, far *Media, r *Result, protection *Protection) {
	r.Protection = protection
	ours.MID = strings.Clone(far.MID)
	ours.Mux = far.Mux && p.Mux
	r.setMux(far, ours.Mux)
	ice := far.ice() != nil && p.Secure != nil && p.Secure.ICE.Used()
	if protection == nil && !ice {
		return
	}
	ours.Secure = new(Secure)
	switch {
	case protection == nil:
	case protection.DTLS():
		ours.Secure.Fingerprints, ours.Secure.Setup = p.Secure.Fingerprints, protection.Setup
		ours.Secure.Source = p.Secure.Source
	default:
		ours.Secure.Crypto = []Crypto{protection.Send}
	}
	if ice {
		ours.Secure.ICE = p.Secure.ICE
		r.ICE = far.ice()
	}
}

// offered completes our line of an offer: as in our last description if the line
// was there, so that keys and credentials stay, else as the policy has it.
func (p *Policy) offered(line, before *Media) {
	if before != nil && before.Port != 0 {
		line.MID, line.Mux = before.MID, before.Mux
		if before.Secure != nil {
			again := *before.Secure
			if again.Setup != NoSetup {
				again.Setup = ActPass
			}
			line.Secure = &again
		}
		return
	}
	profile := line.Profile()
	line.Mux = p.Mux && profile.DTLS()
	if profile.DTLS() {
		line.MID = "0"
	}
	if p.Secure == nil {
		return
	}
	line.Secure = &Secure{ICE: p.Secure.ICE}
	if profile.DTLS() {
		line.Secure.Fingerprints, line.Secure.Setup = p.Secure.Fingerprints, ActPass
		line.Secure.Source = p.Secure.Source
		return
	}
	for i, c := range p.Secure.Crypto {
		c.Tag = i + 1
		line.Secure.Crypto = append(line.Secure.Crypto, c)
	}
}

// grouped adds the lines of the session that follow from one of ours.
func (d *Description) grouped(ours *Media, bundle bool) {
	if bundle && ours.MID != "" {
		d.Attributes = append(d.Attributes, Attribute{"group", "BUNDLE " + ours.MID})
	}
	if s := ours.Secure; s != nil && s.ICE.Used() && s.ICE.Lite {
		d.Attributes = append(d.Attributes, Attribute{Key: "ice-lite"})
	}
}

// answered reads what the far end's line answers to ours about encryption. It is
// false when one of the two wants it and it does not come about.
func (r *Result) answered(ours, far *Media) bool {
	r.setMux(far, ours.Mux && far.Mux)
	if ours.Secure == nil || far.Secure == nil {
		return !ours.Profile().Secure() && !far.Profile().Secure()
	}
	if ours.Secure.ICE.Used() {
		r.ICE = far.ice()
	}
	r.Protection = far.keys(ours)
	if r.Protection != nil {
		return true
	}
	if len(far.Secure.Fingerprints) > 0 && len(ours.Secure.Fingerprints) > 0 {
		r.Protection = &Protection{Fingerprints: far.Secure.Fingerprints, Setup: Passive}
		if far.Secure.Setup == Passive {
			r.Protection.Setup = Active
		}
		return true
	}
	return !ours.Profile().Secure() && !far.Profile().Secure()
}

// keys are those of SDES that an answer settles: of the line with our tag, else of
// one of our suites, for far ends that number on their own. nil without.
func (m *Media) keys(offered *Media) *Protection {
	for _, byTag := range [2]bool{true, false} {
		for _, theirs := range m.Secure.Crypto {
			for _, ours := range offered.Secure.Crypto {
				if ours.Suite == theirs.Suite && (ours.Tag == theirs.Tag || !byTag) {
					return &Protection{Send: ours, Receive: theirs}
				}
			}
		}
	}
	return nil
}
