package location

import "time"

// EventKind says what happened to a binding.
type EventKind string

// The kinds.
const (
	Added     EventKind = "added"
	Refreshed EventKind = "refreshed" // nothing but the expiry (and CSeq) moved
	Changed   EventKind = "changed"   // the same device at another contact or flow
	Removed   EventKind = "removed"
	Expired   EventKind = "expired"
	Suspended EventKind = "suspended"
	Resumed   EventKind = "resumed" // as Changed, after Suspended: the phone can be reached again
)

// Reason says why a binding ended.
type Reason string

// The reasons, set with Removed and Expired.
const (
	ReasonUnregistered Reason = "unregistered"    // the phone said so
	ReasonReplaced     Reason = "replaced"        // gave its place to a newer one
	ReasonTimeout      Reason = "timeout"         // not refreshed in time
	ReasonFlowLost     Reason = "flow lost"       // its connection did not come back
	ReasonAdmin        Reason = "removed"         // through the HTTP API
	ReasonGone         Reason = "extension ended" // its extension no longer exists
)

// Event is one change.
type Event struct {
	Kind    EventKind
	Reason  Reason
	Binding Binding // as it is after the change, or was before it ended
	// Left is the number of bindings the extension has after the event: Added
	// with 1 is the transition to online, an end with 0 that to offline.
	Left int
	At   time.Time
}
