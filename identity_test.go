package cordpair_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/sip/siptest"
)

// TestCallerIsTheExtension: name and number the callee sees come from the
// extension that authenticated, whatever name it did that under.
func TestCallerIsTheExtension(t *testing.T) {
	inWorld(t, func(w *world) {
		callee := w.phone("102")
		for _, user := range []string{"101", "0001*101"} {
			caller := w.net.Phone(user, w.pass["101"], domain)
			out := w.call(caller, "102")
			in := w.incoming(callee)
			if from := in.Invite().Header("From"); !strings.HasPrefix(from, `"Phone 101" <sip:101@acme.example>`) {
				t.Errorf("%s: callee sees %s", user, from)
			}
			w.must(out.Cancel(w.ctx))
			_, err := in.WaitEnded(w.ctx)
			w.must(err)
		}
	})
}

// invite is an INVITE of 101 to 102 with a lying display name, an identity of
// its own choice and headers for the other phone.
func invite(p *siptest.Phone, seq int, extra string) string {
	body := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n", p.Addr().Addr())
	return fmt.Sprintf("INVITE sip:102@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\n"+
		"From: \"The Boss\" <sip:101@%s>;tag=liar\r\nTo: <sip:102@%s>\r\nCall-ID: liar\r\nCSeq: %d INVITE\r\nContact: <sip:101@%s>\r\n"+
		"P-Asserted-Identity: \"The Boss\" <sip:101@%s>\r\nDiversion: <sip:boss@%s>\r\nRemote-Party-ID: <sip:boss@%s>\r\n"+
		"History-Info: <sip:boss@%s>\r\nX-Door: open\r\nSubject: The Boss\r\n%sContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		domain, p.Addr(), seq, domain, domain, seq, p.Addr(), domain, domain, domain, domain, extra, len(body), body)
}

// TestNothingOfACallersHeadersPasses (F5).
func TestNothingOfACallersHeadersPasses(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, callee := w.phone("101"), w.phone("102")
		answers, err := caller.Exchange(w.ctx, []byte(invite(caller, 1, "")))
		w.must(err)
		challenge, err := digest.ParseChallenge(answers[len(answers)-1].Header("Proxy-Authenticate"))
		w.must(err)
		w.must(caller.Send(w.ctx, []byte(invite(caller, 2, "Proxy-Authorization: "+challenge.Respond(digest.Answer{
			User: "101", Password: w.pass["101"], Method: "INVITE", URI: "sip:102@" + domain, CNonce: digest.NewCNonce(), NC: 1,
		})+"\r\n"))))
		in := w.incoming(callee)
		got := in.Invite()
		if from := got.Header("From"); !strings.HasPrefix(from, `"Phone 101" <sip:101@acme.example>`) {
			t.Errorf("callee sees %s", from)
		}
		if id := got.Header("P-Asserted-Identity"); id != `"Phone 101" <sip:101@acme.example>` {
			t.Errorf("callee is told that %s calls", id)
		}
		for _, name := range []string{"Diversion", "Remote-Party-ID", "History-Info", "X-Door", "Subject"} {
			if v := got.Values(name); len(v) != 0 {
				t.Errorf("%s reached the other phone: %q", name, v)
			}
		}
		if strings.Contains(strings.ToLower(got.String()), "boss") {
			t.Errorf("the callee was told of a boss:\n%s", got)
		}
		w.must(in.Reject(486))
		if r := w.lastRecord(); r.FromUsername != "101" || r.FromScreenName != "Phone 101" {
			t.Errorf("record says %q %q", r.FromUsername, r.FromScreenName)
		}
	})
}

// TestTwoClientsOnOneSwitch: the same number in two clients is two phones; a
// number means one's own client, and nobody reaches the other one (T2, T3).
func TestTwoClientsOnOneSwitch(t *testing.T) {
	inWorld(t, func(w *world) {
		const other, password = "other.example", "four words of secret"
		client, err := w.sw.AddClient(cordpair.Client{Name: "Other", Domain: other})
		w.must(err)
		for _, n := range []string{"101", "102", "105"} {
			_, err := w.sw.AddPhone(client.ID, cordpair.NewPhone{Number: n, Password: password})
			w.must(err)
		}
		ours, theirs := w.phone("102"), w.net.Phone("102", password, other)
		w.must(theirs.Register(w.ctx))
		caller := w.net.Phone("101", password, other)
		out := w.call(caller, "102")
		in := w.incoming(theirs)
		if from := in.Invite().Header("From"); !strings.Contains(from, "<sip:101@other.example>") {
			t.Errorf("from %s", from)
		}
		w.must(in.Reject(486))
		w.refused(out, 486)
		for _, number := range []string{"104", "0001*102", "sip:102@" + domain, "sip:0001*102@" + domain} {
			w.refusedLike(w.call(caller, number))
		}
		w.refused(w.call(w.phone("101"), "105"), 404)
		stranger := w.net.Phone("103", password, other) // ours, not theirs
		if err := stranger.Register(w.ctx); err == nil {
			t.Error("103 of the other client registered")
		}
		if n := ours.Stats().Unexpected; n != 0 {
			t.Errorf("our phone got %d requests", n)
		}
		records := func(c int64) int {
			list, _, err := w.sw.CallRecords(cordpair.CallQuery{Client: c})
			w.must(err)
			for _, r := range list {
				if r.Client != c {
					t.Errorf("client %d sees a record of client %d", c, r.Client)
				}
			}
			return len(list)
		}
		w.free()
		if a, b := records(1), records(client.ID); a != 1 || b == 0 || records(7) != 0 {
			t.Errorf("%d and %d records", a, b)
		}
	})
}

// refusedLike waits for any refusal.
func (w *world) refusedLike(c *siptest.Call) {
	w.t.Helper()
	end, err := c.WaitEnded(w.ctx)
	w.must(err)
	if end.Code < 400 {
		w.t.Errorf("ended with %v, want a refusal", end)
	}
}
