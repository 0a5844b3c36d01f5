package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

// Config is what an Authority needs. Space, Client and Extension are required.
type Config struct {
	// Space is the configuration space.
	Space *store.Space
	// Now is the clock; nil: time.Now. It should keep the monotonic reading.
	Now func() time.Time
	// Client says whether a client exists and is active. It must not block.
	Client func(id int64) (active, exists bool)
	// Extension says whose a usable extension is, and in which group (0: none);
	// ok is false for one that is blocked or gone. It must not block.
	Extension func(id int64) (client, group int64, ok bool)
	// Number is the bare number of an extension, which the password of its users
	// must not hold; nil: not checked. It must not block.
	Number func(extension int64) string
	// Audit writes down a change in its own transaction (L14); an error of it
	// undoes the change. what is "user" or "app", or "token" for one that Issue made;
	// before and after are User or App without secrets, nil at creation and
	// deletion; a masked client_secret beside an App says that it is another one.
	// nil: nothing is written down.
	Audit func(tx *store.Tx, ctx context.Context, what string, id any, before, after any) error
	// Logger may be nil.
	Logger *slog.Logger
}

// Authority owns users, applications, tokens and lockouts.
type Authority struct {
	cfg    Config
	now    func() time.Time
	log    *slog.Logger
	users  *store.Table[userRow]
	apps   *store.Table[appRow]
	tokens *store.Table[tokenRow]
	live   *live
	guard  *guard
	hasher *hasher
	counts counters
}

type counters struct{ issued, refused, failures, reused atomic.Uint64 }

// Stats are counters since the start, and gauges where said.
type Stats struct {
	Tokens   int // gauge: live access tokens
	Counters int // gauge: sources, and names tried from them, with recent failures
	Locked   int // gauge: pauses in force
	Waiting  int // gauge: password checks under way or waiting for their turn

	Issued   uint64 // access tokens
	Refused  uint64 // token requests that were not granted, lockouts left out
	Failures uint64 // wrong logins, passwords or secrets
	Lockouts uint64 // pauses begun
	Pauses   uint64 // attempts refused during a pause
	Reused   uint64 // refresh tokens presented again: their family ended
	Hashes   uint64 // argon2id computations
}

// New reads what is stored and returns the authority over it.
func New(cfg Config) (*Authority, error) { return open(cfg, dear) }

// open is New at another price of a password check.
func open(cfg Config, c cost) (*Authority, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Authority{
		cfg: cfg, now: cfg.Now, log: cfg.Logger,
		users: userTable(cfg.Space), apps: appTable(cfg.Space), tokens: tokenTable(cfg.Space),
		live:   newLive(cfg.Now),
		guard:  newGuard(cfg.Space, cfg.Now, cfg.Logger),
		hasher: newHasher(c),
	}
	a.users.Watch(a.live.userChanged)
	a.apps.Watch(a.live.appChanged)
	a.tokens.Watch(a.live.tokenChanged)
	if err := errors.Join(a.load(), a.guard.load()); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	return a, nil
}

// load makes the stored tokens live whose user, application and family still
// stand behind them.
func (a *Authority) load() error {
	type found struct {
		id  digestOf
		row tokenRow
	}
	var list []found
	err := a.cfg.Space.View(func(tx *store.Tx) error {
		s := standing{a: a, tx: tx, users: map[int64]*userRow{}, apps: map[string]*appRow{}}
		return a.tokens.In(tx).Each(store.Range{}, func(r store.Row[tokenRow]) error {
			key, _, err := r.Key.CutStr()
			if err != nil || r.Value.Refresh {
				return err
			}
			row, ok, err := s.token(r.Value)
			if ok {
				list = append(list, found{parseDigest(key), row})
			}
			return err
		})
	})
	slices.SortFunc(list, func(x, y found) int { return x.row.Until.Compare(y.row.Until) })
	for _, f := range list {
		// A clock that went back must not make a token live longer.
		a.live.add(f.id, f.row, min(f.row.Until.Sub(a.now()), accessLife))
	}
	return err
}

// standing remembers users and applications while tokens are read.
type standing struct {
	a     *Authority
	tx    *store.Tx
	users map[int64]*userRow
	apps  map[string]*appRow
}

// token brings the bearer of a stored token up to date; ok is false if the token
// has been ended.
func (s standing) token(row tokenRow) (now tokenRow, ok bool, err error) {
	u, err := remember(s.users, row.User, func() (userRow, error) { return s.a.users.In(s.tx).Get(store.Int(row.User)) })
	if err != nil || u == nil || u.Epoch != row.UserEpoch {
		return row, false, err
	}
	var app *App
	if row.App != "" {
		x, err := remember(s.apps, row.App, func() (appRow, error) { return s.a.apps.In(s.tx).Get(store.Str(row.App)) })
		if err != nil || x == nil || x.Epoch != row.AppEpoch {
			return row, false, err
		}
		app = &x.App
	}
	if row.Family != "" {
		switch _, err := s.a.tokens.In(s.tx).Get(store.Str(row.Family)); {
		case errors.Is(err, store.ErrNotFound):
			return row, false, nil
		case err != nil:
			return row, false, err
		}
	}
	row.Who = principal(u.User, app)
	return row, true, nil
}

// remember reads a row once; nil if there is none.
func remember[K comparable, T any](known map[K]*T, key K, read func() (T, error)) (*T, error) {
	if row, ok := known[key]; ok {
		return row, nil
	}
	row, err := read()
	if errors.Is(err, store.ErrNotFound) {
		known[key] = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	known[key] = &row
	return &row, nil
}

// audit writes down a change, if anybody wants to know.
func (a *Authority) audit(tx *store.Tx, ctx context.Context, what string, id, before, after any) error {
	if a.cfg.Audit == nil {
		return nil
	}
	return a.cfg.Audit(tx, ctx, what, id, before, after)
}

// usable says whether what a principal belongs to lets it act, and brings its
// group up to date: ErrBlocked, or ErrToken when the client is gone.
func (a *Authority) usable(p *Principal) error {
	if p.ClientID != 0 {
		switch active, exists := a.cfg.Client(p.ClientID); {
		case !exists:
			return ErrToken
		case !active:
			return ErrBlocked
		}
	}
	if p.Level == LevelExtension {
		client, group, ok := a.cfg.Extension(p.ExtensionID)
		if !ok || client != p.ClientID {
			return ErrBlocked
		}
		p.GroupID = group
	}
	return nil
}

// active says whether a user may come in now.
func (a *Authority) active(u User) bool {
	p := principal(u, nil)
	return u.Status == dialplan.StatusActive && a.usable(&p) == nil
}

// Stats returns the counters.
func (a *Authority) Stats() Stats {
	s := Stats{
		Tokens: a.live.size(), Waiting: int(a.hasher.waiting.Load()),
		Issued: a.counts.issued.Load(), Refused: a.counts.refused.Load(), Failures: a.counts.failures.Load(),
		Reused: a.counts.reused.Load(), Hashes: a.hasher.count.Load(),
	}
	a.guard.stats(&s)
	return s
}
