package dialplan

import (
	"fmt"

	"github.com/cordpair/cordpair/dialplan/call"
)

// Facts are what does not change while a call runs.
type Facts struct {
	Invite call.Invite
	// sentOn: the caller is the one whose phone sent the call on.
	sentOn bool
}

// MaxHops is how many extensions a call may pass without input from the caller
// before it counts as a loop (S13).
const MaxHops = 20

// MaxRedirects is how often the phones of a call may send it on (S13).
const MaxRedirects = 5

// State is where the plan of one call stands: a tree of branches. The zero value
// is a call that has not begun. A State is a value; Advance returns a new one
// and leaves the old as it was.
type State struct {
	Root Branch `json:"root"`
}

// Branch is one line of a plan.
type Branch struct {
	// Path is the branch's place in the tree, "1" for the root.
	Path string `json:"path,omitempty"`
	// Cursor is how far the branch has come.
	Cursor Cursor `json:"cursor"`
	// Hops counts the extensions entered on the way here, this one included.
	Hops int `json:"hops"`
	// Extension is the one that is being called and answers for what happens
	// next; 0 until the number is resolved, and for what is no extension.
	Extension int64 `json:"extension_id,omitempty"`
	// Diverted are the extensions that have sent the call on, the first one first.
	Diverted []call.Diversion `json:"diverted,omitempty"`
	// Recalled: the party has been offered back to who transferred it.
	Recalled bool `json:"recalled,omitempty"`
	// Outcome is how the branch ended; zero before CursorEnd.
	Outcome call.Outcome `json:"outcome"`
	// Below are the branches this one has forked into.
	Below []Branch `json:"below,omitempty"`
}

// Cursor is a place in a branch's plan.
//
//	                                  ┌─redirected─┐
//	start ──number of an extension──► ringing ◄────┘ ──answered──► (talk) ─┐
//	  │  ├──number of a service─────► service ──────────────────────┤
//	  │  └──place of another leg────► taking ───────────────────────┤
//	  └──refused────────────────────► refused ──────────────────────┴──► end
//
// In a call whose party is here by a transfer there is a way back before the end:
//
//	(in vain) ──► returning ──nobody waits there──► recalling ──► end
type Cursor int

// The cursors, in the order a branch passes them.
const (
	CursorStart     Cursor = iota // nothing decided yet
	CursorRinging                 // the extension's phones ring, or are talked to
	CursorService                 // a service such as echo runs
	CursorRefused                 // the caller is being refused
	CursorTaking                  // the caller takes the place of a leg
	CursorReturning               // the party goes back to where it was transferred from
	CursorRecalling               // who transferred it is called back
	CursorEnd                     // over; every further outcome is ignored
)

var cursorNames = [...]string{"start", "ringing", "service", "refused", "taking", "returning", "recalling", "end"}

// String is the cursor's name in the drawing above.
func (c Cursor) String() string {
	if c < 0 || int(c) >= len(cursorNames) {
		return fmt.Sprintf("cursor(%d)", int(c))
	}
	return cursorNames[c]
}
