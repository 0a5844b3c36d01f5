package sip

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/cordpair/cordpair/sip/event"
	"github.com/cordpair/cordpair/sip/event/reginfo"
	"github.com/cordpair/cordpair/sip/event/summary"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/sip/pager"
	"github.com/cordpair/cordpair/sip/wire"
)

// EventConfig says which event packages are served and how subscriptions and
// publications are kept. The zero value serves reg and message-summary and keeps
// nothing beyond the process.
type EventConfig struct {
	Subscriptions event.Store
	Publications  event.PublicationStore
	// Packages are served besides reg and message-summary.
	Packages []event.Package
	// Summaries count for message-summary besides what is published and the text
	// messages that wait.
	Summaries []summary.Source
	// MaxPerPhone, MaxPerClient and MaxSubscriptions bound what is kept; zero means
	// 200 (S16), half of all, and 200,000 (O5).
	MaxPerPhone, MaxPerClient, MaxSubscriptions int
}

const (
	maxPerPhone      = 200
	maxSubscriptions = 200_000
	// maxPhones is how many phones of one extension may have all of theirs: as many as
	// may register. One that speaks from ever new addresses is not as many phones.
	maxPhones = 10
	// restoredWithin is over how long the first NOTIFYs of subscriptions from
	// before a restart are spread.
	restoredWithin = 30 * time.Second
	// tendEvents is how often publications and messages are looked at for their end.
	tendEvents = time.Second
)

// events are the packages, who is subscribed to what, and what was published.
type events struct {
	cfg          EventConfig
	packages     map[string]event.Package
	allow        string // all packages, for Allow-Events
	publications *event.Publications
	messages     *pager.Messages
	watchers     watchers
	couriers     couriers
}

// openEvents loads what outlives the process. The listeners are open by then: a
// restored subscription speaks through them.
func (s *Server) openEvents() error {
	e := &s.events
	e.cfg = s.cfg.Events
	if e.cfg.MaxPerPhone <= 0 {
		e.cfg.MaxPerPhone = maxPerPhone
	}
	if e.cfg.MaxSubscriptions <= 0 {
		e.cfg.MaxSubscriptions = maxSubscriptions
	}
	if e.cfg.MaxPerClient <= 0 {
		e.cfg.MaxPerClient = e.cfg.MaxSubscriptions / 2
	}
	sources := append([]summary.Source{waitingTexts{e.messages}}, e.cfg.Summaries...)
	packages := append([]event.Package{reginfo.New(s.location), summary.New(sources...)}, e.cfg.Packages...)
	e.packages = map[string]event.Package{}
	var names []string
	for _, p := range packages {
		e.packages[p.Name()] = p
		names = append(names, p.Name())
	}
	e.allow = strings.Join(names, ", ")
	s.openOptions()
	now := time.Now()
	var err error
	if e.publications, err = event.OpenPublications(e.cfg.Publications, now); err != nil {
		return err
	}
	return s.restoreSubscriptions(now)
}

// waitingTexts are the text messages that wait, as a message-summary counts them.
type waitingTexts struct{ messages *pager.Messages }

// Summary implements summary.Source.
func (t waitingTexts) Summary(extension int64) (s summary.Summary) {
	s.Set(summary.Text, summary.Counts{New: uint32(t.messages.Count(extension))})
	return s
}

// Changed says that the state of an extension changed in an event package: its
// watchers are notified, each in its own time. It may be called from anywhere and
// waits for nothing.
func (s *Server) Changed(pack string, extension int64) {
	for _, sub := range s.events.watchers.watching(pack, extension) {
		sub.w.do(sub.changed)
	}
}

// Expel ends the subscriptions of an extension that was blocked (F9).
func (s *Server) Expel(extension int64) {
	for _, sub := range s.events.watchers.made(extension) {
		sub.w.do(func() { sub.end(endRejected) })
	}
}

// Forget ends the subscriptions of an extension that was deleted and those to it,
// and drops its publications and the messages that wait for it.
func (s *Server) Forget(extension int64) {
	s.Expel(extension)
	for pack := range s.events.packages {
		for _, sub := range s.events.watchers.watching(pack, extension) {
			sub.w.do(func() { sub.end(endNoResource) })
		}
	}
	s.events.publications.Forget(extension)
	s.events.messages.Forget(extension)
}

// Subscriptions is the number of subscriptions that exist.
func (s *Server) Subscriptions() int { return s.events.watchers.len() }

// phoneChanged hears of every change of a binding but mere refreshes.
func (s *Server) phoneChanged(ev location.Event) {
	b := &ev.Binding
	for _, sub := range s.events.watchers.through(b.Extension, b.ID) {
		switch ev.Kind {
		case location.Resumed, location.Changed:
			sub.w.do(sub.pump)
		case location.Removed, location.Expired:
			sub.w.do(sub.phoneGone)
		}
	}
	s.Changed(reginfo.Name, b.Extension)
}

// tend drops what has outlived its time, until the edge closes.
func (s *Server) tend() {
	tick := time.NewTicker(tendEvents)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		now := time.Now()
		for extension, packages := range s.events.publications.Expire(now) {
			for _, p := range packages {
				s.Changed(p, extension)
			}
		}
		for extension, n := range s.events.messages.Expire(now) {
			s.metrics.textMessages("expired", n)
			s.Changed(summary.Name, extension)
		}
	}
}

// restoreSubscriptions takes over those of an earlier run, with the CSeq and the
// version that were reserved.
func (s *Server) restoreSubscriptions(now time.Time) error {
	if s.events.cfg.Subscriptions == nil {
		return nil
	}
	for rec, err := range s.events.cfg.Subscriptions.Records() {
		if err != nil {
			return fmt.Errorf("subscriptions: %w", err)
		}
		if !s.restore(rec, now) {
			s.events.cfg.Subscriptions.Delete(rec.ID, nil)
		}
	}
	return nil
}

// restore takes over one subscription, unless it has run out or nothing it needs
// is there any more.
func (s *Server) restore(rec event.Record, now time.Time) bool {
	pack, f, left := s.events.packages[rec.Package], s.flowOf(rec.Flow), rec.Left(now)
	if pack == nil || f == nil || left <= 0 || rec.Binding == "" && rec.Flow.Stream() {
		return false
	}
	w := s.workerOf([]byte(rec.CallID))
	rec.Expires = now.Add(left) // from here on the clock of this run counts (L6)
	sub := &subscription{w: w, pack: pack, rec: rec, begun: true, stored: true, durable: rec.Reserved}
	sub.phone = phoneOf(rec.Binding, f)
	sub.dialog = dialog{
		callID: rec.CallID, localTag: rec.ID, remoteTag: rec.RemoteTag, local: rec.Local, remote: rec.Remote,
		localSeq: rec.Reserved, remoteSeq: rec.RemoteSeq, target: rec.Target, routes: rec.Routes, flow: f,
	}
	older, err := s.events.watchers.add(sub, &s.events.cfg)
	if err != nil {
		return false
	}
	if older != nil {
		older.remove(endReplaced)
	}
	if rec.Binding != "" && !s.registered(rec.Watcher.Extension, rec.Binding, now) {
		s.events.watchers.drop(sub) // it ended while nobody looked
		return false
	}
	w.subs[sub.key()] = sub
	sub.pace.ChangeAfter(now.Add(rand.N(restoredWithin)))
	w.after(&sub.expiry, left, sub.expired)
	sub.pump()
	return true
}

// registered reports whether a binding still exists, suspended or not.
func (s *Server) registered(extension int64, id string, now time.Time) bool {
	var room [4]location.Binding
	bindings := s.location.Lookup(extension, now, room[:0])
	for i := range bindings {
		if bindings[i].ID == id {
			return true
		}
	}
	return false
}

// Errors of watchers.add.
var (
	errPhoneFull = errors.New("too many subscriptions of one phone")
	errFull      = errors.New("too many subscriptions")
)

// watchers finds subscriptions by what they watch and by who watches.
type watchers struct {
	mu sync.Mutex
	of map[resourceKey]map[*subscription]struct{}
	by map[int64]map[*subscription]struct{}
	// clients is how many each client has, n how many there are.
	clients map[int64]int
	n       int
}

type resourceKey struct {
	pack      string
	extension int64
}

// add takes a subscription in. older is the one it replaces: of the same phone,
// event and resource; it is out already.
func (t *watchers) add(sub *subscription, cfg *EventConfig) (older *subscription, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of, t.by = map[resourceKey]map[*subscription]struct{}{}, map[int64]map[*subscription]struct{}{}
		t.clients = map[int64]int{}
	}
	n, all := 0, t.by[sub.rec.Watcher.Extension]
	for o := range all {
		if o.phone != sub.phone {
			continue
		}
		n++
		if o.rec.Package == sub.rec.Package && o.rec.EventID == sub.rec.EventID && sameResource(o.rec.Of, sub.rec.Of) {
			older = o
		}
	}
	switch {
	case older != nil:
		t.out(older)
	case n >= cfg.MaxPerPhone, len(all) >= maxPhones*cfg.MaxPerPhone:
		return nil, errPhoneFull
	case t.n >= cfg.MaxSubscriptions, t.clients[sub.rec.Watcher.Client] >= cfg.MaxPerClient:
		return nil, errFull
	}
	t.in(sub)
	return older, nil
}

// enter takes a subscription back in.
func (t *watchers) enter(sub *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.in(sub)
}

func (t *watchers) in(sub *subscription) {
	enter(t.of, resourceKey{sub.rec.Package, sub.rec.Of.Extension}, sub)
	enter(t.by, sub.rec.Watcher.Extension, sub)
	t.clients[sub.rec.Watcher.Client]++
	t.n++
}

// sameResource compares what is watched; one that exists has several names.
func sameResource(a, b event.Resource) bool {
	return a.Extension == b.Extension && (a.Extension != 0 || a.Name == b.Name)
}

func enter[K comparable](m map[K]map[*subscription]struct{}, k K, sub *subscription) {
	if m[k] == nil {
		m[k] = map[*subscription]struct{}{}
	}
	m[k][sub] = struct{}{}
}

func leave[K comparable](m map[K]map[*subscription]struct{}, k K, sub *subscription) bool {
	_, there := m[k][sub]
	if delete(m[k], sub); len(m[k]) == 0 {
		delete(m, k)
	}
	return there
}

// drop takes a subscription out; harmless if it is out.
func (t *watchers) drop(sub *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out(sub)
}

func (t *watchers) out(sub *subscription) {
	leave(t.of, resourceKey{sub.rec.Package, sub.rec.Of.Extension}, sub)
	if leave(t.by, sub.rec.Watcher.Extension, sub) {
		t.n--
		if t.clients[sub.rec.Watcher.Client]--; t.clients[sub.rec.Watcher.Client] == 0 {
			delete(t.clients, sub.rec.Watcher.Client)
		}
	}
}

// move notes that a phone speaks through another registration or flow now.
func (t *watchers) move(sub *subscription, phone string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sub.phone = phone
}

func (t *watchers) watching(pack string, extension int64) []*subscription {
	t.mu.Lock()
	defer t.mu.Unlock()
	return list(nil, t.of[resourceKey{pack, extension}], func(*subscription) bool { return true })
}

// through are the subscriptions that a phone made through a registration.
func (t *watchers) through(watcher int64, binding string) []*subscription {
	t.mu.Lock()
	defer t.mu.Unlock()
	return list(nil, t.by[watcher], func(sub *subscription) bool { return sub.phone == binding })
}

// made are the subscriptions of an extension.
func (t *watchers) made(watcher int64) []*subscription {
	t.mu.Lock()
	defer t.mu.Unlock()
	return list(nil, t.by[watcher], func(*subscription) bool { return true })
}

func list(to []*subscription, set map[*subscription]struct{}, want func(*subscription) bool) []*subscription {
	for sub := range set {
		if want(sub) {
			to = append(to, sub)
		}
	}
	return to
}

func (t *watchers) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

// phoneOf tells the phones of one extension apart: by the registration it speaks
// through, or by its flow.
func phoneOf(binding string, f flow) string {
	if binding != "" {
		return binding
	}
	return f.id()
}

// noEvent are the fields of a 489.
func (s *Server) noEvent() wire.Field { return wire.Field{Name: "Allow-Events", Value: s.events.allow} }
