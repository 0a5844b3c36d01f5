package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

const minimal = "m=audio 4000 RTP/AVP 0\r\n"

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		err        error
		line       int
	}{
		{"nothing", "", ErrSyntax, 0},
		{"blank lines", "\r\n\r\n", ErrSyntax, 0},
		{"a letter", "hello", ErrSyntax, 0},
		{"attributes alone", "a=sendrecv\r\n", ErrSyntax, 0},
		{"m= without formats and protocol", "v=0\r\nm=audio 4000\r\n", ErrSyntax, 2},
		{"port in words", "v=0\r\n\r\nm=audio many RTP/AVP 0\r\n", ErrSyntax, 3},
		{"port with two signs", "m=audio +-4 RTP/AVP 0\r\n", ErrSyntax, 1},
		{"count in words", "m=audio 4000/x RTP/AVP 0\r\n", ErrSyntax, 1},
		{"kind of no ASCII", "m=audiö 4000 RTP/AVP 0\r\n", ErrSyntax, 1},
		{"port 65536", "m=audio 65536 RTP/AVP 0\r\n", ErrRange, 1},
		{"port of 30 digits", "m=audio 999999999999999999999999999999 RTP/AVP 0\r\n", ErrRange, 1},
		{"negative port", "m=audio -1 RTP/AVP 0\r\n", ErrRange, 1},
		{"payload type 128", "v=0\n" + "m=audio 4000 RTP/AVP 0 128\n", ErrRange, 2},
		{"payload type of secure RTP", "m=audio 4000 UDP/TLS/RTP/SAVPF 300\r\n", ErrRange, 1},
		{"negative payload type", "m=audio 4000 RTP/AVP -1\r\n", ErrRange, 1},
		{"17 lines", strings.Repeat(minimal, 17), ErrLimit, 17},
		{"65 formats", "m=audio 4000 RTP/AVP" + strings.Repeat(" 0", 65) + "\r\n", ErrLimit, 1},
		{"64 KiB and one byte", minimal + strings.Repeat("\n", MaxSize+1-len(minimal)), ErrLimit, 0},
	} {
		_, err := Parse([]byte(tt.text))
		var at *ParseError
		if !errors.Is(err, tt.err) || !errors.Is(err, ErrInvalid) || !errors.As(err, &at) || at.Line != tt.line {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestParseTakes(t *testing.T) {
	for name, text := range map[string]string{
		"16 lines":             strings.Repeat(minimal, 16),
		"64 formats":           "m=audio 4000 RTP/AVP" + strings.Repeat(" 0", 64) + "\r\n",
		"64 KiB":               minimal + strings.Repeat("\n", MaxSize-len(minimal)),
		"CR alone":             "v=0\rm=audio 4000 RTP/AVP 0\r",
		"no end of line":       "v=0\nm=audio 4000 RTP/AVP 0",
		"another version":      "v=1\r\n" + minimal,
		"m= without a format":  "m=audio 0 RTP/AVP\r\n",
		"a word for a format":  "m=audio 4000 RTP/AVP x 0\r\n",
		"formats of no RTP":    "m=message 4000 TCP/MSRP * 999\r\n",
		"fax":                  "m=image 4000 UDPTL t38\r\n",
		"spaces and tabs":      "m=audio \t4000  RTP/AVP\t0 \r\n",
		"space before values":  "v= 0\r\nm= audio 4000 RTP/AVP 0\r\n",
		"a huge origin number": "o=- 99999999999999999999999 -5 IN IP4 192.0.2.1\r\n" + minimal,
		"unknown bandwidth":    "b=X-YZ:0\r\n" + minimal + "b=RR:\r\n",
		"not UTF-8":            "s=\xff\xfe\r\n" + minimal,
		"broken attributes":    minimal + "a=\r\na=:\r\na=rtpmap\r\na=rtpmap:0\r\na=rtpmap:0 /\r\na=fmtp:\r\na=rtcp:\r\na=rtcp:x\r\na=ptime:soon\r\nc=\r\n",
	} {
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseReads(t *testing.T) {
	d := mustParse(t, lines("v=0", "o=alice 12 13 IN IP4 192.0.2.1", "s=A talk", "i=about\x00it", "c=IN IP4 192.0.2.1/127", "b=AS:64", "t=0 0", "garbage",
		"a=sendonly", "a=group:BUNDLE 0",
		"m=AUDIO 5000 rtp/avp 97 0 97 5 100 103", "b=TIAS:64000", "c=IN IP6 [2001:db8::5]", "a=ptime:30.5", "a=maxptime: 40",
		"a=rtpmap:97 iLBC", "a=fmtp:97 mode=20", "a=fmtp:97 mode=30", "a=rtpmap:5 speex/32000/1", "a=rtpmap:99 unused/8000", "a=rtpmap:100 opus/none", "x=y",
		"m=video 5002 RTP/AVP 96", "a=inactive", "a=rtpmap:96 VP8/90000",
		"m=audio 65535 RTP/AVP 0", "c=IN IP4 phone.example.org", "c=IN IP4 192.0.2.9"))
	want := Origin{Username: "alice", SessionID: 12, Version: 13, Address: "192.0.2.1", Raw: "alice 12 13 IN IP4 192.0.2.1"}
	if d.Origin != want || d.Name != "A talk" || d.Direction != SendOnly || d.Connection != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("session %+v", d)
	}
	if got := fmt.Sprintf("%q", d.Unknown); got != `["i=about it" "b=AS:64" "garbage"]` {
		t.Errorf("unknown %s", got)
	}
	a := d.Media[0]
	if a.Kind != "audio" || a.Proto != "RTP/AVP" || a.Port != 5000 || a.Direction != SendOnly || a.PTime != 30 || a.MaxPTime != 40 ||
		a.Address != netip.MustParseAddr("2001:db8::5") || fmt.Sprintf("%q", a.Unknown) != `["b=TIAS:64000" "x=y"]` {
		t.Errorf("audio %+v", a)
	}
	codecs := []Codec{
		{Name: "iLBC", Clock: 8000, Channels: 1, PayloadType: 97, Fmtp: "mode=20"},
		PCMU,
		{Name: "speex", Clock: 32000, Channels: 1, PayloadType: 5},
	}
	if !reflect.DeepEqual(a.Codecs, codecs) {
		t.Errorf("codecs %+v", a.Codecs)
	}
	if a.Attributes[0] != (Attribute{"ptime", "30.5"}) || len(a.Attributes) != 8 {
		t.Errorf("attributes %q", a.Attributes)
	}
	if d.Media[1].Direction != Inactive || d.Media[1].IsAudio() || len(d.Media[1].Codecs) != 1 {
		t.Errorf("video %+v", d.Media[1])
	}
	if last := d.Media[2]; last.Address.IsValid() || last.RTCPPort != 0 {
		t.Errorf("the first c= of a line counts, and there is no port behind the last: %+v", last)
	}
}

func TestStaticTypes(t *testing.T) {
	d := mustParse(t, "m=audio 4000 RTP/AVP 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 96\r\n")
	want := "PCMU/8000 GSM/8000 G723/8000 DVI4/8000 DVI4/16000 LPC/8000 PCMA/8000 G722/8000 L16/44100/2 L16/44100 " +
		"QCELP/8000 CN/8000 MPA/90000 G728/8000 DVI4/11025 DVI4/22050 G729/8000"
	if got := strings.Trim(fmt.Sprint(d.Media[0].Codecs), "[]"); got != want {
		t.Errorf("got %s", got)
	}
	if video := mustParse(t, "m=video 4000 RTP/AVP 0\r\n"); len(video.Media[0].Codecs) != 0 {
		t.Error("static audio types on a video line")
	}
}

func TestDirectionAlgebra(t *testing.T) {
	for d := SendRecv; d <= Inactive; d++ {
		if d.Reverse().Reverse() != d || d.And(SendRecv) != d || d.And(Inactive) != Inactive || d.And(d) != d {
			t.Errorf("%v", d)
		}
		if d.Sends() != d.Reverse().Receives() {
			t.Errorf("%v does not mirror", d)
		}
		for o := SendRecv; o <= Inactive; o++ {
			if d.And(o) != o.And(d) || d.And(o).Reverse() != d.Reverse().And(o.Reverse()) {
				t.Errorf("%v and %v", d, o)
			}
		}
	}
}

// worst are inputs of full size that would hurt a careless reader.
func worst() map[string]string {
	fill := func(head, unit string) string {
		return head + strings.Repeat(unit, (MaxSize-len(head))/len(unit))
	}
	formats := "m=audio 4000 RTP/AVP"
	for i := 64; i < 128; i++ {
		formats += fmt.Sprint(" ", i)
	}
	formats += "\n"
	return map[string]string{
		"attributes":      fill(minimal, "a=\n"),
		"rtpmaps":         fill(formats, "a=rtpmap:127 x/1\n"),
		"blank lines":     fill(minimal, "\n"),
		"one line":        fill(minimal, "a"),
		"slashes":         fill(formats+"a=rtpmap:64 ", "/"),
		"words":           fill("m=audio 4000 RTP/AVP", " 0"),
		"unknown":         fill(minimal, "x\n"),
		"directions":      fill(strings.Repeat(formats, 16), "a=sendonly\n"),
		"no UTF-8":        fill(minimal+"s=", "\xff"),
		"control bytes":   fill(minimal, "\x00\x01\n"),
		"lines of 64":     fill(strings.Repeat(formats, 16), "a=rtpmap:99 y/8000\n"),
		"session, spaces": fill("c=", " "),
		"keys":            fill(minimal, "a=crypto:1 AEAD_AES_128_GCM inline:"+key28+"\n"),
		"fingerprints":    fill(minimal, "a=fingerprint:sha-1 "+strings.Repeat("00", 20)+"\n"),
		"candidates":      fill(minimal, "a=candidate:1 1 x 1 ::1 1 typ x\n"),
		"options":         fill(minimal, "a=ice-options:x x x x x x x x\n"),
		"words of ICE":    fill(minimal+"a=ice-options:", "x "),
		"groups":          fill(minimal+"a=mid:x\n", "a=group:BUNDLE x\n"),
	}
}

// 64 KiB cost at most 4 MiB (S17). The 10 ms are measured by BenchmarkParse: time
// is no business of a test.
func TestParseCost(t *testing.T) {
	for name, text := range worst() {
		body := []byte(text)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = Parse(body)
		runtime.ReadMemStats(&after)
		if cost := after.TotalAlloc - before.TotalAlloc; cost > 4<<20 {
			t.Errorf("%s: %d bytes", name, cost)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.Run("phone", func(b *testing.B) {
		body := []byte(offerOf("baresip 1.0.0, as captured"))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(body); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, text := range worst() {
		b.Run(name, func(b *testing.B) {
			body := []byte(text)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = Parse(body)
			}
		})
	}
}

func BenchmarkAnswer(b *testing.B) {
	body, w, p := []byte(offerOf("baresip 1.0.0, as captured")), new(Writer), switchPolicy()
	b.ReportAllocs()
	for b.Loop() {
		offer, err := Parse(body)
		if err != nil {
			b.Fatal(err)
		}
		answer, _, err := Answer(offer, p)
		if err != nil {
			b.Fatal(err)
		}
		w.Write(answer)
	}
}
