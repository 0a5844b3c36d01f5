package media

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/stun/v4"

	"github.com/cordpair/cordpair/media/ice"
	"github.com/cordpair/cordpair/media/sdp"
	"github.com/cordpair/cordpair/media/secure"
)

// party is a phone that encrypts, of a kind: "plain", "savp SUITE", "osrtp SUITE",
// "dtls" for UDP/TLS/RTP/SAVP without ICE, "browser" for all of it.
type party struct {
	*phone
	kind    string
	session *Session
	key     secure.Key
	seal    *secure.Sealer
	open    *secure.Opener

	identity *secure.Identity
	mine     ice.Credentials
	theirs   sdp.ICE
	vouched  sdp.Fingerprint // for our certificate
	shake    *secure.Handshake
	over     atomic.Bool
	failed   error
	held     [][]byte // datagrams that are no handshake
}

// encrypted makes a phone of a kind.
func (r *rig) encrypted(at, kind string) *party {
	r.t.Helper()
	p := &party{phone: r.phone(at), kind: kind, mine: ice.NewCredentials()}
	var err error
	if p.identity, err = secure.NewIdentity(); err != nil {
		r.t.Fatal(err)
	}
	if _, name, ok := strings.Cut(kind, " "); ok {
		suite, known := secure.SuiteOf(name)
		if !known {
			r.t.Fatal(name)
		}
		p.key = secure.NewKey(suite)
	}
	return p
}

// description is what the phone offers or answers; setup is its part in DTLS.
func (p *party) description(setup string) []byte {
	if p.kind == "plain" {
		return p.sdp("0 101")
	}
	proto, lines := "RTP/AVP", []string{}
	switch kind, _, _ := strings.Cut(p.kind, " "); kind {
	case "savp", "osrtp":
		if kind == "savp" {
			proto = "RTP/SAVP"
		}
		lines = append(lines, fmt.Sprintf("a=crypto:1 %s inline:%s", p.key.Suite(), base64.StdEncoding.EncodeToString(p.key.Material())))
	case "dtls", "browser":
		proto = "UDP/TLS/RTP/SAVP"
		f := p.identity.Fingerprint()
		sum := strings.ToUpper(hex.EncodeToString(f.Sum))
		lines = append(lines, "a=fingerprint:"+f.Hash+" "+sum, "a=setup:"+setup)
		if kind == "browser" {
			proto += "F"
			lines = append(lines, "a=mid:0", "a=rtcp-mux", "a=ice-ufrag:"+p.mine.Ufrag, "a=ice-pwd:"+p.mine.Pwd)
		}
	}
	return []byte(strings.Replace(string(p.sdp("0 101", lines...)), "RTP/AVP", proto, 1))
}

// begin makes the phone's session.
func (p *party) begin(cfg SessionConfig) {
	p.r.t.Helper()
	cfg.Local, cfg.SIPSource = here, p.addr.Addr()
	s, err := p.r.engine.NewSession(cfg)
	if err != nil {
		p.r.t.Fatal(err)
	}
	p.session = s
}

// calls makes an offer, and takes our answer.
func (p *party) calls() error {
	p.begin(SessionConfig{})
	return p.offers()
}

func (p *party) offers() error {
	if _, err := p.session.SetOffer(p.description("actpass")); err != nil {
		return err
	}
	answer, err := p.session.Answer()
	if err != nil {
		return err
	}
	p.takes(answer)
	return nil
}

// isCalled takes our offer and answers it.
func (p *party) isCalled(cfg SessionConfig) error {
	p.begin(cfg)
	offer, err := p.session.Offer(nil)
	if err != nil {
		return err
	}
	d, err := sdp.Parse(offer)
	if err != nil {
		return err
	}
	if kind, _, _ := strings.Cut(p.kind, " "); kind == "savp" && !d.Media[0].Profile().Secure() {
		return fmt.Errorf("%s is no answer to %s", p.kind, d.Media[0].Proto)
	}
	p.takes(offer)
	_, err = p.session.SetAnswer(p.description("active"))
	return err
}

// takes reads our description and prepares what it says.
func (p *party) takes(body []byte) {
	p.r.t.Helper()
	d, err := sdp.Parse(body)
	if err != nil {
		p.r.t.Fatal(err)
	}
	far := d.Media[0].Secure
	if far == nil {
		return
	}
	for _, c := range far.Crypto {
		if !p.key.IsZero() && string(c.Suite) == p.key.Suite().String() {
			k, err := keyOf(c)
			if err != nil {
				p.r.t.Fatal(err)
			}
			p.install(p.key, k)
		}
	}
	p.theirs = far.ICE
	if len(far.Fingerprints) > 0 && p.shake == nil {
		p.vouched = far.Fingerprints[0]
		if p.kind != "browser" {
			p.greet()
		}
	}
}

// greet begins the handshake.
func (p *party) greet() {
	p.shake = secure.Begin(secure.Meeting{
		Identity: p.identity, Client: true, Fingerprints: []secure.Fingerprint{secure.Fingerprint(p.vouched)},
		Send: func(b []byte) { _, _ = p.conn.WriteToUDPAddrPort(b, p.session.LocalAddr()) },
		Done: func(ours, theirs secure.Key, err error) {
			if p.failed = err; err == nil {
				p.install(ours, theirs)
			}
			p.over.Store(true)
		},
	})
	p.r.t.Cleanup(p.shake.Close)
}

func (p *party) install(ours, theirs secure.Key) {
	var err error
	if p.seal, err = secure.NewSealer(ours); err != nil {
		p.r.t.Error(err)
	}
	if p.open, err = secure.NewOpener(theirs); err != nil {
		p.r.t.Error(err)
	}
}

// binding is a connectivity check of the phone.
func (p *party) binding(extra ...stun.Setter) []byte {
	p.r.t.Helper()
	parts := []stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(p.theirs.Ufrag + ":" + p.mine.Ufrag),
		stun.RawAttribute{Type: stun.AttrPriority, Length: 4, Value: []byte{1, 2, 3, 4}},
		stun.RawAttribute{Type: stun.AttrICEControlling, Length: 8, Value: make([]byte, 8)}}
	parts = append(parts, extra...)
	m, err := stun.Build(append(parts, stun.NewShortTermIntegrity(p.theirs.Pwd), stun.Fingerprint)...)
	if err != nil {
		p.r.t.Fatal(err)
	}
	return m.Raw
}

type nomination struct{}

func (nomination) AddTo(m *stun.Message) error { m.Add(stun.AttrUseCandidate, nil); return nil }

// meets does what has to happen before media: checks, and the handshake.
func (p *party) meets() {
	p.r.t.Helper()
	if p.kind == "browser" {
		p.raw(p.session.LocalAddr(), p.binding(nomination{}))
		p.greet()
	}
	if p.shake == nil {
		return
	}
	for range 5000 {
		if p.over.Load() {
			break
		}
		p.collect()
		if p.r.net != nil {
			time.Sleep(time.Millisecond)
		}
	}
	if !p.over.Load() || p.failed != nil {
		p.r.t.Fatalf("%s: no keys: %v", p.kind, p.failed)
	}
	p.collect()
}

// collect reads what has arrived and hands the handshake its part.
func (p *party) collect() {
	p.r.t.Helper()
	for _, b := range p.datagrams() {
		switch secure.KindOf(b) {
		case secure.DTLS:
			if p.shake != nil {
				p.shake.Feed(b)
			}
		case secure.STUN:
		default:
			p.held = append(p.held, b)
		}
	}
}

// says sends one packet of speech, encrypted if it was agreed on.
func (p *party) says(payload byte) { p.raw(p.session.LocalAddr(), p.word(payload)) }

// word is the next packet of the phone.
func (p *party) word(payload byte) []byte {
	p.r.t.Helper()
	p.seq++
	p.ts += frameSamples
	x := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc}, Payload: bytes.Repeat([]byte{payload}, frameSamples)}
	b, err := x.Marshal()
	if err != nil {
		p.r.t.Fatal(err)
	}
	if p.seal != nil {
		if b, err = p.seal.RTP(make([]byte, 0, 256), b); err != nil {
			p.r.t.Fatal(err)
		}
	}
	return b
}

// hears opens what has arrived; reports are checked and passed over.
func (p *party) hears() (out []rtp.Packet) {
	p.r.t.Helper()
	p.collect()
	for _, b := range p.held {
		report := secure.KindOf(b) == secure.RTCP
		var err error
		switch {
		case p.open != nil && report:
			_, err = p.open.RTCP(b)
		case p.open != nil:
			b, err = p.open.RTP(b)
		}
		if err != nil {
			p.r.t.Fatalf("%s got %x: %v", p.kind, b, err)
		}
		if report {
			continue
		}
		var x rtp.Packet
		if err := x.Unmarshal(b); err != nil {
			p.r.t.Fatal(err)
		}
		out = append(out, x)
	}
	p.held = nil
	return out
}

// mustCall fails the test when a call is refused.
func mustCall(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
