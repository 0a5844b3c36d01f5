package sip_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/event"
	"github.com/cordpair/cordpair/sip/siptest"
)

// lamps is an event package that anybody of the client may watch; who is not
// there looks like one that is off.
type lamps struct {
	mu sync.Mutex
	on map[int64]int
}

func (*lamps) Name() string    { return "lamp" }
func (*lamps) Types() []string { return []string{"text/lamp", "text/other"} }

func (*lamps) Access(w event.Watcher, r event.Resource) event.Access {
	switch {
	case r.Extension == 0:
		return event.Closed
	case r.Extension == 4:
		return event.Refused // a private one
	}
	return event.Open
}

func (l *lamps) Document(q event.Query) (event.Document, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	if q.Access == event.Open {
		n = l.on[q.Resource.Extension]
	}
	if !q.Full && q.Seen == n {
		return event.Document{}, false
	}
	return event.Document{Body: fmt.Appendf(nil, "%s v%d is %d", q.Resource.URI, q.Version, n), Seen: n}, true
}

// set switches a lamp and says so.
func (l *lamps) set(e *edge, extension int64, n int) {
	l.mu.Lock()
	l.on[extension] = n
	l.mu.Unlock()
	e.srv.Changed("lamp", extension)
}

// inLamps is inEdge with lamps.
func inLamps(t *testing.T, f func(e *edge, l *lamps), change ...func(*sip.Config)) {
	t.Helper()
	l := &lamps{on: map[int64]int{}}
	plug := func(c *sip.Config) { c.Events.Packages = []event.Package{l} }
	inEdge(t, func(e *edge) { f(e, l) }, append([]func(*sip.Config){plug}, change...)...)
}

// TestSubscribeAnswers walks what may be wrong with a SUBSCRIBE or right with it
// (function-keys.md 4.1 and 4.11).
func TestSubscribeAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		uri    string // of the resource, "102" when empty
		head   []string
		status int
		header string // and its value
		value  string
	}{
		"an hour":                 {"", []string{"Event: lamp", "Expires: 3600"}, 200, "Expires", "3600"},
		"as long as we like":      {"", []string{"Event: lamp"}, 200, "Expires", "3600"},
		"shortened":               {"", []string{"Event: lamp", "Expires: 7200"}, 200, "Expires", "3600"},
		"never lengthened":        {"", []string{"Event: lamp", "Expires: 60"}, 200, "Expires", "60"},
		"too brief":               {"", []string{"Event: lamp", "Expires: 59"}, 423, "Min-Expires", "60"},
		"a fetch":                 {"", []string{"Event: lamp", "Expires: 0"}, 200, "Expires", "0"},
		"an unknown package":      {"", []string{"Event: weather"}, 489, "Allow-Events", "reg, message-summary, lamp"},
		"no package":              {"", nil, 489, "Allow-Events", "reg, message-summary, lamp"},
		"the compact form":        {"", []string{"o: lamp"}, 200, "", ""},
		"a malformed package":     {"", []string{"Event: la mp"}, 400, "", ""},
		"an unknown type":         {"", []string{"Event: lamp", "Accept: text/plain"}, 406, "Accept", "text/lamp, text/other"},
		"any type":                {"", []string{"Event: lamp", "Accept: */*"}, 200, "", ""},
		"the second type":         {"", []string{"Event: lamp", "Accept: text/other"}, 200, "", ""},
		"not allowed":             {"104", []string{"Event: lamp"}, 403, "", ""},
		"another's registrations": {"102", []string{"Event: reg"}, 403, "", ""},
		"another's messages":      {"102", []string{"Event: message-summary"}, 403, "", ""},
		"nobody's registrations":  {"199", []string{"Event: reg"}, 403, "", ""},
		"nobody":                  {"199", []string{"Event: lamp"}, 200, "", ""},
		"what cannot be a number": {"a|b", []string{"Event: lamp"}, 404, "", ""},
		"an unknown extension":    {"", []string{"Event: lamp", "Require: eventlist"}, 420, "Unsupported", "eventlist"},
	} {
		t.Run(name, func(t *testing.T) {
			inLamps(t, func(e *edge, _ *lamps) {
				if tc.uri == "" {
					tc.uri = "102"
				}
				u := e.rawUDP("10.0.9.1:5060")
				r := request{method: "SUBSCRIBE", uri: "sip:" + tc.uri + "@" + domain, head: tc.head}
				u.fill(&r)
				u.send(u.text(r))
				answer := u.one()
				if answer.Status() == 401 { // and never 407
					value, _ := answer.Header("WWW-Authenticate")
					r = u.withCredentials(r, value, "Authorization")
					u.send(u.text(r))
					list := u.heard()
					answer = list[0]
					if got := answer.Status() == 200; got != (len(list) == 2) {
						t.Errorf("%v: a NOTIFY belongs behind a 200 only", starts(list))
					}
				}
				value, _ := answer.Header(tc.header)
				if answer.Status() != tc.status || tc.header != "" && value != tc.value {
					t.Errorf("%d, %s: %q; want %d, %q\n%s", answer.Status(), tc.header, value, tc.status, tc.value, answer.raw)
				}
			})
		})
	}
}

// TestSubscriptionLives is one subscription from the first SUBSCRIBE to the last
// NOTIFY: at once after every SUBSCRIBE, versions and CSeq without a gap.
func TestSubscriptionLives(t *testing.T) {
	inLamps(t, func(e *edge, l *lamps) {
		a := e.phone("101")
		s, err := a.Subscribe(e.ctx, "lamp;id=7", "102", 10*time.Minute)
		e.must(err)
		begin := time.Now()
		m := e.notify(s, "active;expires=600")
		e.has(m, "sip:102@acme.example v0 is 0")
		for name, want := range map[string]string{"Event": "lamp;id=7", "Content-Type": "text/lamp", "CSeq": "1 NOTIFY", "Allow-Events": "reg, message-summary, lamp"} {
			if got := m.Header(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		l.set(e, 2, 1) // within a second of the last NOTIFY: not before that is over
		e.has(e.notify(s, "active"), "v1 is 1")
		if took := time.Since(begin); took < time.Second || took > 1100*time.Millisecond {
			t.Errorf("the change came after %v", took)
		}
		e.must(s.Refresh(e.ctx, 5*time.Minute))
		e.has(e.notify(s, "active;expires=300"), "v2 is 1")
		time.Sleep(5 * time.Minute)
		e.has(e.notify(s, "terminated;reason=timeout"), "v3 is 1")
		if err := s.Refresh(e.ctx, time.Minute); err == nil || !strings.Contains(err.Error(), "481") {
			t.Errorf("a refresh after the end: %v", err)
		}
		if err := s.Refresh(e.ctx, 0); err == nil || !strings.Contains(err.Error(), "481") { // harmless
			t.Errorf("an end after the end: %v", err)
		}
		e.quiet(s)
	})
}

// TestNotifyPace (S16): of many changes the first goes out at once, then at most
// one in a second, and the last state always.
func TestNotifyPace(t *testing.T) {
	inLamps(t, func(e *edge, l *lamps) {
		a := e.phone("101")
		s, err := a.Subscribe(e.ctx, "lamp", "102", time.Hour)
		e.must(err)
		e.notify(s, "active")
		time.Sleep(5 * time.Second)
		begin := time.Now()
		for n := range 100 { // 10 s of 10 changes each
			l.set(e, 2, n+1)
			if n == 0 {
				e.has(e.notify(s, "active"), "is 1")
				if time.Since(begin) > ms(10) {
					t.Error("the first change waited")
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		list := s.Notified()
		if n := len(list); n < 11 || n > 13 {
			t.Errorf("%d NOTIFYs in all", n)
		}
		e.has(list[len(list)-1], "is 100")
		e.quiet(s)
	})
}

// TestNotifyRefused walks the answers to a NOTIFY: those of RFC 6665 section
// 4.2.2 end the subscription, others do not.
func TestNotifyRefused(t *testing.T) {
	for code, ends := range map[int]bool{
		404: true, 405: true, 410: true, 416: true, 480: true, 481: true, 482: true, 483: true, 484: true, 485: true,
		489: true, 501: true, 604: true,
		200: false, 202: false, 302: false, 400: false, 401: false, 403: false, 407: false, 415: false, 486: false, 488: false,
		500: false, 503: false, 600: false, 603: false,
	} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			inLamps(t, func(e *edge, l *lamps) {
				a := e.phone("101")
				s, err := a.Subscribe(e.ctx, "lamp", "102", time.Hour)
				e.must(err)
				e.notify(s, "active")
				s.AnswerWith(code)
				l.set(e, 2, 1)
				e.notify(s, "active")
				s.AnswerWith(200)
				time.Sleep(2 * time.Second)
				l.set(e, 2, 2)
				time.Sleep(2 * time.Second)
				if n := len(s.Notified()); ends != (n == 2) || ends != (e.srv.Subscriptions() == 0) {
					t.Errorf("%d NOTIFYs, %d subscriptions", n, e.srv.Subscriptions())
				}
			})
		})
	}
}

// TestNotifyUnanswered: one NOTIFY at a time; after timer F the state is sent once
// more, then the subscription goes.
func TestNotifyUnanswered(t *testing.T) {
	for name, tc := range map[string]struct {
		back time.Duration // when the phone answers again
		left int
	}{
		"back in time":    {31 * time.Second, 1}, // for the second attempt
		"not back at all": {time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inLamps(t, func(e *edge, l *lamps) {
				a := e.phone("101")
				s, err := a.Subscribe(e.ctx, "lamp", "102", time.Hour)
				e.must(err)
				e.notify(s, "active")
				time.Sleep(2 * time.Second)
				s.AnswerWith(0)
				l.set(e, 2, 1)
				e.has(e.notify(s, "active"), "is 1")
				time.Sleep(3 * time.Second)
				l.set(e, 2, 2) // waits behind the one that is out
				time.Sleep(25 * time.Second)
				if n := len(s.Notified()); n != 2 {
					t.Fatalf("%d NOTIFYs, one being out", n)
				}
				time.AfterFunc(tc.back-30*time.Second, func() { s.AnswerWith(200) })
				time.Sleep(40 * time.Second)
				if tc.left == 1 {
					l.set(e, 2, 3)
				}
				time.Sleep(5 * time.Minute)
				list := s.Notified()
				e.has(list[2], "is 2")
				if n := e.srv.Subscriptions(); n != tc.left || len(list) != 3+tc.left {
					t.Errorf("%d NOTIFYs, %d subscriptions", len(list), n)
				}
			})
		})
	}
}

// TestSubscriptionFollowsThePhone: over a new connection with the same
// registration, and to its end with the registration.
func TestSubscriptionFollowsThePhone(t *testing.T) {
	inLamps(t, func(e *edge, l *lamps) {
		a := e.phone("101", siptest.TCP)
		s, err := a.Subscribe(e.ctx, "lamp", "102", time.Hour)
		e.must(err)
		e.notify(s, "active")
		a.Disconnect()
		time.Sleep(2 * time.Second)
		l.set(e, 2, 1)
		e.quiet(s) // nowhere to send it
		e.must(a.Register(e.ctx))
		e.has(e.notify(s, "active"), "is 1")
		e.must(s.Refresh(e.ctx, time.Hour)) // the old nonce is no obstacle
		e.notify(s, "active")
		e.must(a.Unregister(e.ctx))
		if m := e.notify(s, "terminated;reason=deactivated"); len(m.Body) != 0 {
			t.Errorf("a body: %s", m)
		}
		if n := e.srv.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

// TestSubscriptionEnds: deleted and blocked extensions.
func TestSubscriptionEnds(t *testing.T) {
	inLamps(t, func(e *edge, _ *lamps) {
		subscribe := func(p *siptest.Phone, to string) *siptest.Subscription {
			s, err := p.Subscribe(e.ctx, "lamp", to, time.Hour)
			e.must(err)
			e.notify(s, "active")
			return s
		}
		a, b := e.phone("101"), e.phone("102")
		to2, to3, of2 := subscribe(a, "102"), subscribe(a, "103"), subscribe(b, "101")
		e.srv.Forget(2)
		e.notify(to2, "terminated;reason=noresource")
		e.notify(of2, "terminated;reason=rejected")
		e.srv.Expel(1)
		e.notify(to3, "terminated;reason=rejected")
		if n := e.srv.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

// TestSubscriptionReplaced (function-keys.md 6 row 6): a phone that begins anew has one
// subscription, another phone of the extension its own.
func TestSubscriptionReplaced(t *testing.T) {
	inLamps(t, func(e *edge, l *lamps) {
		a, b := e.phone("101"), e.phone("101")
		var subs []*siptest.Subscription
		for _, p := range []*siptest.Phone{a, a, a, b} {
			s, err := p.Subscribe(e.ctx, "lamp", "102", time.Hour)
			e.must(err)
			e.notify(s, "active")
			subs = append(subs, s)
		}
		l.set(e, 2, 1)
		time.Sleep(2 * time.Second)
		var got []int
		for _, s := range subs {
			got = append(got, len(s.Notified()))
		}
		if want := []int{1, 1, 2, 2}; !slices.Equal(got, want) || e.srv.Subscriptions() != 2 {
			t.Errorf("NOTIFYs %v, want %v; %d subscriptions", got, want, e.srv.Subscriptions())
		}
	})
}

// TestSubscriptionCaps (S16, O5).
func TestSubscriptionCaps(t *testing.T) {
	inLamps(t, func(e *edge, _ *lamps) {
		a, b := e.phone("101"), e.phone("102")
		try := func(p *siptest.Phone, id int) string {
			_, err := p.Subscribe(e.ctx, fmt.Sprintf("lamp;id=%d", id), "103", time.Hour)
			if err == nil {
				return "200"
			}
			return p.LastResponse().Reason
		}
		for id := range 3 {
			if got := try(a, id); got != "200" {
				t.Fatal(got)
			}
		}
		if got := try(a, 3); got != "Too Many Subscriptions" {
			t.Errorf("the fourth of one phone: %s", got)
		}
		if got := try(a, 2); got != "200" {
			t.Errorf("one that replaces: %s", got)
		}
		if got := try(b, 0) + try(b, 1); got != "200Service Unavailable" {
			t.Errorf("the last places: %s", got)
		}
		e.dir.set("103", func(a *sip.Account) { a.Client = 2 })
		other := e.phone("103")
		if got := try(other, 0) + try(other, 1); got != "200Service Unavailable" {
			t.Errorf("of another client: %s", got)
		}
		if after := other.LastResponse().Header("Retry-After"); after == "" {
			t.Error("a client's limit, which passes, has no Retry-After")
		}
		if n := e.met.Value("cordpair_sip_subscriptions"); n != 5 {
			t.Errorf("the gauge says %v", n)
		}
	}, func(c *sip.Config) { c.Events.MaxPerPhone, c.Events.MaxPerClient, c.Events.MaxSubscriptions = 3, 4, 5 })
}

// TestOtherTenants (T2): what another client has looks as if nobody had it.
func TestOtherTenants(t *testing.T) {
	inLamps(t, func(e *edge, l *lamps) {
		e.dir.set("103", func(a *sip.Account) { a.Client = 2 })
		a := e.phone("101")
		var bodies []string
		for _, number := range []string{"103", "199"} {
			s, err := a.Subscribe(e.ctx, "lamp", number, time.Hour)
			e.must(err)
			l.set(e, 3, 1)
			m := e.notify(s, "active;expires=3600")
			e.quiet(s)
			bodies = append(bodies, strings.ReplaceAll(string(m.Body), number, "N"))
			res, err := a.Message(e.ctx, number, "hello")
			e.must(err)
			bodies[len(bodies)-1] += strconv.Itoa(res.Code)
		}
		if bodies[0] != bodies[1] || !strings.Contains(bodies[0], "404") {
			t.Errorf("%q", bodies)
		}
	})
}
