package wire

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// frames reads everything from r. Messages come as text, pings as "ping"; the
// last entry tells how the stream ended.
func frames(r io.Reader) []string {
	var f Framer
	var got []string
	for {
		frame, err := f.Next()
		var fault *Fault
		switch {
		case err == nil && frame.Ping:
			got = append(got, "ping")
		case err == nil:
			got = append(got, string(frame.Data))
		case errors.As(err, &fault):
			return append(got, "fault "+fault.Error())
		case errors.Is(err, ErrBroken):
			return append(got, "broken")
		case errors.Is(err, ErrIncomplete):
			if err := f.Fill(r); err != nil {
				return append(got, err.Error())
			}
		}
	}
}

func streamed(method string, body string, more ...string) string {
	return request(method+" sip:x@example.com SIP/2.0", more...) + body
}

var (
	ping   = "\r\n\r\n"
	empty  = streamed("OPTIONS", "", "Content-Length: 0")
	short  = streamed("MESSAGE", "hello\r\n\r\n", "l : 9", "Content-Type: text/plain")
	folded = streamed("MESSAGE", "hi", "Content-Length:\r\n  2")
	same   = streamed("MESSAGE", "hi", "Content-Length: 2", "l: 2")
	bareLF = strings.ReplaceAll(streamed("MESSAGE", "hi", "Content-Length: 2"), "\r\n", "\n")
)

var framerCases = []struct {
	name string
	in   string
	want []string
}{
	{"one", empty, []string{empty, "EOF"}},
	{"three", short + empty + folded, []string{short, empty, folded, "EOF"}},
	{"same length twice", same, []string{same, "EOF"}},
	{"bare LF", bareLF + bareLF, []string{bareLF, bareLF, "EOF"}},
	{"pings", ping + empty + ping + ping + short + ping, []string{"ping", empty, "ping", "ping", short, "ping", "EOF"}},
	{"lone line ends", "\r\n" + empty + "\r\n" + short, []string{empty, short, "EOF"}},
	{"cut off", empty + short[:40], []string{empty, "unexpected EOF"}},
	{"cut off in body", short[:len(short)-1], []string{"unexpected EOF"}},
	{"no length", empty + streamed("OPTIONS", ""), []string{empty, "fault 400 Bad Request: Content-Length: missing"}},
	{"negative length", streamed("OPTIONS", "", "Content-Length: -1"),
		[]string{"fault 400 Bad Request: Content-Length: malformed number"}},
	{"two lengths", streamed("OPTIONS", "12345", "Content-Length: 5", "l: 4"),
		[]string{"fault 400 Bad Request: Content-Length: more than one"}},
	{"too long", streamed("OPTIONS", "", "Content-Length: 99999999999999999999"), []string{"fault 513 Message Too Large"}},
	{"together too long", streamed("OPTIONS", "", "Content-Length: 65500"), []string{"fault 513 Message Too Large"}},
	{"endless header", streamed("OPTIONS", "")[:200] + strings.Repeat("\r\nX: "+strings.Repeat("x", 1000), 70),
		[]string{"fault 513 Message Too Large"}},
	{"response without length", "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a\r\n\r\n", []string{"broken"}},
	{"other protocol", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", []string{"broken"}},
	{"endless line", strings.Repeat("x", 9000), []string{"broken"}},
	{"nothing", "", []string{"EOF"}},
}

func TestFramer(t *testing.T) {
	for _, c := range framerCases {
		for how, r := range map[string]io.Reader{
			"at once":      strings.NewReader(c.in),
			"by byte":      iotest.OneByteReader(strings.NewReader(c.in)),
			"by half":      iotest.HalfReader(strings.NewReader(c.in)),
			"with the end": iotest.DataErrReader(strings.NewReader(c.in)),
		} {
			got := frames(r)
			if strings.Join(got, "\x00") != strings.Join(c.want, "\x00") {
				t.Errorf("%s %s:\ngot  %.300q\nwant %.300q", c.name, how, got, c.want)
			}
		}
	}
}

func TestFramerFaultIsAnsweredOnce(t *testing.T) {
	var f Framer
	r := strings.NewReader(streamed("INVITE", "", "Content-Length: x") + empty)
	if err := f.Fill(r); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := f.Next()
		var fault *Fault
		if !errors.As(err, &fault) || fault.Method != "INVITE" {
			t.Fatalf("got %v", err)
		}
		checkReply(t, fault.Reply(testSource, "tag"), 400)
	}
}

// TestFramerHoldsLittle sends a large message and then nothing: what an idle
// connection holds must not depend on what it once carried.
func TestFramerHoldsLittle(t *testing.T) {
	large := streamed("MESSAGE", strings.Repeat("x", 60000), "Content-Length: 60000")
	var f Framer
	in := strings.NewReader(large + large + empty)
	whole := 0
	for {
		if frame, err := f.Next(); err == nil {
			if len(frame.Data) > 0 {
				whole++
			}
			continue
		}
		if err := f.Fill(in); err != nil {
			break
		}
	}
	if whole != 3 {
		t.Errorf("%d messages, want 3", whole)
	}
	if f.Partial() {
		t.Error("nothing has begun, Partial says otherwise")
	}
	if f.Held() > 4<<10 {
		t.Errorf("an idle connection holds %d bytes", f.Held())
	}
}

func TestFramerPartial(t *testing.T) {
	var f Framer
	for i, b := range []byte(short) {
		if _, err := f.Next(); !errors.Is(err, ErrIncomplete) {
			t.Fatalf("after %d bytes: %v", i, err)
		}
		if f.Partial() != (i > 0) {
			t.Fatalf("after %d bytes Partial is %v", i, f.Partial())
		}
		if err := f.Fill(bytes.NewReader([]byte{b})); err != nil {
			t.Fatal(err)
		}
	}
	if frame, err := f.Next(); err != nil || string(frame.Data) != short {
		t.Errorf("%q %v", frame.Data, err)
	}
}

// pieces reads its input in pieces whose sizes come from a seed.
type pieces struct {
	in  []byte
	rnd *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.in) == 0 {
		return 0, io.EOF
	}
	n := min(1+p.rnd.IntN(40), len(b), len(p.in))
	copy(b, p.in[:n])
	p.in = p.in[n:]
	return n, nil
}

// FuzzFramer: any split of the bytes gives the same frames.
func FuzzFramer(f *testing.F) {
	for _, c := range framerCases {
		if len(c.in) < 4096 {
			f.Add([]byte(c.in), uint64(1))
		}
	}
	f.Add([]byte("\r\n\r"), uint64(2))
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		whole := frames(bytes.NewReader(in))
		split := frames(&pieces{in: in, rnd: rand.New(rand.NewPCG(seed, 1))})
		single := frames(iotest.OneByteReader(bytes.NewReader(in)))
		want := strings.Join(whole, "\x00")
		if strings.Join(split, "\x00") != want || strings.Join(single, "\x00") != want {
			t.Fatalf("whole  %q\npieces %q\nbytes  %q", whole, split, single)
		}
	})
}
