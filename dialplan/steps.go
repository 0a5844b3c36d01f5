package dialplan

import "github.com/cordpair/cordpair/dialplan/call"

// Names of the steps a plan can ask for, the keys of the features table.
const (
	StepRing      = "ring"
	StepReject    = "reject"
	StepEcho      = "echo"
	StepMusic     = "music"
	StepSayNumber = "saynumber"
	// StepReturn and StepTakeOver are of a call that is transferred, or that takes
	// another leg's place; the others are pressed while two parties talk.
	StepReturn           = "return"
	StepTakeOver         = "takeover"
	StepBlindTransfer    = "blind_transfer"
	StepAttendedTransfer = "attended_transfer"
)

// RingArgs belong to the step "ring": ring an extension's phones, connect the
// first that answers.
type RingArgs struct {
	Extension int64 `json:"extension_id"`
	// Timeout is how long to ring, in seconds.
	Timeout int `json:"timeout"`
	// Diverted are those who sent the call on to this extension, the first one
	// first.
	Diverted []call.Diversion `json:"diverted,omitempty"`
	// Recall: the extension transferred the caller, in vain, and gets it back. It
	// sees who that is, whoever began the call.
	Recall bool `json:"recall,omitempty"`
}

// RejectArgs belong to the step "reject": end the call with a cause.
type RejectArgs struct {
	Cause call.Cause `json:"cause"`
}

// EchoArgs belong to the step "echo": the caller hears itself.
type EchoArgs struct{}

// MusicArgs belong to the step "music": the caller hears music.
type MusicArgs struct{}

// SayNumberArgs belong to the step "saynumber": a number is spoken to the caller.
type SayNumberArgs struct {
	// Number may hold 0-9 * # +; anything else is passed over.
	Number string `json:"number"`
}

// ReturnArgs belong to the step "return": the party goes back to where it was
// transferred from, and this call ends with the cause.
type ReturnArgs struct {
	Cause call.Cause `json:"cause"`
}

// TakeOverArgs belong to the step "takeover": the caller takes the place of a leg.
type TakeOverArgs struct {
	Leg call.LegID `json:"call_api_id"`
}

// BlindTransferArgs belong to the step "blind_transfer": a party that talks enters
// whom the other one shall be connected with.
type BlindTransferArgs struct{}

// AttendedTransferArgs belong to the step "attended_transfer": a party that talks
// enters whom it wants to ask before the other one is connected with it.
type AttendedTransferArgs struct{}
