package sip_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// lists is the description of a phone with these formats.
func lists(u *rawUA, formats string) string {
	return strings.Replace(u.sdp(), "RTP/AVP 0\r\na=rtpmap:0 PCMU/8000", "RTP/AVP "+formats+"\r\na=rtpmap:18 G729/8000", 1)
}

// callWith is a call to a phone that answers with these formats.
func callWith(e *edge, formats string) (caller, callee *rawUA, r request, ok, invite got) {
	caller, callee = e.rawUDP("10.0.9.1:5060"), e.rawUDP("10.0.9.2:5060")
	callee.register("102")
	r = caller.signed(request{method: "INVITE", uri: "sip:102@" + domain, body: lists(caller, "0 18")})
	caller.send(caller.text(r))
	invite = callee.one()
	callee.send(reply(invite, 200, "far", callee.contact(), lists(callee, formats)))
	callee.one()
	ok = caller.lastOf(200)
	caller.send(caller.text(inDialog(r, ok, "ACK")))
	return caller, callee, r, ok, invite
}

// TestCodecChangeCrosses (design 4): a phone that changes to a codec its peer can
// speak too is answered when the peer has taken that codec, and gets 488 when the peer
// refuses it or nobody speaks it; the call goes on as it was. An UPDATE cannot wait:
// 504 lets the phone come with a re-INVITE (RFC 3311 5.2).
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
		"listed":                 {"INVITE", "0 18", "18", 200, 200, "G729"},
		"listed, UPDATE":         {"UPDATE", "0 18", "18", 504, 0, "PCMU"},
		"listed, refused":        {"INVITE", "0 18", "18", 488, 488, "PCMU"},
		"nobody has listed it":   {"INVITE", "0", "18", 488, 0, "PCMU"},
		"nobody has it, UPDATE":  {"UPDATE", "0", "18", 488, 0, "PCMU"},
		"back to what all speak": {"INVITE", "18", "0", 200, 200, "PCMU"},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				caller, callee, r, ok, invite := callWith(e, tc.callee)
				change := inDialog(r, ok, tc.method)
				change.body = lists(caller, tc.offer)
				caller.send(caller.text(change))
				if tc.peer != 0 {
					if first := caller.one(); first.Status() != 100 {
						t.Fatalf("caller got %q before its peer was asked", first.raw)
					}
					caller.expect()
					callee.moves(tc.offer, tc.peer)
				}
				caller.lastOf(tc.code)
				if tc.method == "INVITE" {
					ack := inDialog(r, ok, "ACK")
					ack.cseq = change.cseq
					if tc.code != 200 {
						ack.branch = change.branch
					}
					caller.send(caller.text(ack))
				}
				caller.expect()
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

// moves lets a phone answer the re-INVITE that asks it to take other formats first.
func (u *rawUA) moves(formats string, status int) {
	u.e.t.Helper()
	ours := u.one()
	if first := "RTP/AVP " + formats + " "; ours.Method() != "INVITE" || !strings.Contains(string(ours.Body()), first) {
		u.e.t.Fatalf("callee got %q", ours.raw)
	}
	u.send(reply(ours, status, "", u.contact(), lists(u, formats)))
	if ack := u.one(); ack.Method() != "ACK" {
		u.e.t.Errorf("callee got %q", ack.raw)
	}
}

// TestCodecChangeEnds: a phone that waits for its peer to take a codec may give it up,
// hang up, or be hung up on; the re-INVITE gets its 487, and one that its peer thinks
// about for too long gets 488.
func TestCodecChangeEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(caller, callee *rawUA, r, change request, ok, invite got)
		code int
	}{
		"CANCEL": {func(caller, _ *rawUA, _, change request, _, _ got) {
			cancel := change
			cancel.method, cancel.body = "CANCEL", ""
			caller.send(caller.text(cancel))
		}, 487},
		"BYE of its own": {func(caller, _ *rawUA, r, change request, ok, _ got) {
			bye := inDialog(r, ok, "BYE")
			bye.cseq = change.cseq + 1
			caller.send(caller.text(bye))
		}, 487},
		"BYE of the peer": {func(_, callee *rawUA, _, _ request, _, invite got) {
			callee.send(callee.text(fromCallee(invite, "far", "BYE", 1)))
		}, 487},
		"no answer": {func(*rawUA, *rawUA, request, request, got, got) { wait(40 * time.Second) }, 488},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				caller, callee, r, ok, invite := callWith(e, "0 18")
				change := inDialog(r, ok, "INVITE")
				change.body = lists(caller, "18")
				caller.send(caller.text(change))
				callee.send(reply(callee.one(), 180, "", nil, ""))
				tc.end(caller, callee, r, change, ok, invite)
				wait(0)
				var final int
				for _, m := range caller.heard() {
					if cseq, method := m.CSeq(); int(cseq) == change.cseq && string(method) == "INVITE" {
						final = m.Status()
					}
				}
				// Which of the two the caller hears of first, its peer or the end of the
				// call, is open when the peer hangs up.
				if final != tc.code && (name != "BYE of the peer" || final != 488) {
					t.Errorf("answered %d, want %d", final, tc.code)
				}
			})
		})
	}
}
