package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/features/audit"
)

// maxBody bounds a body without files, in bytes (H2).
const maxBody = 1 << 20

// operatorPrincipal is whoever may open the operator's socket on the machine.
var operatorPrincipal = auth.Principal{
	Login: "operator", Level: auth.LevelPlatform, Admin: true, Timezone: "UTC",
	Access: auth.AccessFull, AppAccess: auth.AppAll,
}

// guard stands before every handler: who asks, how often, may they, what does
// the path name, is the body sound, was it sent before.
func (s *Server) guard(ctx huma.Context, o operation, need auth.Need, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	c := &caller{operator: isOperator(r.Context())}
	if !o.Public {
		if p := s.admit(w, r, c, need); p != nil {
			writeProblem(w, r, p)
			return
		}
	}
	body, p := readBody(w, r, ctx.Operation(), o)
	if p == nil && body != nil {
		p = s.checkBody(ctx.Operation(), r, body)
	}
	if p == nil && o.Form {
		c.form, p = readForm(r)
	}
	if p != nil {
		writeProblem(w, r, p)
		return
	}
	within := context.WithValue(r.Context(), callerKey{}, c)
	r = r.WithContext(audit.As(within, actorOf(c, r)))
	if body != nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if o.Type == "text/event-stream" { // it lasts as long as its reader likes
		limits := http.NewResponseController(w)
		_ = limits.SetReadDeadline(time.Time{}) // a test's recorder has none
		_ = limits.SetWriteDeadline(time.Time{})
	}
	serve := func(w http.ResponseWriter) { next(exchange{humago.NewContext(ctx.Operation(), r, w)}) }
	key := r.Header.Get("Idempotency-Key")
	if o.Method != http.MethodPost || key == "" || o.Public {
		serve(w)
		return
	}
	if p := s.once.serve(w, r, c.principal, key, body, serve); p != nil {
		writeProblem(w, r, p)
	}
}

// admit lets a caller in: 401, 429, 403 and 404, in this order.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, c *caller, need auth.Need) *Problem {
	if c.operator {
		c.principal = operatorPrincipal
	} else {
		principal, err := s.cfg.Tokens.Authenticate(bearer(r))
		if err != nil {
			return s.explainError(r.Context(), err)
		}
		c.principal = principal
		if p := s.limits.take(w.Header(), principal, s.cfg.RateLimit); p != nil {
			return p
		}
	}
	if err := c.principal.May(need); err != nil {
		return s.explainError(r.Context(), err)
	}
	if err := s.resolve(c, r); err != nil {
		return s.explainError(r.Context(), err)
	}
	return nil
}

// bearer is the token of the request; empty without one. A token in the query
// would end up in logs and is not looked at (H4).
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// sourceOf is the address a request came from, without its port.
func sourceOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "" // a unix socket
	}
	return host
}

func actorOf(c *caller, r *http.Request) audit.Actor {
	a := audit.Actor{
		User: c.principal.UserID, Login: c.principal.Login, App: c.principal.App,
		Level: c.principal.Level.String(), From: sourceOf(r),
	}
	if c.operator {
		a.Level = audit.LevelOperator
	}
	return a
}

// readBody reads the body of an operation that takes one; nil without. Forms are
// left to the handler, which reads no more than the limit.
func readBody(w http.ResponseWriter, r *http.Request, op *huma.Operation, o operation) ([]byte, *Problem) {
	limit := o.MaxBody
	if limit == 0 {
		limit = maxBody
	}
	if op.RequestBody == nil {
		return nil, nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if !takes(op, r) {
		return nil, newProblem(http.StatusUnsupportedMediaType, "unsupported_media_type",
			"The body must be "+strings.Join(mediaTypes(op), " or "), false)
	}
	if op.RequestBody.Content["application/json"] == nil || isForm(r) {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, newProblem(http.StatusRequestEntityTooLarge, "too_large", "The body is too large", false)
	case err != nil:
		return nil, newProblem(http.StatusBadRequest, "bad_request", "The body did not arrive whole", false)
	case len(body) == 0 && op.RequestBody.Required:
		return nil, badRequest(FieldError{"", "a body is required"})
	}
	return body, nil
}

// takes reports whether the operation takes a body of the request's media type.
// A body without one is taken for JSON. text/plain is not: a foreign web page may
// send that without asking first.
func takes(op *huma.Operation, r *http.Request) bool {
	if r.Header.Get("Content-Encoding") != "" {
		return false // a compressed body could be of any length
	}
	given := r.Header.Get("Content-Type")
	if given == "" || r.ContentLength == 0 {
		return true
	}
	kind, params, err := mime.ParseMediaType(given)
	if err != nil {
		return false
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	return op.RequestBody.Content[kind] != nil
}

// readForm reads the values of a form and of the query. What the form says wins.
func readForm(r *http.Request) (url.Values, *Problem) {
	err := r.ParseForm()
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
		err = r.ParseMultipartForm(maxBody)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, newProblem(http.StatusRequestEntityTooLarge, "too_large", "The body is too large", false)
	case err != nil:
		return nil, badRequest(FieldError{"", "the form cannot be read"})
	}
	for name, values := range r.Form {
		for _, v := range values {
			if !utf8.ValidString(name) || !utf8.ValidString(v) {
				return nil, badRequest(FieldError{"", "the form is not valid UTF-8"})
			}
		}
	}
	if r.MultipartForm != nil {
		_ = r.MultipartForm.RemoveAll() // values stay; files are not taken here
	}
	return r.Form, nil
}

func isForm(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded" || kind == "multipart/form-data"
}

func mediaTypes(op *huma.Operation) []string {
	var list []string
	for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"} {
		if op.RequestBody.Content[kind] != nil {
			list = append(list, kind)
		}
	}
	return list
}

// checkBody holds a JSON body against the document.
func (s *Server) checkBody(op *huma.Operation, r *http.Request, body []byte) *Problem {
	media := op.RequestBody.Content["application/json"]
	if len(body) == 0 {
		return nil
	}
	v, p := parseStrict(body)
	if p != nil {
		return p
	}
	c := checker{schemas: s.huma.OpenAPI().Components.Schemas}
	if c.check(media.Schema, v, ""); len(c.faults) > 0 {
		return badRequest(c.faults...)
	}
	r.Header.Set("Content-Type", "application/json") // it was, whatever was said
	return nil
}
