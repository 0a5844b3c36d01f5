package sip

import (
	"strconv"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// referralLife is how long the subscription that a REFER makes lasts; the phone may
// refresh it (RFC 6665 section 4.1.2.2). Nobody rings that long.
const referralLife = 10 * time.Minute

const (
	typeSipfrag  = "message/sipfrag;version=2.0"
	packageRefer = "refer"
)

// referral is the implicit subscription of a REFER (RFC 3515 section 2.4.4), which
// shares the dialog of the call and ends with it. It belongs to its leg's worker.
//
// One NOTIFY is under way at a time; what happens meanwhile is told together in
// the next. The last one tells the final status and that nothing follows.
type referral struct {
	leg    *leg
	id     uint32 // the CSeq of the REFER tells the subscriptions of one dialog apart
	silent bool   // the phone wants no NOTIFY (RFC 4488)

	status int // of the latest sipfrag
	phrase string
	final  bool   // the transfer is over
	reason string // why the subscription ends; empty while it does not
	ends   time.Time
	clock  timer
	due    bool // something is to be told
	busy   bool // a NOTIFY waits for its answer
	gone   bool // the phone knows nothing of it any more
}

// open reports whether the transfer is under way.
func (r *referral) open() bool { return r != nil && !r.final }

// begin tells the phone at once that it is being tried (RFC 3515 section 2.4.4).
func (r *referral) begin() {
	r.status, r.phrase = 100, "Trying"
	r.ends = r.leg.w.now.Add(referralLife)
	r.leg.w.wakeAfter(&r.clock, referralLife, r)
	r.tell()
}

// wake implements waker: the time is up. The transfer itself goes on.
func (r *referral) wake(*timer) {
	if r.reason == "" {
		r.reason = "timeout"
		r.tell()
	}
}

// referred implements the verb: it notes how the transfer goes.
func (l *leg) referred(p call.Progress) {
	r := l.referral
	if !r.open() || r.leg.state != legUp {
		return
	}
	switch p.Kind {
	case call.ProgressRinging:
		r.status, r.phrase = 180, "Ringing"
	case call.ProgressAnswered:
		r.status, r.phrase, r.final = 200, "OK", true
	default:
		refusal := refusalOf(p.Cause)
		r.status, r.phrase, r.final = refusal.status, refusal.phrase, true
	}
	if r.final && r.reason == "" {
		r.reason = "noresource"
		l.w.wheel.stop(&r.clock)
		r.tell()
	} else if r.reason == "" {
		r.tell()
	}
}

// tell sends a NOTIFY, now or after the one under way.
func (r *referral) tell() {
	r.due = true
	if r.busy || r.silent || r.gone || r.leg.state != legUp {
		return
	}
	r.due, r.busy = false, true
	l := r.leg
	l.follow()
	req := l.dialog.request(methodNotify)
	req.contact = l.ownContact()
	req.fields = []wire.Field{
		{Name: "Event", Value: packageRefer + ";id=" + strconv.FormatUint(uint64(r.id), 10)},
		{Name: "Subscription-State", Value: r.state()},
		{Name: "Allow", Value: allowHeader},
	}
	req.bodyType, req.body = typeSipfrag, []byte("SIP/2.0 "+strconv.Itoa(r.status)+" "+r.phrase+"\r\n")
	l.w.send(&req, l.dialog.flow, r.answered, func() { r.told(408) })
}

func (r *referral) state() string {
	if r.reason != "" {
		return "terminated;reason=" + r.reason
	}
	return "active;expires=" + strconv.Itoa(max(0, int(r.ends.Sub(r.leg.w.now)/time.Second)))
}

func (r *referral) answered(res *wire.Message) {
	if res.Status() >= 200 {
		r.told(res.Status())
	}
}

// told: the phone has the NOTIFY, or wants no more (RFC 6665 section 4.2.2).
func (r *referral) told(status int) {
	r.busy = false
	if status >= 300 {
		r.gone = true
	}
	if r.due {
		r.tell()
	}
}

// close ends the subscription with the dialog.
func (r *referral) close() {
	if r != nil {
		r.gone = true
		r.leg.w.wheel.stop(&r.clock)
	}
}

// subscribeCame handles a SUBSCRIBE in the dialog of a call: it refreshes or ends
// the subscription of a REFER. No other exists there.
func (l *leg) subscribeCame(m *wire.Message, f flow) {
	event, ok := m.Event()
	r := l.referral
	switch {
	case !ok || event.Package != packageRefer:
		l.w.answer(m, f, 489, "Bad Event", wire.Field{Name: "Allow-Events", Value: packageRefer})
		return
	case r == nil || r.gone || r.silent || r.reason != "" || event.ID != "" && event.ID != strconv.FormatUint(uint64(r.id), 10):
		l.w.answer(m, f, 481, "Call/Transaction Does Not Exist")
		return
	}
	life := referralLife
	if s, ok := m.Expires(); ok {
		life = min(life, s)
	}
	r.ends = l.w.now.Add(life)
	l.w.answerWith(l, m, f, nil, wire.Field{Name: "Expires", Value: strconv.Itoa(int(life / time.Second))})
	if life == 0 {
		r.reason = "timeout"
		l.w.wheel.stop(&r.clock)
	} else {
		l.w.wakeAfter(&r.clock, life, r)
	}
	r.tell()
}
