package sip_test

import (
	"strings"
	"testing"

	"github.com/cordpair/cordpair/dialplan/call"
)

// TestIdentityOfTheCalled (RFC 3325, 3323): the caller learns who rings and who
// answered, unless that phone wants to be shown to nobody.
func TestIdentityOfTheCalled(t *testing.T) {
	const known = `"Phone 102" <sip:102@acme.example>`
	for name, tc := range map[string]struct {
		head              []string
		identity, privacy string
	}{
		"shown":  {nil, known, ""},
		"hidden": {[]string{"Privacy: id"}, "", "id"},
		"none":   {[]string{"Privacy: none"}, known, ""},
		// What a phone says of itself counts for nothing.
		"asserted": {[]string{"P-Asserted-Identity: <sip:boss@acme.example>"}, known, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				caller, callee, _, invite := ringing(e)
				callee.send(reply(invite, 180, "far", tc.head, ""))
				callee.send(reply(invite, 200, "far", append(callee.contact(), tc.head...), callee.sdp()))
				callee.one()
				for _, g := range caller.heard() {
					if g.Status() == 100 {
						continue
					}
					if id, p := g.header("P-Asserted-Identity"), g.header("Privacy"); id != tc.identity || p != tc.privacy {
						t.Errorf("%d tells %q, %q", g.Status(), id, p)
					}
				}
			})
		})
	}
}

// TestConnectedLine: after a handover both are told with whom they talk now, by
// UPDATE where the phone allows it, with a new From where it follows that
// (RFC 4916), else by a re-INVITE; and by nothing when nothing has changed.
func TestConnectedLine(t *testing.T) {
	for name, tc := range map[string]struct {
		head   []string
		method string
		from   string
	}{
		"re-INVITE": {[]string{"Allow: INVITE, ACK, BYE"}, "INVITE", `"Phone 101" <sip:101@acme.example>`},
		"UPDATE":    {[]string{"Allow: INVITE, ACK, BYE, UPDATE"}, "UPDATE", `"Phone 101" <sip:101@acme.example>`},
		"new From":  {[]string{"Allow: INVITE, ACK, BYE, UPDATE", "Supported: from-change"}, "UPDATE", `"Phone 103" <sip:103@acme.example>`},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				caller, callee, r, invite := ringing(e)
				callee.send(reply(invite, 200, "far", append(callee.contact(), tc.head...), callee.sdp()))
				callee.one()
				ok := caller.lastOf(200)
				caller.send(caller.text(inDialog(r, ok, "ACK")))
				callee.expect()
				caller.expect()

				third := e.rawUDP("10.0.9.3:5060")
				r3 := third.signed(request{method: "INVITE", uri: "sip:*43@" + domain, user: "103", body: third.sdp()})
				third.send(third.text(r3))
				third.send(third.text(inDialog(r3, third.lastOf(200), "ACK")))
				conversation, echo := e.callTo("102"), e.callTo("*43")
				echo.Handover(echo.Info().Legs[0].ID, conversation)
				wait(0)
				caller.send(caller.text(inDialog(r, ok, "BYE")))
				told := callee.one()
				if told.Method() != tc.method || told.header("P-Asserted-Identity") != `"Phone 103" <sip:103@acme.example>` {
					t.Fatalf("callee got %q", told.raw)
				}
				if from := told.header("From"); !strings.HasPrefix(from, tc.from+";tag=") || told.FromTag() != invite.FromTag() {
					t.Errorf("From %q", from)
				}
				if tc.method == "INVITE" {
					if string(told.Body()) != string(invite.Body()) {
						t.Errorf("another offer:\n%s\nafter\n%s", told.Body(), invite.Body())
					}
					callee.send(reply(told, 200, "", callee.contact(), callee.sdp()))
					callee.one()
				} else {
					callee.send(reply(told, 200, "", callee.contact(), ""))
				}
				other := third.one() // it said nothing of UPDATE
				if other.Method() != "INVITE" || other.header("P-Asserted-Identity") != `"Phone 102" <sip:102@acme.example>` {
					t.Errorf("third got %q", other.raw)
				}
				third.send(reply(other, 200, "", third.contact(), third.sdp()))
				third.one()
				if n := len(e.happened(call.EventJoined)); n != 2 {
					t.Errorf("%d joined", n)
				}
				wait(ms(5000))
				callee.expect()
			})
		})
	}
}
