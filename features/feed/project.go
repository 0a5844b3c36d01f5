package feed

import (
	"slices"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// baseCost is what an event takes without its longer texts, with its JSON.
const baseCost = 900

// callItem is an event of a call and what it tells, in one piece.
type callItem struct {
	item
	callData
	whole, talk seconds
	remote      bool
}

// between are the two ends of a call, which do not change: one whose name becomes
// known has others from then on.
type between struct {
	CallerNumber string `json:"caller_number"`
	CallerName   string `json:"caller_name"`
	CalledNumber string `json:"called_number"`
	CalledName   string `json:"called_name"`
}

// callData is what the stream tells of a call and its legs.
type callData struct {
	about
	Seq int `json:"seq"`
	*between
	Number    string           `json:"number,omitempty"`
	Name      string           `json:"name,omitempty"`
	Direction call.Direction   `json:"direction,omitempty"`
	Other     call.ID          `json:"other_call_uuid,omitempty"`
	By        call.LegID       `json:"transferred_by,omitempty"`
	Cause     call.Cause       `json:"cause,omitempty"`
	EndedBy   call.LegID       `json:"ended_by,omitempty"`
	Remote    *bool            `json:"remote,omitempty"`
	Duration  *seconds         `json:"duration,omitempty"`
	Talked    *seconds         `json:"talk_duration,omitempty"`
	Stats     *call.MediaStats `json:"stats,omitempty"`
	Finding   *call.Finding    `json:"finding,omitempty"`
}

// conversation is what is remembered of a call until it ends.
type conversation struct {
	ends              *between
	started, answered time.Time
	seen              []int64 // extensions that have had a leg; grows only
	legs              []leg

	// What an ordinary call needs lies in one piece.
	first between
	pair  [2]int64
	two   [2]leg
}

func newConversation() *conversation {
	c := &conversation{}
	c.ends, c.seen, c.legs = &c.first, c.pair[:0], c.two[:0]
	return c
}

type leg struct {
	id                call.LegID
	direction         call.Direction
	started, answered time.Time
}

// take takes in an event of a call, which others read too. Run only.
func (f *Feed) take(ev *call.Event) {
	c := f.calls[ev.Call]
	switch {
	case c == nil && ev.Kind == call.EventStarted:
		c = newConversation()
		c.started, c.ends.CalledNumber = ev.At, ev.Dialled
		c.ends.CallerNumber, c.ends.CallerName = shown(ev.Party)
		f.calls[ev.Call] = c
	case c == nil:
		c = newConversation() // began before us: told with what the event says
	}
	c.follow(ev)
	if kind := Kind(ev.Kind); kind.streamed() {
		f.tell(c, kind, ev)
	}
	switch ev.Kind {
	case call.EventEnded:
		delete(f.calls, ev.Call)
	case call.EventLegEnded:
		c.forget(ev.Leg)
	case call.EventJoined:
		c.joined(ev)
	}
}

// tell puts an event of a call into the ring of its client, if somebody may read it.
func (f *Feed) tell(c *conversation, kind Kind, ev *call.Event) {
	if f.ring(ev.Client).skip(time.Now(), &f.numbers) {
		f.events.Add(1)
		return
	}
	f.append(ev.Client, c.item(kind, ev))
}

// follow keeps account of who is in the call.
func (c *conversation) follow(ev *call.Event) {
	if x := ev.Party.Extension; x != 0 && !slices.Contains(c.seen, x) {
		c.seen = append(c.seen, x) // who holds the list as it was does not see the new end
	}
	switch ev.Kind {
	case call.EventLegStarted:
		c.legs = append(c.legs, leg{id: ev.Leg, direction: ev.Direction, started: ev.At})
		if name := ev.Party.Name; ev.Direction == call.Outbound && name != "" && name != c.ends.CalledName {
			ends := *c.ends
			ends.CalledName = name
			c.ends = &ends
		}
	case call.EventAnswered:
		l := c.leg(ev.Leg)
		if l == nil {
			return
		}
		if l.answered.IsZero() {
			l.answered = ev.At
		}
		if l.direction == call.Inbound && c.answered.IsZero() {
			c.answered = ev.At
		}
	}
}

// joined: a leg that was here has gone over to another call, or the reverse.
func (c *conversation) joined(ev *call.Event) {
	if c.leg(ev.Leg) != nil {
		c.forget(ev.Leg)
		return
	}
	c.legs = append(c.legs, leg{id: ev.Leg, direction: ev.Direction, started: ev.At, answered: ev.At})
}

func (c *conversation) leg(id call.LegID) *leg {
	for i := range c.legs {
		if c.legs[i].id == id {
			return &c.legs[i]
		}
	}
	return nil
}

func (c *conversation) forget(id call.LegID) {
	c.legs = slices.DeleteFunc(c.legs, func(l leg) bool { return l.id == id })
}

// item makes an event of the stream.
func (c *conversation) item(kind Kind, ev *call.Event) *item {
	it := &callItem{callData: callData{
		about: about{text(ev.Call), text(ev.Leg), number(ev.Party.Extension), moment(ev.At)},
		Seq:   ev.Seq, between: c.ends, Direction: ev.Direction, Other: ev.Other, Cause: ev.Cause, Finding: ev.Finding,
	}}
	d := &it.callData
	seen := c.seen
	switch ev.Kind {
	case call.EventStarted:
	case call.EventEnded:
		d.EndedBy = ev.By
		it.durations(c.started, c.answered, ev.At)
	default:
		d.Number, d.Name = shown(ev.Party)
		if l := c.leg(ev.Leg); l != nil {
			d.Direction = l.direction
		}
	}
	switch ev.Kind {
	case call.EventTransferred:
		d.By = ev.By
	case call.EventLegEnded:
		c.legEnd(it, ev)
		seen = only(ev.Party.Extension)
	case call.EventLegStarted, call.EventFinding:
		seen = only(ev.Party.Extension)
	}
	it.item.kind, it.item.seen, it.item.cost, it.item.data = kind, seen, baseCost+d.texts(), d
	return &it.item
}

// legEnd says how a leg was.
func (c *conversation) legEnd(it *callItem, ev *call.Event) {
	if l := c.leg(ev.Leg); l != nil {
		it.durations(l.started, l.answered, ev.At)
	}
	it.remote = ev.Remote
	it.Remote, it.Stats = &it.remote, &call.MediaStats{}
	if ev.Stats != nil {
		*it.Stats = *ev.Stats // a copy: those of the event may be a part of the leg, which would stay as long as the item
	}
	if at := &it.Stats.FirstAt; !at.IsZero() {
		*at = at.UTC().Truncate(time.Millisecond)
	}
}

// durations are from the beginning and from the answer to the end; none without
// a beginning. Those of events keep their monotonic reading, so they are true.
func (it *callItem) durations(started, answered, ended time.Time) {
	if started.IsZero() {
		return
	}
	if answered.IsZero() {
		answered = ended
	}
	it.whole, it.talk = secondsOf(ended.Sub(started)), secondsOf(ended.Sub(answered))
	it.Duration, it.Talked = &it.whole, &it.talk
}

// texts are the bytes of what callers make as long as they like, here and in the
// JSON.
func (d *callData) texts() int {
	n := len(d.CallerNumber) + len(d.CallerName) + len(d.CalledNumber) + len(d.CalledName) + len(d.Number) + len(d.Name)
	if d.Finding != nil {
		n += len(d.Finding.Text)
	}
	if d.Stats != nil {
		n += 256
	}
	return 2 * n
}

// shown is the number and name of a party, unless it is one from outside that
// wants to be unknown.
func shown(p call.Party) (number, name string) {
	if p.Anonymous && p.Extension == 0 {
		return "", ""
	}
	return p.Number, p.Name
}
