package call

import "time"

// ID is the call_uuid of a conversation: 32 upper hex digits.
type ID string

// LegID is the call_api_id of a leg: 32 lower hex digits.
type LegID string

// Ref addresses a call on a node.
type Ref struct {
	Node string `json:"node"`
	ID   ID     `json:"id"`
}

// LegEventKind says what happened to a leg.
type LegEventKind int

// What a leg reports to its owner.
const (
	LegRinging    LegEventKind = iota + 1 // the called party is alerted
	LegEarlyMedia                         // the called party sends audio before answering
	LegAnswered                           // the called party answered; or a caller's answer is confirmed
	LegHeld                               // the party put us on hold
	LegResumed                            // the party took us back
	LegDigit                              // the party pressed a key, see Digit
	LegInform                             // the party sent its peer something, see Information
	LegRefer                              // the party wants the other one transferred, see Refer
	LegFinding                            // its audio has something the matter, see Finding
	LegGone                               // the leg has ended; nothing follows
)

// LegEvent is what a leg reports.
type LegEvent struct {
	Leg  LegID
	Kind LegEventKind
	// Cause and Stats come with LegGone. Nobody changes the Stats any more; nil stands
	// for zeros.
	Cause Cause
	Stats *MediaStats
	// Remote is set with LegGone when the far end ended the leg.
	Remote bool
	// To and Why come with LegGone of CauseRedirected: the number that the called
	// phone names instead of itself, clean as Invite.Dialled is.
	To  string
	Why DivertReason
	// Digit is one of 0-9 * # A-D.
	Digit byte
	// Private comes with LegRinging and LegAnswered: the party that is called
	// does not want to be shown.
	Private bool
	// Information comes with LegInform.
	Information *Information
	// Finding comes with LegFinding.
	Finding *Finding
	// Refer comes with LegRefer. What becomes of it is told by Leg.Referred.
	Refer *Refer
}

// MediaStats are the counters of one leg. Received is what the party sent.
type MediaStats struct {
	PacketsReceived uint64 `json:"packets_received"`
	PacketsSent     uint64 `json:"packets_sent"`
	OctetsReceived  uint64 `json:"octets_received"`
	OctetsSent      uint64 `json:"octets_sent"`
	Lost            uint64 `json:"lost"`    // by gaps in the received sequence numbers
	Dropped         uint64 `json:"dropped"` // malformed, from a stranger, or of an unknown type
	// Forged came from one of the party's addresses, where everything is encrypted, and
	// were not under its key, or had been heard before.
	Forged   uint64  `json:"forged,omitempty"`
	JitterMS float64 `json:"jitter_ms"`
	// FarLost and FarJitterMS are what the party reports of the packets it got, and
	// RoundTripMS is the time to it and back; all 0 while it reports nothing.
	FarLost     uint64  `json:"far_lost,omitempty"`
	FarJitterMS float64 `json:"far_jitter_ms,omitempty"`
	RoundTripMS float64 `json:"round_trip_ms,omitempty"`
	Codec       string  `json:"codec,omitempty"`
	// FirstAt is when the first packet was received, zero if none was.
	FirstAt time.Time `json:"first_at,omitzero"`
	// Signalled is the address the party named for its audio, Source the one it
	// really sends from; "192.0.2.7:4000", empty while not known.
	Signalled string `json:"signalled,omitempty"`
	Source    string `json:"source,omitempty"`
}

// EventKind names an event as the event stream does (spec/shapes.md).
type EventKind string

// The events of a call.
const (
	EventStarted  EventKind = "call.started"
	EventRinging  EventKind = "call.ringing"
	EventAnswered EventKind = "call.answered" // once for each leg that is answered, a caller's by the switch
	EventHeld     EventKind = "call.held"
	EventResumed  EventKind = "call.resumed"
	EventJoined   EventKind = "call.joined" // a leg moved from one call to another; both emit it
	// EventTransferred: the party that was transferred here has got through. Leg and
	// Party are its, By is the transferor's leg in the Other conversation.
	EventTransferred EventKind = "call.transferred"
	EventEnded       EventKind = "call.ended"
	EventLegStarted  EventKind = "leg.started"
	EventLegEnded    EventKind = "leg.ended"
	EventDecided     EventKind = "call.decided" // carries a trace entry
	EventDigit       EventKind = "leg.digit"
)

// Event is one entry of a call's numbered sequence. Call records, webhooks, the
// event stream and lamps are projections of this sequence. At keeps its
// monotonic reading inside the process, so differences are true durations.
type Event struct {
	Call   ID
	Client int64
	Seq    int
	At     time.Time
	Kind   EventKind
	// Leg and Party say which leg the event is about; Direction is set with
	// EventLegStarted.
	Leg       LegID
	Party     Party
	Direction Direction
	// Dialled comes with EventStarted and EventEnded.
	Dialled string
	// Other is the other conversation, with EventJoined and EventTransferred.
	Other ID
	// Cause, Remote and Stats come with EventLegEnded; Cause and By (the leg
	// that hung up, empty if the switch did) also with EventEnded. Stats belong to
	// whoever reads them, and nobody changes them; nil stands for zeros.
	Cause  Cause
	Remote bool
	By     LegID
	Stats  *MediaStats
	Digit  byte
	Trace  *TraceEntry
	// Finding comes with EventFinding.
	Finding *Finding
}

// Direction of a leg, seen from the switch.
type Direction string

// A leg comes in from a caller or goes out to a called party.
const (
	Inbound  Direction = "in"
	Outbound Direction = "out"
)
