package call

import (
	"slices"
	"sync/atomic"
	"time"
)

// Info is an immutable picture of a call, published by its loop after every
// batch of messages. Reading one costs the call nothing.
type Info struct {
	Ref     Ref
	Client  int64
	State   State
	Caller  Party
	Dialled string
	// Started is when the call was accepted; Answered when the caller was
	// answered, zero before.
	Started  time.Time
	Answered time.Time
	// Step is the name of the step being run, empty without one.
	Step string
	// Cause is set from StateEnding on.
	Cause Cause
	// Legs in the order they came; one that has ended is not among them.
	Legs []LegInfo
	// Seq is the number of the last event of the call.
	Seq int
}

// LegInfo is an immutable picture of a leg.
type LegInfo struct {
	ID        LegID
	Party     Party
	Direction Direction
	State     LegState
	// Held tells that the party has put us on hold.
	Held bool
	// Started is when the leg came or was dialled, Answered when it was
	// answered, zero before.
	Started  time.Time
	Answered time.Time
	// Peer is the leg it talks with, empty while it talks with none; see Others.
	Peer LegID
}

// Others are the legs on the other side of a leg: the one it talks with; while
// the call rings the called ones for the caller, and the caller for each of
// these. None for a leg that is leaving, waits beside a talk or is not here.
func (i *Info) Others(leg LegID) []LegInfo {
	at := slices.IndexFunc(i.Legs, func(l LegInfo) bool { return l.ID == leg })
	if at < 0 || i.Legs[at].State == LegLeaving {
		return nil
	}
	self := &i.Legs[at]
	var others []LegInfo
	for _, l := range i.Legs {
		if l.State == LegLeaving || l.ID == leg {
			continue
		}
		called := l.State == LegWaiting && l.Direction == Outbound
		calling := self.State == LegWaiting && self.Direction == Outbound
		if l.ID == self.Peer || i.State == StateRinging && called != calling {
			others = append(others, l)
		}
	}
	return others
}

// Leg finds a leg of the call.
func (i *Info) Leg(id LegID) (LegInfo, bool) {
	at := slices.IndexFunc(i.Legs, func(l LegInfo) bool { return l.ID == id })
	if at < 0 {
		return LegInfo{}, false
	}
	return i.Legs[at], true
}

// Involves reports whether a leg of the extension is in the call.
func (i *Info) Involves(extension int64) bool {
	return slices.ContainsFunc(i.Legs, func(l LegInfo) bool { return l.Party.Extension == extension })
}

// LegState is the state of a leg inside its call. It only moves forward:
//
//	waiting ──► up ──► leaving ──► (gone)
//	   └─────────────────▲
type LegState int

// The states of a leg.
const (
	LegWaiting LegState = iota // a caller not answered yet, or a called party not answering yet
	LegUp                      // answered
	LegLeaving                 // hung up by us; its LegGone is awaited
)

// String is the state's name in Info, logs and the API.
func (s LegState) String() string {
	return [...]string{"waiting", "up", "leaving"}[s]
}

// MarshalText makes JSON show the name.
func (s LegState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// page is room for the picture of a usual call.
type page struct {
	info Info
	legs [2]LegInfo
}

// pages are the pictures of a call. Most calls are never looked at: until that
// happens, two pages are written in turn. From then on every picture is a new one,
// for readers may hold on to what they have got.
type pages struct {
	latest atomic.Pointer[Info]
	looked atomic.Bool // set by a reader before it looks, for good
	own    [2]page     // loop only, until looked
	turn   int         // loop only: the one of own that is not shown
}

// read is the latest picture, from any goroutine.
func (p *pages) read() *Info {
	if !p.looked.Load() {
		p.looked.Store(true)
	}
	return p.latest.Load()
}

// blank is a page to write on. A reader that sets looked after it was asked about here
// sees what was shown before or comes after, never this page half written.
func (p *pages) blank() *page {
	if p.looked.Load() {
		return new(page)
	}
	blank := &p.own[p.turn]
	p.turn = 1 - p.turn
	return blank
}

// publish makes the present state visible to readers.
func (c *Call) publish() {
	page := c.info.blank()
	info := &page.info
	*info = Info{
		Ref: c.ref, Client: c.invite.Client, State: c.state, Caller: c.invite.From, Dialled: c.invite.Dialled,
		Started: c.started, Answered: c.answered, Cause: c.cause, Seq: c.seq,
		Legs: page.legs[:min(len(c.legs), len(page.legs)):len(page.legs)],
	}
	if len(c.legs) > len(page.legs) {
		info.Legs = make([]LegInfo, len(c.legs))
	}
	if c.script != nil {
		info.Step = c.script.step.Name
	}
	for i, s := range c.legs {
		info.Legs[i] = LegInfo{
			ID: s.leg.ID(), Party: s.leg.Party(), Direction: s.direction,
			State: s.state, Held: s.held, Started: s.started, Answered: s.answered,
		}
		switch s {
		case c.pair[0]:
			info.Legs[i].Peer = c.pair[1].leg.ID()
		case c.pair[1]:
			info.Legs[i].Peer = c.pair[0].leg.ID()
		}
	}
	c.info.latest.Store(info)
}
