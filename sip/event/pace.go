package event

import "time"

// Gap is the shortest time between two NOTIFYs of one subscription that nobody
// asked for (S16).
const Gap = time.Second

// Act is what a Pace wants done.
type Act int

// The acts.
const (
	Rest Act = iota // nothing until something happens
	Wait            // ask again after the time given
	Send            // send a NOTIFY now, and say Sent
)

// Pace decides when the NOTIFYs of one subscription go out: one at a time, the
// first change at once, later ones at most once per Gap with the last state only,
// and without any delay what answers a SUBSCRIBE. The zero value is at rest.
//
//	            Ask, Change, End            Sent
//	at rest ------------------> wanted ------------> out
//	   ^                           ^                  |
//	   |      Answered, nothing    |  wanted again,   |
//	   +------ wanted meanwhile ---+--- Lost once ----+---> forgotten: refused, or Lost twice
type Pace struct {
	out     bool // a NOTIFY waits for its answer
	asked   bool // by a SUBSCRIBE, or again because nobody answered
	changed bool
	ending  bool
	lost    bool // the NOTIFY before was not answered either
	// sent is when the last NOTIFY went out, after is when the first one of a
	// restored subscription may.
	sent, after time.Time
}

// Ask wants a NOTIFY at once: a SUBSCRIBE was answered.
func (p *Pace) Ask() { p.asked = true }

// Change wants a NOTIFY as soon as the pace allows.
func (p *Pace) Change() { p.changed = true }

// ChangeAfter is Change not before a moment, unless somebody asks.
func (p *Pace) ChangeAfter(t time.Time) { p.changed, p.after = true, t }

// End wants the last NOTIFY; after it is Sent there is no other.
func (p *Pace) End() { p.ending = true }

// Asked reports whether somebody waits for the next NOTIFY.
func (p *Pace) Asked() bool { return p.asked }

// Ending reports whether the next NOTIFY is the last.
func (p *Pace) Ending() bool { return p.ending }

// Next says what to do now, and after how long to ask again for Wait.
func (p *Pace) Next(now time.Time) (Act, time.Duration) {
	switch {
	case p.out:
		return Rest, 0
	case p.asked || p.ending:
		return Send, 0
	case !p.changed:
		return Rest, 0
	}
	earliest := p.after
	if !p.sent.IsZero() && p.sent.Add(Gap).After(earliest) {
		earliest = p.sent.Add(Gap)
	}
	if wait := earliest.Sub(now); wait > 0 {
		return Wait, wait
	}
	return Send, 0
}

// Sent notes that a NOTIFY with the present state is on its way.
func (p *Pace) Sent(now time.Time) { p.out, p.asked, p.changed, p.sent = true, false, false, now }

// Skip notes that there was nothing to say after all.
func (p *Pace) Skip() { p.asked, p.changed = false, false }

// Answered takes the final answer to the NOTIFY and reports whether the
// subscription is to be forgotten (RFC 6665 section 4.2.2).
func (p *Pace) Answered(status int) (forget bool) {
	p.out = false
	switch {
	case status == 408: // from somebody on the way: nobody answered
		return p.Lost()
	case mustRemove(status):
		return true
	case status < 300:
		p.lost = false
	}
	return false
}

// Lost notes that nobody answered in time. The first time the state is sent once
// more, the second time the subscription is to be forgotten.
func (p *Pace) Lost() (forget bool) {
	p.out = false
	if p.lost {
		return true
	}
	p.lost, p.asked = true, true
	return false
}

// Moved notes that the phone is somewhere else now and nobody will answer what
// is out; the state is sent again there.
func (p *Pace) Moved() {
	if p.out {
		p.out, p.asked = false, true
	}
}

// mustRemove is the list of RFC 6665 section 4.2.2: answers after which a
// subscription must go.
func mustRemove(status int) bool {
	switch status {
	case 404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604:
		return true
	}
	return false
}
