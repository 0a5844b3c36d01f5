package location

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// The model is the sequential rule book: one extension, a map by comparable URI.
// It knows no shards, heaps, flows or writes behind.
type model struct {
	bound map[string]modelBinding
	limit int
}

type modelBinding struct {
	device, callID string
	cseq           uint32
	conn           uint64
	granted        time.Duration
	refreshed      time.Time
	expires        time.Time
	lost           time.Time // zero unless suspended
}

func plainURI(uri string) string { return strings.ToLower(uri) }

func (m *model) now(now time.Time) {
	maps.DeleteFunc(m.bound, func(_ string, x modelBinding) bool {
		return !x.expires.After(now) || !x.lost.IsZero() && !x.lost.Add(time.Minute).After(now)
	})
}

func (m *model) update(r Request, now time.Time) error {
	m.now(now)
	next := maps.Clone(m.bound)
	stale := func(x modelBinding) bool { return x.callID == r.CallID && r.CSeq <= x.cseq }
	if r.Wildcard {
		if len(r.Contacts) > 0 || r.Expires != 0 {
			return ErrWildcard
		}
		for _, x := range m.bound {
			if stale(x) {
				return ErrOutOfOrder
			}
		}
		clear(m.bound)
		return nil
	}
	asked := map[string]Contact{} // the last word on each
	for _, c := range r.Contacts {
		asked[plainURI(c.URI)] = c
	}
	disordered, added := false, false
	for _, c := range r.Contacts {
		if d := wish(c, r); d > 0 && d < 30*second {
			return ErrTooBrief
		}
	}
	for uri, c := range asked {
		want := wish(c, r)
		if x, known := m.bound[uri]; known {
			disordered = disordered || stale(x)
		} else {
			moved := false
			for other, x := range m.bound {
				if _, named := asked[other]; named || c.Instance == "" || x.device != c.Instance {
					continue
				}
				disordered = disordered || stale(x)
				delete(next, other)
				moved = true
			}
			added = added || want > 0 && !moved
		}
		delete(next, uri)
		if want > 0 {
			want = min(want, hour)
			next[uri] = modelBinding{c.Instance, r.CallID, r.CSeq, r.Flow.Conn, want, now, now.Add(want), time.Time{}}
		}
	}
	if disordered {
		return ErrOutOfOrder
	}
	if added && len(next) > m.limit {
		return ErrTooMany
	}
	m.bound = next
	return nil
}

func wish(c Contact, r Request) time.Duration {
	for _, d := range []time.Duration{c.Expires, r.Expires} {
		if d != NoExpires {
			return d
		}
	}
	return hour
}

func (m *model) flowClosed(conn uint64, now time.Time) {
	m.now(now)
	for uri, x := range m.bound {
		if conn != 0 && x.conn == conn && x.lost.IsZero() {
			x.lost = now
			m.bound[uri] = x
		}
	}
}

func (m *model) anyLost() bool {
	for _, x := range m.bound {
		if !x.lost.IsZero() {
			return true
		}
	}
	return false
}

// op is one step of a history.
type op struct {
	kind  string
	r     Request
	conn  uint64
	sleep time.Duration
}

func drawOp(t *rapid.T) op {
	o := op{kind: rapid.SampledFrom([]string{"register", "register", "register", "sleep", "lose", "remove", "restart"}).Draw(t, "kind")}
	o.sleep = time.Duration(rapid.IntRange(0, 100).Draw(t, "sleep")) * second
	o.conn = uint64(rapid.IntRange(0, 3).Draw(t, "conn"))
	expires := rapid.SampledFrom([]time.Duration{NoExpires, NoExpires, 0, 10 * second, 30 * second, 60 * second, 2 * hour})
	o.r = register(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "call"), uint32(rapid.IntRange(1, 9).Draw(t, "cseq")),
		expires.Draw(t, "expires"))
	if o.r.Flow = udp; o.conn > 0 {
		o.r.Flow = tcp(o.conn)
	}
	o.r.Wildcard = rapid.IntRange(0, 9).Draw(t, "wildcard") == 0
	// At most one contact of a known device: with two, which of its old
	// bindings each replaces is a matter of order, which the table tests fix.
	devices := rapid.Permutation([]string{"", "i", "j"}).Draw(t, "devices")
	for i := range rapid.IntRange(0, 3).Draw(t, "contacts") {
		c := contact(rapid.SampledFrom([]string{"sip:x@h", "sip:x@H", "sip:y@h", "sip:z@h"}).Draw(t, "uri"))
		c.Expires, c.Instance = expires.Draw(t, "contact expires"), devices[i]
		o.r.Contacts = append(o.r.Contacts, c)
	}
	return o
}

// TestAgainstModel runs random histories, restarts included, against the model.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ops := rapid.SliceOfN(rapid.Custom(drawOp), 1, 30).Draw(rt, "ops")
		limit := rapid.SampledFrom([]int{2, 10}).Draw(rt, "limit")
		var problem string
		synctest.Test(t, func(t *testing.T) { problem = runHistory(t, limit, ops) })
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

func runHistory(t *testing.T, limit int, ops []op) string {
	shelf := newShelf()
	cfg := Config{Store: shelf, MaxContacts: limit}
	b := open(t, cfg)
	m := &model{bound: map[string]modelBinding{}, limit: limit}
	opened := uint64(0) // connections are numbered once, so each loss opens four more
	for i, o := range ops {
		if o.conn != 0 {
			o.conn += opened
			o.r.Flow.Conn = o.conn
		}
		var err, want error
		now := time.Now()
		switch o.kind {
		case "register":
			if m.now(now); limit < 10 && m.anyLost() {
				continue // making room is for the table tests
			}
			_, err = b.Update(o.r, now, nil)
			want = m.update(o.r, now)
		case "sleep":
			time.Sleep(o.sleep)
		case "lose":
			b.FlowClosed(o.conn, now)
			m.flowClosed(o.conn, now)
			opened += 4
		case "remove":
			b.Remove(1, "", now, nil)
			clear(m.bound)
		case "restart":
			if err := b.Close(); err != nil {
				return err.Error()
			}
			b = open(t, cfg)
			m.restart(now)
		}
		synctest.Wait()
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			return fmt.Sprintf("op %d %+v: %v, model says %v", i, o, err, want)
		}
		if p := m.differs(b); p != "" {
			return fmt.Sprintf("op %d %+v: %s", i, o, p)
		}
		if p := inconsistent(b); p != "" {
			return fmt.Sprintf("op %d %+v: %s", i, o, p)
		}
	}
	return ""
}

// restart gives each binding one interval from a quarter after the end of the last
// one, or from now if that is earlier, and suspends streams.
func (m *model) restart(now time.Time) {
	m.now(now)
	for uri, x := range m.bound {
		from := x.refreshed.Add(x.granted + x.granted/4)
		if now.Before(from) {
			from = now
		}
		if x.expires = from.Add(x.granted); x.conn != 0 || !x.lost.IsZero() {
			x.conn, x.lost = 0, now
		}
		m.bound[uri] = x
	}
}

func (m *model) differs(b *Bindings) string {
	now := time.Now()
	m.now(now)
	got := b.Lookup(1, now, nil)
	// What lost its flow for a minute is collected within half a second.
	got = slices.DeleteFunc(got, func(x Binding) bool {
		_, known := m.bound[plainURI(x.Contact)]
		return x.Suspended && !known
	})
	if len(got) != len(m.bound) {
		return fmt.Sprintf("bound %q, model has %d", contacts(got), len(m.bound))
	}
	for _, x := range got {
		y, known := m.bound[plainURI(x.Contact)]
		if !known || x.Instance != y.device || x.CSeq != y.cseq || x.CallID != y.callID ||
			!x.Expires.Equal(y.expires) || x.Suspended == y.lost.IsZero() || x.Flow.Conn != y.conn {
			return fmt.Sprintf("bound %+v, model has %+v", x, y)
		}
	}
	return ""
}

// inconsistent checks what must hold inside at any quiet moment.
func inconsistent(b *Bindings) string {
	count := 0
	users := map[uint64]map[int64]struct{}{}
	for i := range b.shards {
		sh := &b.shards[i]
		sh.mu.Lock()
		defer sh.mu.Unlock()
		if sh.delivering || len(sh.outbox) != 0 {
			return "something was not delivered"
		}
		inRecords := 0
		for id, rec := range sh.records {
			inRecords += len(rec.active)
			for _, e := range rec.active {
				if e.rec != rec || e.Extension != id || sh.due[e.slot] != e {
					return "an entry is not where it should be"
				}
				if e.due.After(e.deadline(b.cfg.SuspendFor)) {
					return "an end would be noticed late"
				}
				if c := e.Flow.Conn; c != 0 && !e.Suspended {
					if users[c] == nil {
						users[c] = map[int64]struct{}{}
					}
					users[c][id] = struct{}{}
				}
			}
			if rec.dirty != slices.Contains(sh.dirty, rec) {
				return "dirty mark and list differ"
			}
		}
		for j := range sh.due {
			if sh.due[j].slot != j || j > 0 && sh.due[j].due.Before(sh.due[(j-1)/2].due) {
				return "the agenda is out of order"
			}
		}
		if inRecords != len(sh.due) {
			return fmt.Sprintf("%d entries, %d in the agenda", inRecords, len(sh.due))
		}
		count += inRecords
	}
	if count != b.Len() {
		return fmt.Sprintf("Len %d of %d", b.Len(), count)
	}
	b.flows.mu.Lock()
	defer b.flows.mu.Unlock()
	if !maps.EqualFunc(users, b.flows.extensions, maps.Equal) {
		return fmt.Sprintf("flows %v, used %v", b.flows.extensions, users)
	}
	return ""
}
