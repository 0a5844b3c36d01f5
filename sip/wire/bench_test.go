package wire

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

const typicalSDP = "v=0\r\no=- 3970 3970 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n" +
	"m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n" +
	"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"

var typicalInvite = "INVITE sip:102@pbx.example.com SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKd7f1c9d0a3;rport\r\n" +
	"Max-Forwards: 70\r\n" +
	"From: \"Alice Adams\" <sip:101@pbx.example.com>;tag=8f3ab2c1\r\n" +
	"To: <sip:102@pbx.example.com>\r\n" +
	"Call-ID: 3c26700e57b0-mv9q8x2k@192.0.2.10\r\n" +
	"CSeq: 21 INVITE\r\n" +
	"Contact: <sip:101@192.0.2.10:5062;transport=udp>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-0004132ABCDE>\"\r\n" +
	"Proxy-Authorization: Digest username=\"101\", realm=\"pbx.example.com\", nonce=\"5f1e0ac4b7\", " +
	"uri=\"sip:102@pbx.example.com\", response=\"0123456789abcdef0123456789abcdef\", algorithm=MD5\r\n" +
	"Allow: INVITE, ACK, CANCEL, BYE, REFER, OPTIONS, NOTIFY, SUBSCRIBE, PRACK, MESSAGE, INFO, UPDATE\r\n" +
	"Supported: timer, 100rel, replaces, from-change\r\n" +
	"User-Agent: phone\r\n" +
	"Content-Type: application/sdp\r\n" +
	fmt.Sprintf("Content-Length: %d\r\n\r\n", len(typicalSDP)) + typicalSDP

var typicalRegister = "REGISTER sip:pbx.example.com SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKb81f0e22;rport\r\n" +
	"Max-Forwards: 70\r\n" +
	"From: <sip:101@pbx.example.com>;tag=8f3ab2c1\r\n" +
	"To: <sip:101@pbx.example.com>\r\n" +
	"Call-ID: 7a1e33@192.0.2.10\r\n" +
	"CSeq: 4 REGISTER\r\n" +
	"Contact: <sip:101@192.0.2.10:5062>;expires=3600\r\n" +
	"Authorization: Digest username=\"101\", realm=\"pbx.example.com\", nonce=\"5f1e0ac4b7\", " +
	"uri=\"sip:pbx.example.com\", response=\"0123456789abcdef0123456789abcdef\", algorithm=MD5\r\n" +
	"Expires: 3600\r\n" +
	"Content-Length: 0\r\n\r\n"

func TestPeekAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations are counted without the race detector")
	}
	invite, folded := []byte(typicalInvite), readCorpus(t, "rfc4475", "wsinv")
	if n := testing.AllocsPerRun(100, func() {
		Peek(invite)
		Peek(folded)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What a message costs: its text, once. INVITE: the answer is written elsewhere.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations are counted without the race detector")
	}
	var r Reader
	buf := make([]byte, 0, 2048)
	for name, in := range map[string]string{"INVITE": typicalInvite, "REGISTER": typicalRegister} {
		b := []byte(in)
		if n := testing.AllocsPerRun(100, func() {
			m, err := r.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if f := testRules.Validate(m); f != nil {
				t.Fatal(f)
			}
			w := Answer(buf, m, testSource, 180, "Ringing", "0123456789abcdef")
			w.Open("Contact").Text("<sip:a@").Addr(testSource).Text(">;expires=").Int(3600).Close()
			w.End("", nil)
		}); n > 1 {
			t.Errorf("%s: %v allocations to read, validate and answer it, want 1", name, n)
		}
		if n := testing.AllocsPerRun(100, func() {
			if _, err := Parse(b); err != nil {
				t.Fatal(err)
			}
		}); n > 2 {
			t.Errorf("%s: %v allocations to parse it for ever, want 2", name, n)
		}
	}
}

// hostile are inputs of 64 KiB that are dear in some way (S17).
func hostile() map[string]string {
	fill := func(head, unit string) string {
		n := (MaxMessage - len(head) - 200) / len(unit)
		return head + strings.Repeat(unit, n) + "\r\n\r\n"
	}
	head := strings.TrimSuffix(request("INVITE sip:x@example.com SIP/2.0"), "\r\n")
	params := strings.Repeat(";a=b", 1950)
	return map[string]string{
		"long Contacts":    fill(head, "m: <sip:a@b>"+params+"\r\n"),
		"long URIs":        fill(head, "m: <sip:a@b"+params+">\r\n"),
		"long Vias":        fill(head, "v: SIP/2.0/UDP h"+params+"\r\n"),
		"broken long Vias": fill("INVITE SIP/2.0\r\n", "v: SIP/2.0/UDP h"+strings.Repeat(";aa", 2600)+"\r\n"),
		"long Replaces":    fill(head, "Replaces: a;to-tag=b;from-tag=c"+strings.Repeat(";aa", 2600)+"\r\n"),
		"folded names":     fill(head, "To"+strings.Repeat(" ", 8000)+": <sip:a@b>\r\n"),
		"long lists":       fill(head, "Supported: "+strings.Repeat("a,", 4000)+"\r\n"),
		"many headers":     fill(head, "Xx: y\r\n"),
		"many folds":       fill(head+"X: y", "\r\n "),
		"long line":        fill(head+"X: ", "y"),
		"many Via":         fill(head, "v: SIP/2.0/UDP h\r\n"),
		"Via list":         fill(head+"v: SIP/2.0/UDP h", ",SIP/2.0/UDP h"),
		"Contact list":     fill(head+"m: <sip:a@b>", ",<sip:a@b>"),
		"parameters":       fill(head+"m: <sip:a@b>", ";a=b"),
		"URI parameters":   fill(head+"m: <sip:a@b", ";a=b"),
		"Via parameters":   fill(head+"v: SIP/2.0/UDP h", ";a=b"),
		"open quotes":      fill(head+"m: ", `"`),
		"open brackets":    fill(head+"m: ", `<`),
		"quotes in list":   fill(head+"Accept: ", `",`),
		"escapes":          fill(head+`m: "`, `\"`),
		"line ends":        fill("", "\r\n"),
		"no line end":      fill("INVITE ", "x"),
		"credentials":      fill(head+"Authorization: Digest a=b", ",a=b"),
		"more credentials": fill(head, "Authorization: Digest a=b\r\n"),
		"multipart": fill(head+"Contact: <sip:a@b>\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n--b",
			"\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n--b"),
	}
}

// TestHostileInputIsCheap measures S17: 64 KiB cost at most 4 MiB; time is
// measured by the benchmark.
func TestHostileInputIsCheap(t *testing.T) {
	if raceEnabled {
		t.Skip("memory is counted without the race detector")
	}
	for name, in := range hostile() {
		b := []byte(in)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		judge(b)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
			t.Errorf("%s: %d KiB", name, used>>10)
		}
		t.Logf("%-16s %6d bytes: %8v, %d KiB", name, len(in), took, (after.TotalAlloc-before.TotalAlloc)>>10)
	}
}

func BenchmarkPeek(b *testing.B) {
	in := []byte(typicalInvite)
	b.ReportAllocs()
	for b.Loop() {
		Peek(in)
	}
}

func BenchmarkParse(b *testing.B) {
	for name, s := range map[string]string{"INVITE": typicalInvite, "REGISTER": typicalRegister} {
		in := []byte(s)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkValidate(b *testing.B) {
	m := mustParse(b, typicalInvite)
	b.ReportAllocs()
	for b.Loop() {
		if f := testRules.Validate(m); f != nil {
			b.Fatal(f)
		}
	}
}

func BenchmarkStatelessReply(b *testing.B) {
	m := mustParse(b, typicalRegister)
	b.ReportAllocs()
	for b.Loop() {
		StatelessReply(m, testSource, 401, "Unauthorized", "0123456789abcdef")
	}
}

func BenchmarkAppendReply(b *testing.B) {
	m := mustParse(b, typicalInvite)
	buf := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		w := Answer(buf[:0], m, testSource, 180, "Ringing", "0123456789abcdef")
		w.Open("Contact").Text("<sip:").Addr(testSource).Text(">").Close()
		buf = w.End("", nil)
	}
}

func BenchmarkReader(b *testing.B) {
	for name, s := range map[string]string{"INVITE": typicalInvite, "REGISTER": typicalRegister} {
		b.Run(name, func(b *testing.B) {
			in := []byte(s)
			var r Reader
			b.ReportAllocs()
			for b.Loop() {
				m, err := r.Parse(in)
				if err != nil {
					b.Fatal(err)
				}
				if f := testRules.Validate(m); f != nil {
					b.Fatal(f)
				}
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for name, s := range hostile() {
		in := []byte(s)
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				judge(in)
			}
		})
	}
}
