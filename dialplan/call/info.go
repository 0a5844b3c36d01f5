package call

import "time"

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
	// Started is when the leg came or was dialled.
	Started time.Time
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

// publish makes the present state visible to readers.
func (c *Call) publish() {
	info := &Info{
		Ref: c.ref, Client: c.invite.Client, State: c.state, Caller: c.invite.From, Dialled: c.invite.Dialled,
		Started: c.started, Answered: c.answered, Cause: c.cause, Seq: c.seq,
		Legs: make([]LegInfo, len(c.legs)),
	}
	if c.script != nil {
		info.Step = c.script.step.Name
	}
	for i, s := range c.legs {
		info.Legs[i] = LegInfo{
			ID: s.leg.ID(), Party: s.leg.Party(), Direction: s.direction,
			State: s.state, Held: s.held, Started: s.started,
		}
	}
	c.info.Store(info)
}
