package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func keyed(token, key, body string) *http.Request {
	r := request("POST", "/client/@me/extension/", token, body)
	r.Header.Set("Idempotency-Key", key)
	return r
}

func TestRepeatedPostIsAnsweredAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const body = `{"name":"103"}`
		first := w.serve(keyed("client", "k", body))
		again := w.serve(keyed("client", "k", body))
		if first.Code != 201 || again.Code != 201 || again.Body.String() != first.Body.String() {
			t.Errorf("%d %s\n%d %s", first.Code, first.Body, again.Code, again.Body)
		}
		if again.Header().Get("Idempotency-Replayed") != "true" || again.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%v", again.Header())
		}
		if a, b := first.Header()[limitHeaders[1]], again.Header()[limitHeaders[1]]; slices.Equal(a, b) {
			t.Error("the limits are those of the first request")
		}
		if p := problemIn(t, w.serve(keyed("client", "k", `{"name":"104"}`)), 409); p.Code != "idempotency_key_reused" {
			t.Errorf("%+v", p)
		}
		if rec := w.serve(keyed("other", "k", body)); rec.Code != 201 || rec.Header().Get("Idempotency-Replayed") != "" {
			t.Errorf("another client got %d %s", rec.Code, rec.Body)
		}
		refused := w.serve(keyed("client", "bad", `{"name":"1"}`))
		if again := w.serve(keyed("client", "bad", `{"name":"1"}`)); refused.Code != 400 || again.Body.String() != refused.Body.String() {
			t.Errorf("%d %s\n%s", refused.Code, refused.Body, again.Body)
		}
		time.Sleep(keepAnswer + time.Second)
		if rec := w.serve(keyed("client", "k", body)); rec.Code != 409 || problemIn(t, rec, 409).Code != "taken" {
			t.Errorf("after a day: %d %s", rec.Code, rec.Body)
		}
	})
}

func TestRepeatsRunOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var runs atomic.Int32
		w.memory.hook = func() {
			runs.Add(1)
			time.Sleep(time.Second)
		}
		answers := make([]*httptest.ResponseRecorder, 50)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = w.serve(keyed("client", "k", `{"name":"103"}`)) })
		}
		all.Wait()
		for _, rec := range answers {
			if rec.Code != 201 || rec.Body.String() != answers[0].Body.String() {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
		}
		if runs.Load() != 1 {
			t.Errorf("%d runs", runs.Load())
		}
	})
}

// TestFailureIsTriedAgain: what failed because of us is not remembered, be it
// with a panic, and those who wait go on.
func TestFailureIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		faults := []func(){func() { panic("first") }, func() { panic(newProblem(503, "overload", "x", false)) }, func() {}}
		var run atomic.Int32
		w.memory.hook = func() {
			time.Sleep(time.Second)
			faults[run.Add(1)-1]()
		}
		var all sync.WaitGroup
		var good, bad atomic.Int32
		for range 3 {
			all.Go(func() {
				if rec := w.serve(keyed("client", "k", `{"name":"103"}`)); rec.Code == 201 {
					good.Add(1)
				} else if rec.Code == 500 {
					bad.Add(1)
				}
			})
		}
		all.Wait()
		if good.Load() != 1 || bad.Load() != 2 || w.server.Stats().Panics != 2 {
			t.Errorf("%d good, %d bad, %+v", good.Load(), bad.Load(), w.server.Stats())
		}
	})
}

func TestRepeatsAreBounded(t *testing.T) {
	w := newWorld(t)
	run := func(rec http.ResponseWriter) { rec.WriteHeader(201) }
	for i := range maxPerOwner + 50 {
		r := keyed("client", "", "")
		if p := w.server.once.serve(httptest.NewRecorder(), r, w.tokens["client"], fmt.Sprint(i), nil, run); p != nil {
			t.Fatal(p)
		}
	}
	if p := w.server.once.serve(httptest.NewRecorder(), keyed("other", "", ""), w.tokens["other"], "mine", nil, run); p != nil {
		t.Fatal(p)
	}
	if n := w.server.once.len(); n != maxPerOwner+1 {
		t.Errorf("%d are kept", n)
	}
	big := func(rec http.ResponseWriter) { _, _ = rec.Write(make([]byte, 8<<20)) }
	for i := range 12 {
		_ = w.server.once.serve(httptest.NewRecorder(), keyed("other", "", ""), w.tokens["other"], fmt.Sprint("big", i), nil, big)
	}
	if m := w.server.once; m.bytes > maxKeptBytes+9<<20 || m.order.Len() != len(m.kept) {
		t.Errorf("%d bytes, %d of %d", m.bytes, m.order.Len(), len(m.kept))
	}
	if p := problemIn(t, w.serve(keyed("client", string(make([]byte, maxKey+1)), `{"name":"109"}`)), 400); p.Errors[0].Pointer != "Idempotency-Key" {
		t.Errorf("%+v", p)
	}
}
