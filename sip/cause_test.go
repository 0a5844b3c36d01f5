package sip_test

import (
	"strings"
	"testing"

	"github.com/cordpair/cordpair/dialplan/call"
)

// TestReasonOfHangup (RFC 3326): what a party says of its BYE is kept and told to the
// other one.
func TestReasonOfHangup(t *testing.T) {
	for reason, tc := range map[string]struct {
		cause call.Cause
		told  string
	}{
		"":                          {call.CauseNormal, "Q.850;cause=16"},
		"Q.850;cause=16":            {call.CauseNormal, "Q.850;cause=16"},
		"Q.850;cause=31":            {call.CauseNormal, "Q.850;cause=16"},
		`Q.850 ;cause=38;text="x"`:  {call.CauseUnreachable, "Q.850;cause=20"},
		"q.850;cause=102":           {call.CauseMediaTimeout, "Q.850;cause=102"},
		"SIP;cause=488":             {call.CauseNotAcceptable, "Q.850;cause=88"},
		"X;cause=1, Q.850;cause=42": {call.CauseOverload, "Q.850;cause=42"},
		"Q.850;cause=999":           {call.CauseNormal, "Q.850;cause=16"},
		"nonsense;;":                {call.CauseNormal, "Q.850;cause=16"},
	} {
		t.Run(reason, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				caller, callee, r, invite := ringing(e)
				callee.accept(invite, "far")
				callee.one()
				ok := caller.lastOf(200)
				caller.send(caller.text(inDialog(r, ok, "ACK")))
				bye := inDialog(r, ok, "BYE")
				if reason != "" {
					bye.head = []string{"Reason: " + reason}
				}
				caller.send(caller.text(bye))
				if got := callee.one(); got.Method() != "BYE" || got.header("Reason") != tc.told {
					t.Errorf("callee got %q", got.raw)
				} else {
					callee.send(reply(got, 200, "", nil, ""))
				}
				if ended := e.happened(call.EventEnded); len(ended) != 1 || ended[0].Cause != tc.cause {
					t.Errorf("ended %+v", ended)
				}
			})
		})
	}
}

// TestReasonOfCancel: a call that was answered elsewhere is no missed call.
func TestReasonOfCancel(t *testing.T) {
	for reason, told := range map[string]string{
		"Reason: SIP;cause=200;text=\"Call completed elsewhere\"": "SIP;cause=200",
		"Reason: SIP;cause=487":                                   "Q.850;cause=16",
		"X-None: 1":                                               "Q.850;cause=16",
	} {
		inEdge(t, func(e *edge) {
			caller, callee, r, invite := ringing(e)
			callee.send(reply(invite, 180, "far", nil, ""))
			r.method, r.body, r.head = "CANCEL", "", []string{reason}
			caller.send(caller.text(r))
			if got := callee.one(); got.Method() != "CANCEL" || !strings.HasPrefix(got.header("Reason"), told) {
				t.Errorf("%s: callee got %q", reason, got.raw)
			}
		})
	}
}

// TestReasonOfRefusal (RFC 6432): a gateway knows more than its status says.
func TestReasonOfRefusal(t *testing.T) {
	for _, tc := range []struct {
		status int
		reason string
		cause  call.Cause
	}{
		{480, "", call.CauseUnreachable},
		{480, "Q.850;cause=19", call.CauseNoAnswer},
		{503, "Q.850;cause=34", call.CauseOverload},
		{500, "Q.850;cause=1", call.CauseNotFound},
		{503, "Q.850;cause=16", call.CauseUnreachable},
		{486, "Q.850;cause=1", call.CauseBusy},
		{603, "Q.850;cause=17", call.CauseBusy},
		{604, "", call.CauseRejected},
		{504, "SIP;cause=486", call.CauseUnreachable},
	} {
		inEdge(t, func(e *edge) {
			_, callee, _, invite := ringing(e)
			var head []string
			if tc.reason != "" {
				head = []string{"Reason: " + tc.reason}
			}
			callee.send(reply(invite, tc.status, "far", head, ""))
			ended := e.happened(call.EventLegEnded)
			if len(ended) == 0 || ended[0].Cause != tc.cause {
				t.Errorf("%d %s: %+v, want %s", tc.status, tc.reason, ended, tc.cause)
			}
		})
	}
}
