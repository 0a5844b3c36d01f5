package sip_test

import (
	"strings"
	"testing"
)

// TestNotAcceptableSaysWhy (RFC 3261 21.4.26): a 488 tells in a Warning what about the
// media it was.
func TestNotAcceptableSaysWhy(t *testing.T) {
	for _, tc := range []struct{ number, from, to, want string }{
		{"*43", "RTP/AVP 0", "RTP/AVP 77", `305 cordpair "no common codec"`},
		{"*43", "RTP/AVP 0", "RTP/SAVP 0", `304 cordpair "no common encryption of media"`},
		{"*43", "m=audio", "m=video", `304 cordpair "no audio over RTP is offered"`},
		{"102", "", "", `399 cordpair "the called party takes none of the media offered"`},
	} {
		t.Run(tc.want, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				callee := e.rawUDP("10.0.9.2:5060")
				callee.register("102")
				u := e.rawUDP("10.0.9.1:5060")
				r := u.signed(request{method: "INVITE", uri: "sip:" + tc.number + "@" + domain, body: strings.Replace(u.sdp(), tc.from, tc.to, 1)})
				u.send(u.text(r))
				if tc.number == "102" {
					callee.send(reply(callee.one(), 488, "far", nil, ""))
				}
				no := u.lastOf(488)
				if got := no.header("Warning"); got != tc.want {
					t.Errorf("Warning %q, want %q", got, tc.want)
				}
			})
		})
	}
}
