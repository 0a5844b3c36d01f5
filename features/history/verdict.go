package history

import "github.com/cordpair/cordpair/dialplan/call"

// The results of a call or leg (spec/http-api.md 4.10).
const (
	ResultBridged           = "bridged" // of a call only
	ResultAnswered          = "answered"
	ResultNotAnswered       = "not answered"
	ResultAnsweredElsewhere = "answered elsewhere" // of a leg only
	ResultBusy              = "busy"
	ResultRejected          = "rejected"
	ResultFailed            = "failed"
)

// Who ended a call or leg, and how (spec/http-api.md 4.10).
const (
	CalleeBye      = "callee_bye"
	CallerBye      = "caller_bye"
	CallerCancel   = "caller_cancel"
	CalleeRefuse   = "callee_refuse"
	InternalCancel = "internal_cancel"
)

// verdict is what a cause means for a call or leg that was not answered.
type verdict struct {
	q850        string // FreeSWITCH's name, of Q.850 where that has one
	result      string
	disposition string
}

// verdicts has every cause of package call.
var verdicts = map[call.Cause]verdict{
	call.CauseNormal:            {"NORMAL_CLEARING", ResultNotAnswered, InternalCancel},
	call.CauseCancelled:         {"ORIGINATOR_CANCEL", ResultNotAnswered, CallerCancel},
	call.CauseAnsweredElsewhere: {"LOSE_RACE", ResultAnsweredElsewhere, InternalCancel},
	call.CauseBusy:              {"USER_BUSY", ResultBusy, CalleeRefuse},
	call.CauseNoAnswer:          {"NO_ANSWER", ResultNotAnswered, InternalCancel},
	call.CauseRejected:          {"CALL_REJECTED", ResultRejected, CalleeRefuse},
	call.CauseRedirected:        {"REDIRECTION_TO_NEW_DESTINATION", ResultFailed, CalleeRefuse},
	call.CauseUnreachable:       {"SUBSCRIBER_ABSENT", ResultFailed, CalleeRefuse},
	call.CauseNotFound:          {"UNALLOCATED_NUMBER", ResultFailed, CalleeRefuse},
	call.CauseForbidden:         {"OUTGOING_CALL_BARRED", ResultFailed, InternalCancel},
	call.CauseNoCall:            {"INVALID_CALL_REFERENCE", ResultFailed, InternalCancel},
	call.CauseNotAcceptable:     {"INCOMPATIBLE_DESTINATION", ResultFailed, CalleeRefuse},
	call.CauseLoop:              {"EXCHANGE_ROUTING_ERROR", ResultFailed, InternalCancel},
	call.CauseOverload:          {"SWITCH_CONGESTION", ResultFailed, InternalCancel},
	call.CauseMediaTimeout:      {"MEDIA_TIMEOUT", ResultFailed, InternalCancel},
	call.CauseProtocol:          {"PROTOCOL_ERROR", ResultFailed, InternalCancel},
	call.CauseDuration:          {"ALLOTTED_TIMEOUT", ResultFailed, InternalCancel},
	call.CauseShutdown:          {"SYSTEM_SHUTDOWN", ResultFailed, InternalCancel},
	call.CauseRestart:           {"CRASH", ResultFailed, InternalCancel},
	call.CauseInternal:          {"NORMAL_TEMPORARY_FAILURE", ResultFailed, InternalCancel},
}

// verdictOf is the verdict on a cause; one this package does not know counts as
// a fault of ours, as does none.
func verdictOf(c call.Cause) verdict {
	if v, ok := verdicts[c]; ok {
		return v
	}
	return verdicts[call.CauseInternal]
}

// flow is the direction as the party's extension sees it, which calls out when
// the switch sees a leg come in. The outside is seen from the switch.
func flow(d call.Direction, p call.Party) string {
	if (d == call.Inbound) == (p.Extension != 0) {
		return "out"
	}
	return "in"
}
