package sip

import (
	"time"

	"github.com/cordpair/cordpair/sip/wire"
)

const (
	// sessionExpires is the interval we ask for and at most agree to.
	sessionExpires = 30 * time.Minute
	// minSession is the shortest anybody may ask for (RFC 4028 section 5).
	minSession = 90 * time.Second
	// lastMoment is how long before its expiry a session is given up (section 10).
	lastMoment = 32 * time.Second
)

// sessionTimer says until when a far end must have been heard of (RFC 4028).
type sessionTimer struct {
	// interval that both agreed on; 0: the far end keeps no session timer, and we
	// ask it now and then whether it is still there.
	interval time.Duration
	ours     bool          // it is us who refresh
	least    time.Duration // what a 422 asked for
	expires  bool          // the clock rings at the end of the session
	clock    timer
}

// ask writes the headers of a request that makes, changes or refreshes a session.
func (t *sessionTimer) ask(w *wire.Writer) {
	wants, least := max(sessionExpires, t.least), max(minSession, t.least)
	if t.interval > 0 {
		wants = max(t.interval, t.least)
	}
	w.Open("Session-Expires").Int(int64(wants / time.Second))
	switch {
	case t.interval == 0:
	case t.ours:
		w.Text(";refresher=", wire.RefresherUAC)
	default:
		w.Text(";refresher=", wire.RefresherUAS)
	}
	w.Close()
	w.Open("Min-SE").Int(int64(least / time.Second)).Close()
}

// take is what came of asking.
func (t *sessionTimer) take(res *wire.Message) {
	e, ok := res.SessionExpires()
	if !ok {
		t.interval, t.ours = 0, true
		return
	}
	t.interval, t.ours = max(e.Interval, minSession), e.Refresher != wire.RefresherUAS
}

// raise obeys a 422; false if it asks for nothing we did not offer.
func (t *sessionTimer) raise(res *wire.Message) bool {
	least, ok := res.MinSE()
	offered := sessionExpires
	if t.interval > 0 {
		offered = t.interval
	}
	if !ok || least <= max(offered, t.least) || least > longestSession {
		return false
	}
	t.least = least
	return true
}

// longestSession is the most a far end can make us wait for it.
const longestSession = 4 * time.Hour

// tooShort tells a request whose session interval is refused with 422: only one
// whose sender understands that (section 9).
func tooShort(m *wire.Message) bool {
	e, ok := m.SessionExpires()
	return ok && e.Interval < minSession && m.Has("Supported", optionTimer)
}

// refuseShort are the headers of that 422.
func refuseShort() wire.Field { return wire.Field{Name: "Min-SE", Value: seconds(minSession)} }

// grant answers what a request says about the session timer (section 9, table 2).
func (t *sessionTimer) grant(m *wire.Message) []wire.Field {
	e, asked := m.SessionExpires()
	least, _ := m.MinSE()
	supports := m.Has("Supported", optionTimer)
	t.interval, t.ours = 0, true
	if !asked && !supports {
		return nil
	}
	t.interval = min(max(sessionExpires, least), longestSession)
	if asked {
		t.interval = max(min(e.Interval, t.interval), minSession)
	}
	t.ours = !supports || e.Refresher == wire.RefresherUAS
	if t.interval == sessionExpires {
		return usuallyGranted[[2]bool{t.ours, supports}]
	}
	return grantFields(t.interval, t.ours, supports)
}

// usuallyGranted is what nearly every call gets, by who refreshes and whether the far
// end knows session timers.
var usuallyGranted = map[[2]bool][]wire.Field{
	{false, false}: grantFields(sessionExpires, false, false),
	{false, true}:  grantFields(sessionExpires, false, true),
	{true, false}:  grantFields(sessionExpires, true, false),
	{true, true}:   grantFields(sessionExpires, true, true),
}

func grantFields(d time.Duration, ours, supports bool) []wire.Field {
	e := wire.SessionExpires{Interval: d, Refresher: wire.RefresherUAC}
	if ours {
		e.Refresher = wire.RefresherUAS
	}
	fields := []wire.Field{{Name: "Session-Expires", Value: e.String()}}
	if supports { // also who does not refresh shall end a session that nobody did
		fields = append(fields, wire.Field{Name: "Require", Value: optionTimer})
	}
	return fields
}

// keepTime starts the clock anew: the far end has just been heard of.
func (l *leg) keepTime() {
	t := &l.timer
	t.expires = false
	switch {
	case t.interval == 0:
		l.w.wakeAfter(&t.clock, sessionExpires/2, l)
	case t.ours:
		l.w.wakeAfter(&t.clock, t.interval/2, l)
	default:
		t.expires = true
		l.w.wakeAfter(&t.clock, t.deadline(), l)
	}
}

// due: what the clock was started for.
func (l *leg) due() {
	switch t := &l.timer; {
	case t.expires:
		l.expired()
	case t.interval == 0:
		l.stillThere()
	default:
		l.refresh()
	}
}

// deadline is when a session that nobody refreshed is given up.
func (t *sessionTimer) deadline() time.Duration { return t.interval - min(lastMoment, t.interval/3) }

// stillThere asks a far end without a session timer whether it is there (L4).
func (l *leg) stillThere() {
	l.probe()
	if l.state == legUp {
		l.keepTime()
	}
}

// refresh is due when half the interval is over; if nothing comes of it the
// session expires.
func (l *leg) refresh() {
	t := &l.timer
	t.expires = true
	l.w.wakeAfter(&t.clock, t.deadline()-t.interval/2, l)
	l.want(wantRefresh)
}

func (l *leg) expired() {
	if l.state == legUp {
		l.dead()
	}
}
