package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/history"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

// TestLongCallList: what comes in chunks is the same list.
func TestLongCallList(t *testing.T) {
	remember(t, func(p *past) {
		var all []string
		for i := range 2*chunk + 1 {
			id := fmt.Sprintf("%04d", i)
			all = append(all, id)
			p.placed(call.ID(id), 1, reception, call.Party{}, "199", 0)
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for _, c := range []struct {
			query string
			want  []string
		}{
			{"", all}, {"&per_page=200", all[:200]}, {"&per_page=250", all[:250]}, {"&per_page=200&page=2", all[200:400]},
			{"&per_page=200&page=3", all[400:]}, {"&per_page=250&page=2&result=failed", all[250:]}, {"&per_page=1000", all},
		} {
			if got := p.uuids("/client/1/calls/?order=asc"+c.query, "client"); got != strings.Join(c.want, " ") {
				t.Errorf("%q: %s", c.query, got)
			}
		}
	})
}

// held is a history whose lists and totals wait until they are let go.
type held struct {
	History
	asked, free chan struct{}
	err         error
}

func (h *held) wait() { h.asked <- struct{}{}; <-h.free }

func (h *held) List(q history.Query) ([]history.Record, store.Cursor, error) {
	h.wait()
	if h.err != nil {
		return nil, "", h.err
	}
	return h.History.List(q)
}

func (h *held) LegTotals(q history.Query) (history.Totals, error) {
	h.wait()
	return h.History.LegTotals(q)
}

// TestOneAtATime: a client asks one costly question at a time, which the end of
// the first always makes possible again.
func TestOneAtATime(t *testing.T) {
	remember(t, func(p *past) {
		slow := &held{History: p.history, asked: make(chan struct{}), free: make(chan struct{})}
		w := newWorld(t, func(c *Config) { c.History = slow })
		for _, target := range []string{"/client/1/call_history/", "/client/1/cdr/stats/"} {
			for _, fault := range []error{nil, store.ErrFailed, nil} {
				slow.err = fault
				first := make(chan int)
				go func() { first <- w.do("GET", target, "client", "").Code }() // ends when it is let go
				<-slow.asked
				for _, again := range []string{"/client/1/call_history/", "/client/@me/cdr/stats", "/client/1/calls/stats/"} {
					got := w.problem(429, "GET", again, "reader", "")
					if rec := w.do("GET", again, "client", ""); rec.Header().Get("Retry-After") != "1" {
						t.Errorf("%s: %v", again, rec.Header())
					}
					if got.Message != "Stats request already exists, concurrent request not allowed" || got.Code != "concurrent_request" {
						t.Errorf("%s: %+v", again, got)
					}
				}
				go func() { first <- w.do("GET", "/client/2/cdr/stats/", "other", "").Code }() // another client is another matter
				<-slow.asked
				go func() { first <- w.do("GET", "/extension/11/cdr/stats/", "extension", "").Code }() // and so is an extension
				<-slow.asked
				close(slow.free)
				codes := []int{<-first, <-first, <-first}
				if failed := slices.Contains(codes, 503); failed != (fault != nil && strings.Contains(target, "call_history")) {
					t.Errorf("%s with %v: %v", target, fault, codes)
				}
				slow.free = make(chan struct{})
			}
		}
	})
}

// TestListCutOff: a list that cannot be finished is not a shorter list.
func TestListCutOff(t *testing.T) {
	pages := 0
	list := newSequence(history.Query{}, func(history.Query) ([]int, store.Cursor, error) {
		if pages++; pages == 3 {
			return nil, "", store.ErrFailed
		}
		return []int{1}, "more", nil
	}, func(n int) int { return n })
	s := newWorld(t).server
	s.route(http.MethodGet, "/cut", func(w http.ResponseWriter, r *http.Request) { list.send(s, exchange{plainContext(w, r)}) })
	rec := httptest.NewRecorder()
	defer func() {
		if fault := recover(); fault != http.ErrAbortHandler || rec.Body.String() != "[1,\n1" {
			t.Errorf("%v %q", fault, rec.Body)
		}
	}()
	s.ServeHTTP(rec, httptest.NewRequest("GET", "/cut", nil))
}

// BenchmarkCallHistory is a whole list of 2,000 calls with two legs each.
func BenchmarkCallHistory(b *testing.B) {
	p := &past{bus: call.NewBus()}
	h := history.New(storetest.Open(b), p.bus, history.Options{})
	for i := range 2000 {
		p.placed(call.ID(fmt.Sprintf("%032d", i)), 1, reception, workshop, "102", time.Nanosecond)
	}
	ctx, stop := context.WithCancel(b.Context())
	stop()
	if err := h.Run(ctx); err != nil { // takes in what was published before
		b.Fatal(err)
	}
	w := newWorld(b, func(c *Config) { c.RateLimit, c.History = 1<<40, h })
	for _, c := range []struct{ name, target string }{
		{"whole", "/client/1/call_history/"}, {"page", "/client/1/call_history/?per_page=50&page=20"}, {"stats", "/client/1/calls/stats/"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rec := httptest.NewRecorder()
				if w.server.ServeHTTP(rec, request("GET", c.target, "client", "")); rec.Code != 200 {
					b.Fatal(rec.Code, rec.Body)
				}
				b.SetBytes(int64(rec.Body.Len()))
			}
		})
	}
}
