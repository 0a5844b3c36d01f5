package call

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cordpair/cordpair/dialplan/call/actor"
)

// Errors of a registry.
var (
	// ErrOverload refuses a new call because Config.MaxCalls are running, or
	// EmergencyCalls more if it is an emergency call.
	ErrOverload = errors.New("too many calls")
	// ErrDraining refuses a new call because the switch is about to stop.
	ErrDraining = errors.New("switch is stopping")
)

// Defaults of Config.
const (
	DefaultMaxCalls    = 20000
	DefaultMaxDuration = 4 * time.Hour // F4
	DefaultMailboxCap  = 256
)

// EmergencyCalls is how many emergency calls may run above Config.MaxCalls (F8).
const EmergencyCalls = 64

// Config is what calls need from the rest of the switch.
type Config struct {
	// Node names this switch in Refs.
	Node string
	// Dialer, Mixer, Effects and Plan are used by all loops at once and must be
	// safe for that. Plan returns a planner of its own for each call.
	Dialer  Dialer
	Mixer   Mixer
	Effects Effects
	Plan    func(Invite) Planner
	// Bus gets the events of every call; nil means that nobody listens.
	Bus *Bus
	// MaxCalls is how many calls may run at once, 0 for DefaultMaxCalls.
	MaxCalls int
	// Emergency tells whether a number is an emergency number of a client; nil
	// means that there are none. It must not wait.
	Emergency func(client int64, number string) bool
	// MaxDuration ends a call with CauseDuration, 0 for DefaultMaxDuration. A leg that
	// moves takes along what is left of it.
	MaxDuration time.Duration
	// MailboxCap is how many outside messages may wait for one call before it
	// ends with CauseOverload, 0 for DefaultMailboxCap.
	MailboxCap int
	// Logger gets one line per ended call; nil means slog.Default().
	Logger *slog.Logger
}

// Registry holds the calls of a node.
type Registry struct {
	cfg   Config
	stats counters
	loops sync.WaitGroup
	dumps actor.Dumps // look only

	mu       sync.RWMutex
	calls    map[ID]*Call
	legs     map[LegID]*Call // in whose call each leg sits
	watching bool            // look will come
	draining bool
	idle     chan struct{} // closed when the last call leaves while somebody drains
}

// NewRegistry returns an empty registry. Its owner ends it with Close.
func NewRegistry(cfg Config) *Registry {
	if cfg.Bus == nil {
		cfg.Bus = NewBus()
	}
	if cfg.MaxCalls == 0 {
		cfg.MaxCalls = DefaultMaxCalls
	}
	if cfg.MaxDuration == 0 {
		cfg.MaxDuration = DefaultMaxDuration
	}
	if cfg.MailboxCap == 0 {
		cfg.MailboxCap = DefaultMailboxCap
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Registry{cfg: cfg, calls: make(map[ID]*Call), legs: make(map[LegID]*Call)}
}

// Start makes a call of a caller's leg and never waits. From now on the call
// owns the leg, and may have told it something by the time Start returns. With an error (ErrOverload, ErrDraining) there is no call and
// the leg is still the giver's.
func (r *Registry) Start(leg Leg, inv Invite) (*Call, error) {
	c := newCall(r, leg, inv)
	c.box.PushExempt(begin{})
	c.box.Enter() // it says nothing before it has its leg, whoever finds it
	if err := r.add(c); err != nil {
		return nil, err
	}
	leg.line().Attach(c)
	c.loop()
	return c, nil
}

// add enters a call unless the registry is draining or full.
func (r *Registry) add(c *Call) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.draining:
		r.stats.refuse(RefusedDraining)
		return ErrDraining
	case len(r.calls) >= r.cfg.MaxCalls && !r.squeezes(c):
		r.stats.refuse(RefusedOverload)
		return ErrOverload
	}
	r.calls[c.ref.ID] = c
	for _, s := range c.legs {
		r.legs[s.leg.ID()] = c
	}
	r.stats.started.Add(1)
	r.loops.Add(1)
	r.watch()
	return nil
}

// squeezes tells whether an emergency call finds room where others do not; the
// lock is held.
func (r *Registry) squeezes(c *Call) bool {
	return len(r.calls) < r.cfg.MaxCalls+EmergencyCalls && r.emergency(c)
}

// emergency tells whether c is a call to an emergency number.
func (r *Registry) emergency(c *Call) bool {
	return r.cfg.Emergency != nil && r.cfg.Emergency(c.invite.Client, c.invite.Dialled)
}

// remove takes out a call that has ended; the last act of its loop.
func (r *Registry) remove(c *Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.calls, c.ref.ID)
	for _, s := range c.legs { // none, but of a call that gave up waiting for them
		if r.legs[s.leg.ID()] == c {
			delete(r.legs, s.leg.ID())
		}
	}
	if len(r.calls) == 0 && r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
	r.loops.Done()
}

// SetMaxCalls changes how many calls may run at once, from 1 up. Those above it
// go on; only new ones are refused.
func (r *Registry) SetMaxCalls(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cfg.MaxCalls = n
}

// Get finds a running call.
func (r *Registry) Get(id ID) (*Call, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c, ok := r.calls[id]
	return c, ok
}

// CallOf finds the running call a leg is in; while a leg moves, the giver until
// the taker has it.
func (r *Registry) CallOf(leg LegID) (*Call, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c, ok := r.legs[leg]
	return c, ok
}

// seated notes that a leg sits in c now.
func (r *Registry) seated(leg LegID, c *Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.legs[leg] = c
}

// unseated forgets a leg that has ended in c.
func (r *Registry) unseated(leg LegID, c *Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.legs[leg] == c {
		delete(r.legs, leg)
	}
}

// Len is the number of running calls.
func (r *Registry) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.calls)
}

// CallsOf returns a picture of every running call of a client, in no order, without
// waking any of them. Nobody else's is looked at: whose picture was wanted once
// makes a new one at every change.
func (r *Registry) CallsOf(client int64) []*Info {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var infos []*Info
	for _, c := range r.calls {
		if c.invite.Client == client {
			infos = append(infos, c.Info())
		}
	}
	return infos
}

// Drain refuses new calls from now on and waits until none is left. It returns
// ctx's cause if that ends first; calls are still running then.
func (r *Registry) Drain(ctx context.Context) error {
	idle := r.refuseNew()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// refuseNew begins draining and returns what will be closed when no call is
// left, or nil if none is left already.
func (r *Registry) refuseNew() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining = true
	if len(r.calls) == 0 {
		return nil
	}
	if r.idle == nil {
		r.idle = make(chan struct{})
	}
	return r.idle
}

// EndAll tells every running call to end and does not wait for it.
func (r *Registry) EndAll(cause Cause) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, c := range r.calls {
		c.send(&hangup{cause: cause})
	}
}

// EndWhere tells every running call whose picture matches to end, without
// waiting for it, and returns how many it told: what blocking an extension or a
// client asks for (F9). A call that Start accepts meanwhile may be missed.
func (r *Registry) EndWhere(match func(*Info) bool, cause Cause) int {
	told := 0
	for _, c := range r.running() {
		if match(c.Info()) && c.send(&hangup{cause: cause}) {
			told++
		}
	}
	return told
}

// running lists the calls, so that nobody is called with the lock held.
func (r *Registry) running() []*Call {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Collect(maps.Values(r.calls))
}

// Close refuses new calls, ends the running ones with CauseShutdown and returns
// when the last loop has. No call outlives that by more than lingerLimit.
func (r *Registry) Close() {
	r.refuseNew()
	r.EndAll(CauseShutdown)
	r.loops.Wait()
}

// Stats returns the counters so far.
func (r *Registry) Stats() Stats { return r.stats.read(r.Len()) }
