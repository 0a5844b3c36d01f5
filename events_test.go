package cordpair_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip/siptest"
)

// notified waits for the next NOTIFY of a subscription and checks its state.
func (w *world) notified(s *siptest.Subscription, state string) string {
	w.t.Helper()
	m, err := s.Notify(w.ctx)
	w.must(err)
	if got := m.Header("Subscription-State"); !strings.HasPrefix(got, state) {
		w.t.Fatalf("Subscription-State %q, want %s", got, state)
	}
	return string(m.Body)
}

// message sends a text and checks the answer.
func (w *world) message(from *siptest.Phone, to string, code int) {
	w.t.Helper()
	res, err := from.Message(w.ctx, to, "hello "+to)
	w.must(err)
	if res.Code != code {
		w.t.Fatalf("to %s: %d, want %d", to, res.Code, code)
	}
}

// counts checks a metric.
func (w *world) counts(line string) {
	w.t.Helper()
	if !strings.Contains(w.sw.Metrics(), "\n"+line+"\n") {
		w.t.Errorf("no %q", line)
	}
}

// TestTextsReachEveryName: a text finds whom a call would find, and only there.
func TestTextsReachEveryName(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b := w.phone("101"), w.phone("102")
		full := decoded(t, []byte(w.operate(200, "GET", "/client/1/extension/@102", "")))["name"].(string)
		for _, name := range []string{"102", full} {
			w.message(a, name, 200)
			m, err := b.Texted(w.ctx)
			w.must(err)
			if string(m.Body) != "hello "+name {
				t.Errorf("%s", m)
			}
		}
		for _, nobody := range []string{"199", "*43", "9999*102"} {
			w.message(a, nobody, 404)
		}
	})
}

// TestEventsOfTheManaged: a blocked extension loses its subscriptions, a deleted
// one also what waited for it.
func TestEventsOfTheManaged(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b := w.phone("101"), w.phone("102")
		s, err := b.Subscribe(w.ctx, "message-summary", "102", time.Hour)
		w.must(err)
		w.notified(s, "active")
		w.operate(200, "PUT", "/client/1/extension/@102", `{"status":"blocked"}`)
		w.notified(s, "terminated;reason=rejected")
		w.message(a, "102", 404)
		w.message(a, "103", 202)
		w.counts("cordpair_sip_text_messages_waiting 1")
		w.operate(204, "DELETE", "/client/1/extension/@103", "")
		w.counts("cordpair_sip_text_messages_waiting 0")
	})
}
