package sip_test

import (
	"strings"
	"testing"

	"github.com/cordpair/cordpair/dialplan/call"
)

// lists is the description of a phone with these formats.
func lists(u *rawUA, formats string) string {
	return strings.Replace(u.sdp(), "RTP/AVP 0\r\na=rtpmap:0 PCMU/8000", "RTP/AVP "+formats+"\r\na=rtpmap:9 G722/8000", 1)
}

// callWith is a call to a phone that answers with these formats.
func callWith(e *edge, formats string) (caller, callee *rawUA, r request, ok, invite got) {
	caller, callee = e.rawUDP("10.0.9.1:5060"), e.rawUDP("10.0.9.2:5060")
	callee.register("102")
	r = caller.signed(request{method: "INVITE", uri: "sip:102@" + domain, body: lists(caller, "0 9")})
	caller.send(caller.text(r))
	invite = callee.one()
	callee.send(reply(invite, 200, "far", callee.contact(), lists(callee, formats)))
	callee.one()
	ok = caller.lastOf(200)
	caller.send(caller.text(inDialog(r, ok, "ACK")))
	return caller, callee, r, ok, invite
}

// TestCodecChangeCrosses (design 4): a phone that changes to a codec its peer can
// speak too gets it, and the peer is offered the same; if the peer does not want it
// any more, the phone is asked to come back. One that nobody can speak is refused,
// and the call goes on.
func TestCodecChangeCrosses(t *testing.T) {
	for name, tc := range map[string]struct {
		method string
		callee string // its answer, first what is spoken
		offer  string // the caller's change
		code   int    // of our answer to it
		peer   int    // the callee's answer to ours; 0: it gets none
		codec  string // of the callee in the end
	}{
		"transcoded":             {"INVITE", "0", "8", 200, 0, "PCMU"},
		"listed":                 {"INVITE", "0 9", "9", 200, 200, "G722"},
		"listed, UPDATE":         {"UPDATE", "0 9", "9", 200, 200, "G722"},
		"listed, refused":        {"INVITE", "0 9", "9", 200, 488, "PCMU"},
		"nobody has listed it":   {"INVITE", "0", "9", 488, 0, "PCMU"},
		"nobody has it, UPDATE":  {"UPDATE", "0", "9", 488, 0, "PCMU"},
		"back to what all speak": {"INVITE", "9", "0", 200, 200, "PCMU"},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				caller, callee, r, ok, invite := callWith(e, tc.callee)
				change := inDialog(r, ok, tc.method)
				change.body = lists(caller, tc.offer)
				caller.send(caller.text(change))
				caller.lastOf(tc.code)
				if tc.method == "INVITE" {
					ack := inDialog(r, ok, "ACK")
					ack.cseq = change.cseq
					if tc.code != 200 {
						ack.branch = change.branch
					}
					caller.send(caller.text(ack))
				}
				if tc.peer != 0 {
					ours := callee.one()
					if first := "RTP/AVP " + tc.offer + " "; ours.Method() != "INVITE" || !strings.Contains(string(ours.Body()), first) {
						t.Fatalf("callee got %q", ours.raw)
					}
					callee.send(reply(ours, tc.peer, "", callee.contact(), lists(callee, tc.offer)))
					if ack := callee.one(); ack.Method() != "ACK" {
						t.Errorf("callee got %q", ack.raw)
					}
				}
				if tc.peer == 488 {
					back := caller.one()
					if !strings.Contains(string(back.Body()), "RTP/AVP 0 ") {
						t.Fatalf("caller got %q", back.raw)
					}
					caller.send(reply(back, 200, "", caller.contact(), lists(caller, "0")))
					caller.one()
				}
				callee.expect()
				callee.send(callee.text(fromCallee(invite, "far", "BYE", 1)))
				wait(0)
				for _, ev := range e.happened(call.EventLegEnded) {
					if ev.Direction == call.Outbound && ev.Stats.Codec != tc.codec {
						t.Errorf("the callee spoke %s", ev.Stats.Codec)
					}
				}
			})
		})
	}
}
