package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// switchPolicy is ours in these tests.
func switchPolicy() Policy {
	return Policy{Address: netip.MustParseAddr("198.51.100.1"), Port: 16384, Codecs: G711()}
}

func mustParse(t testing.TB, text string) *Description {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return d
}

// mustWrite writes d and reads it again: what the far end sees.
func mustWrite(t testing.TB, d *Description) *Description {
	t.Helper()
	body := new(Writer).Write(d)
	pionReads(t, d, body)
	again := mustParse(t, string(body))
	pionWrites(t, again, body)
	return again
}

func summary(d *Description) string {
	var out []string
	for _, m := range d.Media {
		out = append(out, fmt.Sprintf("%s %d", m.Kind, m.Port))
	}
	return strings.Join(out, ", ")
}

func TestPhones(t *testing.T) {
	for _, tt := range phones {
		t.Run(tt.name, func(t *testing.T) {
			offer := mustParse(t, tt.offer)
			answer, r, err := Answer(offer, switchPolicy())
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if got := r.Codec.String(); got != tt.codec || r.Codec.PayloadType != tt.pt {
				t.Errorf("codec %s as %d, want %s as %d", got, r.Codec.PayloadType, tt.codec, tt.pt)
			}
			if r.SendEvents != tt.events || r.ReceiveEvents != tt.events {
				t.Errorf("events %d and %d, want %d", r.SendEvents, r.ReceiveEvents, tt.events)
			}
			if r.Remote.String() != tt.remote || r.RemoteRTCP.String() != tt.rtcp {
				t.Errorf("remote %v and %v, want %s and %s", r.Remote, r.RemoteRTCP, tt.remote, tt.rtcp)
			}
			if r.Direction != tt.dir || r.Held != tt.held || r.PTime != tt.ptime {
				t.Errorf("%v, held %v, ptime %d; want %v, %v, %d", r.Direction, r.Held, r.PTime, tt.dir, tt.held, tt.ptime)
			}
			if got := summary(answer); got != tt.lines {
				t.Errorf("answered %q, want %q", got, tt.lines)
			}
			checkAnswer(t, offer, mustWrite(t, answer), r)
		})
	}
}

// checkAnswer holds an answer as the phone reads it against the rules every one
// has to keep (RFC 3264 section 6).
func checkAnswer(t *testing.T, offer, answer *Description, r Result) {
	t.Helper()
	if len(answer.Media) != len(offer.Media) {
		t.Fatalf("%d lines for %d", len(answer.Media), len(offer.Media))
	}
	for i, m := range answer.Media {
		o := offer.Media[i]
		if m.Kind != o.Kind || m.Proto != o.Proto {
			t.Errorf("line %d became %s %s", i, m.Kind, m.Proto)
		}
		if i != r.Media {
			if m.Port != 0 {
				t.Errorf("line %d accepted too", i)
			}
			continue
		}
		if len(m.Speech()) != 1 || len(m.Codecs) > 2 {
			t.Errorf("answered %v", m.Codecs)
		}
		for _, c := range m.Codecs {
			if same, ok := byType(o.Codecs, c.PayloadType); !ok || !same.Is(c) {
				t.Errorf("%v as %d was not offered", c, c.PayloadType)
			}
		}
		if o.direction().Reverse().And(m.Direction) != m.Direction {
			t.Errorf("%v answers %v", m.Direction, o.Direction)
		}
		length := int16(20)
		if goodPTime(r.PTime) {
			length = int16(r.PTime)
		}
		if m.Address != netip.MustParseAddr("198.51.100.1") || m.PTime != length {
			t.Errorf("our side is %v, %d ms", m.Address, m.PTime)
		}
	}
	mirror, err := ReadAnswer(offer, answer)
	if err != nil {
		if r.Media == offer.audioLine() {
			t.Errorf("the phone cannot use it: %v", err)
		}
		return
	}
	if !mirror.Codec.Is(r.Codec) || mirror.SendEvents != r.ReceiveEvents || mirror.Direction != r.Direction.Reverse() {
		t.Errorf("the phone understands %+v, we %+v", mirror, r)
	}
}

const manyCodecs = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" +
	"m=audio 5000 RTP/AVP 0 107 18 9 8 101 102 104\r\na=rtpmap:107 opus/48000/2\r\na=fmtp:107 useinbandfec=1\r\na=fmtp:18 annexb=yes\r\n" +
	"a=rtpmap:101 telephone-event/8000\r\na=rtpmap:102 telephone-event/48000\r\na=rtpmap:104 AMR-WB/16000\r\na=fmtp:104 octet-align=1\r\n"

func TestAnswerPrefers(t *testing.T) {
	opus := Codec{Name: "OPUS", Clock: 48000, Channels: 2, PayloadType: 96, Fmtp: "maxplaybackrate=16000"}
	for _, tt := range []struct {
		name        string
		prefer      Codec
		passThrough bool
		codec       string
		pt          uint8
		events      int
		fmtp        string // in our answer
	}{
		{"nobody", Codec{}, true, "PCMU/8000", 0, 101, ""},
		{"what stands last", PCMA, false, "PCMA/8000", 8, 101, ""},
		{"opus, with the events of its rate", opus, true, "opus/48000/2", 107, 102, "maxplaybackrate=16000"},
		{"opus, but we must decode", opus, false, "PCMU/8000", 0, 101, ""},
		{"G.729 with the other party's parameters", Codec{Name: "G729", Clock: 8000, Channels: 1, PayloadType: 18, Fmtp: "annexb=no"}, true, "G729/8000", 18, 101, "annexb=no"},
		{"G.722", Codec{Name: "G722", Clock: 8000, Channels: 1, PayloadType: 9}, true, "G722/8000", 9, 101, ""},
		{"what is not offered", Codec{Name: "GSM", Clock: 8000, Channels: 1, PayloadType: 3}, true, "PCMU/8000", 0, 101, ""},
		{"AMR-WB of the other layout", Codec{Name: "AMR-WB", Clock: 16000, Channels: 1, PayloadType: 98}, true, "PCMU/8000", 0, 101, ""},
		{"AMR-WB, digits at 8000 for want of better", Codec{Name: "AMR-WB", Clock: 16000, Channels: 1, PayloadType: 98, Fmtp: "mode-set=0; octet-align=1"}, true, "AMR-WB/16000", 104, 101, "mode-set=0; octet-align=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := switchPolicy()
			p.Prefer, p.PassThrough = tt.prefer, tt.passThrough
			offer := mustParse(t, manyCodecs)
			answer, r, err := Answer(offer, p)
			if err != nil {
				t.Fatal(err)
			}
			if r.Codec.String() != tt.codec || r.Codec.PayloadType != tt.pt || r.SendEvents != tt.events {
				t.Errorf("got %v as %d, events %d", r.Codec, r.Codec.PayloadType, r.SendEvents)
			}
			seen := mustWrite(t, answer)
			checkAnswer(t, offer, seen, r)
			if c := seen.Media[0].Codecs[0]; c.Fmtp != tt.fmtp {
				t.Errorf("fmtp %q, want %q", c.Fmtp, tt.fmtp)
			}
			if len(r.Accepted) != 1 || r.Accepted[0].PayloadType != tt.pt {
				t.Errorf("accepts %v", r.Accepted)
			}
		})
	}
}

func TestAnswerDirections(t *testing.T) {
	// offer, our wish, answer, held
	for _, tt := range []struct {
		offer, wish, want Direction
		held              bool
	}{
		{SendRecv, SendRecv, SendRecv, false},
		{SendRecv, RecvOnly, RecvOnly, false},
		{SendRecv, SendOnly, SendOnly, false},
		{SendRecv, Inactive, Inactive, false},
		{SendOnly, SendRecv, RecvOnly, true},
		{SendOnly, SendOnly, Inactive, true},
		{RecvOnly, SendRecv, SendOnly, false},
		{RecvOnly, RecvOnly, Inactive, false},
		{Inactive, SendRecv, Inactive, true},
	} {
		t.Run(tt.offer.String()+" "+tt.wish.String(), func(t *testing.T) {
			p := switchPolicy()
			p.Direction = tt.wish
			_, r, err := Answer(mustParse(t, manyCodecs+"a="+tt.offer.String()+"\r\n"), p)
			if err != nil || r.Direction != tt.want || r.Held != tt.held {
				t.Errorf("%v, held %v, %v; want %v, %v", r.Direction, r.Held, err, tt.want, tt.held)
			}
		})
	}
}

func TestWriterVersions(t *testing.T) {
	var w Writer
	write := func(d *Description) string { return string(w.Write(d)) }
	answer := func(text string) *Description {
		d, _, err := Answer(mustParse(t, text), switchPolicy())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	talk, hold := manyCodecs, manyCodecs+"a=sendonly\r\n"
	first := write(answer(talk))
	if again := write(answer(talk)); again != first {
		t.Errorf("nothing changed, yet\n%s\nbecame\n%s", first, again)
	}
	held := write(answer(hold))
	a, b := mustParse(t, first).Origin, mustParse(t, held).Origin
	if a.SessionID != b.SessionID || b.Version != a.Version+1 {
		t.Errorf("hold: %q after %q", b.Raw, a.Raw)
	}
	back := write(answer(talk))
	c := mustParse(t, back).Origin
	if c.SessionID != a.SessionID || c.Version != a.Version+2 {
		t.Errorf("resume: %q after %q", c.Raw, b.Raw)
	}
	if strings.Replace(back, c.Raw, a.Raw, 1) != first {
		t.Errorf("resumed with\n%s\nbegan with\n%s", back, first)
	}
	var other Writer
	if other.Write(answer(talk)); other.ID == w.ID || other.ID>>31 != 0 {
		t.Errorf("two dialogs have the session ids %d and %d", w.ID, other.ID)
	}
}

func TestWrittenForm(t *testing.T) {
	p := switchPolicy()
	p.Address = netip.MustParseAddr("2001:db8::1")
	answer, _, err := Answer(mustParse(t, offerOf("Linphone-like, AVPF, opus first, video")), p)
	if err != nil {
		t.Fatal(err)
	}
	got := (&Writer{ID: 7}).Write(answer)
	want := lines("v=0", "o=- 7 1 IN IP6 2001:db8::1", "s=-", "c=IN IP6 2001:db8::1", "t=0 0",
		"m=audio 16384 RTP/AVPF 0 100", "a=rtpmap:0 PCMU/8000", "a=rtpmap:100 telephone-event/8000", "a=fmtp:100 0-16",
		"a=ptime:20", "a=sendrecv", "m=video 0 RTP/AVPF 96")
	if string(got) != want {
		t.Errorf("wrote\n%s\nwant\n%s", got, want)
	}
}
