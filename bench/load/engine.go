//go:build linux

package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/cordpair/cordpair/bench/gauge"
)

// sipSockets are as many as the phones share.
const sipSockets = 4

// resendAfter is T1 of RFC 3261. The load looks at what waits for an answer in
// this step, repeats it when timer A or E says so, and gives up after 64*T1.
const (
	resendAfter = 500 * time.Millisecond
	mostResends = 64
)

// repeatsAt tells whether timer A, or E with its ceiling of 4 s, fires after so
// many steps.
func repeatsAt(steps int, invite bool) bool {
	if !invite && steps > 7 {
		return steps%8 == 7
	}
	return steps&(steps+1) == 0 // 1, 3, 7, 15, 31, 63
}

// ringTime is how long a callee rings.
const ringTime = 50 * time.Millisecond

// engine is one load process: everything in it belongs to the goroutine of Run.
type engine struct {
	spec    Spec
	run     string // tells one load's names from another's
	poller  *poller
	sip     []*socket
	sink    *socket // where RTP is told to go when none is looked at
	phones  []*phone
	byUser  map[string]*phone
	calls   []*callState
	resends queue[resend]
	rings   queue[*callState]
	talks   queue[*callState]
	res     *Result // of the phase that runs
	hist    *gauge.Hist
	msg     message
	vals    values
	out     []byte
	live    int // operations begun and not ended
	refusal *gauge.Hist
	later   timedPhones // who waits for a Retry-After
	held    int         // phones of calls that are held up
	best    int         // the last clean rate of a ramp
	most    float64     // calls completed in a second
	tooMuch bool        // a ramp has met its end
	flows   []*flow
	window  byte
}

// Run runs all phases in the calling goroutine and returns what they measured.
func Run(ctx context.Context, spec Spec) ([]Result, error) {
	// The load keeps what it allocates; a collector would steal from its core.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	e := &engine{spec: spec, run: strconv.FormatUint(rand.Uint64()>>24, 36), byUser: map[string]*phone{}}
	e.resends.delay, e.rings.delay = resendAfter, ringTime
	if err := e.open(); err != nil {
		return nil, err
	}
	defer e.close()
	var results []Result
	for _, p := range spec.Phases {
		if p.Ramp && e.tooMuch || p.Times > 0 && e.best == 0 {
			continue
		}
		if p.Times > 0 {
			p.Rate = p.Times * e.best
		}
		r, err := e.phase(ctx, p)
		if err != nil {
			return results, fmt.Errorf("%s: %w", p.Kind, err)
		}
		if p.Ramp || p.Times > 0 {
			e.most = max(e.most, r.completed())
		}
		if !p.Ramp {
			results = append(results, r)
			continue
		}
		if e.tooMuch = !r.clean(); !e.tooMuch {
			e.best = p.Rate
		}
		results = e.climb(results, r)
	}
	for i := range results {
		results[i].Most = e.most
	}
	return results, nil
}

// climb keeps one result of a ramp: the last clean one, or the first.
func (e *engine) climb(results []Result, r Result) []Result {
	last := len(results) - 1
	switch {
	case last < 0 || !results[last].Ramp:
		return append(results, r)
	case e.tooMuch:
		results[last].Limit = fmt.Sprintf("at %d/s %d failed, %d were refused, %d requests and %d answers came again, %.0f/s were done; first: %s",
			r.Rate, r.Failed, r.Refused, r.Resent, r.Repeated, r.speed(), r.Blemish)
	default:
		results[last] = r
	}
	return results
}

func (e *engine) open() error {
	var err error
	if e.poller, err = openPoller(); err != nil {
		return err
	}
	if e.sink, err = openSocket(0); err != nil {
		return err
	}
	if e.spec.Target == "" {
		return nil
	}
	port, err := portOf(e.spec.Target)
	if err != nil {
		return err
	}
	for range sipSockets {
		s, err := openSocket(0)
		if err != nil {
			return err
		}
		s.roomy()
		s.got = e.onSIP
		if err := s.connect(port); err != nil {
			return fmt.Errorf("connect %s: %w", e.spec.Target, err)
		}
		if err := e.poller.add(s); err != nil {
			return err
		}
		e.sip = append(e.sip, s)
	}
	for i, p := range e.spec.Phones {
		ph := newPhone(p, i, e.sip[i%sipSockets], e.run, e.spec.Domain)
		e.phones = append(e.phones, ph)
		e.byUser[p.User] = ph
	}
	return nil
}

func (e *engine) close() {
	for _, s := range e.poller.sockets {
		s.close()
	}
	e.sink.close()
}

// task is the work of one phase.
type task interface {
	// begin makes ready and begins what the figures do not count.
	begin(now time.Time) error
	// tick does what is due.
	tick(now time.Time)
	// measuring tells whether the clock of the figures runs, and over whether
	// nothing is left to do.
	measuring(now time.Time) bool
	over(now time.Time) bool
	// end cleans up; what is unfinished has failed.
	end()
}

// phase runs one phase from end to end.
func (e *engine) phase(ctx context.Context, p Phase) (Result, error) {
	e.res, e.hist, e.refusal, e.live = &Result{Phase: p, Best: e.best}, &gauge.Hist{}, &gauge.Hist{}, 0
	e.res.Phase.Flows = nil // of no interest to a reader
	t, err := e.task(p)
	if err != nil {
		return *e.res, err
	}
	e.res.RSSBefore, e.res.PSSBefore = gauge.Memory(e.spec.PIDs)
	w := watch{pids: e.spec.PIDs, poller: e.poller}
	w.ready()
	if err := t.begin(time.Now()); err != nil {
		return *e.res, err
	}
	bound := time.Now().Add(p.Time + 90*time.Second)
	for {
		if err := e.poller.wait(); err != nil {
			return *e.res, err
		}
		now := time.Now()
		w.turn(now)
		e.timers(now)
		t.tick(now)
		switch measuring := t.measuring(now); {
		case measuring && !w.running:
			w.start(time.Now())
		case !measuring && w.running:
			w.stop(now, e.res)
		}
		if t.over(now) {
			w.stop(now, e.res)
			break
		}
		if ctx.Err() != nil {
			return *e.res, ctx.Err()
		}
		if now.After(bound) {
			w.stop(now, e.res)
			e.fail("not over in time")
			break
		}
	}
	t.end()
	e.res.Added, e.res.Refusal = delayOf(e.hist), delayOf(e.refusal)
	e.res.doubt()
	return *e.res, nil
}

func delayOf(h *gauge.Hist) Delay { return Delay{h.N(), h.Quantile(0.5), h.Quantile(0.99), h.Max()} }

func (e *engine) task(p Phase) (task, error) {
	switch p.Kind {
	case Register, Refresh:
		return newRegisterTask(e, p)
	case Options:
		return newOptionsTask(e, p)
	case Call:
		if p.Flood > 0 {
			return newFloodTask(e, p)
		}
		return newCallTask(e, p)
	case Hold:
		return newHoldTask(e, p)
	case Relay:
		return newRelayTask(e, p)
	case Idle:
		return &idleTask{phase: p}, nil
	}
	return nil, fmt.Errorf("unknown kind %q", p.Kind)
}

// fail counts an operation that went wrong.
func (e *engine) fail(format string, args ...any) {
	e.res.Failed++
	if e.res.FirstFailure == "" {
		e.res.FirstFailure = fmt.Sprintf(format, args...)
	}
}

// blemish notes what was not clean, the first of a phase.
func (e *engine) blemish(c *callState, format string, args ...any) {
	if e.res.Blemish == "" {
		e.res.Blemish = fmt.Sprintf("call %s, %v after its last INVITE: ", c.callID, time.Since(c.invited).Round(time.Millisecond)) +
			fmt.Sprintf(format, args...)
	}
}

// resend is a request that waits for an answer: it counts while generation stays.
type resend struct {
	of         resender
	generation int
	tries      int
}

// resender is what has a request under way.
type resender interface {
	// again sends the request again if generation still waits and it is time,
	// after so many steps; giveUp is true for the last time. It tells what it did.
	again(e *engine, generation, steps int, giveUp bool) resent
}

// resent is what came of looking at a request under way.
type resent int

const (
	settled resent = iota // nothing waits any more
	waits                 // it is not time yet
	sent                  // it was sent again
)

// timers does what has become due.
func (e *engine) timers(now time.Time) {
	for r, ok := e.resends.pop(now); ok; r, ok = e.resends.pop(now) {
		r.tries++
		what := r.of.again(e, r.generation, r.tries, r.tries >= mostResends)
		if what == sent {
			e.res.Resent++
		}
		if what != settled {
			e.resends.push(now, r)
		}
	}
	e.comeBack(now)
	for c, ok := e.rings.pop(now); ok; c, ok = e.rings.pop(now) {
		e.answer(c, now)
	}
	for c, ok := e.talks.pop(now); ok; c, ok = e.talks.pop(now) {
		e.hangUp(c)
	}
}

// idleTask waits.
type idleTask struct {
	phase Phase
	until time.Time
}

func (t *idleTask) begin(now time.Time) error {
	t.until = now.Add(t.phase.Time)
	return nil
}
func (t *idleTask) tick(time.Time)               {}
func (t *idleTask) measuring(now time.Time) bool { return now.Before(t.until) }
func (t *idleTask) over(now time.Time) bool      { return !now.Before(t.until) }
func (t *idleTask) end()                         {}
