package media

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/ice"
	"github.com/cordpair/cordpair/media/secure"
)

// Whatever is sent to an encrypted leg by who has no key changes nothing, from
// wherever it comes: not what either party hears, not where we send, and nothing is
// sent to the attacker (M1, M3). Each attack goes on beside the call, from before
// the first packet to the end.
func TestAttacksOnEncryptedLegs(t *testing.T) {
	for _, kind := range []string{"savp AES_CM_128_HMAC_SHA1_32", "savp AEAD_AES_256_GCM", "dtls", "browser"} {
		for name, attack := range attacks {
			for where, at := range map[string]string{"from elsewhere": "66:0", "from the party's host": "1:0"} {
				t.Run(strings.ReplaceAll(kind+" "+name+" "+where, " ", "-"), func(t *testing.T) {
					onBoth(t, Config{}, func(t *testing.T, r *rig) {
						underAttack(t, r, kind, attack, at)
					})
				})
			}
		}
	}
}

// attacks are what an attacker sends in one frame. word is what the party has just
// sent, nil before its first packet.
var attacks = map[string]func(evil *phone, p *party, word []byte) []byte{
	"in the clear": func(evil *phone, p *party, _ []byte) []byte { return spoken(evil) },
	"under a key of its own": func(evil *phone, p *party, _ []byte) []byte {
		suite := secure.Offered()[0]
		seal, err := secure.NewSealer(secure.NewKey(suite))
		if err != nil {
			panic(err)
		}
		out, err := seal.RTP(nil, spoken(evil))
		if err != nil {
			panic(err)
		}
		return out
	},
	"a wrong tag": func(_ *phone, _ *party, word []byte) []byte {
		if len(word) > 0 {
			word[len(word)-1] ^= 1
		}
		return word
	},
	"what it has overheard": func(_ *phone, _ *party, word []byte) []byte { return word },
	"a report": func(_ *phone, p *party, _ []byte) []byte {
		return append(receiverReport(p.ssrc), make([]byte, 14)...)
	},
	"a hello": func(*phone, *party, []byte) []byte {
		b := make([]byte, 80)
		copy(b, []byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 67, 1, 0, 0, 55, 0, 0, 0, 0, 0, 0, 0, 55, 254, 253})
		return b
	},
	"an alert": func(*phone, *party, []byte) []byte { // close_notify
		return []byte{21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 1, 0}
	},
	"a check without the password": func(evil *phone, p *party, _ []byte) []byte {
		guess := party{phone: evil, mine: p.mine, theirs: p.theirs}
		guess.theirs.Pwd = ice.NewCredentials().Pwd
		return guess.binding(nomination{})
	},
}

func spoken(evil *phone) []byte {
	b := make([]byte, rtpHeader+frameSamples)
	evil.seq++
	evil.ts += frameSamples
	putHeader(b, 0, false, evil.seq, evil.ts, evil.ssrc)
	for i := range b[rtpHeader:] {
		b[rtpHeader+i] = 0x66
	}
	return b
}

func underAttack(t *testing.T, r *rig, kind string, attack func(*phone, *party, []byte) []byte, at string) {
	p, other, evil := r.encrypted("1:0", kind), r.encrypted("2:0", "plain"), r.phone(at)
	evil.ssrc = p.ssrc
	mustCall(t, p.calls())
	mustCall(t, other.calls())
	mustCall(t, Join(p.session, other.session))
	r.settle()
	to := []netip.AddrPort{p.session.LocalAddr(), rtcpPort(p.session)}
	hit := func(word []byte) {
		for _, port := range to {
			if b := attack(evil, p, append([]byte(nil), word...)); len(b) > 0 {
				evil.raw(port, b)
			}
		}
	}
	for range 3 {
		hit(nil)
	}
	r.settle()
	p.meets()
	const frames = 30
	for i := range frames {
		word := p.word(0x11)
		p.raw(p.session.LocalAddr(), word)
		hit(word)
		other.says(0x22)
		if i == frames/2 {
			r.advance(300 * time.Millisecond) // longer than the silence that lets others in
			hit(word)
		}
		r.advance(20 * time.Millisecond)
	}
	checkUnharmed(t, p, other, evil, frames)
}

// checkUnharmed: everything was heard once and nothing else, and nothing went to
// the attacker.
func checkUnharmed(t *testing.T, p, other *party, evil *phone, frames int) {
	t.Helper()
	for _, x := range []struct {
		by   *party
		want byte
	}{{p, 0x22}, {other, 0x11}} {
		got := x.by.hears()
		if len(got) != frames {
			t.Errorf("%s heard %d of %d packets", x.by.kind, len(got), frames)
		}
		for _, m := range got {
			if m.Payload[0] != x.want {
				t.Fatalf("%s heard the attacker: %x", x.by.kind, m.Payload[:8])
			}
		}
	}
	for _, b := range evil.datagrams() {
		t.Errorf("the attacker was sent %x", b[:min(len(b), 20)])
	}
	if st := p.session.Stats(); st.Source != p.addr {
		t.Errorf("the party is believed at %s, not %s", st.Source, p.addr)
	}
}

// Whoever shares the party's host and says hello first does not keep out a party whose
// port is not the signalled one, however often it says so.
func TestHandshakeGivesWay(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		p, evil := r.encrypted("1:0", "dtls"), r.phone("1:0")
		p.begin(SessionConfig{})
		_, err := p.session.SetOffer([]byte(strings.Replace(string(p.description("actpass")), fmt.Sprintf("m=audio %d ", p.addr.Port()), "m=audio 9998 ", 1)))
		mustCall(t, err)
		answer, err := p.session.Answer()
		mustCall(t, err)
		r.settle()
		for range 2 * handshakeTries {
			evil.raw(p.session.LocalAddr(), attacks["a hello"](evil, p, nil))
			r.advance(20 * time.Millisecond)
		}
		p.takes(answer)
		r.advance(giveWay)
		p.meets()
	})
}

// A fuzzed datagram on an encrypted leg is dropped, whatever it looks like.
func FuzzEncryptedPort(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0}, false)
	f.Add([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, false)
	f.Add(append([]byte{0x80, 0}, make([]byte, 170)...), false)
	f.Add(append([]byte{0x80, 200}, make([]byte, 60)...), true)
	f.Fuzz(func(t *testing.T, b []byte, control bool) {
		if len(b) > maxDatagram {
			return
		}
		l, s, _, from, out := benchPair(t, "0", "0")
		key := secure.NewKey(secure.Offered()[0])
		g := &guard{stream: s, terms: s.terms}
		if err := g.install(onRTP, key, secure.NewKey(secure.Offered()[0])); err != nil {
			t.Fatal(err)
		}
		g.channels[onRTCP] = g.channels[onRTP]
		s.guard = g
		before := out.sent
		l.arrived(s, control, append(make([]byte, 0, maxDatagram), b...), from)
		if out.sent != before || s.counters.received.get() != 0 || s.rtpLatch.confirmed() || s.rtcpLatch.confirmed() || l.panics.Load() != 0 {
			t.Fatalf("%x had an effect", b)
		}
	})
}
