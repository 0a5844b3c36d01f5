package media

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/sdp"
)

var kindsOfParties = []string{
	"plain", "savp AES_CM_128_HMAC_SHA1_80", "savp AES_CM_128_HMAC_SHA1_32", "savp AES_256_CM_HMAC_SHA1_80", "savp AES_256_CM_HMAC_SHA1_32",
	"savp AEAD_AES_128_GCM", "savp AEAD_AES_256_GCM", "osrtp AES_CM_128_HMAC_SHA1_80", "dtls", "browser",
}

// talk lets both speak for some frames and checks that each hears all the other
// said, and nothing else.
func talk(t *testing.T, r *rig, a, b *party, frames int) {
	t.Helper()
	for range frames {
		a.says(0x11)
		b.says(0x22)
		r.advance(20 * time.Millisecond)
	}
	for _, x := range []struct {
		by   *party
		want byte
	}{{a, 0x22}, {b, 0x11}} {
		got := x.by.hears()
		if len(got) != frames {
			t.Fatalf("%s heard %d of %d packets", x.by.kind, len(got), frames)
		}
		for _, p := range got {
			if len(p.Payload) != frameSamples || p.Payload[0] != x.want || p.Payload[159] != x.want {
				t.Fatalf("%s heard %x", x.by.kind, p.Payload)
			}
		}
	}
}

// Every kind of caller talks with a phone of another kind, whatever either has.
func TestEncryptedCalls(t *testing.T) {
	for i, kind := range kindsOfParties {
		other := kindsOfParties[(i*3+1)%len(kindsOfParties)]
		t.Run(strings.ReplaceAll(kind+" and "+other, " ", "-"), func(t *testing.T) {
			onBoth(t, Config{}, func(t *testing.T, r *rig) {
				a, b := r.encrypted("1:0", kind), r.encrypted("2:0", other)
				mustCall(t, a.calls())
				mustCall(t, b.calls())
				mustCall(t, Join(a.session, b.session))
				r.settle()
				a.meets()
				b.meets()
				talk(t, r, a, b, 20)
				for _, p := range []*party{a, b} {
					if st := p.session.Stats(); st.Dropped != 0 || st.Forged != 0 {
						t.Errorf("%s: %d dropped, %d forged", p.kind, st.Dropped, st.Forged)
					}
				}
			})
		})
	}
}

// What we offer by policy, and what comes of it.
func TestOffersByPolicy(t *testing.T) {
	for _, c := range []struct {
		policy  Encryption
		browser bool
		proto   string
		keys    bool
		kind    string // of the phone
		fails   bool
	}{
		{EncryptOffered, false, "RTP/AVP", false, "plain", false},
		{EncryptNever, false, "RTP/AVP", false, "plain", false},
		{EncryptPreferred, false, "RTP/AVP", true, "plain", false},
		{EncryptPreferred, false, "RTP/AVP", true, "osrtp AES_CM_128_HMAC_SHA1_80", false},
		{EncryptPreferred, false, "RTP/AVP", true, "osrtp AEAD_AES_256_GCM", false},
		{EncryptRequired, false, "RTP/SAVP", true, "savp AES_CM_128_HMAC_SHA1_80", false},
		{EncryptRequired, false, "RTP/SAVP", true, "plain", true},
		{EncryptOffered, true, "UDP/TLS/RTP/SAVPF", false, "browser", false},
		{EncryptRequired, true, "UDP/TLS/RTP/SAVPF", false, "browser", false},
		{EncryptNever, true, "RTP/AVP", false, "plain", false},
	} {
		t.Run(fmt.Sprint(c.policy, c.browser, strings.ReplaceAll(c.kind, " ", "-")), func(t *testing.T) {
			onBoth(t, Config{}, func(t *testing.T, r *rig) {
				a, b := r.encrypted("1:0", "plain"), r.encrypted("2:0", c.kind)
				mustCall(t, a.calls())
				err := b.isCalled(SessionConfig{Encryption: c.policy, Browser: c.browser})
				if (err != nil) != c.fails || err != nil && !errors.Is(err, ErrNoProtection) {
					t.Fatalf("called: %v", err)
				}
				m := &b.session.talk.sent.Media[0]
				if m.Proto != c.proto || (m.Secure != nil && len(m.Secure.Crypto) > 0) != c.keys {
					t.Errorf("offered %s, %+v", m.Proto, m.Secure)
				}
				if err != nil {
					return
				}
				mustCall(t, Join(a.session, b.session))
				r.settle()
				b.meets()
				talk(t, r, a, b, 5)
			})
		})
	}
}

// What a phone may offer under each policy.
func TestAnswersByPolicy(t *testing.T) {
	for _, c := range []struct {
		policy     Encryption
		kind       string
		fails      bool
		protection bool
	}{
		{EncryptNever, "savp AES_CM_128_HMAC_SHA1_80", true, false},
		{EncryptNever, "osrtp AES_CM_128_HMAC_SHA1_80", false, false},
		{EncryptNever, "dtls", true, false},
		{EncryptNever, "browser", true, false},
		{EncryptOffered, "osrtp AES_CM_128_HMAC_SHA1_80", false, true},
		{EncryptOffered, "plain", false, false},
		{EncryptPreferred, "plain", false, false},
		{EncryptRequired, "plain", true, false},
		{EncryptRequired, "osrtp AES_CM_128_HMAC_SHA1_80", false, true},
		{EncryptRequired, "browser", false, true},
	} {
		onBoth(t, Config{}, func(t *testing.T, r *rig) {
			p := r.encrypted("1:0", c.kind)
			p.begin(SessionConfig{Encryption: c.policy})
			_, err := p.session.SetOffer(p.description("actpass"))
			if (err != nil) != c.fails || err != nil && (!errors.Is(err, ErrNoProtection) || !errors.Is(err, ErrNotAcceptable)) {
				t.Fatalf("policy %d, %s: %v", c.policy, c.kind, err)
			}
			if err != nil {
				return
			}
			body, err := p.session.Answer()
			mustCall(t, err)
			d, err := sdp.Parse(body)
			mustCall(t, err)
			if got := p.session.terms.Load().Protection != nil; got != c.protection || (d.Media[0].Secure != nil) != c.protection {
				t.Errorf("policy %d, %s: protected %t", c.policy, c.kind, got)
			}
			if want := p.description("actpass"); !strings.Contains(string(want), "m=audio "+fmt.Sprint(p.addr.Port())+" "+d.Media[0].Proto+" ") {
				t.Errorf("%s is answered with %s", want, d.Media[0].Proto)
			}
		})
	}
}

// A refresh keeps the replay window, a new key takes over at once and what was on
// its way under the old one is heard.
func TestNewKeys(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := r.encrypted("1:0", "savp AEAD_AES_128_GCM"), r.encrypted("2:0", "plain")
		mustCall(t, a.calls())
		mustCall(t, b.calls())
		mustCall(t, Join(a.session, b.session))
		r.settle()
		talk(t, r, a, b, 10)
		ours := a.open.Key()

		again := a.word(0x11)
		a.raw(a.session.LocalAddr(), append([]byte(nil), again...))
		r.advance(20 * time.Millisecond)
		seal, open := a.seal, a.open
		mustCall(t, a.offers()) // the same description
		a.seal, a.open = seal, open
		r.settle()
		a.raw(a.session.LocalAddr(), again)
		r.advance(20 * time.Millisecond)
		if n := len(b.hears()); n != 1 || a.session.Stats().Forged != 1 {
			t.Errorf("%d packets for one said once, %d taken for forged", n, a.session.Stats().Forged)
		}

		late := a.word(0x33)
		fresh := r.encrypted("1:0", a.kind)
		a.key = fresh.key
		mustCall(t, a.offers())
		if !a.open.Key().Is(ours) {
			t.Error("our own key changed with the party's")
		}
		r.settle()
		a.raw(a.session.LocalAddr(), late)
		r.advance(20 * time.Millisecond)
		if got := b.hears(); len(got) != 1 || got[0].Payload[0] != 0x33 {
			t.Errorf("what was on its way: %v", got)
		}
		a.open = open // it goes on with the same key of ours
		talk(t, r, a, b, 10)
	})
}

// Encryption that comes and goes with re-offers.
func TestEncryptionComesAndGoes(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := r.encrypted("1:0", "plain"), r.encrypted("2:0", "plain")
		mustCall(t, a.calls())
		mustCall(t, b.calls())
		mustCall(t, Join(a.session, b.session))
		r.settle()
		talk(t, r, a, b, 5)
		for _, kind := range []string{"savp AES_CM_128_HMAC_SHA1_80", "savp AEAD_AES_256_GCM", "plain", "osrtp AES_CM_128_HMAC_SHA1_80"} {
			next := r.encrypted("1:0", kind)
			a.kind, a.key, a.seal, a.open = kind, next.key, nil, nil
			mustCall(t, a.offers())
			r.settle()
			talk(t, r, a, b, 5)
		}
	})
}

// A phone that takes RTP/SAVP only, and says so with a 488, is asked again with that
// where keys were offered at all.
func TestInsist(t *testing.T) {
	for policy, want := range map[Encryption]bool{EncryptNever: false, EncryptOffered: false, EncryptPreferred: true, EncryptRequired: false} {
		onBoth(t, Config{Encryption: policy}, func(t *testing.T, r *rig) {
			a, b := r.encrypted("1:0", "plain"), r.encrypted("2:0", "savp AES_CM_128_HMAC_SHA1_80")
			b.begin(SessionConfig{})
			if b.session.Insist() {
				t.Fatal("before any offer")
			}
			first, err := b.session.Offer(nil)
			mustCall(t, err)
			if got := b.session.Insist(); got != want {
				t.Fatalf("policy %d: %t", policy, got)
			}
			if !want {
				return
			}
			if b.session.Insist() {
				t.Fatal("twice")
			}
			a.begin(SessionConfig{Encryption: EncryptOffered})
			mustCall(t, a.offers())
			second, err := b.session.Offer(nil)
			mustCall(t, err)
			if !strings.Contains(string(first), "RTP/AVP ") || !strings.Contains(string(second), "RTP/SAVP ") {
				t.Fatalf("%s\nthen\n%s", first, second)
			}
			b.takes(second)
			_, err = b.session.SetAnswer(b.description("active"))
			mustCall(t, err)
			mustCall(t, Join(a.session, b.session))
			r.settle()
			talk(t, r, a, b, 5)
		})
	}
}

// Keys of a description end the handshakes of both ports that were going on.
func TestKeysEndHandshakes(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		if r.net == nil {
			return // handshakes end in a time of their own there
		}
		a, next := r.encrypted("1:0", "dtls"), r.encrypted("1:0", "savp AES_CM_128_HMAC_SHA1_80")
		a.begin(SessionConfig{})
		if _, err := a.session.SetOffer(a.description("passive")); err != nil { // we begin, and nobody answers
			t.Fatal(err)
		}
		_, err := a.session.Answer()
		mustCall(t, err)
		r.settle()
		if n := r.engine.handshakes.Load(); n != 2 {
			t.Fatalf("%d handshakes", n)
		}
		a.kind, a.key = next.kind, next.key
		mustCall(t, a.offers())
		r.settle()
		if n := r.engine.handshakes.Load(); n != 0 {
			t.Errorf("%d handshakes go on", n)
		}
	})
}
