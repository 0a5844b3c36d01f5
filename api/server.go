package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/features/audit"
	"github.com/cordpair/cordpair/features/feed"
	"github.com/cordpair/cordpair/features/reglog"
)

// Base is the path below which everything but the token endpoint lies.
const Base = "/api/ver1.0"

// Tokens says who sent a token: *auth.Authority. Errors wrap auth.ErrToken or
// auth.ErrBlocked. It must not block.
type Tokens interface {
	Authenticate(token string) (auth.Principal, error)
}

// Config is what a Server needs. Tokens and Configuration are required; the
// endpoints of an owner that is nil answer as if they did not exist.
type Config struct {
	Tokens        Tokens
	Configuration Configuration
	Registrations Registrations
	Calls         Calls
	Captures      Captures
	History       History
	RegLog        *reglog.Log
	Feed          *feed.Feed
	Audit         *audit.Log
	Identity      *auth.Authority
	// Explain says where a call of a client would go; a question without a time
	// is about now. Errors are dialplan.FieldErrors with the places of the
	// question's members (assume/102), or wrap store.ErrNotFound.
	Explain func(ctx context.Context, client int64, q dialplan.Question) (dialplan.Explanation, error)

	// Version is the product's, for the document.
	Version string
	// Origins are the web origins whose pages may use the API, such as
	// https://crm.example.org; none by default (H7).
	Origins []string
	// RateLimit is how many requests a client may make per hour, 1 or more; 0:
	// DefaultRateLimit.
	RateLimit int
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Logger may be nil.
	Logger *slog.Logger
}

// DefaultRateLimit is generous: it stops loops, not work.
const DefaultRateLimit = 100_000

// Server is the HTTP API as a handler. It is made by New, complete, and then
// only read: any goroutine may serve from it.
type Server struct {
	cfg    Config
	log    *slog.Logger
	mux    *http.ServeMux
	huma   huma.API
	limits *hourly
	once   *repeats
	tokens *tokenGate
	routes map[string][]string // pattern without method -> its methods
	panics atomic.Uint64
}

// Stats are counters since the start, and gauges where said.
type Stats struct {
	Panics     uint64 // requests whose handler panicked
	Remembered int    // gauge: answers kept for their Idempotency-Key
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	return Stats{Panics: s.panics.Load(), Remembered: s.once.len()}
}

// New builds the API. It panics when an operation is missing from the table of
// access.go: that is a mistake of ours, found by any test that starts a switch.
func New(cfg Config) *Server {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.RateLimit == 0 {
		cfg.RateLimit = DefaultRateLimit
	}
	s := &Server{
		cfg: cfg, log: cfg.Logger, mux: http.NewServeMux(), routes: map[string][]string{},
		limits: newHourly(cfg.Now), once: newRepeats(cfg.Now), tokens: newTokenGate(cfg.Now),
	}
	s.huma = huma.NewAPI(s.humaConfig(), adapter{s})
	s.registerAll()
	s.serveDocument()
	s.serveExplorer()
	return s
}

// registerAll is the list of everything the API serves.
func (s *Server) registerAll() {
	s.registerClients()
	s.registerExtensions()
	s.registerGroups()
	s.registerPhones()
	if s.cfg.Registrations != nil {
		s.registerRegistrations()
	}
	if s.cfg.Calls != nil {
		s.registerCurrentCalls()
	}
	if s.cfg.Captures != nil {
		s.registerCaptures()
	}
	if s.cfg.Identity != nil {
		s.registerOAuth()
		s.registerUsers()
		s.registerApps()
	}
	if s.cfg.Feed != nil {
		s.registerEvents()
	}
	if s.cfg.RegLog != nil {
		s.registerRegLog()
	}
	if s.cfg.Audit != nil {
		s.registerAudit()
	}
	if s.cfg.History != nil {
		s.registerCallHistory()
	}
	if s.cfg.Explain != nil {
		s.registerExplain()
	}
}

// humaConfig is huma without its own documents, pages and $schema.
func (s *Server) humaConfig() huma.Config {
	schemas := huma.NewMapRegistry("#/components/schemas/", schemaNamer())
	schemas.RegisterTypeAlias(reflect.TypeFor[dialplan.Stamp](), reflect.TypeFor[stampSchema]())
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Cordpair API", Version: s.cfg.Version, Description: aboutAPI},
			Servers: []*huma.Server{{URL: Base}},
			Tags:    tags,
			Components: &huma.Components{
				Schemas: schemas,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token": {Type: "http", Scheme: "bearer", Description: "An access token of /oauth/token"},
				},
			},
		},
		Formats: map[string]huma.Format{
			"application/json": {Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: json.Unmarshal},
			"json":             {Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: json.Unmarshal},
		},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{finishProblem},
	}
}

// tags are the headings of the document in their order. Every operation has one
// of them.
var tags = []*huma.Tag{
	{Name: "Authorisation"}, {Name: "Client"}, {Name: "Extensions"}, {Name: "Extension groups"}, {Name: "Phone terminals"},
	{Name: "Users"}, {Name: "Applications"}, {Name: "Registration"}, {Name: "Current calls"}, {Name: "Call history"},
	{Name: "Explain"}, {Name: "Events"}, {Name: "Audit"}, {Name: "Administration"},
}

const aboutAPI = "Everything the switch is told and asked over HTTP. Times are UTC, written YYYY-MM-DD HH:MM:SS. " +
	"A PUT changes the fields it names; null puts a field back to its default. Every path works with and without its last slash. " +
	"POSTs may carry an Idempotency-Key. Errors are application/problem+json."

// stampSchema describes dialplan.Stamp.
type stampSchema struct{}

// Schema is that of a time.
func (stampSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Nullable: true, Examples: []any{"2021-01-01 16:29:38"},
		Description: "UTC, YYYY-MM-DD HH:MM:SS, perhaps with hundredths; null when there is none",
	}
}

// schemaNamer names schemas after their types, with the package in front when
// two packages have a type of one name.
func schemaNamer() func(reflect.Type, string) string {
	owners := map[string]string{}
	return func(t reflect.Type, hint string) string {
		name := huma.DefaultSchemaNamer(t, hint)
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.PkgPath() == "" {
			return name
		}
		if owner, ok := owners[name]; ok && owner != t.PkgPath() {
			return packageName(t.PkgPath()) + name
		}
		owners[name] = t.PkgPath()
		return name
	}
}

func packageName(path string) string {
	name := path
	for i := range path {
		if path[i] == '/' {
			name = path[i+1:]
		}
	}
	return string(name[0]-'a'+'A') + name[1:]
}
