package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is the body of every error (spec/shapes.md "Errors", RFC 9457). It
// serves three kinds of client at once: Message is what the oldest read,
// Status is what spec/http-api-more-b.md 1 documents (a short code where one is
// documented, else the number), and Code and HTTPStatus are always there for
// those who would rather not guess.
type Problem struct {
	Message    string        `json:"message" doc:"What went wrong, for people"`
	Type       string        `json:"type" doc:"about:blank: the status says it all (RFC 9457 4.2.1)"`
	Title      string        `json:"title" doc:"The name of the HTTP status"`
	Status     ProblemStatus `json:"status"`
	HTTPStatus int           `json:"http_status" doc:"The HTTP status as a number"`
	Code       string        `json:"code" doc:"Short code that tells errors of one HTTP status apart"`
	Detail     string        `json:"detail,omitempty" doc:"More about this occurrence"`
	Errors     []FieldError  `json:"errors,omitempty" nullable:"false" doc:"The fields at fault"`
	TraceID    string        `json:"trace_id" doc:"Names this answer in the switch's log"`

	header http.Header // Retry-After, Allow; nil mostly
}

// FieldError says which part of a request is at fault.
type FieldError struct {
	Pointer string `json:"pointer" doc:"JSON pointer into the body (RFC 6901), or the name of a parameter"`
	Message string `json:"message" doc:"What is wrong with it"`
}

// ProblemStatus is a documented short code such as "access_denied", or the HTTP
// status as a number where none is documented: 401 and most of 404 and 400. So a
// client that tests status == 401 and one that tests status == "user_blocked"
// are both served.
type ProblemStatus struct {
	Code   string // documented code, or empty
	Number int
}

// MarshalJSON writes the code or the number.
func (s ProblemStatus) MarshalJSON() ([]byte, error) {
	if s.Code != "" {
		return json.Marshal(s.Code)
	}
	return strconv.AppendInt(nil, int64(s.Number), 10), nil
}

// UnmarshalJSON reads either.
func (s *ProblemStatus) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &s.Code)
	}
	return json.Unmarshal(b, &s.Number)
}

// Schema describes both forms.
func (ProblemStatus) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: "A documented short code, or else the HTTP status as a number",
		OneOf:       []*huma.Schema{{Type: huma.TypeInteger}, {Type: huma.TypeString}},
	}
}

// newProblem makes the body of an error. code is always given; documented says
// that status carries it in place of the number.
func newProblem(status int, code, message string, documented bool) *Problem {
	p := &Problem{
		Message: message, Type: "about:blank", Title: http.StatusText(status),
		Status: ProblemStatus{Number: status}, HTTPStatus: status, Code: code,
	}
	if documented {
		p.Status.Code = code
	}
	return p
}

// badRequest is a 400 that names fields. The message names the first, for
// clients that show nothing else (spec/http-api.md 6, row 1).
func badRequest(faults ...FieldError) *Problem {
	p := newProblem(http.StatusBadRequest, "bad_request", "Bad request", false)
	if len(faults) > 0 {
		p.Message = faults[0].Pointer + ": " + faults[0].Message
		if faults[0].Pointer == "" {
			p.Message = faults[0].Message
		}
	}
	p.Errors = faults
	return p
}

// Error makes a Problem an error that a handler can return as it is.
func (p *Problem) Error() string { return p.Message }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.HTTPStatus }

// GetHeaders are the headers that go with it.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is that of RFC 9457, whatever the client would accept.
func (p *Problem) ContentType(string) string { return problemType }

var problemGoType = reflect.TypeFor[Problem]()

const problemType = "application/problem+json"

// with adds a header.
func (p *Problem) with(name, value string) *Problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
	return p
}

// writeProblem answers outside huma. The trace id is the request's.
func writeProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	out := *p // problems of the table are shared
	out.TraceID = traceOf(r.Context())
	for name, values := range p.header {
		w.Header()[name] = values
	}
	var b bytes.Buffer
	_ = json.NewEncoder(&b).Encode(out) // strings and numbers: cannot fail
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.HTTPStatus)
	_, _ = w.Write(b.Bytes()) // the client may be gone
}
