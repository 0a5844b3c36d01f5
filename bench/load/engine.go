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

// resendAfter is T1 of RFC 3261; the load repeats in this step and gives up
// after mostResends.
const (
	resendAfter = 500 * time.Millisecond
	mostResends = 12
)

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
		r, err := e.phase(ctx, p)
		if err != nil {
			return results, fmt.Errorf("%s: %w", p.Kind, err)
		}
		results = append(results, r)
	}
	return results, nil
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
		ph := newPhone(p, i, e.sip[i%sipSockets], e.run)
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
	e.res, e.hist, e.live = &Result{Phase: p}, &gauge.Hist{}, 0
	e.res.Phase.Flows = nil // of no interest to a reader
	t, err := e.task(p)
	if err != nil {
		return *e.res, err
	}
	e.res.RSSBefore, e.res.PSSBefore = gauge.Memory(e.spec.PIDs)
	if err := t.begin(time.Now()); err != nil {
		return *e.res, err
	}
	w := watch{pids: e.spec.PIDs, poller: e.poller}
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
	e.res.Added = Delay{e.hist.N(), e.hist.Quantile(0.5), e.hist.Quantile(0.99), e.hist.Max()}
	e.res.doubt()
	return *e.res, nil
}

func (e *engine) task(p Phase) (task, error) {
	switch p.Kind {
	case Register, Refresh:
		return newRegisterTask(e, p)
	case Options:
		return newOptionsTask(e, p)
	case Call:
		return newCallTask(e, p)
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

// resend is a request that waits for an answer: it counts while generation stays.
type resend struct {
	of         resender
	generation int
	tries      int
}

// resender is what has a request under way.
type resender interface {
	// again sends the request again if generation still waits; giveUp is true
	// for the last time.
	again(e *engine, generation int, giveUp bool) bool
}

// timers does what has become due.
func (e *engine) timers(now time.Time) {
	for r, ok := e.resends.pop(now); ok; r, ok = e.resends.pop(now) {
		if r.of.again(e, r.generation, r.tries >= mostResends) {
			r.tries++
			e.res.Resent++
			e.resends.push(now, r)
		}
	}
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
