package cordpair_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/sip/siptest"
)

// TestReplaces plays INVITE with Replaces (RFC 3891) by 104 against a call of 101
// to 102 that rings or talks, over both transports.
func TestReplaces(t *testing.T) {
	for _, tc := range []struct {
		name      string
		ringing   bool
		of        string // whose dialog is named: caller or called
		swapped   bool   // the tags, as some phones do
		earlyOnly bool
		want      int // status; 0: it takes the place
	}{
		{name: "the caller's place", of: "caller"},
		{name: "the called party's place", of: "called"},
		{name: "tags swapped", of: "called", swapped: true},
		{name: "early only, but answered", of: "called", earlyOnly: true, want: 486},
		{name: "a phone that rings", ringing: true, of: "called"},
		{name: "a phone that rings, early only", ringing: true, of: "called", earlyOnly: true},
		{name: "a caller that waits", ringing: true, of: "caller", want: 481},
	} {
		for over, options := range map[string][]siptest.Option{"udp": nil, "tcp": {siptest.TCP}} {
			t.Run(tc.name+" over "+over, func(t *testing.T) {
				inWorld(t, func(w *world) {
					one, other, third := w.phone("101", options...), w.phone("102", options...), w.phone("104", options...)
					out := w.call(one, "102")
					in := w.incoming(other)
					w.must(in.Ring())
					w.must(out.WaitRinging(w.ctx))
					if !tc.ringing {
						w.must(in.Answer())
						w.must(out.WaitAnswered(w.ctx))
						w.must(in.WaitAnswered(w.ctx))
					}
					replaced, stays := in, out
					if tc.of == "caller" {
						replaced, stays = out, in
					}
					value := replaced.Replaces()
					if tc.swapped {
						value = strings.NewReplacer("to-tag", "from-tag", "from-tag", "to-tag").Replace(value)
					}
					if tc.earlyOnly {
						value += ";early-only"
					}
					took, err := third.CallReplacing(w.ctx, "102", value)
					w.must(err)
					if tc.want != 0 {
						w.refused(took, tc.want)
						w.must(out.Hangup(w.ctx))
						w.free()
						return
					}
					w.must(took.WaitAnswered(w.ctx))
					end, err := replaced.WaitEnded(w.ctx)
					w.must(err)
					if tc.ringing && !strings.Contains(end.Reason, "elsewhere") {
						t.Errorf("the phone that rang saw %v, reason %q", end, end.Reason)
					}
					time.Sleep(time.Second) // the far ends are told of each other
					w.hearEachOther(took, stays)
					w.must(took.Hangup(w.ctx))
					_, err = stays.WaitEnded(w.ctx)
					w.must(err)
					w.free()
				})
			})
		}
	}
}

// TestReplacesRefused: what is wrong with the header, what does not exist, and what
// one may not take, which looks like that for another tenant (T2).
func TestReplacesRefused(t *testing.T) {
	inWorld(t, func(w *world) {
		second, err := w.sw.AddClient(cordpair.Client{Name: "Other", Domain: "other.example"})
		w.must(err)
		x, err := w.sw.AddPhone(second.ID, cordpair.NewPhone{Number: "201"})
		w.must(err)
		secret, err := w.sw.Password(x.ID)
		w.must(err)
		stranger := w.net.Phone("201", secret, "other.example")
		w.must(stranger.Register(w.ctx))
		third := w.phone("104")
		out, in := w.talk(w.phone("101"), w.phone("102"))
		for _, tc := range []struct {
			by    *siptest.Phone
			value string
			extra []siptest.Header
			want  int
		}{
			{third, "nobody;to-tag=a;from-tag=b", nil, 481},
			{third, in.ID() + ";to-tag=a;from-tag=b", nil, 481},
			{stranger, in.Replaces(), nil, 481},
			{stranger, out.Replaces(), nil, 481},
			{third, in.Replaces(), []siptest.Header{{Name: "Replaces", Value: out.Replaces()}}, 400},
			{third, in.Replaces(), []siptest.Header{{Name: "Join", Value: out.Replaces()}}, 400},
			{third, "no-tags", nil, 400},
			{third, in.Replaces(), []siptest.Header{{Name: "Require", Value: "replaces, join"}}, 420},
		} {
			c, err := tc.by.CallReplacing(w.ctx, "102", tc.value, tc.extra...)
			w.must(err)
			end, err := c.WaitEnded(w.ctx)
			w.must(err)
			if end.Code != tc.want {
				t.Errorf("%s %v: %d, want %d", tc.value, tc.extra, end.Code, tc.want)
			}
		}
		w.hearEachOther(out, in)
		w.must(out.Hangup(w.ctx))
		w.free()
	})
}

// TestReferRefused: what the edge refuses at once, while the talk goes on.
func TestReferRefused(t *testing.T) {
	inWorld(t, func(w *world) {
		out, in := w.talk(w.phone("101"), w.phone("102"))
		for _, tc := range []struct {
			to    string
			extra []siptest.Header
			want  int
		}{
			{"<sip:103@" + domain + ";method=BYE>", nil, 405},
			{"<sip:103@elsewhere.example>", nil, 403},
			{"<mailto:x@" + domain + ">", nil, 416},
			{"<sip:" + domain + ">", nil, 484},
			{"<sip:103&104@" + domain + ">", nil, 484},
			{"<sip:103@" + domain + ">", []siptest.Header{{Name: "Refer-To", Value: "<sip:104@" + domain + ">"}}, 400},
			{"<sip:103@" + domain + "?Replaces=x>", nil, 400},
			{"<sip:103@" + domain + ">", []siptest.Header{{Name: "Require", Value: "explicitsub"}}, 420},
		} {
			res, err := out.Refer(w.ctx, tc.to, tc.extra...)
			w.must(err)
			if res.Code != tc.want {
				t.Errorf("%s %v: %d, want %d", tc.to, tc.extra, res.Code, tc.want)
			}
		}
		if n := len(out.Notes()); n != 0 {
			t.Errorf("%d NOTIFYs", n)
		}
		w.hearEachOther(out, in)
		w.must(out.Hangup(w.ctx))
		w.free()
	})
}

// TestReferNamesNobody: a dialog that is not there, or is another's of the phone's
// own call, is told by NOTIFY, and the talk goes on.
func TestReferNamesNobody(t *testing.T) {
	inWorld(t, func(w *world) {
		out, in := w.talk(w.phone("101"), w.phone("102"))
		for _, replaces := range []string{"nobody%3Bto-tag%3Da%3Bfrom-tag%3Db", strings.ReplaceAll(out.Replaces(), ";", "%3B")} {
			res, err := out.Refer(w.ctx, "<sip:103@"+domain+"?Replaces="+strings.ReplaceAll(replaces, "=", "%3D")+">")
			w.must(err)
			if res.Code != 202 {
				t.Errorf("REFER answered %d", res.Code)
			}
			time.Sleep(time.Second)
			notes := out.Notes()
			if last := notes[len(notes)-1]; last.Code != 481 || last.State != "terminated" {
				t.Errorf("told %+v", last)
			}
		}
		w.hearEachOther(out, in)
		w.must(out.Hangup(w.ctx))
		w.free()
	})
}

// TestReferPending: one transfer at a time; the target sees who transferred, and a
// phone that wants no NOTIFY gets none (RFC 4488).
func TestReferPending(t *testing.T) {
	inWorld(t, func(w *world) {
		target := w.phone("103")
		out, in := w.talk(w.phone("101"), w.phone("102"))
		res, err := out.Refer(w.ctx, "103", siptest.Header{Name: "Refer-Sub", Value: "false"}, siptest.Header{Name: "Require", Value: "norefersub"})
		w.must(err)
		if res.Code != 202 || res.Header("Refer-Sub") != "false" || res.Header("Contact") == "" {
			t.Errorf("got %s", res)
		}
		c := w.incoming(target)
		if by, from := c.Invite().Header("Referred-By"), c.Invite().Header("From"); !strings.Contains(by, "sip:101@"+domain) || !strings.Contains(from, "sip:102@") {
			t.Errorf("referred by %q, from %q", by, from)
		}
		res, err = out.Refer(w.ctx, "104")
		w.must(err)
		if res.Code != 491 {
			t.Errorf("second REFER answered %d", res.Code)
		}
		w.must(c.Ring())
		w.must(c.Answer())
		_, err = out.WaitEnded(w.ctx)
		w.must(err)
		if n := len(out.Notes()); n != 0 {
			t.Errorf("%d NOTIFYs", n)
		}
		time.Sleep(time.Second)
		w.hearEachOther(in, c)
		w.must(c.Hangup(w.ctx))
		w.free()
	})
}

// TestReferOutside: a REFER that belongs to no call has nobody to transfer.
func TestReferOutside(t *testing.T) {
	inWorld(t, func(w *world) {
		p := w.phone("101")
		res, err := p.ReferOutside(w.ctx, "102", "103")
		w.must(err)
		if res.Code != 403 {
			t.Errorf("got %s", res)
		}
		w.free()
	})
}

// TestTransfersCross: both parties want to transfer each other at the same moment:
// one does.
func TestTransfersCross(t *testing.T) {
	inWorld(t, func(w *world) {
		c, d := w.phone("103"), w.phone("104")
		out, in := w.talk(w.phone("101"), w.phone("102"))
		done := make(chan error, 1)
		go func() { // ends with the answer to the REFER
			_, err := in.Refer(w.ctx, "104")
			done <- err
		}()
		_, err := out.Refer(w.ctx, "103")
		w.must(err)
		w.must(<-done)
		time.Sleep(time.Second)
		w.must(out.Hangup(w.ctx))
		w.must(in.Hangup(w.ctx))
		_, _ = c, d
		time.Sleep(2 * time.Minute) // whoever is called back is rung in vain
		w.free()
	})
}

// TestReferToForeignDialog (T2): a REFER that names another tenant's call names none.
func TestReferToForeignDialog(t *testing.T) {
	inWorld(t, func(w *world) {
		second, err := w.sw.AddClient(cordpair.Client{Name: "Other", Domain: "other.example"})
		w.must(err)
		x, err := w.sw.AddPhone(second.ID, cordpair.NewPhone{Number: "201"})
		w.must(err)
		secret, err := w.sw.Password(x.ID)
		w.must(err)
		theirs := w.call(w.net.Phone("201", secret, "other.example"), "*43")
		w.must(theirs.WaitAnswered(w.ctx))
		out, in := w.talk(w.phone("101"), w.phone("102"))
		res, err := out.Refer(w.ctx, "<sip:201@"+domain+"?Replaces="+url.QueryEscape(theirs.Replaces())+">")
		w.must(err)
		if res.Code != 202 {
			t.Errorf("REFER answered %d", res.Code)
		}
		last, err := out.WaitNotified(w.ctx)
		w.must(err)
		if last.Code != 481 {
			t.Errorf("told %d", last.Code)
		}
		w.hearEachOther(out, in)
		w.must(theirs.Hangup(w.ctx))
		w.must(out.Hangup(w.ctx))
		w.free()
	})
}
