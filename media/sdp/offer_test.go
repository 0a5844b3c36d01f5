package sdp

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// list writes formats as "0 PCMU/8000, 101 telephone-event/8000".
func list(codecs []Codec) string {
	var out []string
	for _, c := range codecs {
		out = append(out, fmt.Sprintf("%d %v", c.PayloadType, c))
	}
	return strings.Join(out, ", ")
}

func codec(name string, clock, channels int, pt uint8, fmtp string) Codec {
	return Codec{Name: name, Clock: clock, Channels: channels, PayloadType: pt, Fmtp: fmtp}
}

func TestOffer(t *testing.T) {
	opus := codec("opus", 48000, 2, 107, "useinbandfec=1")
	g729 := codec("G729", 8000, 1, 18, "annexb=no")
	for _, tt := range []struct {
		name        string
		like        []Codec
		passThrough bool
		want        string
	}{
		{"to anybody", nil, true, "8 PCMA/8000, 0 PCMU/8000, 101 telephone-event/8000"},
		{"the other party's order", []Codec{PCMU}, false, "0 PCMU/8000, 8 PCMA/8000, 101 telephone-event/8000"},
		{"its digits keep their number", []Codec{PCMA, codec("telephone-event", 8000, 1, 97, "0-15")}, false,
			"8 PCMA/8000, 0 PCMU/8000, 97 telephone-event/8000"},
		{"passed through", []Codec{opus, g729, PCMU, codec("telephone-event", 48000, 1, 99, ""), codec("telephone-event", 8000, 1, 101, "")}, true,
			"107 opus/48000/2, 18 G729/8000, 0 PCMU/8000, 8 PCMA/8000, 101 telephone-event/8000, 99 telephone-event/48000"},
		{"not passed through", []Codec{opus, g729, PCMU, codec("telephone-event", 48000, 1, 99, "")}, false,
			"0 PCMU/8000, 8 PCMA/8000, 101 telephone-event/8000"},
		{"companions are not offered", []Codec{codec("CN", 8000, 1, 13, ""), codec("red", 8000, 1, 98, ""), PCMU}, true,
			"0 PCMU/8000, 8 PCMA/8000, 101 telephone-event/8000"},
		{"101 is taken", []Codec{codec("speex", 8000, 1, 101, "")}, true,
			"101 speex/8000, 8 PCMA/8000, 0 PCMU/8000, 96 telephone-event/8000"},
		{"two formats under one number", []Codec{codec("speex", 8000, 1, 97, ""), codec("iLBC", 8000, 1, 97, "")}, true,
			"97 speex/8000, 96 iLBC/8000, 8 PCMA/8000, 0 PCMU/8000, 101 telephone-event/8000"},
		{"one format twice", []Codec{PCMU, codec("pcmu", 8000, 1, 96, "")}, true,
			"0 PCMU/8000, 8 PCMA/8000, 101 telephone-event/8000"},
		{"another format under a static number", []Codec{codec("opus", 48000, 2, 0, "")}, true,
			"96 opus/48000/2, 8 PCMA/8000, 0 PCMU/8000, 101 telephone-event/8000"},
		{"a dynamic number below 96", []Codec{codec("opus", 48000, 2, 35, "")}, true,
			"96 opus/48000/2, 8 PCMA/8000, 0 PCMU/8000, 101 telephone-event/8000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := switchPolicy()
			p.PassThrough = tt.passThrough
			offer, err := Offer(nil, tt.like, p)
			if err != nil {
				t.Fatal(err)
			}
			seen := mustWrite(t, offer)
			if got := list(seen.Media[0].Codecs); got != tt.want {
				t.Errorf("offered %s\nwant    %s", got, tt.want)
			}
			if i := find(tt.like, opus); i >= 0 && tt.passThrough && seen.Media[0].Codecs[0].Fmtp != tt.like[i].Fmtp {
				t.Errorf("fmtp %q", seen.Media[0].Codecs[0].Fmtp)
			}
		})
	}
	if _, err := Offer(nil, []Codec{opus}, Policy{Address: switchPolicy().Address, Port: 4000}); !errors.Is(err, ErrNoCodec) {
		t.Errorf("nothing to offer: %v", err)
	}
}

// More formats than there are payload types must not take those of ours.
func TestOfferRunsOutOfNumbers(t *testing.T) {
	var like []Codec
	for i := range MaxFormats {
		like = append(like, codec(fmt.Sprint("x", i), 8000, 1, 96, ""))
	}
	p := switchPolicy()
	p.PassThrough = true
	offer, err := Offer(nil, like, p)
	if err != nil {
		t.Fatal(err)
	}
	m := mustWrite(t, offer).Media[0]
	if find(m.Codecs, PCMA) < 0 || find(m.Codecs, PCMU) < 0 || len(m.Codecs) != lastDynamic-firstDynamic+1+2 {
		t.Errorf("offered %s", list(m.Codecs))
	}
}

func TestReoffer(t *testing.T) {
	p := switchPolicy()
	p.PassThrough = true
	// They offered video first and digits as 97; we answered, so that is what stands.
	answer, _, err := Answer(mustParse(t, lines("v=0", "c=IN IP4 192.0.2.1", "m=video 5002 RTP/AVP 96", "a=rtpmap:96 VP8/90000",
		"m=audio 5000 RTP/AVPF 0 97", "a=rtpmap:97 telephone-event/8000")), p)
	if err != nil {
		t.Fatal(err)
	}
	p.Direction = SendOnly
	offer, err := Offer(answer, []Codec{codec("opus", 48000, 2, 97, ""), PCMA}, p)
	if err != nil {
		t.Fatal(err)
	}
	seen := mustWrite(t, offer)
	if got := summary(seen); got != "video 0, audio 16384" {
		t.Fatalf("lines %s", got)
	}
	audio := seen.Media[1]
	if got := list(audio.Codecs); got != "96 opus/48000/2, 8 PCMA/8000, 0 PCMU/8000, 97 telephone-event/8000" {
		t.Errorf("offered %s", got)
	}
	if audio.Direction != SendOnly || audio.Proto != "RTP/AVPF" {
		t.Errorf("offered %v over %s", audio.Direction, audio.Proto)
	}
	// The same again is the same, and without our audio a new line is made.
	if again, err := Offer(offer, []Codec{codec("opus", 48000, 2, 97, ""), PCMA}, p); err != nil || list(again.Media[1].Codecs) != list(audio.Codecs) {
		t.Errorf("again %s, %v", list(again.Media[1].Codecs), err)
	}
	answer.Media[1] = answer.Media[1].rejected()
	if offer, err = Offer(answer, nil, p); err != nil || summary(offer) != "video 0, audio 0, audio 16384" {
		t.Errorf("lines %s, %v", summary(offer), err)
	}
}

func TestReadAnswer(t *testing.T) {
	p := switchPolicy()
	p.PassThrough = true
	p.Port = 20000
	offer, err := Offer(nil, []Codec{codec("opus", 48000, 2, 107, ""), codec("G729", 8000, 1, 18, "annexb=no"), PCMU,
		codec("telephone-event", 8000, 1, 101, ""), codec("telephone-event", 48000, 1, 102, "")}, p)
	if err != nil {
		t.Fatal(err)
	}
	const head = "v=0\r\no=- 5 5 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
	for _, tt := range []struct {
		name, answer  string
		err           error
		codec         string
		accepted      string
		send, receive int
		dir           Direction
		held          bool
	}{
		{name: "one format", answer: "m=audio 6000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n",
			codec: "0 PCMU/8000", accepted: "0 PCMU/8000", send: 101, receive: 101},
		{name: "numbers of its own", answer: "m=audio 6000 RTP/AVP 111 96\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:96 telephone-event/48000\r\n",
			codec: "111 opus/48000/2", accepted: "107 opus/48000/2", send: 96, receive: 102},
		{name: "opus with narrow digits", answer: "m=audio 6000 RTP/AVP 107 101\r\na=rtpmap:107 OPUS/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n",
			codec: "107 OPUS/48000/2", accepted: "107 opus/48000/2", send: 101, receive: 101},
		{name: "several, its order", answer: "m=audio 6000 RTP/AVP 8 0 18\r\n",
			codec: "8 PCMA/8000", accepted: "8 PCMA/8000, 0 PCMU/8000, 18 G729/8000", send: -1, receive: -1},
		{name: "rtpmaps left out", answer: "m=audio 6000 RTP/AVP 107 101 102\r\n",
			codec: "107 opus/48000/2", accepted: "107 opus/48000/2", send: 102, receive: 102},
		{name: "formats nobody offered", answer: "m=audio 6000 RTP/AVP 3 9 0\r\n", codec: "0 PCMU/8000", accepted: "0 PCMU/8000", send: -1, receive: -1},
		{name: "digits at a rate nobody offered", answer: "m=audio 6000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/16000\r\n",
			codec: "0 PCMU/8000", accepted: "0 PCMU/8000", send: -1, receive: -1},
		{name: "on hold", answer: "m=audio 6000 RTP/AVP 0\r\na=sendonly\r\n", codec: "0 PCMU/8000", accepted: "0 PCMU/8000", send: -1, receive: -1, dir: RecvOnly, held: true},
		{name: "extra lines", answer: "m=audio 6000 RTP/AVP 0\r\nm=video 7000 RTP/AVP 96\r\n", codec: "0 PCMU/8000", accepted: "0 PCMU/8000", send: -1, receive: -1},
		{name: "refused", answer: "m=audio 0 RTP/AVP 0\r\n", err: ErrNoMedia},
		{name: "left out", answer: "", err: ErrNoMedia},
		{name: "encrypted all of a sudden", answer: "m=audio 6000 RTP/SAVP 0\r\n", err: ErrNoProtection},
		{name: "nothing of ours", answer: "m=audio 6000 RTP/AVP 3\r\n", err: ErrNoCodec},
		{name: "only digits", answer: "m=audio 6000 RTP/AVP 101\r\n", err: ErrNoCodec},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ReadAnswer(offer, mustParse(t, head+tt.answer))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if got := list([]Codec{r.Codec}); got != tt.codec || list(r.Accepted) != tt.accepted {
				t.Errorf("sends %s, accepts %s; want %s and %s", got, list(r.Accepted), tt.codec, tt.accepted)
			}
			if r.SendEvents != tt.send || r.ReceiveEvents != tt.receive {
				t.Errorf("events %d and %d, want %d and %d", r.SendEvents, r.ReceiveEvents, tt.send, tt.receive)
			}
			if r.Direction != tt.dir || r.Held != tt.held || r.Remote.String() != "192.0.2.7:6000" {
				t.Errorf("%v, held %v, at %v", r.Direction, r.Held, r.Remote)
			}
		})
	}
	if _, err := ReadAnswer(&Description{}, offer); !errors.Is(err, ErrNoMedia) {
		t.Errorf("without an offer: %v", err)
	}
}

// We hold the far end: it obeys, which is no hold from its side.
func TestReadAnswerWhileWeHold(t *testing.T) {
	p := switchPolicy()
	p.Direction = RecvOnly
	offer, err := Offer(nil, nil, p)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ReadAnswer(offer, mustParse(t, "c=IN IP4 192.0.2.7\r\nm=audio 6000 RTP/AVP 8\r\na=sendonly\r\n"))
	if err != nil || r.Held || r.Direction != RecvOnly {
		t.Errorf("%+v, %v", r, err)
	}
}
