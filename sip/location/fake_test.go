package location

import (
	"errors"
	"iter"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

// shelf is a Store in memory that answers when told to.
type shelf struct {
	mu      sync.Mutex
	rows    map[int64]Record
	writes  int
	held    bool // commits wait for release
	fail    error
	waiting []func()
}

func newShelf() *shelf { return &shelf{rows: map[int64]Record{}} }

func (s *shelf) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, r := range s.rows {
			r.Bindings = slices.Clone(r.Bindings)
			for i := range r.Bindings { // what a codec forgets
				r.Bindings[i].Extension, r.Bindings[i].Flow.Conn, r.Bindings[i].Suspended = 0, 0, false
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *shelf) Commit(r Record, done func(error)) {
	s.mu.Lock()
	if s.held {
		s.waiting = append(s.waiting, func() { s.store(r, done) })
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.store(r, done)
}

func (s *shelf) store(r Record, done func(error)) {
	s.mu.Lock()
	err := s.fail
	if err == nil {
		s.writes++
		s.rows[r.Extension] = r
		if len(r.Bindings)+len(r.Ended) == 0 {
			delete(s.rows, r.Extension)
		}
	}
	s.mu.Unlock()
	if done != nil {
		done(err)
	}
}

func (s *shelf) release() {
	s.mu.Lock()
	waiting := s.waiting
	s.waiting, s.held = nil, false
	s.mu.Unlock()
	for _, f := range waiting {
		f()
	}
}

func (s *shelf) row(extension int64) Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows[extension]
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

var errDisk = errors.New("disk trouble")

// log collects events.
type log struct {
	mu     sync.Mutex
	events []Event
}

func (l *log) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// take returns what came since the last time, as "kind reason contact left".
func (l *log) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, e := range l.events {
		s := string(e.Kind)
		if e.Reason != "" {
			s += " (" + string(e.Reason) + ")"
		}
		out = append(out, s+" "+e.Binding.Contact+" "+string(rune('0'+e.Left)))
	}
	l.events = nil
	return out
}

func open(t testing.TB, cfg Config) *Bindings {
	t.Helper()
	if cfg.Spread == 0 {
		cfg.Spread = -1 // tests say what is granted to the second
	}
	b, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

var (
	udp = Flow{Transport: "UDP", Listener: "lan", Remote: netip.MustParseAddrPort("192.0.2.9:5060")}
	src = udp.Remote
)

func tcp(conn uint64) Flow {
	return Flow{Transport: "TCP", Listener: "lan", Conn: conn,
		Remote: netip.AddrPortFrom(src.Addr(), uint16(40000+conn))}
}

func contact(uri string) Contact { return Contact{URI: uri, Expires: NoExpires, Q: 1000} }

// register is a REGISTER of extension 1 with the given contacts.
func register(callID string, cseq uint32, expires time.Duration, contacts ...Contact) Request {
	return Request{Extension: 1, CallID: callID, CSeq: cseq, Contacts: contacts, Expires: expires,
		Flow: udp, Source: src, UserAgent: "phone"}
}

func mustUpdate(t testing.TB, b *Bindings, r Request) Result {
	t.Helper()
	res, err := b.Update(r, time.Now(), func(err error) {
		if err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func contacts(list []Binding) []string {
	out := []string{}
	for _, x := range list {
		out = append(out, x.Contact)
	}
	return out
}
