package sip_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/metricstest"
	"github.com/cordpair/cordpair/sip/siptest"
	"github.com/cordpair/cordpair/store/storetest"
)

const (
	mwi     = "message-summary"
	mwiType = "application/simple-message-summary"
	mwiBody = "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n"
)

// TestPublishAnswers walks what may be wrong with a PUBLISH (RFC 3903 section 6).
func TestPublishAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		to     string
		head   []string
		kind   string
		body   string
		status int
		header string
		value  string
	}{
		"first":               {"101", []string{"Event: " + mwi, "Expires: 300"}, mwiType, mwiBody, 200, "Expires", "300"},
		"as long as we like":  {"101", []string{"Event: " + mwi}, mwiType, mwiBody, 200, "Expires", "3600"},
		"too brief":           {"101", []string{"Event: " + mwi, "Expires: 10"}, mwiType, mwiBody, 423, "Min-Expires", "60"},
		"unknown package":     {"101", []string{"Event: weather"}, mwiType, mwiBody, 489, "Allow-Events", "reg, message-summary"},
		"no package":          {"101", nil, mwiType, mwiBody, 489, "Allow-Events", "reg, message-summary"},
		"not to be published": {"101", []string{"Event: reg"}, "application/reginfo+xml", "<x/>", 489, "Allow-Events", "reg, message-summary"},
		"another type":        {"101", []string{"Event: " + mwi}, "text/plain", mwiBody, 415, "Accept", mwiType},
		"no body":             {"101", []string{"Event: " + mwi}, "", "", 400, "", ""},
		"a bad body":          {"101", []string{"Event: " + mwi}, mwiType, "Voice-Message: 1/0\r\n", 400, "", ""},
		"a long body":         {"101", []string{"Event: " + mwi}, mwiType, mwiBody + strings.Repeat("\r\n", 2048), 413, "", ""},
		"no such tag":         {"101", []string{"Event: " + mwi, "SIP-If-Match: abc"}, "", "", 412, "", ""},
		"a malformed tag":     {"101", []string{"Event: " + mwi, "SIP-If-Match: a b"}, "", "", 400, "", ""},
		"for another":         {"102", []string{"Event: " + mwi}, mwiType, mwiBody, 403, "", ""},
		"for nobody":          {"199", []string{"Event: " + mwi}, mwiType, mwiBody, 403, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := e.rawUDP("10.0.9.1:5060")
				r := request{method: "PUBLISH", uri: "sip:" + tc.to + "@" + domain, head: tc.head, contentType: tc.kind, body: tc.body}
				u.fill(&r)
				u.send(u.text(r))
				answer := u.one()
				if answer.Status() == 401 {
					value, _ := answer.Header("WWW-Authenticate")
					r = u.withCredentials(r, value, "Authorization")
					u.send(u.text(r))
					answer = u.one()
				}
				value, _ := answer.Header(tc.header)
				tag, _ := answer.Header("SIP-ETag")
				if answer.Status() != tc.status || tc.header != "" && value != tc.value || (tag != "") != (tc.status == 200) {
					t.Errorf("%d, %s: %q, tag %q; want %d, %q", answer.Status(), tc.header, value, tag, tc.status, tc.value)
				}
				before := answer.raw
				u.send(u.text(r)) // repeated: one effect, the same answer
				if again := u.one(); tc.status == 200 && (again.raw != before || e.met.Value("cordpair_sip_publications") != 1) {
					t.Errorf("repeated: %s", again.raw)
				}
			})
		})
	}
}

// TestPublicationEnds: by its time, by its publisher, with its extension; the
// watcher hears of it.
func TestPublicationEnds(t *testing.T) {
	inEdge(t, func(e *edge) {
		a := e.phone("101")
		s, err := a.Subscribe(e.ctx, mwi, "101", time.Hour)
		e.must(err)
		e.has(e.notify(s, "active"), "Messages-Waiting: no")
		_, err = a.Publish(e.ctx, mwi, "", time.Minute, mwiType, []byte(mwiBody))
		e.must(err)
		e.has(e.notify(s, "active"), "Messages-Waiting: yes")
		begin := time.Now()
		e.has(e.notify(s, "active"), "Messages-Waiting: no")
		if took := time.Since(begin); took < 58*time.Second || took > 62*time.Second {
			t.Errorf("it ended after %v", took)
		}
		for range 10 {
			_, err := a.Publish(e.ctx, mwi, "", time.Hour, mwiType, []byte(mwiBody))
			e.must(err)
		}
		if _, err := a.Publish(e.ctx, mwi, "", time.Hour, mwiType, []byte(mwiBody)); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("the eleventh: %v", err)
		}
		time.Sleep(2 * time.Second)
		list := s.Notified()
		e.has(list[len(list)-1], "Voice-Message: 10/0") // all sources together
		e.srv.Forget(1)
		if n := e.met.Value("cordpair_sip_publications"); n != 0 {
			t.Errorf("%v publications", n)
		}
	})
}

// TestPublicationsSurvive (D1): the tag is good after a restart.
func TestPublicationsSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		e := &edge{t: t, ctx: t.Context(), net: siptest.NewNet(t), dir: newDirectory(), log: &logBuffer{}, met: metricstest.New()}
		stop := e.start(durable(db))
		a := e.phone("101")
		tag, err := a.Publish(e.ctx, mwi, "", time.Hour, mwiType, []byte(mwiBody))
		e.must(err)
		stop()
		time.Sleep(time.Minute)
		e.met = metricstest.New()
		stop = e.start(durable(db), func(c *sip.Config) { c.Events.MaxPerPhone = 1 })
		defer stop()
		s, err := a.Subscribe(e.ctx, mwi, "101", time.Hour)
		e.must(err)
		e.has(e.notify(s, "active"), "Messages-Waiting: yes")
		_, err = a.Publish(e.ctx, mwi, tag, 0, "", nil)
		e.must(err)
		e.has(e.notify(s, "active"), "Messages-Waiting: no")
	})
}
