package call

import "context"

// The ports of a call: what it needs from the rest of the switch, written where
// they are called. sip meets Leg and Dialer, media meets Media, the root meets
// Mixer by handing both sides to media. Every verb here returns at once; what
// comes of it arrives later as an event in the mailbox of the leg's owner.

// Leg is one party's connection as its call sees it. Implementations embed Line,
// through which ownership moves and events travel.
type Leg interface {
	// ID is the call_api_id of the leg, 32 lower hex digits, unique on the node.
	ID() LegID
	// Party is who is at the other end.
	Party() Party
	// Media is the leg's audio. It is never nil and outlives the leg's end.
	Media() Media
	// Stats are the media counters up to now.
	Stats() MediaStats
	// Ring tells a caller that the far end is alerted. With early true the
	// caller also gets a media path before the answer. Called legs ignore it.
	Ring(early bool)
	// Answer accepts a caller's offer with the codec its peer speaks, if it is
	// joined to one. Called legs ignore it. Answering twice is harmless.
	Answer()
	// Connected says whom the party talks with, or would if it answered: a caller
	// learns it with the ringing and the answer, anybody else by a message of its
	// own, unless it knows already. One that hides its number is told of nobody.
	Connected(Party)
	// Forwarded tells a caller that its call goes on to somebody else. Called
	// legs ignore it.
	Forwarded()
	// Inform passes on what the party's far end reported with LegInform. A phone
	// that does not understand it says so to nobody.
	Inform(Information)
	// Referred tells a party that asked for a transfer (LegRefer) how it goes.
	// Without a transfer asked for it is ignored.
	Referred(Progress)
	// Hangup rejects, cancels or ends the leg, whichever its state asks for,
	// and tells the far end why. The leg still reports Gone, once.
	Hangup(Cause)

	line() *Line
}

// Media is a leg's audio. Play, Echo, Quiet and a Mixer's Join replace one
// another: a party hears one source at a time.
type Media interface {
	// Play lets the party hear the named sounds one after another, from the
	// beginning when loop is set and the last has ended. done is called once,
	// from any goroutine: nil at the natural end, an error if the sounds cannot
	// be played or another source replaced them.
	Play(sounds []string, loop bool, done func(error))
	// Echo returns to the party what it sends.
	Echo()
	// Quiet stops whatever the party hears.
	Quiet()
}

// Mixer connects audio.
type Mixer interface {
	// Join lets two parties hear each other, transcoding where it must.
	Join(a, b Media)
}

// Dialer makes legs towards the parties of a tenant.
type Dialer interface {
	// Dial starts one leg for every contact of the target and returns them
	// already attached to owner, or the cause why there are none:
	// CauseUnreachable without a contact, CauseOverload without a media port.
	// Events may arrive before Dial returns; the loop handles them after it.
	Dial(owner *Call, to Target) ([]Leg, Cause)
}

// Target says whom to dial and as whom.
type Target struct {
	Client    int64
	Extension int64
	// From is the identity shown to the called party.
	From Party
	// Peer is the media of the party that will talk to the target; its codecs
	// are offered first, so that the two need no transcoding. May be nil.
	Peer Media
	// Diverted are those who sent the call on, the first one first.
	Diverted []Diversion
	// By is who transferred the caller here, nil if nobody did.
	By *Party
	// Urgent: the call is to an emergency number and may have the last of what is
	// scarce (F8, O2).
	Urgent bool
}

// Diversion is one forwarding of a call.
type Diversion struct {
	// By is who forwarded it.
	By  Party        `json:"by"`
	Why DivertReason `json:"why"`
}

// DivertReason says why a call was forwarded.
type DivertReason string

// The reasons, as far as a phone tells them apart.
const (
	DivertUnconditional DivertReason = "unconditional" // before it rang
	DivertBusy          DivertReason = "busy"
	DivertNoAnswer      DivertReason = "no_answer"
	DivertDeflection    DivertReason = "deflection" // by hand, while it rang
	DivertUnavailable   DivertReason = "unavailable"
	DivertDoNotDisturb  DivertReason = "do_not_disturb"
)

// Information is a message of a party that is for its peer and nothing else.
type Information struct {
	// Type is its media type in lower case, "application/media_control+xml".
	Type string
	// Body is at most MaxInformation bytes and is not changed by anybody.
	Body []byte
	// Text tells that it is for the person, not for the device.
	Text bool
}

// MaxInformation is the longest Information that passes, in bytes.
const MaxInformation = 8 << 10

// Invite is what a new call brings with it from the edge.
type Invite struct {
	Client int64
	// From is the authenticated caller; never what its headers claim.
	From Party
	// Dialled is the user part of the Request-URI, percent-decoded and cleaned
	// of visual separators (F3).
	Dialled string
	// Transfer comes with a call that a transfer made.
	Transfer *Transfer
	// Replaces names the leg whose place the caller wants to take (RFC 3891).
	Replaces *Replaced
}

// Replaced is a leg of a running call of the same tenant, as the edge found it.
type Replaced struct {
	Leg   LegID
	Party Party
}

// Party is one end of a conversation.
type Party struct {
	Extension int64  `json:"extension_id,omitempty"` // 0 for the outside world
	Number    string `json:"number"`
	Name      string `json:"name,omitempty"`
	Domain    string `json:"domain,omitempty"`
	Anonymous bool   `json:"anonymous,omitempty"`
}

// Planner decides what a call does next. It is pure given its arguments: it
// holds the view and the state of one call and is used by its loop only.
type Planner interface {
	// Next takes the outcome of the previous steps (OutcomeBegin at first) and
	// answers with the steps to run in order. No steps means: end the call
	// with Decision.Cause.
	Next(in Situation, last Outcome) Decision
}

// Effect performs one step. Run is straight-line and blocking, ends when ctx
// does, reports what happened and never chooses what comes next. An error is a
// fault of ours: it ends the call with CauseInternal.
type Effect interface {
	Run(ctx context.Context, c *Call) (Outcome, error)
}

// Ringer is an effect that only rings: its Run is Call.Ring with this RingSpec.
// The loop rings for it, without a script in a goroutine of its own, so RingSpec
// does not wait.
type Ringer interface {
	RingSpec(c *Call) RingSpec
}

// Effects finds the effect of a step; met by the features table.
type Effects interface {
	Effect(Step) (Effect, error)
}
