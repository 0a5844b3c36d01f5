package siptest

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"
)

const plain = "INVITE sip:102@demo.test SIP/2.0\r\n" +
	"v: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bK1, SIP/2.0/UDP 10.0.1.2\r\nVia: SIP/2.0/TCP 10.0.1.3\r\n" +
	"f: \"A, \\\"B\\\" <x>\" <sip:101@demo.test;user=phone>;tag=f1\r\nTo: sip:102@demo.test;tag=t1\r\n" +
	"i: c1\r\nCSeq: 7 INVITE\r\nc: application/sdp; charset=x\r\nSubject: a\r\n folded\r\nl: 3\r\n\r\nv=0"

func TestParse(t *testing.T) {
	m, err := parse([]byte(plain))
	must(t, err)
	seq, method := m.cseq()
	switch {
	case m.Method != "INVITE" || m.URI != "sip:102@demo.test" || string(m.Body) != "v=0" || !m.hasSDP():
		t.Errorf("%+v", m)
	case m.callID() != "c1" || m.fromTag() != "f1" || m.toTag() != "t1" || seq != 7 || method != "INVITE" || m.branch() != "z9hG4bK1":
		t.Errorf("%+v", m)
	case !slices.Equal(m.Values("via"), []string{"SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bK1", "SIP/2.0/UDP 10.0.1.2", "SIP/2.0/TCP 10.0.1.3"}):
		t.Errorf("Via: %q", m.Values("Via"))
	case m.Header("subject") != "a folded":
		t.Errorf("Subject: %q", m.Header("Subject"))
	}
	if uri, params := splitAddress(m.Header("From")); uri != "sip:101@demo.test;user=phone" || params != "tag=f1" {
		t.Errorf("From is %q, %q", uri, params)
	}
	for _, bad := range []string{"", "hello\r\n\r\n", "INVITE sip:a SIP/2.0\r\nVia: x\r\n\r\n", "SIP/2.0 200\r\n\r\n"} {
		if _, err := parse([]byte(bad)); !errors.Is(err, errUnreadable) {
			t.Errorf("%q gives %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(plain))
	f.Add([]byte("SIP/2.0 200 OK\r\nVia: a\r\nFrom: <b\r\nTo: \"\r\nCall-ID: d\r\nCSeq: 1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parse(data)
		if err != nil {
			return
		}
		serverKey(m)
		m.cseq()
		m.fromTag()
		m.toTag()
		again, err := parse([]byte(m.String()))
		if err != nil {
			return // an odd message may not survive being written
		}
		if again.Code != m.Code || again.Method != m.Method || !bytes.Equal(again.Body, m.Body) || again.callID() != m.callID() {
			t.Errorf("%q became %q", m, again)
		}
	})
}

func TestFrames(t *testing.T) {
	stream := []byte("\r\n\r\n" + plain + "\r\n" + plain + "SIP/2.0 200 OK\r\n\r\nINV")
	want := []string{plain, plain, "SIP/2.0 200 OK\r\n\r\n"}
	var held []byte
	var got []string
	for _, b := range stream { // the worst way to cut it
		held = append(held, b)
		frame, rest, ok := nextFrame(held)
		held = rest
		if ok {
			got = append(got, string(frame))
		}
	}
	if !slices.Equal(got, want) || string(held) != "INV" {
		t.Errorf("%q, rest %q", got, held)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte(plain + plain))
	f.Add([]byte("a\r\nContent-Length: 99999999999999999999\r\n\r\n"))
	f.Add([]byte("a\r\nContent-Length: 9223372036854775807\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for {
			frame, rest, ok := nextFrame(data)
			if !ok {
				return
			}
			if len(frame) == 0 || len(frame)+len(rest) > len(data) {
				t.Fatalf("%q became %q and %q", data, frame, rest)
			}
			data = rest
		}
	})
}

func TestSDP(t *testing.T) {
	const head = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
	rows := []struct {
		name, body string
		rtp, rtcp  string
		codecs     []Codec
		event      int
		direction  string
		fails      bool
	}{
		{"plain", head + "m=audio 4000 RTP/AVP 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\n", "10.0.0.1:4000", "10.0.0.1:4001", []Codec{PCMA, PCMU}, 96, sendrecv, false},
		{"own address, rtcp and direction", head + "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 fd00::1\r\na=rtcp:9\r\na=sendonly\r\n", "[fd00::1]:4000", "[fd00::1]:9", []Codec{PCMU}, 0, sendonly, false},
		{"video first", head + "m=video 1 RTP/AVP 34\r\na=inactive\r\nm=audio 4000 RTP/AVP 0\r\n", "10.0.0.1:4000", "10.0.0.1:4001", []Codec{PCMU}, 0, sendrecv, false},
		{"session direction", head + "a=recvonly\r\nm=audio 4000 RTP/AVP 0\r\n", "10.0.0.1:4000", "10.0.0.1:4001", []Codec{PCMU}, 0, recvonly, false},
		{"old hold", "c=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\n", "0.0.0.0:4000", "0.0.0.0:4001", []Codec{PCMU}, 0, inactive, false},
		{"no audio", head + "m=image 4000 udptl t38\r\n", "", "", nil, 0, "", true},
		{"refused audio", head + "m=audio 0 RTP/AVP 0\r\n", "", "", nil, 0, "", true},
		{"no address", "m=audio 4000 RTP/AVP 0\r\n", "", "", nil, 0, "", true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d, err := readSDP([]byte(row.body))
			if row.fails {
				if !errors.Is(err, ErrNoCommonCodec) {
					t.Errorf("gives %v", err)
				}
				return
			}
			must(t, err)
			if d.rtp != netip.MustParseAddrPort(row.rtp) || d.rtcp != netip.MustParseAddrPort(row.rtcp) || !slices.Equal(d.codecs, row.codecs) || d.event != row.event || d.direction != row.direction {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestAnswerKeepsStreams(t *testing.T) {
	offer := []string{"video 1 RTP/AVP 34", "audio 4000 RTP/AVP 0", "image 5 udptl t38"}
	body := writeSDP(netip.MustParseAddrPort("[fd00::1]:7000"), 1, 1, []Codec{PCMU}, 96, recvonly, offer, 1)
	d, err := readSDP(body)
	must(t, err)
	want := []string{"video 0 RTP/AVP 34", "audio 7000 RTP/AVP 0 96", "image 0 udptl t38"}
	if !slices.Equal(d.medias, want) || d.rtp != netip.MustParseAddrPort("[fd00::1]:7000") || d.event != 96 || d.direction != recvonly {
		t.Errorf("%s", body)
	}
}

func TestAnswerDirection(t *testing.T) {
	rows := []struct {
		theirs  string
		holding bool
		want    string
	}{
		{sendrecv, false, sendrecv}, {sendonly, false, recvonly}, {recvonly, false, sendonly}, {inactive, false, inactive},
		{sendrecv, true, sendonly}, {sendonly, true, inactive}, {recvonly, true, sendonly}, {inactive, true, inactive},
	}
	for _, row := range rows {
		if got := answerDirection(row.theirs, row.holding); got != row.want {
			t.Errorf("%s, holding %v: %s", row.theirs, row.holding, got)
		}
	}
}

func FuzzSDP(f *testing.F) {
	f.Add([]byte("v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0 8\r\na=rtcp:5\r\na=rtpmap:101 telephone-event/8000\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := readSDP(body)
		if err == nil && (!d.rtp.IsValid() || d.rtp.Port() == 0 || d.audio >= len(d.medias)) {
			t.Errorf("%q gives %+v", body, d)
		}
	})
}

func TestPacket(t *testing.T) {
	p := packet{marker: true, payload: 101, seq: 65535, ts: 1 << 31, ssrc: 42, data: []byte{1, 2, 3}}
	got, ok := readPacket(p.bytes())
	if !ok || got.marker != p.marker || got.payload != p.payload || got.seq != p.seq || got.ts != p.ts || got.ssrc != p.ssrc || !bytes.Equal(got.data, p.data) {
		t.Errorf("%+v became %+v", p, got)
	}
	// One contributing source, an extension of one word, two octets of padding.
	odd := append([]byte{0xb1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3}, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 8, 8, 8, 8, 'd', 0, 2)
	if got, ok := readPacket(odd); !ok || string(got.data) != "d" {
		t.Errorf("%+v, %v", got, ok)
	}
}

func FuzzPacket(f *testing.F) {
	f.Add([]byte{0xb1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 8, 8, 8, 8, 'd', 0, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := readPacket(b); ok && len(p.data) > len(b)-12 {
			t.Errorf("%x gives %+v", b, p)
		}
	})
}

// TestG711 checks fixed points of ITU-T G.711 and that a round trip stays within
// half a step.
func TestG711(t *testing.T) {
	rows := []struct {
		codec  Codec
		code   byte
		sample int16
	}{
		{PCMU, 0xff, 0}, {PCMU, 0x80, 32124}, {PCMU, 0x00, -32124}, {PCMU, 0xfe, 8},
		{PCMA, 0xd5, 8}, {PCMA, 0x55, -8}, {PCMA, 0xaa, 32256}, {PCMA, 0x2a, -32256},
	}
	for _, row := range rows {
		if got := row.codec.decode(row.code); got != row.sample {
			t.Errorf("codec %d: %#x is %d", row.codec, row.code, got)
		}
	}
	for _, codec := range []Codec{PCMU, PCMA} {
		for code := range 256 {
			s := codec.decode(byte(code))
			if back := codec.decode(codec.encode(s)); back != s {
				t.Errorf("codec %d: %#x is %d and comes back as %d", codec, code, s, back)
			}
		}
		for s := math.MinInt16; s <= math.MaxInt16; s++ {
			got := int(codec.decode(codec.encode(int16(s))))
			if diff, step := got-s, max(16, abs(s)/16); abs(diff) > step && abs(s) < 32000 {
				t.Fatalf("codec %d: %d comes back as %d", codec, s, got)
			}
		}
	}
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}

func TestTones(t *testing.T) {
	tone := Tone(440, 200*time.Millisecond)
	if len(tone) != 1600 || !HasTone(tone, 440) || HasTone(tone, 480) || HasTone(make([]int16, 1600), 440) || HasTone(nil, 440) {
		t.Error("a tone is not told from others")
	}
	if l := Level(tone); l < -9.2 || l > -8.9 {
		t.Errorf("level is %.1f dB", l)
	}
	mixed := slices.Clone(tone)
	for i, v := range Tone(1000, 200*time.Millisecond) {
		mixed[i] = mixed[i]/4 + v/2
	}
	if HasTone(mixed, 440) || !HasTone(mixed, 1000) {
		t.Error("the louder of two tones does not win")
	}
}
