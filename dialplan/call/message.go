package call

import "time"

// Message is the gist of one signalling message of a leg, for people who read a
// ladder: outside the edge nobody takes it apart.
type Message struct {
	At   time.Time `json:"at"`
	Sent bool      `json:"sent"` // by the switch
	// Line is the start of the message: "INVITE sip:102@192.0.2.7:5060" or
	// "180 Ringing".
	Line string `json:"line"`
	// Of is the transaction it belongs to: "1 INVITE".
	Of string `json:"of,omitempty"`
	// Peer is the way it took: "UDP 192.0.2.7:5060".
	Peer string `json:"peer,omitempty"`
	// Body is the type of its body, empty without one.
	Body string `json:"body,omitempty"`
	// Repeats counts the identical messages that followed it.
	Repeats int `json:"repeats,omitempty"`
}
