package ladder

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

var update = flag.Bool("update", false, "write the golden files")

// began is when the calls of the tests begin.
var began = time.Date(2026, 11, 21, 12, 40, 0, 250e6, time.UTC)

func after(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }

// message is a message of a leg: "< INVITE …" was received, "> 180 Ringing" sent.
func message(ms int, line, of string) call.Message {
	m := call.Message{At: after(ms), Sent: line[0] == '>', Line: line[2:], Of: of}
	if strings.Contains(line, " INVITE ") || strings.Contains(line, " 200 ") && of == "1 INVITE" {
		m.Body = "application/sdp"
	}
	return m
}

func via(peer string, list ...call.Message) []call.Message {
	for i := range list {
		list[i].Peer = peer
	}
	return list
}

// decided are the entries that explain writes for a question, at a time of the call.
func decided(t testing.TB, to string, first, ms int, assume map[string]string) []call.TraceEntry {
	t.Helper()
	x, err := view(t).Explain(dialplan.Question{From: "101", To: to, At: after(ms), Assume: assume}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Trace {
		x.Trace[i].Seq += first - 1
	}
	return x.Trace
}

func view(t testing.TB) *dialplan.View {
	t.Helper()
	c := dialplan.DefaultClient()
	c.ID, c.Name, c.Prefix, c.Domain = 1, "Example", "0001", "sip.example.org"
	rows := dialplan.Rows{Client: c, Demo: true}
	for i, number := range []string{"101", "102"} {
		x := dialplan.DefaultExtension()
		x.ID, x.ClientID, x.Name = int64(i+1), 1, "0001*"+number
		rows.Extensions = append(rows.Extensions, dialplan.Row{Extension: x, Phone: dialplan.DefaultPhone()})
	}
	v, err := dialplan.Compile(rows)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const (
	legA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	legB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	legC = "cccccccccccccccccccccccccccccccc"
)

// answered is a call to a phone that answers, whose audio has losses.
func answered(t testing.TB) Call {
	trace := decided(t, "102", 3, 1, nil)
	last := len(trace) - 1
	trace[last].At = after(9250)
	return Call{
		UUID: "0123456789ABCDEF0123456789ABCDEF", Started: began, Trace: trace,
		Legs: []Leg{
			{ID: legA, Number: "101", Name: "Reception", Direction: call.Inbound,
				Stats: call.MediaStats{PacketsReceived: 310, PacketsSent: 298, Lost: 4, JitterMS: 3.25, Codec: "PCMA", Source: "192.0.2.11:4000"},
				Messages: via("UDP 192.0.2.11:5060",
					message(0, "< INVITE sip:102@sip.example.org", "1 INVITE"), message(0, "> 100 Trying", "1 INVITE"),
					message(32, "> 180 Ringing", "1 INVITE"), message(3100, "> 200 OK", "1 INVITE"),
					message(3121, "< ACK sip:102@192.0.2.1", "1 ACK"),
					message(9250, "< BYE sip:102@192.0.2.1", "2 BYE"), message(9250, "> 200 OK", "2 BYE"))},
			{ID: legB, Number: "102", Name: "Workshop", Direction: call.Outbound,
				Stats: call.MediaStats{PacketsReceived: 298, PacketsSent: 310, Codec: "PCMA", Source: "203.0.113.9:6000"},
				Messages: via("TCP 203.0.113.9:5062",
					message(2, "> INVITE sip:102@203.0.113.9:5062", "1 INVITE"), message(15, "< 100 Trying", "1 INVITE"),
					message(31, "< 180 Ringing", "1 INVITE"), message(3099, "< 200 OK", "1 INVITE"),
					message(3099, "> ACK sip:102@203.0.113.9:5062", "1 ACK"),
					message(9251, "> BYE sip:102@203.0.113.9:5062", "2 BYE"), message(9270, "< 200 OK", "2 BYE"))},
		},
		Events: []Event{
			{Seq: 1, At: began, Kind: call.EventStarted, Leg: legA},
			{Seq: 2, At: began, Kind: call.EventLegStarted, Leg: legA},
			{Seq: 8, At: after(2), Kind: call.EventLegStarted, Leg: legB},
			{Seq: 9, At: after(31), Kind: call.EventRinging, Leg: legB},
			{Seq: 10, At: after(3099), Kind: call.EventAnswered, Leg: legB},
			{Seq: 11, At: after(3099), Kind: call.EventAnswered, Leg: legA},
			{Seq: 12, At: after(9250), Kind: call.EventFinding, Leg: legA, Finding: &call.Finding{Code: "loss", Text: "4 of 314 packets were lost (1.3 %)"}},
			{Seq: 13, At: after(9250), Kind: call.EventLegEnded, Leg: legA, Cause: call.CauseNormal},
			{Seq: 15, At: after(9270), Kind: call.EventLegEnded, Leg: legB, Cause: call.CauseNormal},
			{Seq: 16, At: after(9270), Kind: call.EventEnded, Leg: legA, Cause: call.CauseNormal},
		},
	}
}

// hostile is a call of two contacts, repeats, and names that attack who reads them.
func hostile(t testing.TB) Call {
	c := answered(t)
	c.Legs[0].Name = "\u202e<script>alert(1)</script>\x1b[2J"
	c.Legs[0].Messages[0].Repeats = 2
	c.Legs[0].Messages[0].Line = "INVITE sip:\"&'<b>@x\r\n"
	c.Legs[1].Name = "日本語の名前 of a very long company name that does not fit at all"
	c.Legs = append(c.Legs, Leg{ID: legC, Number: "102", Direction: call.Outbound, Messages: via("WSS [2001:db8::7]:49152",
		message(2, "> INVITE sip:102@[2001:db8::7]:49152;transport=ws", "1 INVITE"), message(40, "< 486 Busy\x00 Here \u2066", "1 INVITE"),
		message(40, "> ACK sip:102@[2001:db8::7]:49152;transport=ws", "1 ACK"))})
	c.Events = append(c.Events, Event{Seq: 17, At: after(9280), Kind: "call.invented", Leg: "gone", Other: "FF"})
	return c
}

// refused is a call that never left the switch.
func refused(t testing.TB) Call {
	return Call{UUID: "00", Legs: []Leg{{ID: legA, Number: "101", Direction: call.Inbound, Messages: via("UDP 192.0.2.11:5060",
		message(0, "< INVITE sip:199@sip.example.org", "1 INVITE"), message(2, "> 404 Not Found", "1 INVITE"),
		message(9, "< ACK sip:199@sip.example.org", "1 ACK"))}}, Trace: decided(t, "199", 2, 1, nil)}
}

// golden compares what write writes with a file.
func golden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-update writes it): %s", name, diff)
	}
}

func TestGolden(t *testing.T) {
	for name, c := range map[string]Call{"answered": answered(t), "hostile": hostile(t), "refused": refused(t), "empty": {}} {
		l := New(c)
		golden(t, name+".txt", l.WriteText)
		golden(t, name+".svg", l.WriteSVG)
		golden(t, name+".json", func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", " ")
			return e.Encode(l)
		})
		if again := New(c); cmp.Diff(l, again) != "" {
			t.Errorf("%s: not the same twice", name)
		}
	}
}

// TestNothingEscapes holds H7: what names and messages bring along stays text.
func TestNothingEscapes(t *testing.T) {
	l := New(hostile(t))
	var text, svg bytes.Buffer
	if l.WriteText(&text) != nil || l.WriteSVG(&svg) != nil {
		t.Fatal("not written")
	}
	for _, line := range strings.Split(text.String(), "\n") {
		if strings.ContainsFunc(line, hidden) || width(line) > textWidth {
			t.Errorf("%q is %d wide", line, width(line))
		}
	}
	allowed := map[string]bool{"svg": true, "title": true, "defs": true, "marker": true, "path": true, "rect": true, "line": true, "circle": true, "text": true}
	d := xml.NewDecoder(&svg)
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			if !allowed[x.Name.Local] {
				t.Errorf("element %s", x.Name.Local)
			}
			for _, a := range x.Attr {
				if n := a.Name.Local; n == "style" || n == "href" || strings.HasPrefix(n, "on") {
					t.Errorf("attribute %s", n)
				}
			}
		case xml.CharData:
			if s := strings.ReplaceAll(string(x), "\n", ""); strings.ContainsFunc(s, hidden) {
				t.Errorf("text %q", s)
			}
		}
	}
}
