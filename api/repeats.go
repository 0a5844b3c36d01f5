package api

import (
	"container/list"
	"crypto/sha256"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cordpair/cordpair/api/auth"
)

// Bounds of what is kept for Idempotency-Key (H9). An owner's oldest answers make
// room for its newest, so that nobody can push out somebody else's.
const (
	keepAnswer   = 24 * time.Hour
	maxKey       = 255      // bytes of a key
	maxPerOwner  = 1000     // answers per user
	maxKeptBytes = 64 << 20 // of all answers; beyond it the oldest go
)

// repeats answers a POST that is sent again with the same Idempotency-Key as it
// was answered the first time, and makes a second one wait while the first is
// running. It remembers in memory: after a restart a repeated request is a new
// one. A request that failed for a reason of ours is not remembered.
type repeats struct {
	now func() time.Time

	mu     sync.Mutex
	kept   map[repeatKey]*kept
	order  *list.List           // of *kept, oldest first
	owners map[int64]*list.List // of *kept, oldest first
	bytes  int
}

// repeatParameter documents the header that every POST takes.
func repeatParameter() *huma.Param {
	longest := maxKey
	return &huma.Param{
		Name: "Idempotency-Key", In: "header",
		Description: "Any text: the same request with the same key within 24 h is carried out once and answered alike",
		Schema:      &huma.Schema{Type: huma.TypeString, MaxLength: &longest},
	}
}

type repeatKey struct {
	owner int64 // the user, 0: the operator
	app   string
	key   string
}

// kept is one request and, when done is closed, its answer. What is below done
// is written before and read after it is closed.
type kept struct {
	key    repeatKey
	print  [sha256.Size]byte // of method, path and body
	until  time.Time
	size   int
	places [2]*list.Element // in order and in its owner's list
	done   chan struct{}

	status int // 0: not remembered, ask again
	header http.Header
	body   []byte
}

func newRepeats(now func() time.Time) *repeats {
	return &repeats{now: now, kept: map[repeatKey]*kept{}, order: list.New(), owners: map[int64]*list.List{}}
}

func (m *repeats) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.kept)
}

// serve runs the request, or answers it as the first of its key was.
func (m *repeats) serve(w http.ResponseWriter, r *http.Request, p auth.Principal, key string, body []byte, run func(http.ResponseWriter)) *Problem {
	if len(key) > maxKey {
		return badRequest(FieldError{"Idempotency-Key", "must be at most 255 bytes"})
	}
	id := repeatKey{owner: p.UserID, app: p.App, key: key}
	print := sha256.Sum256(slices.Concat([]byte(r.Method+" "+r.URL.RequestURI()+"\n"), body))
	for {
		k, first := m.begin(id, print)
		if first {
			m.run(w, k, run)
			return nil
		}
		if k.print != print {
			return newProblem(http.StatusConflict, "idempotency_key_reused",
				"The Idempotency-Key belongs to another request", false)
		}
		select {
		case <-k.done:
		case <-r.Context().Done():
			return newProblem(http.StatusConflict, "request_running", "The first request is still running", false)
		}
		if k.status != 0 {
			k.replay(w)
			return nil
		}
	}
}

// begin finds the request of a key, or makes the caller its first.
func (m *repeats) begin(id repeatKey, print [sha256.Size]byte) (k *kept, first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	for e := m.order.Front(); e != nil; e = m.order.Front() {
		oldest := e.Value.(*kept)
		if !now.After(oldest.until) && m.bytes <= maxKeptBytes {
			break
		}
		m.drop(oldest)
	}
	if k := m.kept[id]; k != nil {
		return k, false
	}
	own := m.owners[id.owner]
	if own == nil {
		own = list.New()
		m.owners[id.owner] = own
	}
	if own.Len() >= maxPerOwner {
		m.drop(own.Front().Value.(*kept))
		m.owners[id.owner] = own // drop forgets an empty list
	}
	k = &kept{key: id, print: print, until: now.Add(keepAnswer), size: len(id.key) + 256, done: make(chan struct{})}
	k.places = [2]*list.Element{m.order.PushBack(k), own.PushBack(k)}
	m.kept[id] = k
	m.bytes += k.size
	return k, true
}

// drop forgets a request. m.mu is held.
func (m *repeats) drop(k *kept) {
	if m.kept[k.key] != k {
		return
	}
	delete(m.kept, k.key)
	m.order.Remove(k.places[0])
	own := m.owners[k.key.owner]
	if own.Remove(k.places[1]); own.Len() == 0 {
		delete(m.owners, k.key.owner)
	}
	m.bytes -= k.size
}

// run serves the first request of a key. Even a panic lets those who wait go on.
func (m *repeats) run(w http.ResponseWriter, k *kept, run func(http.ResponseWriter)) {
	copied := &copyWriter{ResponseWriter: w}
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if ours := copied.status == 0 || copied.status >= 500 || copied.status == http.StatusTooManyRequests; ours {
			m.drop(k)
		} else {
			k.status, k.header, k.body = copied.status, copied.header, copied.body
			if m.kept[k.key] == k {
				k.size += len(k.body)
				m.bytes += len(k.body)
			}
		}
		close(k.done)
	}()
	run(copied)
}

// replay answers as the first time. Rate limits are of this request.
func (k *kept) replay(w http.ResponseWriter) {
	for name, values := range k.header {
		if !slices.Contains(limitHeaders, name) && w.Header()[name] == nil {
			w.Header()[name] = values
		}
	}
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(k.status)
	_, _ = w.Write(k.body) // the client may be gone
}

// copyWriter keeps what it passes on.
type copyWriter struct {
	http.ResponseWriter
	status int
	header http.Header
	body   []byte
}

// WriteHeader keeps status and header.
func (c *copyWriter) WriteHeader(status int) {
	if c.status == 0 {
		c.status, c.header = status, c.ResponseWriter.Header().Clone()
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write keeps the body.
func (c *copyWriter) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	c.body = append(c.body, b...)
	return c.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (c *copyWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
