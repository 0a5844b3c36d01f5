package cordpair_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/sip/siptest"
)

// operate lets the operator ask the API, and returns the body.
func (w *world) operate(status int, method, path, body string) string {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.ctx, method, apiBase+path, strings.NewReader(body))
	rec := httptest.NewRecorder()
	w.sw.OperatorAPI().ServeHTTP(rec, r)
	if rec.Code != status {
		w.t.Fatalf("%s %s %s = %d %s, want %d", method, path, body, rec.Code, rec.Body, status)
	}
	return rec.Body.String()
}

// gone wants a call to end at both sides within two seconds (F9).
func (w *world) gone(since time.Time, calls ...*siptest.Call) {
	w.t.Helper()
	for _, c := range calls {
		_, err := c.WaitEnded(w.ctx)
		w.must(err)
	}
	if took := time.Since(since); took > 2*time.Second { // virtual
		w.t.Errorf("ended after %v", took)
	}
	w.free()
}

// registered tells whether an extension of client 1 has a registration.
func (w *world) registered(number string) bool {
	w.t.Helper()
	synctest.Wait()
	return strings.Contains(w.operate(200, "GET", "/client/1/registration/", ""), `"registered":true,"extension_id":`+w.idOf(number)+`,`)
}

func (w *world) idOf(number string) string {
	w.t.Helper()
	body := w.operate(200, "GET", "/client/1/extension/@"+number, "")
	return fmt.Sprint(decoded(w.t, []byte(body))["id"])
}

// TestBlockedAtOnce (F9): when the answer to the PUT arrives, the extension's
// calls end, its registration goes, and nothing of it is let in; unblocked, it
// works again.
func TestBlockedAtOnce(t *testing.T) {
	for _, c := range []struct{ name, path, block, unblock string }{
		{"extension", "/client/1/extension/@101", `{"status":"blocked"}`, `{"status":"active"}`},
		{"client", "/admin/client/1", `{"status":"blocked"}`, `{"status":null}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a, b, other := w.phone("101"), w.phone("102"), w.phone("103")
				out, in := w.talk(a, b)
				id := w.idOf("101")
				began := time.Now()
				w.operate(200, "PUT", c.path, c.block)
				next := w.call(a, "103")
				w.refusedLike(next)
				w.gone(began, out, in)
				if w.registered("101") {
					t.Error("is registered")
				}
				w.refusedLike(w.call(other, "101"))
				if err := a.Register(w.ctx); err == nil {
					t.Error("registered while blocked")
				}
				if n := other.Stats().Unexpected; n != 0 {
					t.Errorf("the other phone got %d requests", n)
				}
				w.operate(200, "PUT", c.path, c.unblock)
				w.must(a.Register(w.ctx))
				w.must(b.Register(w.ctx))
				out, in = w.talk(b, a)
				w.must(out.Hangup(w.ctx))
				_, err := in.WaitEnded(w.ctx)
				w.must(err)
				if w.idOf("101") != id {
					t.Error("101 is another extension now")
				}
			})
		})
	}
}

// TestNewExtensionAtOnce: an extension made over the API registers and is called
// when the answer has arrived; its password can be changed, and the old one ends.
func TestNewExtensionAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		const first, second = "first pass phrase", "second pass phrase"
		w.operate(201, "POST", "/client/1/extension/", `{"name":"150","label":"New"}`)
		w.operate(200, "PUT", "/extension/"+w.idOf("150")+"/phone/", `{"password":"`+first+`"}`)
		p := w.net.Phone("150", first, domain)
		w.must(p.Register(w.ctx))
		out, in := w.talk(w.phone("101"), p)
		w.must(out.Hangup(w.ctx))
		_, err := in.WaitEnded(w.ctx)
		w.must(err)

		w.operate(200, "PUT", "/extension/"+w.idOf("150")+"/phone/", `{"password":"`+second+`"}`)
		if err := p.Register(w.ctx); err == nil {
			t.Error("registered with the old password")
		}
		w.refusedLike(w.call(p, "101"))
		w.must(w.net.Phone("150", second, domain).Register(w.ctx))
	})
}

// TestDeletedAtOnce: what is deleted is nowhere any more.
func TestDeletedAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b := w.phone("101"), w.phone("102")
		out, in := w.talk(a, b)
		id, began := w.idOf("102"), time.Now()
		w.operate(204, "DELETE", "/client/1/extension/"+id, "")
		w.gone(began, out, in)
		w.refused(w.call(a, "102"), 404)
		if err := b.Register(w.ctx); err == nil {
			t.Error("a deleted extension registered")
		}
		for _, path := range []string{"/client/1/extension/" + id, "/extension/" + id + "/registration/", "/extension/" + id + "/phone/"} {
			w.operate(404, "GET", path, "")
		}
		w.operate(201, "POST", "/client/1/extension/", `{"name":"102"}`)
		if again := w.idOf("102"); again == id {
			t.Error("an id was used twice")
		}
	})
}

// TestLastWriteCounts: of many changes at the same time each is whole, and what
// is read afterwards is what calls see.
func TestLastWriteCounts(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b := w.phone("101"), w.phone("102")
		done := make(chan struct{})
		for i := range 8 {
			go func() { // ends with its ten writes
				defer func() { done <- struct{}{} }()
				for n := range 10 {
					w.operate(200, "PUT", "/client/1/extension/@101", fmt.Sprintf(`{"label":"L%d-%d","caller_id_name":"L%d-%d"}`, i, n, i, n))
				}
			}()
		}
		for range 8 {
			<-done
		}
		x := decoded(t, []byte(w.operate(200, "GET", "/client/1/extension/@101", "")))
		if x["label"] != x["caller_id_name"] {
			t.Errorf("half of two writes: %v", x)
		}
		out := w.call(a, "102")
		in := w.incoming(b)
		if from := in.Invite().Header("From"); !strings.HasPrefix(from, fmt.Sprintf(`"%v"`, x["label"])) {
			t.Errorf("callee sees %s, the API says %v", from, x["label"])
		}
		w.must(out.Cancel(w.ctx))
		_, err := in.WaitEnded(w.ctx)
		w.must(err)
	}, func(cfg *cordpair.Config) { cfg.Demo = false })
}
