package api

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/cordpair/cordpair/api/auth"
)

// Limits of the token endpoints for one source (spec/http-api-more-b.md 1). They
// are not the switch's as a whole: whoever fills his own must not keep everybody
// else from their tokens.
const (
	tokensPerSecond = 20
	tokensAtOnce    = 6
	// maxTokenSources bounds the memory; beyond it the newcomers share one gate.
	maxTokenSources = 1 << 14
)

// tokenGate lets so many requests of a source in.
type tokenGate struct {
	now func() time.Time

	mu      sync.Mutex
	sources map[string]*tokenSource
	tidied  time.Time
}

type tokenSource struct {
	rate   *rate.Limiter
	inside int
}

func newTokenGate(now func() time.Time) *tokenGate {
	return &tokenGate{now: now, sources: map[string]*tokenSource{}}
}

// enter refuses when there are too many; otherwise leave must be called.
func (g *tokenGate) enter(from string) (leave func(), refused *Problem) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	source := g.source(auth.Network(from), now)
	if source.inside == tokensAtOnce || !source.rate.AllowN(now, 1) {
		return nil, newProblem(http.StatusTooManyRequests, "rate_limit_exceeded", "Too many requests for tokens", true).with("Retry-After", "1")
	}
	source.inside++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		source.inside--
	}, nil
}

// source finds the one of a name. g.mu is held.
func (g *tokenGate) source(name string, now time.Time) *tokenSource {
	if s := g.sources[name]; s != nil {
		return s
	}
	if len(g.sources) >= maxTokenSources {
		g.tidy(now)
	}
	if len(g.sources) >= maxTokenSources {
		name = "" // nobody's name: a request always has a source
	}
	s := g.sources[name]
	if s == nil {
		s = &tokenSource{rate: rate.NewLimiter(tokensPerSecond, tokensPerSecond)}
		g.sources[name] = s
	}
	return s
}

// tidy forgets sources that are as good as new, once in a second: by then every
// one that stopped is.
func (g *tokenGate) tidy(now time.Time) {
	if now.Sub(g.tidied) < time.Second {
		return
	}
	g.tidied = now
	for name, s := range g.sources {
		if s.inside == 0 && s.rate.TokensAt(now) >= tokensPerSecond {
			delete(g.sources, name)
		}
	}
}
