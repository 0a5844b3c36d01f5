package call

import "fmt"

// State is the state of a call. Only its loop changes it, along the table
// below.
//
//	┌─────┐ begin  ┌──────────┐  ring       ┌─────────┐
//	│ New ├───────►│ Scripted ├────────────►│ Ringing │
//	└──┬──┘        │ ◄─┐redir.│◄────────────┤         │
//	   │           └─┬──┬──▲──┘ unanswered, └──┬───┬──┘
//	   │      connect│  │  │part,   redirect   │   │
//	   │             ▼  │  │redirect           │   │
//	   │         ┌──────┼──┴┐     connect      │   │
//	   │         │ Talking  │◄─────────────────┘   │
//	   │      refer│ ▲ │  │                      │
//	   │           ▼ │connect                    │
//	   │         ┌───┴─────┐ redirect: Scripted  │
//	   │         │ Waiting │  │                  │
//	   │         └───┬─────┘  │                  │
//	   │ end      end│     end│               end│
//	   ▼             ▼  ▼                          ▼
//	┌──────────────────────────────────────────────────┐ finish ┌───────┐
//	│                     Ending                       ├───────►│ Ended │
//	└──────────────────────────────────────────────────┘        └───────┘
type State int

// The states of a call, in the order of its life.
const (
	StateNew      State = iota // accepted; its loop has not begun
	StateScripted              // one party; a script drives it or the planner is asked
	StateRinging               // one party waits, legs towards another ring
	StateTalking               // two parties hear each other; nothing drives them
	StateWaiting               // one party waits for what becomes of a transfer
	StateEnding                // every leg has been hung up; the last ones report
	StateEnded                 // nothing is left
)

// String is the state's name in Info, logs and the API.
func (s State) String() string {
	switch s {
	case StateNew:
		return "new"
	case StateScripted:
		return "scripted"
	case StateRinging:
		return "ringing"
	case StateTalking:
		return "talking"
	case StateWaiting:
		return "waiting"
	case StateEnding:
		return "ending"
	case StateEnded:
		return "ended"
	}
	return fmt.Sprintf("state(%d)", int(s))
}

// MarshalText makes JSON show the name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// op is what moves a call from one state to another.
type op string

const (
	opBegin      op = "begin"      // the loop starts
	opRing       op = "ring"       // a script asked to ring and legs went out
	opUnanswered op = "unanswered" // no leg of the ring is left
	opConnect    op = "connect"    // a dialled leg answered, or a leg arrived from another call
	opPart       op = "part"       // one of two talking parties left
	opRedirect   op = "redirect"   // somebody outside gave the call another step
	opRefer      op = "refer"      // one of two talking parties is transferred
	opEnd        op = "end"        // the call is over, whatever the reason
	opFinish     op = "finish"     // the last leg has reported, the last script returned
)

// ops lists every op, for the test that walks each pair.
var ops = []op{opBegin, opRing, opUnanswered, opConnect, opPart, opRedirect, opRefer, opEnd, opFinish}

// moves is the drawing above as data. What is not here cannot happen.
var moves = map[State]map[op]State{
	StateNew:      {opBegin: StateScripted, opEnd: StateEnding},
	StateScripted: {opRing: StateRinging, opConnect: StateTalking, opRedirect: StateScripted, opEnd: StateEnding},
	StateRinging:  {opUnanswered: StateScripted, opConnect: StateTalking, opRedirect: StateScripted, opEnd: StateEnding},
	StateTalking:  {opPart: StateScripted, opRedirect: StateScripted, opRefer: StateWaiting, opEnd: StateEnding},
	StateWaiting:  {opConnect: StateTalking, opRedirect: StateScripted, opEnd: StateEnding},
	StateEnding:   {opFinish: StateEnded},
	StateEnded:    {},
}

// can reports whether o is possible in s.
func (s State) can(o op) bool {
	_, ok := moves[s][o]
	return ok
}

// move changes the state of the call. An impossible move is a fault of ours:
// the panic ends this call with CauseInternal (see guard).
func (c *Call) move(o op) {
	to, ok := moves[c.state][o]
	if !ok {
		panic(fmt.Sprintf("call: %s in state %s", o, c.state))
	}
	c.state = to
}
