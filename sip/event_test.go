package sip_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/siptest"
)

// notify returns the next NOTIFY of a subscription and checks its state.
func (e *edge) notify(s *siptest.Subscription, state string) *siptest.Message {
	e.t.Helper()
	m, err := s.Notify(e.ctx)
	e.must(err)
	if got := m.Header("Subscription-State"); !strings.HasPrefix(got, state) {
		e.t.Fatalf("Subscription-State %q, want %s", got, state)
	}
	return m
}

// quiet checks that no further NOTIFY came.
func (e *edge) quiet(s *siptest.Subscription) {
	e.t.Helper()
	synctest.Wait()
	before := len(s.Notified())
	time.Sleep(40 * time.Second)
	if n := len(s.Notified()); n != before {
		e.t.Fatalf("%d NOTIFYs more", n-before)
	}
}

// has checks that a body holds texts.
func (e *edge) has(m *siptest.Message, texts ...string) {
	e.t.Helper()
	for _, want := range texts {
		if !strings.Contains(string(m.Body), want) {
			e.t.Errorf("no %q in\n%s", want, m)
		}
	}
}

// TestRegPackage is RFC 3680: full state at first, then what changed.
func TestRegPackage(t *testing.T) {
	inEdge(t, func(e *edge) {
		a := e.phone("101")
		s, err := a.Subscribe(e.ctx, "reg", "101", time.Hour, "Accept", "application/reginfo+xml")
		e.must(err)
		m := e.notify(s, "active;expires=3600")
		e.has(m, `state="full"`, `version="0"`, `aor="sip:101@acme.example"`, `event="registered"`, "<uri>sip:101@10.0.1.1:5060</uri>")
		b := e.phone("101")
		m = e.notify(s, "active")
		e.has(m, `state="partial"`, `version="1"`, `event="created"`, "<uri>sip:101@10.0.1.2:5060</uri>")
		time.Sleep(5 * time.Second)
		e.must(b.Register(e.ctx)) // a refresh is no news
		e.must(b.Unregister(e.ctx))
		m = e.notify(s, "active")
		e.has(m, `version="2"`, `state="terminated"`, `event="unregistered"`, "10.0.1.2")
		if strings.Contains(string(m.Body), "10.0.1.1") {
			t.Errorf("what did not change is told:\n%s", m.Body)
		}
		e.must(s.Refresh(e.ctx, 10*time.Minute))
		m = e.notify(s, "active;expires=600")
		e.has(m, `version="3"`, `state="full"`, "10.0.1.1")
		e.must(s.Refresh(e.ctx, 0))
		m = e.notify(s, "terminated;reason=timeout")
		e.has(m, `version="4"`, `state="full"`)
		e.quiet(s)
		if n := e.srv.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}

// TestMessageSummary is RFC 3842 with a mail system that publishes (RFC 3903).
func TestMessageSummary(t *testing.T) {
	inEdge(t, func(e *edge) {
		a := e.phone("101")
		s, err := a.Subscribe(e.ctx, "message-summary", "101", time.Hour)
		e.must(err)
		e.has(e.notify(s, "active"), "Messages-Waiting: no\r\n", "Message-Account: sip:101@acme.example\r\n", "Voice-Message: 0/0 (0/0)\r\n")
		box := e.net.Phone("101", password, domain)
		body := []byte("Messages-Waiting: yes\r\nVoice-Message: 2/8 (1/2)\r\n")
		tag, err := box.Publish(e.ctx, "message-summary", "", time.Hour, "application/simple-message-summary", body)
		e.must(err)
		e.has(e.notify(s, "active"), "Messages-Waiting: yes\r\n", "Voice-Message: 2/8 (1/2)\r\n")
		if tag, err = box.Publish(e.ctx, "message-summary", tag, time.Hour, "", nil); err != nil {
			t.Fatal(err)
		}
		e.quiet(s) // a refresh is no news
		if _, err = box.Publish(e.ctx, "message-summary", tag, 0, "", nil); err != nil {
			t.Fatal(err)
		}
		e.has(e.notify(s, "active"), "Messages-Waiting: no\r\n")
	})
}

// TestFetch: Expires 0 gets the state once and leaves nothing.
func TestFetch(t *testing.T) {
	inLamps(t, func(e *edge, l *lamps) {
		a := e.phone("101")
		l.set(e, 2, 5)
		s, err := a.Subscribe(e.ctx, "lamp", "102", 0)
		e.must(err)
		e.has(e.notify(s, "terminated;reason=timeout"), "is 5")
		l.set(e, 2, 6)
		e.quiet(s)
		if n := e.srv.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

// TestSubscriptionsOfOneExtension: who speaks from ever new addresses does not take
// the places of others.
func TestSubscriptionsOfOneExtension(t *testing.T) {
	inLamps(t, func(e *edge, _ *lamps) {
		for i := range 11 {
			u := e.rawUDP(fmt.Sprintf("10.0.9.1:%d", 6000+i))
			r := u.signed(request{method: "SUBSCRIBE", uri: "sip:103@" + domain, head: []string{"Event: lamp"}})
			u.send(u.text(r))
			want := 200
			if i == 10 {
				want = 403
			}
			if got := u.heard()[0]; got.Status() != want {
				t.Errorf("number %d got %q", i, got.raw)
			}
		}
	}, func(c *sip.Config) { c.Events.MaxPerPhone = 1 })
}
