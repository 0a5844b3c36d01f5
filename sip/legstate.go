package sip

import "fmt"

// legState is where an INVITE dialog stands, in either role:
//
//	         accept               confirm
//	trying ──────────► answered ──────────► up     a caller's leg
//	  │  └──────────confirm──────────────────▲     a called leg
//	  │                   │                  │
//	  └───────────────────┴──finish──────────┴──► ending ──remove──► gone
//
// Trying is the early dialog of RFC 3261 12, answered and up are the confirmed one.
// In ending the call has already heard Gone and the media is closed; what remains is
// to be polite to the far end: a final response, the ACK of one, the answer to a BYE.
type legState uint8

const (
	legTrying   legState = iota // no final response yet
	legAnswered                 // our 2xx is on its way, its ACK has not come
	legUp                       // ACK came, or was sent
	legEnding
	legGone
	legStates // how many there are
)

func (s legState) String() string {
	return [...]string{"trying", "answered", "up", "ending", "gone"}[s]
}

// legOp moves a leg from one state to another.
type legOp uint8

const (
	opAccept  legOp = iota // we sent a 2xx
	opConfirm              // the ACK of it came, or a 2xx to our INVITE
	opFinish               // the call is told that the leg is over
	opRemove               // the far end needs nothing more
	legOps                 // how many there are
)

func (o legOp) String() string {
	return [...]string{"accept", "confirm", "finish", "remove"}[o]
}

// legMoves is the drawing above as data. What is not here cannot happen; no move
// leads to trying.
var legMoves = [legStates][legOps]legState{
	legTrying:   {opAccept: legAnswered, opConfirm: legUp, opFinish: legEnding},
	legAnswered: {opConfirm: legUp, opFinish: legEnding},
	legUp:       {opFinish: legEnding},
	legEnding:   {opRemove: legGone},
}

// move changes the state. An impossible move is a fault of ours, which costs this
// leg and no other.
func (l *leg) move(o legOp) {
	to := legMoves[l.state][o]
	if to == legTrying {
		panic(fmt.Sprintf("sip: %s of a leg that is %s", o, l.state))
	}
	l.state = to
}
