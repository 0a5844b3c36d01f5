package auth

import (
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/store"
)

// The measures of A8.
const (
	sourceFailures = 10 // from one source, whatever the name
	nameFailures   = 5  // for one name from one source
	failureWindow  = 5 * time.Minute
	firstPause     = 15 * time.Minute
	longestPause   = 24 * time.Hour
	// strikesLast is how long after a pause the next one is twice as long.
	strikesLast = 24 * time.Hour
	// knownFor is how long a source that got a name right stays known for it.
	knownFor = 30 * 24 * time.Hour
	// knownAgain is the age at which a success is written down once more.
	knownAgain = 24 * time.Hour

	maxTallies      = 1 << 16
	maxPauses       = 1 << 16
	maxKnownSources = 32 // of one name
	maxNameLen      = 72
)

// attempt is who tries to be whom: a source, and a name there. The empty name
// stands for the source as a whole.
type attempt struct{ source, name string }

func (at attempt) whole() attempt { return attempt{source: at.source} }

// tally is the recent failures of an attempt, oldest first.
type tally []time.Time

// pause is an attempt that is refused, or that was and will be for twice as long
// next time.
type pause struct {
	until   time.Time
	strikes int // pauses so far, from 1
}

// guardRow is what outlives the process: a pause, or the sources that got a name
// right.
type guardRow struct {
	Until   time.Time   `json:"until,omitzero"`
	Strikes int         `json:"strikes,omitempty"`
	Known   []knownFrom `json:"known,omitempty"`
	End     time.Time   `json:"end"`
}

type knownFrom struct {
	Source string    `json:"source"`
	At     time.Time `json:"at"`
}

// Expires implements what the store asks of rows with an end.
func (r guardRow) Expires() time.Time { return r.End }

// guard counts failures and says who has to wait (A8). An attempt that failed
// too often pauses; so does a source as a whole, but for names it got right in
// the last 30 days: their owner is not locked out by what others there try.
type guard struct {
	space *store.Space
	table *store.Table[guardRow]
	now   func() time.Time
	log   *slog.Logger

	mu      sync.Mutex
	tallies map[attempt]tally
	pauses  map[attempt]pause
	tidied  time.Time

	lockouts, refused atomic.Uint64
}

func newGuard(sp *store.Space, now func() time.Time, log *slog.Logger) *guard {
	return &guard{
		space: sp, table: store.NewTable[guardRow](sp, store.Lockouts, 1), now: now, log: log,
		tallies: map[attempt]tally{}, pauses: map[attempt]pause{}, tidied: now(),
	}
}

const (
	pauseRow = "pause"
	knownRow = "known"
)

func (at attempt) key() store.Key {
	return store.Join(store.Str(pauseRow), store.Str(at.source), store.Str(at.name))
}

func knownKey(name string) store.Key { return store.Join(store.Str(knownRow), store.Str(name)) }

// load brings back the pauses of an earlier run.
func (g *guard) load() error {
	prefix := store.Str(pauseRow)
	return g.table.Each(store.Range{Prefix: prefix}, func(r store.Row[guardRow]) error {
		source, rest, err := store.Key(strings.TrimPrefix(string(r.Key), string(prefix))).CutStr()
		if err != nil {
			return err
		}
		name, _, err := rest.CutStr()
		if err != nil {
			return err
		}
		// A clock that went back must not make a pause longer.
		left := min(r.Value.Until.Sub(g.now()), longestPause)
		g.pauses[attempt{source, name}] = pause{g.now().Add(left), r.Value.Strikes}
		return nil
	})
}

// key is the attempt of a source at a name; logins that differ in case only are
// one, and so are the addresses of an IPv6 network of 64 bits.
func (g *guard) key(source, name string) attempt {
	name = strings.ToLower(name)
	if len(name) > maxNameLen {
		name = name[:maxNameLen] // no name that exists is longer
	}
	return attempt{Network(source), name}
}

// Network is what counts as one source: an IPv4 address however it is spelled, or
// the 64 bits of an IPv6 network. What is no address stays as it is, cut.
func Network(source string) string {
	ip, err := netip.ParseAddr(source)
	if err != nil {
		return source[:min(len(source), 64)]
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	p, _ := ip.Prefix(64) // 64 is in range
	return p.String()
}

// admit refuses an attempt during a pause, as a *LockedError.
func (g *guard) admit(at attempt) error {
	left, whole := g.paused(at)
	if left <= 0 || whole && g.knows(at) {
		return nil
	}
	g.refused.Add(1)
	return &LockedError{RetryAfter: left}
}

// paused is how long an attempt has to wait; whole says that only its source
// has to.
func (g *guard) paused(at attempt) (left time.Duration, whole bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if left := g.pauses[at].until.Sub(now); left > 0 {
		return left, false
	}
	return g.pauses[at.whole()].until.Sub(now), true
}

// knows reports whether the source got the name right in the last 30 days. If
// that cannot be read, it did not.
func (g *guard) knows(at attempt) bool {
	row, err := g.table.Get(knownKey(at.name))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		g.log.Error("known sources cannot be read", "err", err)
	}
	for _, k := range row.Known {
		if k.Source == at.source {
			return g.now().Sub(k.At) < knownFor
		}
	}
	return false
}

// failed counts a failure; one too many begins a pause, which is on the disk when
// failed returns. One that was under way when its pause began counts no more.
func (g *guard) failed(at attempt) {
	g.log.Warn("authentication failed", "source", at.source)
	if left, whole := g.paused(at); left > 0 && !whole {
		return
	}
	for _, t := range []struct {
		at   attempt
		most int
	}{{at, nameFailures}, {at.whole(), sourceFailures}} {
		p, begun := g.count(t.at, t.most)
		if !begun {
			continue
		}
		g.lockouts.Add(1)
		g.log.Warn("too many failed attempts, source refused", "source", at.source, "one_name", t.at.name != "",
			"for", p.until.Sub(g.now()).Round(time.Second))
		row := guardRow{Until: p.until, Strikes: p.strikes, End: p.until.Add(strikesLast)}
		if err := g.table.Put(t.at.key(), row); err != nil {
			g.log.Error("pause not stored, a restart forgets it", "source", at.source, "err", err)
		}
	}
}

// count adds a failure and begins a pause when there are too many. Failures that
// were under way when it began do not make another one.
func (g *guard) count(at attempt, most int) (p pause, begun bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.tidy(now)
	if now.Before(g.pauses[at].until) {
		return pause{}, false
	}
	list := append(g.tallies[at].since(now), now)
	if len(list) < most {
		spare(g.tallies, maxTallies)
		g.tallies[at] = list
		return pause{}, false
	}
	delete(g.tallies, at)
	p.strikes = 1
	if before, ok := g.pauses[at]; ok && now.Before(before.until.Add(strikesLast)) {
		p.strikes = before.strikes + 1
	}
	p.until = now.Add(length(p.strikes))
	spare(g.pauses, maxPauses)
	g.pauses[at] = p
	return p, true
}

// length is the pause after so many strikes: 15 minutes, doubling to a day.
func length(strikes int) time.Duration {
	return min(firstPause<<min(strikes-1, 10), longestPause)
}

// since is the failures that still count.
func (t tally) since(now time.Time) tally {
	for len(t) > 0 && now.Sub(t[0]) >= failureWindow {
		t = t[1:]
	}
	return t
}

// spare drops any entries of a full map until there is room: whoever fills it has
// more addresses than the switch can count.
func spare[V any](m map[attempt]V, most int) {
	for at := range m {
		if len(m) < most {
			return
		}
		delete(m, at)
	}
}

// tidy forgets what no longer matters, once in a window.
func (g *guard) tidy(now time.Time) {
	if now.Sub(g.tidied) < failureWindow {
		return
	}
	g.tidied = now
	for at, t := range g.tallies {
		if len(t.since(now)) == 0 {
			delete(g.tallies, at)
		}
	}
	for at, p := range g.pauses {
		if !now.Before(p.until.Add(strikesLast)) {
			delete(g.pauses, at)
		}
	}
}

// succeeded forgets the failures of the name at this source, and remembers that
// the source got it right.
func (g *guard) succeeded(at attempt) {
	g.mu.Lock()
	delete(g.tallies, at)
	g.mu.Unlock()
	row, err := g.table.Get(knownKey(at.name))
	if err == nil && row.fresh(at.source, g.now()) {
		return
	}
	err = g.space.Update(func(tx *store.Tx) error {
		row, err := g.table.In(tx).Get(knownKey(at.name))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return g.table.In(tx).Put(knownKey(at.name), row.with(at.source, g.now()))
	})
	if err != nil {
		g.log.Error("known source not stored", "err", err)
	}
}

// fresh reports whether a success from source was written down not long ago.
func (r guardRow) fresh(source string, now time.Time) bool {
	for _, k := range r.Known {
		if k.Source == source {
			return now.Sub(k.At) < knownAgain
		}
	}
	return false
}

// with puts a success from source first and drops the oldest beyond the most
// that are kept.
func (r guardRow) with(source string, now time.Time) guardRow {
	list := []knownFrom{{source, now}}
	for _, k := range r.Known {
		if k.Source != source && now.Sub(k.At) < knownFor && len(list) < maxKnownSources {
			list = append(list, k)
		}
	}
	return guardRow{Known: list, End: now.Add(knownFor)}
}

func (g *guard) stats(s *Stats) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.tidy(now)
	s.Counters = len(g.tallies)
	for _, p := range g.pauses {
		if now.Before(p.until) {
			s.Locked++
		}
	}
	s.Lockouts, s.Pauses = g.lockouts.Load(), g.refused.Load()
}
