package sip_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/metricstest"
	"github.com/cordpair/cordpair/sip/siptest"
	"github.com/cordpair/cordpair/store/storetest"
)

// text sends a message and checks its answer.
func (e *edge) text(p *siptest.Phone, to, text string, code int, head ...string) {
	e.t.Helper()
	res, err := p.Message(e.ctx, to, text, head...)
	e.must(err)
	if res.Code != code {
		e.t.Fatalf("%q to %s: %d %s, want %d", text, to, res.Code, res.Reason, code)
	}
}

// texted checks that a phone got these texts, in this order.
func (e *edge) texted(p *siptest.Phone, texts ...string) (last *siptest.Message) {
	e.t.Helper()
	for _, want := range texts {
		m, err := p.Texted(e.ctx)
		e.must(err)
		if string(m.Body) != want {
			e.t.Fatalf("got %q, want %q", m.Body, want)
		}
		last = m
	}
	return last
}

// TestTexts is RFC 3428: taken at once, or stored and delivered in order.
func TestTexts(t *testing.T) {
	inEdge(t, func(e *edge) {
		a, b := e.phone("101"), e.phone("102")
		res, err := a.Message(e.ctx, "102", "hello")
		e.must(err)
		if res.Code != 200 {
			t.Fatalf("answered %d", res.Code)
		}
		m, err := b.Texted(e.ctx)
		e.must(err)
		e.has(m, "hello")
		if from := m.Header("From"); !strings.Contains(from, `"Phone 101" <sip:101@acme.example>`) {
			t.Errorf("From %q", from)
		}
		e.must(b.Unregister(e.ctx))
		for _, text := range []string{"one", "two", "three"} {
			res, err = a.Message(e.ctx, "102", text)
			e.must(err)
			if res.Code != 202 {
				t.Fatalf("answered %d", res.Code)
			}
		}
		time.Sleep(time.Hour)
		e.must(b.Register(e.ctx))
		for _, text := range []string{"one", "two", "three"} {
			m, err := b.Texted(e.ctx)
			e.must(err)
			e.has(m, text)
			at, err := time.Parse(time.RFC1123, m.Header("Date"))
			if err != nil || time.Since(at) < time.Hour {
				t.Errorf("Date %q", m.Header("Date"))
			}
		}
		synctest.Wait()
		if n := e.met.Value("cordpair_sip_text_messages_waiting"); n != 0 {
			t.Errorf("%v messages are left", n)
		}
	})
}

// came counts the MESSAGEs a phone received, retransmissions left out.
func came(p *siptest.Phone) (n int) {
	for _, r := range p.Messages() {
		if r.Message != nil && r.Message.Method == "MESSAGE" && !r.Sent && !r.Repeated {
			n++
		}
	}
	return n
}

// TestTextAnswers walks what a sender may be told.
func TestTextAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		to, text string
		head     []string
		answer   int // of the target's phone, 0 for none; -1: it is away
		want     int
		waits    float64 // messages stored afterwards
	}{
		"taken":                  {"102", "hi", nil, 200, 200, 0},
		"its full name":          {"102", "hi", nil, 202, 200, 0},
		"away":                   {"102", "hi", nil, -1, 202, 1},
		"away, now or never":     {"102", "hi", []string{"Expires", "0"}, -1, 480, 0},
		"there, now or never":    {"102", "hi", []string{"Expires", "0"}, 200, 200, 0},
		"silent":                 {"102", "hi", nil, 0, 202, 1},
		"not able to":            {"102", "hi", nil, 405, 202, 1},
		"busy":                   {"102", "hi", nil, 486, 202, 1},
		"not this kind":          {"102", "hi", nil, 415, 415, 0},
		"declined":               {"102", "hi", nil, 603, 603, 0},
		"seen already":           {"102", "hi", nil, 482, 200, 0},
		"nobody":                 {"199", "hi", nil, 200, 404, 0},
		"what cannot be dialled": {"a|b", "hi", nil, 200, 484, 0},
		"as long as may be":      {"102", strings.Repeat("x", 8<<10), nil, 200, 200, 0},
		"too long":               {"102", strings.Repeat("x", 8<<10+1), nil, 200, 413, 0},
		"nothing at all":         {"102", "", nil, 200, 200, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				a := e.phone("101")
				b := e.net.Phone("102", password, domain)
				if tc.answer >= 0 {
					e.must(b.Register(e.ctx))
					b.AnswerTexts(tc.answer)
				}
				begin := time.Now()
				e.text(a, tc.to, tc.text, tc.want, tc.head...)
				if took := time.Since(begin); took > 6*time.Second {
					t.Errorf("the sender waited %v", took)
				}
				if n := e.met.Value("cordpair_sip_text_messages_waiting"); n != tc.waits {
					t.Errorf("%v are stored", n)
				}
			})
		})
	}
}

// TestTextToAllPhones: every phone of the target gets it, one 200 is enough.
func TestTextToAllPhones(t *testing.T) {
	inEdge(t, func(e *edge) {
		a, b, c := e.phone("101"), e.phone("102"), e.phone("102", siptest.TCP)
		e.text(a, "0001*102", "by no known name", 404) // the test's directory knows bare names only
		c.AnswerTexts(415)
		e.text(a, "102", "one", 200)
		e.texted(b, "one")
		synctest.Wait() // the other one has answered too
		b.AnswerTexts(0)
		c.AnswerTexts(200)
		e.text(a, "102", "two", 200)
		e.texted(c, "two")
		synctest.Wait() // as above
		if came(b) != 2 || came(c) != 2 {
			t.Errorf("%d and %d came", came(b), came(c))
		}
	})
}

// TestTextRepeated (S9): a sender that did not hear the answer sends again; the
// target gets one.
func TestTextRepeated(t *testing.T) {
	inEdge(t, func(e *edge) {
		b := e.phone("102")
		u := e.rawUDP("10.0.9.1:5060")
		r := u.signed(request{method: "MESSAGE", uri: "sip:102@" + domain, contentType: "text/plain", body: "hi"})
		for range 3 {
			u.send(u.text(r))
			u.expect(200)
			wait(10 * time.Second)
		}
		r.branch = fresh("z9hG4bKraw") // by another path
		u.send(u.text(r))
		wait(time.Second)
		u.heard()
		if n := came(b); n != 1 {
			t.Errorf("%d came", n)
		}
	})
}

// TestTextPhoneWasSilent: a phone that answers after the sender was told 202 gets
// nothing a second time; one that never answered gets it when it registers again.
func TestTextPhoneWasSilent(t *testing.T) {
	inEdge(t, func(e *edge) {
		a, b := e.phone("101"), e.rawUDP("10.0.9.2:5060")
		b.register("102")
		e.text(a, "102", "hi", 202)
		first := b.heard()[0]
		wait(5 * time.Second)
		b.send(reply(first, 200, "far", nil, ""))
		if n := e.met.Value("cordpair_sip_text_messages_waiting"); n != 0 {
			t.Errorf("%v wait although the phone took it", n)
		}
		b.heard()
		e.text(a, "102", "again", 202)
		wait(time.Minute)
		id := b.heard()[0].CallID()
		b.register("102")
		wait(ms(700))
		m := b.one()
		b.send(reply(m, 200, "far", nil, ""))
		if m.CallID() != id {
			t.Error("the second attempt has another Call-ID")
		}
		b.register("102")
		wait(time.Minute)
		b.expect()
	})
}

// TestTextsSurvive (D1): what was answered 202 is delivered after a restart, in
// order and once, and counted for the lamp until then.
func TestTextsSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		e := &edge{t: t, ctx: t.Context(), net: siptest.NewNet(t), dir: newDirectory(), log: &logBuffer{}, met: metricstest.New()}
		stop := e.start(durable(db))
		a, b := e.phone("101"), e.net.Phone("102", password, domain)
		s, err := b.Subscribe(e.ctx, "message-summary", "102", time.Hour)
		e.must(err)
		e.has(e.notify(s, "active"), "Messages-Waiting: no\r\n", "Text-Message: 0/0 (0/0)\r\n")
		time.Sleep(time.Minute)
		var texts []string
		for i := range 20 {
			texts = append(texts, fmt.Sprintf("text %d", i))
			e.text(a, "102", texts[i], 202)
		}
		e.has(e.notify(s, "active"), "Messages-Waiting: yes\r\n") // at once, with what is there by then
		time.Sleep(2 * time.Second)
		if list := s.Notified(); !strings.Contains(string(list[len(list)-1].Body), "Text-Message: 20/0") {
			t.Errorf("the lamp says\n%s", list[len(list)-1].Body)
		}
		for range 2 { // the second time nothing is left
			stop()
			e.met = metricstest.New()
			stop = e.start(durable(db))
			e.must(b.Register(e.ctx))
			registered := time.Now()
			e.texted(b, texts...)
			if d := time.Since(registered); d > 2*time.Second {
				t.Errorf("who registered waited %v for what waits", d)
			}
			texts = nil
			time.Sleep(2 * time.Minute)
		}
		defer stop()
		if n := came(b); n != 20 {
			t.Errorf("%d came", n)
		}
		list := s.Notified()
		e.has(list[len(list)-1], "Messages-Waiting: no\r\n", "Text-Message: 0/0")
	})
}

// TestTextsWaitNoLonger: a message ends with its life, an extension takes its
// messages along, and a mailbox that is full says so.
func TestTextsWaitNoLonger(t *testing.T) {
	inEdge(t, func(e *edge) {
		a, waiting := e.phone("101"), func() float64 { return e.met.Value("cordpair_sip_text_messages_waiting") }
		e.text(a, "102", "soon over", 202, "Expires", "3600")
		e.text(a, "102", "lasts", 202)
		time.Sleep(time.Hour + time.Second)
		if waiting() != 1 {
			t.Errorf("%v wait after an hour", waiting())
		}
		time.Sleep(7 * 24 * time.Hour)
		if n := e.met.Value("cordpair_sip_text_messages_total", "expired"); waiting() != 0 || n != 2 {
			t.Errorf("%v wait after a week, %v expired", waiting(), n)
		}
		for range 2 {
			e.text(a, "102", "hi", 202)
		}
		e.text(a, "102", "one too many", 480)
		e.text(a, "103", "room for others", 202)
		e.srv.Forget(2)
		if waiting() != 1 {
			t.Errorf("%v wait after their extension is gone", waiting())
		}
	}, func(c *sip.Config) { c.Messages.PerTarget = 2 })
}

// TestTextsOneRefused: a message that no phone takes, ever, does not hold up
// those behind it.
func TestTextsOneRefused(t *testing.T) {
	inEdge(t, func(e *edge) {
		a, b := e.phone("101"), e.rawUDP("10.0.9.2:5060")
		for _, text := range []string{"one", "two", "three"} {
			e.text(a, "102", text, 202)
		}
		wait(time.Second)
		b.register("102")
		wait(ms(500)) // it has the 200 by then
		var got []string
		for _, answer := range []int{200, 415, 503} {
			wait(ms(100))
			m := b.one()
			got = append(got, string(m.Body()))
			b.send(reply(m, answer, "far", nil, ""))
		}
		wait(time.Minute)
		b.expect()
		if want := []string{"one", "two", "three"}; !slices.Equal(got, want) || e.met.Value("cordpair_sip_text_messages_waiting") != 1 {
			t.Errorf("%v; %v wait", got, e.met.Value("cordpair_sip_text_messages_waiting"))
		}
	})
}

// TestTextsToASilentPhone: who floods a phone that does not answer, without even
// wanting the messages stored, has a few of them on their way and no more.
func TestTextsToASilentPhone(t *testing.T) {
	inEdge(t, func(e *edge) {
		silent, u := e.rawUDP("10.0.9.2:5060"), e.rawUDP("10.0.9.1:5060")
		silent.register("102")
		flood := func(n int) {
			var list []request
			for range n {
				list = append(list, u.signed(request{
					method: "MESSAGE", uri: "sip:102@" + domain, head: []string{"Expires: 0"}, contentType: "text/plain", body: "hello",
				}))
			}
			for _, r := range list {
				u.send(u.text(r))
			}
		}
		flood(30)
		if got := len(silent.heard()); got != 20 {
			t.Errorf("%d messages came", got)
		}
		if n := e.met.Value("cordpair_sip_held", "texts_under_way"); n != 20 {
			t.Errorf("the gauge says %v", n)
		}
		if got := statuses(u.heard()); len(got) != 10 || got[0] != 480 {
			t.Errorf("the sender got %v", got)
		}
		wait(33 * time.Second)
		silent.heard()
		u.heard()
		flood(1)
		silent.one()
	})
}
