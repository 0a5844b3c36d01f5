package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// operation is one endpoint: what register needs besides the handler.
type operation struct {
	ID      string // key of the table in access.go, operationId of the document
	Method  string
	Path    string // below Base, in the form of the documentation, with its slash
	Summary string
	// Description may be empty.
	Description string
	// Tag is the heading in the document; the resource's name.
	Tag string

	// Root: Path is not below Base. Only the token endpoint is.
	Root bool
	// Public: no token is asked for; needs has no row.
	Public bool
	// Status is that of a good answer; 0: by the method, as success says.
	Status int
	// MaxBody is the limit of the body in bytes; 0: 1 MiB (H2).
	MaxBody int64
	// Type is the media type of the answer when the handler writes it itself;
	// empty: JSON.
	Type string
	// Form: the body is a form, urlencoded or multipart; the handler finds its
	// values, and those of the query, with formOf.
	Form bool
	// Document amends what the document says of the operation; nil: nothing to add.
	Document func(op *huma.Operation, schemas huma.Registry)
}

// success is the status of a good answer (spec/http-api-more-b.md 1).
func (o operation) success() int {
	if o.Status != 0 {
		return o.Status
	}
	switch o.Method {
	case http.MethodPost:
		return http.StatusCreated
	case http.MethodDelete:
		return http.StatusNoContent
	}
	return http.StatusOK
}

// register adds an endpoint. I holds parameters (`path:"…"`, `query:"…"`) and
// Body, O headers and Body, as huma reads them; path parameters that name a
// client, a group or an extension are resolved before the handler runs, which
// finds them with clientOf, groupOf and extensionOf.
func register[I, O any](s *Server, o operation, handle func(context.Context, *I) (*O, error)) {
	need, known := needs[o.ID]
	if !known && !o.Public {
		panic("api: operation " + o.ID + " is missing from the table in access.go")
	}
	op := huma.Operation{
		OperationID: o.ID, Method: o.Method, Path: o.Path, Summary: o.Summary, Description: o.Description,
		DefaultStatus: o.success(), SkipValidateBody: true, BodyReadTimeout: -1, MaxBodyBytes: -1,
		Responses: s.errorResponses(o), Parameters: pathParameters(o.Path),
		Metadata: map[string]any{"operation": o},
	}
	if o.Tag != "" {
		op.Tags = []string{o.Tag}
	}
	if !o.Public {
		op.Security = []map[string][]string{{"token": {}}}
	}
	if o.Method == http.MethodPost && !o.Public {
		op.Parameters = append(op.Parameters, repeatParameter())
	}
	if o.Form {
		op.RequestBody = formBody()
	}
	if o.Document != nil {
		o.Document(&op, s.huma.OpenAPI().Components.Schemas)
	}
	op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		s.guard(ctx, o, need, next)
	}}
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.answerFor(ctx, err)
		}
		return out, nil
	})
	if o.Root {
		s.huma.OpenAPI().Paths[o.Path].Servers = []*huma.Server{{URL: "/"}}
	}
}

// formBody documents a form; its fields are for Document to name.
func formBody() *huma.RequestBody {
	media := &huma.MediaType{Schema: &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: &huma.Schema{Type: huma.TypeString},
	}}
	return &huma.RequestBody{Content: map[string]*huma.MediaType{
		"application/x-www-form-urlencoded": media, "multipart/form-data": media,
	}}
}

// answerFor is the answer to an error of a handler: one that knows its own
// answer, as those of the token endpoint do, or a Problem.
func (s *Server) answerFor(ctx context.Context, err error) error {
	var own huma.StatusError
	if errors.As(err, &own) {
		return err
	}
	return s.explainError(ctx, err)
}

// explainError turns an error of an owner into the answer, and logs what nobody
// foresaw under the id that the client is told.
func (s *Server) explainError(ctx context.Context, err error) *Problem {
	p, known := answerTo(err)
	if !known {
		s.log.Error("request failed", "trace_id", traceOf(ctx), "err", err)
	}
	return p
}

// adapter puts huma's operations on the mux, without their last slash: ServeHTTP
// has taken it off the request.
type adapter struct{ s *Server }

// Handle adds one operation.
func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	path := Base + op.Path
	if o, ok := op.Metadata["operation"].(operation); ok && o.Root {
		path = op.Path
	}
	a.s.route(op.Method, path, func(w http.ResponseWriter, r *http.Request) {
		handler(exchange{humago.NewContext(op, r, w)})
	})
}

// ServeHTTP is what huma wants of an adapter.
func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.s.ServeHTTP(w, r) }

// route puts a handler on the mux.
func (s *Server) route(method, path string, h http.HandlerFunc) {
	path = strings.TrimSuffix(path, "/")
	s.mux.HandleFunc(method+" "+mounted(path), h)
	s.routes[path] = append(s.routes[path], method)
}

// mounted is where a path lies on the mux, which refuses /client/client_info/{id}
// beside /client/{id}/client: it could not tell them apart.
func mounted(path string) string {
	if rest, ok := strings.CutPrefix(path, Base+"/client/client_info/"); ok {
		return mountedInfo + rest
	}
	return path
}

// mountedInfo is a place on the mux that nobody reaches by its own name.
const mountedInfo = Base + "/client_info/"

// exchange is huma's context with its 422 corrected: what a client sent is wrong
// or it is not, and wrong is 400.
type exchange struct{ inner }

// inner keeps the method Context from being hidden by a field of that name.
type inner = huma.Context

// SetStatus writes the status.
func (x exchange) SetStatus(code int) {
	if code == http.StatusUnprocessableEntity {
		code = http.StatusBadRequest
	}
	x.inner.SetStatus(code)
}

// Unwrap lets humago find its own.
func (x exchange) Unwrap() huma.Context { return x.inner }

// finishProblem makes huma's own errors ours and puts the trace id into all.
func finishProblem(ctx huma.Context, _ string, v any) (any, error) {
	var p Problem
	switch v := v.(type) {
	case *Problem:
		p = *v // those of the table are shared
	case *huma.ErrorModel:
		p = *problemOfModel(v)
	default:
		return v, nil
	}
	p.TraceID = traceOf(ctx.Context())
	return &p, nil
}

func problemOfModel(m *huma.ErrorModel) *Problem {
	if m.Status >= http.StatusInternalServerError {
		return newProblem(m.Status, "internal", "Internal error", false)
	}
	faults := make([]FieldError, len(m.Errors))
	for i, e := range m.Errors {
		_, name, _ := strings.Cut(e.Location, ".") // query.page
		faults[i] = FieldError{name, ownWords(e.Message)}
	}
	p := badRequest(faults...)
	if len(faults) == 0 {
		p.Message = m.Detail
	}
	return p
}

// errorResponses documents what an operation may answer besides its success.
func (s *Server) errorResponses(o operation) map[string]*huma.Response {
	statuses := []int{400, 429, 500, 503}
	if !o.Public {
		statuses = append(statuses, 401, 403, 404)
	}
	if o.Method != http.MethodGet {
		statuses = append(statuses, 409, 413, 415)
	}
	schema := s.huma.OpenAPI().Components.Schemas.Schema(problemGoType, true, "")
	responses := map[string]*huma.Response{}
	for _, status := range statuses {
		responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status), Headers: answerHeaders(o, status),
			Content: map[string]*huma.MediaType{problemType: {Schema: schema}},
		}
	}
	good := &huma.Response{Description: http.StatusText(o.success()), Headers: answerHeaders(o, o.success())}
	if o.Type != "" {
		good.Content = map[string]*huma.MediaType{o.Type: {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	responses[strconv.Itoa(o.success())] = good
	return responses
}

// answerHeaders documents the headers that an answer of a status always has. Those
// of the limit are missing from errors found before it is known who asks.
func answerHeaders(o operation, status int) map[string]*huma.Param {
	headers := map[string]*huma.Param{}
	add := func(name, kind, doc string) {
		headers[name] = &huma.Param{Description: doc, Schema: &huma.Schema{Type: kind}}
	}
	if !o.Public && status == o.success() {
		add(limitHeaders[0], huma.TypeInteger, "Requests per hour")
		add(limitHeaders[1], huma.TypeInteger, "Requests left in this hour")
		add(limitHeaders[2], huma.TypeInteger, "Seconds until the next hour")
	}
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		add("Retry-After", huma.TypeInteger, "Seconds")
	case http.StatusUnauthorized:
		if o.Public {
			break // only to who tried it
		}
		add("WWW-Authenticate", huma.TypeString, "How to say who asks")
	}
	return headers
}

// pathDocs describes the parameters that the frame resolves itself.
var pathDocs = map[string]string{
	"client_id":          "Id of a client, or @me for the caller's",
	"extension_id":       "Id of an extension, @me for the caller's, or @ and its short name, such as @200",
	"extension_group_id": "Id of an extension group",
}

// pathParameters documents the parameters that the frame resolves, so that the
// handlers' inputs need not name them.
func pathParameters(path string) []*huma.Param {
	var list []*huma.Param
	for segment := range strings.SplitSeq(path, "/") {
		name := strings.Trim(segment, "{}")
		if doc := pathDocs[name]; doc != "" && strings.HasPrefix(segment, "{") {
			list = append(list, &huma.Param{
				Name: name, In: "path", Required: true, Description: doc,
				Schema: &huma.Schema{Type: huma.TypeString}, Example: "@me",
			})
		}
	}
	return slices.Clip(list)
}
