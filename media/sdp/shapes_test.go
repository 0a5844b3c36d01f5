package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files of testdata/shapes are offers as families of phones, softphones,
// browsers, switches, gateways and providers write them, each with our answer. They
// are written down from the habits of each family, none is a recording.
//
// Lines with # say what is particular. "policy:" names our state (see shapePolicy),
// "learnt:" what the answer settles (see learnt), "refused:" stands for an error and
// has no answer. The answer begins behind t=; its o= and c= lines are ours.
const shapeFiles = "testdata/shapes/*.txt"

// shape is one file.
type shape struct {
	name, policy, learnt, refused string
	offer, answer                 string
}

// shapes reads the files.
func shapes(t testing.TB) []shape {
	t.Helper()
	names, err := filepath.Glob(shapeFiles)
	if err != nil || len(names) < 60 {
		t.Fatalf("%d shapes, %v", len(names), err)
	}
	out := make([]shape, len(names))
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = readShape(strings.TrimSuffix(filepath.Base(name), ".txt"), string(text))
	}
	return out
}

func readShape(name, text string) shape {
	s := shape{name: name}
	head, bodies, _ := strings.Cut(text, "-- offer\n")
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch key {
		case "policy":
			s.policy = value
		case "learnt":
			s.learnt = value
		case "refused":
			s.refused = value
		}
	}
	s.offer, s.answer, _ = strings.Cut(bodies, "-- answer\n")
	s.offer, s.answer = crlf(s.offer), crlf(s.answer)
	return s
}

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

// shapePolicy is our side: G.722, Opus, PCMA and PCMU unless it says "narrow" (G.711
// alone); "secure" has keys, a certificate and ICE-lite, "must" demands encryption;
// "v6" is a leg over IPv6; "peer X" prefers the format X of the other party.
func shapePolicy(words string) Policy {
	p := switchPolicy()
	if strings.Contains(words, "secure") || strings.Contains(words, "must") {
		p = armed()
		p.MustSecure = strings.Contains(words, "must")
	}
	if !strings.Contains(words, "narrow") {
		p.Codecs = []Codec{codec("G722", 8000, 1, 9, ""), codec("opus", 48000, 2, 96, "useinbandfec=1"), PCMA, PCMU}
	}
	if strings.Contains(words, "v6") {
		p.Address = netip.MustParseAddr("2001:db8::1")
	}
	if _, name, ok := strings.Cut(words, "peer "); ok {
		p.PassThrough = true
		for _, c := range append(pool, codec("AMR-WB", 16000, 1, 104, ""), codec("AMR", 8000, 1, 102, "")) {
			if c.String() == name {
				p.Prefer = c
			}
		}
	}
	return p
}

// learnt puts a result into words: format and type, digits, address, RTCP port or
// address where it is not the next one, packet length, direction, and so on.
func learnt(r *Result) string {
	out := fmt.Sprintf("%v as %d", r.Codec, r.Codec.PayloadType)
	if r.SendEvents >= 0 {
		out += fmt.Sprintf(", digits %d/%d", r.SendEvents, r.EventClock)
	}
	out += fmt.Sprintf(", %v", r.Remote)
	if next := netip.AddrPortFrom(r.Remote.Addr(), r.Remote.Port()+1); r.RemoteRTCP != next {
		out += fmt.Sprintf(", rtcp %v", r.RemoteRTCP)
	}
	if r.PTime != 0 {
		out += fmt.Sprintf(", %d ms", r.PTime)
	}
	if r.Direction != SendRecv {
		out += ", " + r.Direction.String()
	}
	if r.Held {
		out += ", held"
	}
	if s := secureSummary(r); strings.Count(s, " ") > 1 {
		out += ", " + s[strings.IndexByte(s, '/')+1:]
	}
	return out
}

func TestShapes(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			offer := mustParse(t, s.offer)
			answer, r, err := Answer(offer, shapePolicy(s.policy))
			if s.refused != "" {
				if err == nil || !strings.Contains(err.Error(), s.refused) || errors.Is(err, ErrInvalid) {
					t.Fatalf("error %v, want %s", err, s.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := learnt(&r); got != s.learnt {
				t.Errorf("learnt: %s", got)
			}
			body := string((&Writer{ID: 7}).Write(answer))
			if _, got, _ := strings.Cut(body, "t=0 0\r\n"); got != s.answer {
				t.Errorf("answered\n%s", got)
			}
		})
	}
}
