package wire

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// plainOnes are as phones, trunks, proxies and test programs send them.
var plainOnes = map[string]string{
	"a proxy that asks whether we are there": "OPTIONS sip:192.0.2.77 SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKc95c.82a8e4f5000000000000000000000000.0\r\n" +
		"To: <sip:192.0.2.77>\r\nFrom: <sip:dispatcher@localhost>;tag=6c0b8a16\r\n" +
		"CSeq: 10 OPTIONS\r\nCall-ID: 0c2a-4a7@192.0.2.1\r\nMax-Forwards: 70\r\nContent-Length: 0\r\nUser-Agent: a proxy (5.6)\r\n\r\n",
	"a trunk": "OPTIONS sip:pbx.example.com:5060;transport=udp SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP 198.51.100.3:5060;rport;branch=z9hG4bKPj-a.b\r\n" +
		"From: \"the other one\" <sip:far@198.51.100.3>;tag=9d\r\nTo: <sip:pbx.example.com>\r\n" +
		"Contact: <sip:far@198.51.100.3:5060;ob>\r\nCall-ID: 64b1\r\nCSeq: 41527 OPTIONS\r\n" +
		"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK\r\nSupported: 100rel, timer, replaces\r\n" +
		"Max-Forwards: 70\r\nUser-Agent: PBX 20.1\r\nContent-Length: 0\r\n\r\n",
	"a gateway": "OPTIONS sip:pbx.example.com;transport=udp SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP 198.51.100.4:5080;rport;branch=z9hG4bK8S3DNUQ\r\nMax-Forwards: 70\r\n" +
		"From: <sip:trunk@pbx.example.com>;tag=4Sv\r\nTo: <sip:trunk@pbx.example.com>\r\n" +
		"Call-ID: 0ad9-9b1c\r\nCSeq: 137 OPTIONS\r\nContact: <sip:gw+trunk@198.51.100.4:5080;transport=udp;gw=trunk>\r\n" +
		"User-Agent: a gateway/1.10~64bit\r\nAllow: INVITE, ACK, BYE\r\nSupported: timer, path\r\n" +
		"Allow-Events: talk, hold, refer\r\nContent-Length: 0\r\n\r\n",
	"a test program": "OPTIONS sip:100@pbx.example.com SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP phone.example.com:7060;branch=z9hG4bK-1-0;rport\r\nMax-Forwards: 70\r\n" +
		"From: <sip:100@pbx.example.com>;tag=1\r\nTo: Alice Two <sip:100@pbx.example.com>\r\n" +
		"Call-ID: 1-8@192.0.2.1\r\nCSeq: 1 OPTIONS\r\nAccept: application/sdp\r\n\r\n",
}

// sameAnswer fails unless a message that is plain is one in which nothing is to be
// found, with the answer it would get anyway. It reports whether it was plain.
func sameAnswer(t interface{ Fatalf(string, ...any) }, b []byte, source netip.AddrPort) bool {
	p, ok := testRules.Plain(b)
	if !ok {
		return false
	}
	m, err := Parse(b)
	if err != nil {
		t.Fatalf("%v:\n%q", err, b)
	}
	fault := testRules.Validate(m)
	head, _ := Peek(b)
	if fault != nil || m.toTagged || m.Method() != "OPTIONS" || m.BodySize() > 0 ||
		m.CallID() != string(p.CallID()) || m.CallID() != string(head.CallID) {
		t.Fatalf("%v:\n%q", fault, b)
	}
	lines := []Field{{"Allow", "INVITE, ACK"}, {"Allow-Events", ""}, {"Accept", "application/sdp"}}
	got, to := p.AppendOK([]byte("x"), source, []byte("0123"), AppendFields(nil, lines...))
	want := AppendReply([]byte("x"), m, source, 200, "OK", "0123", lines...)
	if !bytes.Equal(got, want) || to != m.ReplyTo(source) {
		t.Fatalf("to %v, want %v:\n%s\nwant\n%s", to, m.ReplyTo(source), got, want)
	}
	return true
}

func TestPlain(t *testing.T) {
	for name, text := range plainOnes {
		for _, from := range []string{"192.0.2.1:5060", "192.0.2.1:4321", "192.0.2.10:5060", "[2001:db8::1]:5060"} {
			if !sameAnswer(t, []byte(text), netip.MustParseAddrPort(from)) {
				t.Errorf("%s is not plain", name)
			}
		}
	}
}

// TestNotPlain: what something has to be decided about is read.
func TestNotPlain(t *testing.T) {
	text := plainOnes["a test program"]
	for name, swap := range map[string][2]string{
		"other method":         {"OPTIONS sip", "REGISTER sip"},
		"other scheme":         {"OPTIONS sip", "OPTIONS tel"},
		"other version":        {"SIP/2.0\r\n", "SIP/3.0\r\n"},
		"headers in the URI":   {"example.com SIP", "example.com?a=b SIP"},
		"in a dialog":          {"CSeq", "t: x\r\nCSeq"},
		"To tag":               {"com>\r\nCall-ID", "com>;tag=1\r\nCall-ID"},
		"two To":               {"CSeq", "To: <sip:a@b>\r\nCSeq"},
		"no From":              {"From", "Fro"},
		"no hops left":         {"Forwards: 70", "Forwards: 0"},
		"Require":              {"Accept", "Require: x\r\nAccept"},
		"Proxy-Require":        {"Accept", "Proxy-Require: x\r\nAccept"},
		"credentials":          {"Accept", "Authorization: Digest a=b\r\nAccept"},
		"folded":               {"Call-ID: ", "Call-ID:\r\n "},
		"a second Via":         {"Max-F", "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nMax-F"},
		"two Via in a line":    {";rport", ";rport, SIP/2.0/UDP a;branch=z9hG4bK1"},
		"no branch in its Via": {"z9hG4bK-1-0", "z9hG4bK"},
		"two branches":         {";rport", ";branch=z9hG4bK1"},
		"TCP":                  {"SIP/2.0/UDP", "SIP/2.0/TCP"},
		"CSeq of another":      {"1 OPTIONS", "1 INVITE"},
		"CSeq out of range":    {"CSeq: 1", "CSeq: 2147483648"},
		"our own Contact":      {"CSeq", "Contact: <sip:a@192.0.2.77>\r\nCSeq"},
		"Contact of all":       {"CSeq", "Contact: *\r\nCSeq"},
		"a body":               {"\r\n\r\n", "\r\n\r\nx"},
		"a length":             {"Accept", "Content-Length: 5\r\nAccept"},
		"an unknown header":    {"Accept", "X-Accept"},
		"cut off":              {"sdp\r\n\r\n", "sdp\r\n"},
		"bare CR":              {"/sdp", "/\rsdp"},
	} {
		other := strings.Replace(text, swap[0], swap[1], 1)
		if _, ok := testRules.Plain([]byte(other)); ok || other == text {
			t.Errorf("%s is plain", name)
		}
	}
}

// oddities are what a generated request may have in place of something ordinary.
var oddities = [][]string{
	{"sip:pbx.example.com", "sip:1@h:5060;x=y", "SIP:a", "sip:@a", "sip:a@b@c", "sip:a:", "sip:a:70000", "sip:a:b@c", "sip://a", "sip:[::1]", "sip:é@a", "sip:%41@a", "sip:a;x?b"},
	{"SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "SIP/2.0/UDP 192.0.2.1:99999;branch=z9hG4bK1",
		"SIP/2.0/UDP h;branch=z9hG4bK:1", "SIP/2.0/UDP 192.0.2.1:05060;branch=z9hG4bK1", "SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1;rport=9", "SIP/2.0/UDP h;rport;rport;branch=z9hG4bK1",
		"SIP/2.0/UDP h;received=1.2.3.4;branch=z9hG4bK1", "SIP/2.0/UDP h;branch=z9hG4bK1;rport;", "SIP/2.0/UDP  h;branch=z9hG4bK1", "SIP/2.0/UDP h:;branch=z9hG4bK1"},
	{"<sip:a@b>;tag=1", "\"A, B\" <sip:a@b>;tag=1", "A B <sip:a@b>;tag=1", "A, B <sip:a@b>;tag=1", "sip:a@b;tag=1", "<sip:a@b>;tag=1;tag=2", "<sip:a@b>", "\"<\" <sip:a@b>;tag=1",
		"\"\\\"\" <sip:a@b>;tag=1", "\"\" <sip:a@b>;tag=1", "\" <sip:a@b>;tag=1", "\"Jörg\" <sip:a@b>;tag=1", "\"A\tB\" <sip:a@b>;tag=1", "<sip:a@b>;tag=", "<sip:a@b> ;tag=1"},
	{"<sip:a@b>", "Bob <sip:b>", "\"B\"<sip:b:5060>", "<sip:a@b>;x=y", "<sip:a@b>;tag=2", "<sip:a@b> ", " <sip:a@b>", "<<sip:a@b>", "<sip:a@b>>", "B<sip:a@b>"},
	{"1-2@h", "a b", "a\x7fb", "a,b", "<>\"", "é", ""},
	{"1 OPTIONS", "001 OPTIONS", "1  OPTIONS", "1 options", " 1 OPTIONS", "999999999 OPTIONS", "9999999999 OPTIONS", "-1 OPTIONS", " OPTIONS"},
	{"", "User-Agent: x\r\n", "Contact: <sip:a@1.2.3.4>\r\n", "Contact: <sip:a@192.0.2.77>\r\n", "Contact: <sip:a@0.0.0.0>\r\n", "Contact: <sip:a@h>;q=2\r\n", "Contact: sip:a@h\r\n",
		"Contact: <sip:a@h>, <sip:b@h>\r\n", "Require: x\r\n", "Date: x\r\n", "Route: <x>\r\n", "Record-Route: <sip:h;lr>\r\n", "k: x\r\n", "Timestamp: 1\r\n",
		"Allow: " + strings.Repeat("A,", 31) + "A\r\n", "Allow: " + strings.Repeat("A,", 32) + "A\r\n", "User-Agent: \r\n", "User-Agent:x\r\n", "user-agent: x\r\n"},
	{"Content-Length: 0\r\n\r\n", "\r\n", "Content-Length: 00\r\n\r\n", "Content-Length: 3\r\n\r\nabc", "Content-Length: 0\r\n", "l: 0\r\n\r\n", "Content-Length: 0\r\n\r\n\r\n\r\n", "Max-Forwards: 0\r\n\r\n",
		"Max-Forwards: 255\r\n\r\n", "Max-Forwards: 70\r\n\r\n", "Max-Forwards: 0070\r\n\r\n"},
}

// TestPlainAsParsed: whatever is plain has the answer of a message that was read, and
// neither is refused.
func TestPlainAsParsed(t *testing.T) {
	plain := 0
	rapid.Check(t, func(rt *rapid.T) {
		var part [8]string
		for i, list := range oddities {
			part[i] = list[0]
			if rapid.IntRange(0, 4).Draw(rt, "odd") == 0 {
				part[i] = rapid.SampledFrom(list).Draw(rt, "part")
			}
		}
		lines := rapid.Permutation([]string{"Via: " + part[1], "From: " + part[2], "To: " + part[3], "Call-ID: " + part[4], "CSeq: " + part[5]}).Draw(rt, "order")
		b := []byte("OPTIONS " + part[0] + " SIP/2.0\r\n" + strings.Join(lines, "\r\n") + "\r\n" + part[6] + part[7])
		if rapid.IntRange(0, 2).Draw(rt, "spoil") == 0 {
			at := rapid.IntRange(0, len(b)-1).Draw(rt, "at")
			b[at] = rapid.SampledFrom([]byte("\r\n\t ;,<>\"=@:?%0Zz\\\x00\x7f\xc3")).Draw(rt, "by")
		}
		from := rapid.SampledFrom([]string{"192.0.2.1:5070", "192.0.2.1:9", "[2001:db8::1]:5060"}).Draw(rt, "from")
		if sameAnswer(rt, b, netip.MustParseAddrPort(from)) {
			plain++
		}
	})
	if plain == 0 {
		t.Error("not one was plain")
	}
}

func FuzzPlain(f *testing.F) {
	addCorpus(f)
	for _, text := range plainOnes {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) { sameAnswer(t, b, netip.MustParseAddrPort("192.0.2.1:4321")) })
}

func TestPlainAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations are counted without the race detector")
	}
	source := netip.MustParseAddrPort("192.0.2.1:4321")
	room, request := make([]byte, 0, 2048), []byte(plainOnes["a test program"])
	if n := testing.AllocsPerRun(100, func() {
		if p, ok := testRules.Plain(request); ok {
			p.AppendOK(room, source, request[:8], nil)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkPlain and BenchmarkPlainParsed are the two ways to one answer.
func BenchmarkPlain(b *testing.B) {
	room, request := make([]byte, 0, 2048), []byte(plainOnes["a test program"])
	b.ReportAllocs()
	for b.Loop() {
		p, _ := testRules.Plain(request)
		p.AppendOK(room, testSource, request[:8], nil)
	}
}

func BenchmarkPlainParsed(b *testing.B) {
	var r Reader
	room, request := make([]byte, 0, 2048), []byte(plainOnes["a test program"])
	b.ReportAllocs()
	for b.Loop() {
		m, _ := r.Parse(request)
		testRules.Validate(m)
		AppendReply(room, m, testSource, 200, "OK", "01234567")
	}
}
