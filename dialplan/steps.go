package dialplan

import "github.com/cordpair/cordpair/dialplan/call"

// Names of the steps a plan can ask for, the keys of the features table.
const (
	StepRing      = "ring"
	StepReject    = "reject"
	StepEcho      = "echo"
	StepMusic     = "music"
	StepSayNumber = "saynumber"
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
