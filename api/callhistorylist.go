package api

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cordpair/cordpair/features/history"
	"github.com/cordpair/cordpair/store"
)

// chunk is how many elements of a list of calls are in memory at once: without
// per_page it may be everything a client ever did.
const chunk = 200

// chunkWithin is how long a client may take to read a chunk, some 300 kB. The
// connection's own limit is for the whole answer.
const chunkWithin = 30 * time.Second

// sequence is a list of calls or legs on its way to a client.
type sequence[R, T any] struct {
	query history.Query // of the next chunk
	left  int           // how many are still wanted; 0: all there are
	read  func(history.Query) ([]R, store.Cursor, error)
	shape func(R) T
	// head and tail stand around the elements.
	head, tail string
}

func newSequence[R, T any](q history.Query, read func(history.Query) ([]R, store.Cursor, error), shape func(R) T) *sequence[R, T] {
	return &sequence[R, T]{query: q, left: q.Limit, read: read, shape: shape, head: "[", tail: "]\n"}
}

// next reads the next chunk; more is false for the last.
func (l *sequence[R, T]) next() (rows []R, more bool, err error) {
	l.query.Limit = chunk
	if l.left > 0 {
		l.query.Limit = min(l.left, chunk)
	}
	rows, cursor, err := l.read(l.query)
	l.query.Skip, l.query.After = 0, cursor
	last := l.left > 0 && l.left == len(rows)
	l.left -= min(l.left, len(rows))
	return rows, cursor != "" && !last, err
}

// send answers with the list. An error before the first element is answered as
// any; after that the connection is cut, so that nobody takes a part for all.
func (l *sequence[R, T]) send(s *Server, h huma.Context) {
	r, w := humago.Unwrap(h)
	rows, more, err := l.next()
	if err != nil {
		writeProblem(w, r, s.explainError(r.Context(), err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	out := http.NewResponseController(w)
	before := l.head
	for {
		_ = out.SetWriteDeadline(time.Now().Add(chunkWithin)) // a test's recorder has none
		for _, row := range rows {
			text, err := json.Marshal(l.shape(row))
			if err != nil {
				s.cutOff(r.Context(), err)
			}
			if _, err := io.WriteString(w, before+string(text)); err != nil {
				return // the client is gone
			}
			before = ",\n"
		}
		if !more {
			break
		}
		if r.Context().Err() != nil {
			return
		}
		if rows, more, err = l.next(); err != nil {
			s.cutOff(r.Context(), err)
		}
	}
	if before != l.head {
		before = ""
	}
	_, _ = io.WriteString(w, before+l.tail) // the client may be gone
}

// cutOff ends an answer that has begun and cannot be finished.
func (s *Server) cutOff(ctx context.Context, err error) {
	s.log.Error("answer cut off", "trace_id", traceOf(ctx), "err", err)
	panic(http.ErrAbortHandler)
}

// listsOf documents an answer that sends T itself.
func listsOf[T any](op *huma.Operation, schemas huma.Registry) {
	schema := schemaOf[T](schemas)
	schema.Nullable = false
	op.Responses["200"].Content = map[string]*huma.MediaType{"application/json": {Schema: schema}}
}

// oneAtATime lets a client ask one costly question at a time (spec/http-api.md
// 1.4); whoever asks for an extension only does not stand in its client's way.
type oneAtATime struct {
	mu      sync.Mutex
	running map[asker]bool
}

// asker is whom a costly question is about; extension 0 is the whole client.
type asker struct{ client, extension int64 }

func askerOf(ctx context.Context) asker {
	return asker{clientOf(ctx).ID, extensionOf(ctx).Extension.ID}
}

// errConcurrent is what documented clients wait for and try again.
var errConcurrent = newProblem(http.StatusTooManyRequests, "concurrent_request",
	"Stats request already exists, concurrent request not allowed", false).with("Retry-After", "1")

// begin takes the place of an asker, or returns errConcurrent. The caller must
// call end.
func (o *oneAtATime) begin(a asker) (end func(), err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.running[a] {
		return nil, errConcurrent
	}
	o.running[a] = true
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.running, a)
	}, nil
}

// pageHead is a call history up to its elements, which come last.
func pageHead(p Paging, order string) string {
	head := callHistory{Page: max(p.Page, 1), Order: cmp.Or(order, "desc")}
	if p.PerPage > 0 {
		head.PerPage = &p.PerPage
	}
	text, _ := json.Marshal(head) // numbers and words: cannot fail
	return string(text[:len(text)-len("null}")]) + "["
}
