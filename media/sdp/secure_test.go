package sdp

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// Keys of the tests, in base64 as the lines have them: 30, 46 and 28 bytes.
const (
	key30 = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw"
	key46 = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Ng=="
	key28 = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3OA=="
	sum32 = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F"
)

func TestReadCrypto(t *testing.T) {
	for _, tt := range []struct {
		value string
		suite Suite // empty: passed over
		mki   string
	}{
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30, AESCM128SHA80, ""},
		{"1  aes_cm_128_hmac_sha1_32   inline:" + key30 + "|2^20|1:4", AESCM128SHA32, "00000001"},
		{"4 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^31", AESCM128SHA80, ""},
		{"4 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1048576", AESCM128SHA80, ""},
		{"4 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|258:2", AESCM128SHA80, "0102"},
		{"2 AES_256_CM_HMAC_SHA1_80 inline:" + key46, AESCM256SHA80, ""},
		{"2 AES_CM_256_HMAC_SHA1_32 inline:" + strings.TrimRight(key46, "="), AESCM256SHA32, ""},
		{"3 AEAD_AES_128_GCM inline:" + key28, AEADAES128, ""},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " WSH=64 -X=1 KDR=0", AESCM128SHA80, ""},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " UNENCRYPTED_SRTCP", "", ""},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " KDR=1", "", ""},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^49", "", ""},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^48|1:4|2:4", "", ""},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|256:1", "", ""},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:0", "", ""},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:4;inline:" + key30 + "|2^20|2:4", "", ""},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key28, "", ""},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:*", "", ""},
		{"1 AES_CM_128_HMAC_SHA1_80 uri:" + key30, "", ""},
		{"1 AES_CM_128_HMAC_SHA1_80", "", ""},
		{"0 AES_CM_128_HMAC_SHA1_80 inline:" + key30, "", ""},
		{"1234567890 AES_CM_128_HMAC_SHA1_80 inline:" + key30, "", ""},
		{"1 F8_128_HMAC_SHA1_80 inline:" + key30, "", ""},
	} {
		c, ok := readCrypto(tt.value)
		if ok != (tt.suite != "") || ok && (c.Suite != tt.suite || fmt.Sprintf("%x", c.MKI) != tt.mki) {
			t.Errorf("%s: %v, MKI %x", tt.value, c, c.MKI)
		}
		if !ok {
			continue
		}
		again, ok := readCrypto(strings.TrimPrefix(strings.TrimSpace(string(c.appendTo(nil))), "a=crypto:"))
		if !ok || again.Suite != c.Suite || again.Tag != c.Tag || !bytes.Equal(again.Key, c.Key) || !bytes.Equal(again.MKI, c.MKI) {
			t.Errorf("%s became %v", tt.value, again)
		}
		if strings.Contains(c.String(), "MTIz") {
			t.Errorf("the key shows in %v", c)
		}
	}
}

// armed is our policy with all there is.
func armed() Policy {
	p := switchPolicy()
	p.Mux = true
	p.Secure = &Secure{
		Crypto:       []Crypto{{Suite: AESCM128SHA80, Key: bytes.Repeat([]byte{1}, 30)}, {Suite: AESCM256SHA80, Key: bytes.Repeat([]byte{2}, 46)}},
		Fingerprints: []Fingerprint{{Hash: "sha-256", Sum: bytes.Repeat([]byte{3}, 32)}},
		ICE: ICE{Ufrag: "ours", Pwd: "0123456789012345678901", Lite: true, End: true, Candidates: []Candidate{
			{Foundation: "1", Component: 1, Transport: "udp", Priority: 2130706431, Address: netip.MustParseAddrPort("198.51.100.1:16384"), Type: "host"}}},
	}
	return p
}

const browserLines = "a=group:BUNDLE audio\r\na=fingerprint:SHA-256 " + sum32 + "\r\na=ice-ufrag:them\r\na=ice-pwd:9876543210987654321098\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=setup:actpass\r\na=mid:audio\r\na=rtcp-mux\r\n" +
	"a=candidate:1 1 UDP 2122260223 192.0.2.9 50000 typ host\r\na=candidate:2 1 udp 2122194687 f00.local 50001 typ host generation 0\r\na=candidate:3 1 tcp 5\r\n"

const cryptoLines = "a=crypto:1 AES_256_CM_HMAC_SHA1_32 inline:" + key46 + "\r\na=crypto:7 AES_CM_256_HMAC_SHA1_80 inline:" + key46 +
	"\r\na=crypto:8 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "\r\na=crypto:9 broken\r\n"

func TestAnswerSecure(t *testing.T) {
	const head = "v=0\r\no=- 5 5 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
	for _, tt := range []struct {
		name, offer string
		change      func(*Policy)
		err         error
		want        string // index, profile, "sdes" or "dtls" with tag or setup, mux, ice
		has         string // a line of our answer
	}{
		{name: "SDES, the first suite we have, its name kept", offer: "m=audio 6000 RTP/SAVP 0\r\n" + cryptoLines, want: "0 RTP/SAVP sdes 7",
			has: "a=crypto:7 AES_CM_256_HMAC_SHA1_80 inline:AgIC"},
		{name: "best effort in one line", offer: "m=audio 6000 RTP/AVP 0\r\n" + cryptoLines, want: "0 RTP/AVP sdes 7"},
		{name: "best effort in two lines, the plain one first", offer: "m=audio 6000 RTP/AVP 0\r\nm=audio 6002 RTP/SAVP 0\r\n" + cryptoLines, want: "1 RTP/SAVP sdes 7"},
		{name: "the encrypted line has no codec of ours", offer: "m=audio 6000 RTP/AVP 0\r\nm=audio 6002 RTP/SAVP 18\r\n" + cryptoLines, want: "0 RTP/AVP"},
		{name: "no usable key", offer: "m=audio 6000 RTP/SAVP 0\r\na=crypto:9 broken\r\n", err: ErrNoProtection},
		{name: "no usable key, plain line beside", offer: "m=audio 6000 RTP/SAVP 0\r\na=crypto:9 broken\r\nm=audio 6002 RTP/AVP 0\r\n", want: "1 RTP/AVP"},
		{name: "we have nothing", change: func(p *Policy) { p.Secure = nil }, offer: "m=audio 6000 RTP/SAVP 0\r\n" + cryptoLines, err: ErrNoProtection},
		{name: "plain, but it must not be", change: func(p *Policy) { p.MustSecure = true }, offer: "m=audio 6000 RTP/AVP 0\r\n", err: ErrNoProtection},
		{name: "browser hears a source", change: func(p *Policy) { p.Secure.Source = Source{SSRC: 7, CName: "us"} }, offer: browserLines, want: "0 UDP/TLS/RTP/SAVPF dtls passive mux ice", has: "a=ssrc:7 cname:us\r\n"},
		{name: "browser", offer: browserLines, want: "0 UDP/TLS/RTP/SAVPF dtls passive mux ice", has: "a=group:BUNDLE audio\r\na=ice-lite\r\n"},
		{name: "browser, we are the client", change: func(p *Policy) { p.Secure.Setup = Active }, offer: browserLines, want: "0 UDP/TLS/RTP/SAVPF dtls active mux ice", has: "a=setup:active\r\n"},
		{name: "DTLS without ICE, the far end waits", offer: "m=audio 6000 UDP/TLS/RTP/SAVP 0\r\na=setup:passive\r\na=fingerprint:sha-256 " + sum32 + "\r\n", want: "0 UDP/TLS/RTP/SAVP dtls active"},
		{name: "DTLS without a fingerprint", offer: "m=audio 6000 UDP/TLS/RTP/SAVP 0\r\na=setup:passive\r\n", err: ErrNoProtection},
		{name: "over TCP", offer: "m=audio 6000 TCP/DTLS/RTP/SAVPF 0\r\na=setup:passive\r\na=fingerprint:sha-256 " + sum32 + "\r\n", err: ErrNoMedia},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := armed()
			if tt.change != nil {
				tt.change(&p)
			}
			answer, r, err := Answer(mustParse(t, head+tt.offer), p)
			if !errors.Is(err, tt.err) || err == nil && secureSummary(&r) != tt.want {
				t.Fatalf("%s, %v; want %s, %v", secureSummary(&r), err, tt.want, tt.err)
			}
			if err == nil && !bytes.Contains(new(Writer).Write(answer), []byte(tt.has)) {
				t.Errorf("no %q in\n%s", tt.has, new(Writer).Write(answer))
			}
		})
	}
}

// secureSummary says what a result settled beside the formats.
func secureSummary(r *Result) string {
	out := fmt.Sprintf("%d %v", r.Media, r.Profile)
	switch {
	case r.Protection.DTLS():
		out += " dtls " + r.Protection.Setup.String()
	case r.Protection != nil:
		out += fmt.Sprintf(" sdes %d", r.Protection.Receive.Tag)
	}
	if r.Mux {
		out += " mux"
	}
	if r.ICE != nil {
		out += " ice"
	}
	return out
}

// Two of us agree on keys whatever the profile, and a later offer keeps them.
func TestSecureBothSidesAgree(t *testing.T) {
	for _, profile := range []Profile{AVP, SAVP, SAVPF, DTLSAVP, DTLSAVPF} {
		t.Run(profile.String(), func(t *testing.T) {
			a, b := armed(), armed()
			a.Profile = profile
			a.Secure.Crypto[0].Key = bytes.Repeat([]byte{9}, 30)
			var first, before *Description
			for range 2 {
				offer, err := Offer(before, nil, a)
				if err != nil {
					t.Fatal(err)
				}
				answer, theirs, err := Answer(mustWrite(t, offer), b)
				if err != nil {
					t.Fatal(err)
				}
				ours, err := ReadAnswer(offer, mustWrite(t, answer))
				if err != nil {
					t.Fatal(err)
				}
				x, y := ours.Protection, theirs.Protection
				if x == nil || y == nil || x.DTLS() != profile.DTLS() || y.DTLS() != x.DTLS() || ours.ICE == nil || theirs.ICE == nil {
					t.Fatalf("%+v and %+v", ours, theirs)
				}
				if !bytes.Equal(x.Send.Key, y.Receive.Key) || !bytes.Equal(y.Send.Key, x.Receive.Key) {
					t.Errorf("keys %v and %v", x, y)
				}
				if x.DTLS() && (x.Setup == y.Setup || ours.Mux != theirs.Mux || !ours.Mux) {
					t.Errorf("%+v and %+v", x, y)
				}
				if before = offer; first == nil {
					first = offer
				} else if got, want := (&Writer{ID: 1}).Write(offer), (&Writer{ID: 1}).Write(first); !bytes.Equal(got, want) {
					t.Errorf("again\n%s\nafter\n%s", got, want)
				}
			}
		})
	}
}
