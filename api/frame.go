package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

type traceKey struct{}

// traceOf is the id of the request: it stands in every error and log line.
func traceOf(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}

func withTrace(r *http.Request) *http.Request {
	id := make([]byte, 8)
	rand.Read(id) // never fails (crypto/rand)
	return r.WithContext(context.WithValue(r.Context(), traceKey{}, hex.EncodeToString(id)))
}

type operatorKey struct{}

func isOperator(ctx context.Context) bool { return ctx.Value(operatorKey{}) != nil }

// Operator is the same API for whoever may open a socket on the machine itself:
// no token, no limit, every right. It must never be reachable from a network.
func (s *Server) Operator() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), operatorKey{}, true)))
	})
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := s.cfg.Now()
	r = withTrace(r)
	zip := newZipWriter(w, r)
	answer := &statusWriter{ResponseWriter: zip}
	safeHeaders(w.Header())
	defer func() {
		s.recovered(answer, r, recover())
		zip.close()
		s.logRequest(r, answer.status, s.cfg.Now().Sub(began))
	}()
	if s.cors(answer, r) {
		s.dispatch(answer, r)
	}
}

// recovered answers for a handler that panicked: an id, never a stack (H11). An
// answer that has begun cannot be taken back, so its connection ends.
func (s *Server) recovered(w *statusWriter, r *http.Request, fault any) {
	if fault == nil {
		return
	}
	if fault == http.ErrAbortHandler {
		panic(fault)
	}
	s.panics.Add(1)
	s.log.Error("handler panicked", "trace_id", traceOf(r.Context()), "method", r.Method, "path", r.URL.Path,
		"panic", fault, "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeProblem(w, r, newProblem(http.StatusInternalServerError, "internal", "Internal error", false))
}

// logRequest writes one line, without the query, which may hold secrets (H4).
func (s *Server) logRequest(r *http.Request, status int, took time.Duration) {
	log := s.log.Debug
	if status >= http.StatusInternalServerError {
		log = s.log.Warn
	}
	log("request", "trace_id", traceOf(r.Context()), "method", r.Method, "path", r.URL.Path,
		"status", status, "took", took)
}

// safeHeaders are on every answer: it is data, for the one who asked, and
// nothing in it may run or be framed (H7). Pages of ours set their own policy.
func safeHeaders(h http.Header) {
	h["Content-Security-Policy"] = noContent
	h["X-Content-Type-Options"] = nosniff
	h["X-Frame-Options"] = deny
	h["Referrer-Policy"] = noReferrer
	h["Cache-Control"] = noStore
	h["Cross-Origin-Resource-Policy"] = sameOrigin
}

// Values shared by all answers; nobody changes them in place.
var (
	noContent  = []string{"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}
	nosniff    = []string{"nosniff"}
	deny       = []string{"DENY"}
	noReferrer = []string{"no-referrer"}
	noStore    = []string{"no-store"}
	sameOrigin = []string{"same-origin"}
)

// cors lets pages of listed origins in (H7). It reports whether the request goes
// on; a preflight ends here.
func (s *Server) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(s.cfg.Origins, origin) {
		return true
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Expose-Headers", strings.Join(limitHeaders, ", ")+", Retry-After")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return true
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return false
}

// dispatch takes the last slash off the path and hands the request to the mux,
// which would redirect instead and lose the body of a POST.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	query, ok := plainQuery(r.URL.RawQuery)
	if !ok {
		writeProblem(w, r, badRequest(FieldError{"", "the query cannot be read"}))
		return
	}
	escaped := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	decoded, err := url.PathUnescape(escaped)
	if err != nil || path.Clean("/"+escaped) != escaped || strings.HasPrefix(decoded, mountedInfo) || strings.ContainsRune(decoded, 0) {
		writeProblem(w, r, errNoPath)
		return
	}
	plain := *r
	plain.URL = &url.URL{Path: mounted(decoded), RawPath: mounted(escaped), RawQuery: query}
	if _, pattern := s.mux.Handler(&plain); pattern != "" {
		s.mux.ServeHTTP(w, &plain) // finds the path's values too
		return
	}
	allowed := s.allowed(&plain)
	switch {
	case allowed == "":
		writeProblem(w, r, errNoPath)
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", allowed)
		w.WriteHeader(http.StatusNoContent)
	default:
		p := newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "Method not allowed", false)
		writeProblem(w, r, p.with("Allow", allowed))
	}
}

var errNoPath = newProblem(http.StatusNotFound, "not_found", "Not found", false)

// allowed lists the methods that the path knows.
func (s *Server) allowed(r *http.Request) string {
	probe := *r
	var known []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
		probe.Method = method
		if _, pattern := s.mux.Handler(&probe); pattern != "" {
			known = append(known, method)
		}
	}
	if len(known) == 0 {
		return ""
	}
	return strings.Join(append(known, http.MethodOptions), ", ")
}

// statusWriter notes the status, and that the answer has begun.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the first status.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write begins the answer.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
