//go:build linux

package load

import (
	"fmt"
	"time"
)

// The windows of a relay phase: packets say in which they were sent.
const (
	warmWindow     = 1
	measuredWindow = 2
	coolWindow     = 3
)

// The times around the measured window, and how fast its calls are set up.
const (
	warmTime  = time.Second
	drainTime = 300 * time.Millisecond
	// mostBurst is how much of the packets a late loop makes up for: a phone that
	// was late would not send a second's worth at once either.
	mostBurst = 20 * time.Millisecond
	setUpRate = 200
)

// relayTask has calls up and sends RTP through them.
type relayTask struct {
	*engine
	phase Phase
	// signalled: the calls are set up by SIP.
	signalled bool
	setUp     pace // of the calls that need signalling
	calls     []*callState
	port      uint16
	pace      pace // of packets
	next      int
	// beside are the calls that are set up meanwhile; nil without.
	beside *callTask
	attack *attacks // nil without
	// The window changes at these moments; zero while calls are being set up.
	from, until, drained time.Time
	done                 bool
}

func newRelayTask(e *engine, p Phase) (task, error) {
	signalled := len(p.Flows) == 0 && p.NG == ""
	if p.Count < 1 || signalled && len(e.phones) < 2*p.Count || len(p.Flows) > 0 && len(p.Flows) != p.Count {
		return nil, fmt.Errorf("%d relayed calls with %d phones and %d flows", p.Count, len(e.phones), len(p.Flows))
	}
	t := &relayTask{engine: e, phase: p, port: rtpPorts, signalled: signalled}
	if signalled {
		t.setUp = pace{rate: setUpRate, most: p.Count}
	}
	return t, nil
}

func (t *relayTask) begin(now time.Time) error {
	t.window = warmWindow
	t.setUp.start = now
	for i := range t.phase.Count {
		a, port, err := t.openFlow(t.port)
		if err != nil {
			return err
		}
		b, port, err := t.openFlow(port)
		if err != nil {
			return err
		}
		t.port = port
		if t.signalled {
			if err := t.phase.Path.prepare(a, b); err != nil {
				return err
			}
		}
		if len(t.phase.Flows) > 0 {
			t.connect(a, t.phase.Flows[i][0])
			t.connect(b, t.phase.Flows[i][1])
		}
	}
	if t.phase.NG != "" {
		return t.askNG()
	}
	return nil
}

// askNG has rtpengine open ports for every call, over its control protocol.
func (t *relayTask) askNG() error {
	ng, err := dialNG(t.phase.NG)
	if err != nil {
		return err
	}
	defer ng.close()
	for i := 0; i < len(t.flows); i += 2 {
		a, b := t.flows[i], t.flows[i+1]
		toB, toA, err := ng.call(fmt.Sprintf("%s-%d", t.run, i), t.sdp(a), t.sdp(b))
		if err != nil {
			return err
		}
		t.connect(a, toA)
		t.connect(b, toB)
	}
	return nil
}

func (t *relayTask) tick(now time.Time) {
	for range t.setUp.due(now) {
		i := len(t.calls)
		c := t.dial(t.phones[2*i], t.phones[2*i+1], 0)
		c.callerRTP, c.calleeRTP = t.flows[2*i], t.flows[2*i+1]
		t.calls = append(t.calls, c)
		t.invite(c, nil)
	}
	switch {
	case t.from.IsZero():
		if t.ready() {
			t.from = now.Add(warmTime)
			t.until = t.from.Add(t.phase.Time)
			t.drained = t.until.Add(drainTime)
			rate := t.phase.Packets
			if rate == 0 {
				rate = packetsPerSecond * len(t.flows)
			}
			t.besides()
			first := now
			if t.phase.Attack {
				first = now.Add(attackLead)
				t.attacked(first)
			}
			t.pace = pace{start: first, rate: rate, most: 1 << 40, burst: int(float64(rate)*mostBurst.Seconds()) + 1}
		}
		return
	case now.Before(t.from):
		t.window = warmWindow
	case now.Before(t.until):
		t.window = measuredWindow
	default:
		t.window = coolWindow
	}
	if now.Before(t.until) {
		for range t.pace.due(now) {
			if f := t.flows[t.next%len(t.flows)]; f.connected {
				t.send(f)
			}
			t.next++
		}
	}
	if t.beside != nil {
		t.beside.tick(now)
	}
	if t.attack != nil {
		t.attack.tick(now)
	}
	if now.After(t.drained) && !t.done {
		t.done = true
		for _, c := range t.calls {
			t.hangUp(c)
		}
	}
}

// besides plans the calls that are set up while packets are measured, by the phones
// that have none up. A relay without signalling has no such calls.
func (t *relayTask) besides() {
	phones := t.phones[min(2*t.phase.Count, len(t.phones)):]
	if t.phase.Beside == 0 || len(phones) < 2 || !t.signalled {
		return
	}
	most := int(float64(t.phase.Beside) * t.phase.Time.Seconds())
	t.beside = &callTask{engine: t.engine, phones: phones, talk: t.phase.Talk, first: len(t.engine.calls),
		pace: pace{start: t.from, rate: t.phase.Beside, most: most}}
}

// attackLead is how long the phones wait with their first packet, so that an attack
// can begin before it.
const attackLead = 1500 * time.Millisecond

// attacked begins the attacks on calls whose phones send from first on.
func (t *relayTask) attacked(first time.Time) {
	a, err := newAttacks(t.engine, first, t.until)
	if err != nil {
		t.fail("attack: %v", err)
		return
	}
	t.attack = a
}

// ready tells whether every call is up, or has failed.
func (t *relayTask) ready() bool {
	if !t.setUp.over() {
		return false
	}
	for _, c := range t.calls {
		if c.caught != talking && c.caught != over {
			return false
		}
	}
	return true
}

func (t *relayTask) measuring(now time.Time) bool {
	return !t.from.IsZero() && !now.Before(t.from) && now.Before(t.until)
}

func (t *relayTask) over(time.Time) bool { return t.done && t.live == 0 }

func (t *relayTask) end() {
	for _, c := range t.calls {
		t.endCall(c, "not over in time")
	}
	if t.beside != nil {
		t.beside.end()
	}
	if t.attack != nil {
		t.attack.end()
	}
	for _, f := range t.flows {
		if !f.connected {
			t.fail("a flow without a port")
		}
	}
	if len(t.calls) == 0 {
		t.res.Done = t.phase.Count
	}
	t.res.Loop.Skipped += t.pace.skipped
	t.closeFlows()
}
