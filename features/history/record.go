package history

import (
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// Record is a call that has ended (spec/http-api.md 5.5), with what belongs to
// it beyond that page: cause, events, decision trace, messages. Lists leave out
// the last three.
type Record struct {
	CallUUID call.ID `json:"call_uuid"`
	Fields
	// Bridged tells that two parties talked. The party is the one that was
	// called; duration is in seconds and counts the time two legs were up.
	Bridged         bool           `json:"bridged"`
	BridgedDuration *int64         `json:"bridged_duration"`
	BridgedTime     dialplan.Stamp `json:"bridged_time_gmt"`
	BridgedUsername *string        `json:"bridged_username"`
	BridgedDomain   *string        `json:"bridged_domain"`
	// CDR are the legs in the order they came.
	CDR []Leg `json:"cdr"`
	// Events is the sequence of the call, without its decisions, which are in
	// Trace. Both end after the first few hundred; Left counts those left out.
	Events []Event           `json:"events,omitempty"`
	Trace  []call.TraceEntry `json:"trace,omitempty"`
	Left   int               `json:"events_left_out,omitempty"`
}

// Leg is one leg of a call (spec/http-api.md 2.18).
type Leg struct {
	CallUUID call.ID    `json:"call_uuid"`
	ID       call.LegID `json:"call_api_id"`
	Fields
	// CallsResult and CallsDisposition are those of the whole call.
	CallsResult      string `json:"calls_result"`
	CallsDisposition string `json:"calls_hangup_disposition"`
	// Stats are the media counters of the leg; they come when it ends.
	Stats call.MediaStats `json:"media"`
	// Moved is the call that took the leg over, empty if none did.
	Moved call.ID `json:"moved_to,omitempty"`
	// Messages is the signalling of the leg, as far as it was kept.
	Messages []call.Message `json:"messages,omitempty"`
}

// Fields are what a call and a leg have in common.
type Fields struct {
	Flow   string     `json:"flow"`         // in or out, as the extension sees it
	Result string     `json:"result"`       // spec/http-api.md 4.10
	Cause  call.Cause `json:"cause"`        // ours, which is finer than the next
	Q850   string     `json:"hangup_cause"` // NORMAL_CLEARING, USER_BUSY …
	// Disposition is callee_bye, caller_bye, caller_cancel, callee_refuse or
	// internal_cancel.
	Disposition string         `json:"hangup_disposition"`
	InitTime    dialplan.Stamp `json:"init_time_gmt"`   // set up
	StartTime   dialplan.Stamp `json:"start_time_gmt"`  // answered; null if never
	HangupTime  dialplan.Stamp `json:"hangup_time_gmt"` // ended
	// Duration is the time from the answer to the end in whole seconds, by the
	// monotonic clock, 0 without an answer.
	Duration int64 `json:"duration"`
	// The extension whose leg this is, or whose call; null for the outside.
	Extension      *int64  `json:"extension_id"`
	ExtensionName  *string `json:"extension_name"`
	ExtensionType  *string `json:"extension_type"`
	ExtensionGroup *int64  `json:"extension_group_owner_id"`
	Client         int64   `json:"client_owner_id"`
	FromUsername   string  `json:"from_username"`
	FromDomain     string  `json:"from_domain"`
	FromScreenName string  `json:"from_screen_name"`
	ToUsername     string  `json:"to_username"` // as dialled
	ToDomain       string  `json:"to_domain"`
	// Dest is where it really went.
	DestNumber string `json:"dest_number"`
	DestDomain string `json:"dest_domain"`
}

// Event is one entry of a call's sequence. The keys people press may be PINs and
// are not kept; that one was pressed is.
type Event struct {
	Seq       int            `json:"seq"`
	At        time.Time      `json:"at"`
	Kind      call.EventKind `json:"kind"`
	Leg       call.LegID     `json:"call_api_id,omitempty"`
	Extension int64          `json:"extension_id,omitempty"`
	Number    string         `json:"number,omitempty"`
	Cause     call.Cause     `json:"cause,omitempty"`
	By        call.LegID     `json:"by_call_api_id,omitempty"` // who ended the call; empty: the switch
	Other     call.ID        `json:"other_call_uuid,omitempty"`
	Finding   *call.Finding  `json:"finding,omitempty"`
}
