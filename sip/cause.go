package sip

import (
	"slices"
	"strings"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// refusal is how a cause looks to a caller whose INVITE it ends, and to a party
// whose call it ends: a status, and the Q.850 cause for a Reason header.
type refusal struct {
	status int
	phrase string
	q850   int
}

// causeStatus is the one table from causes to statuses.
var causeStatus = map[call.Cause]refusal{
	call.CauseNormal:            {480, "Temporarily Unavailable", 16},
	call.CauseCancelled:         {487, "Request Terminated", 16},
	call.CauseAnsweredElsewhere: {480, "Temporarily Unavailable", 26},
	call.CauseBusy:              {486, "Busy Here", 17},
	call.CauseNoAnswer:          {480, "Temporarily Unavailable", 19},
	call.CauseRejected:          {603, "Decline", 21},
	call.CauseRedirected:        {480, "Temporarily Unavailable", 23},
	call.CauseUnreachable:       {480, "Temporarily Unavailable", 20},
	call.CauseNotFound:          {404, "Not Found", 1},
	call.CauseForbidden:         {403, "Forbidden", 21},
	call.CauseNoCall:            {481, "Call/Transaction Does Not Exist", 31},
	call.CauseNotAcceptable:     {488, "Not Acceptable Here", 88},
	call.CauseLoop:              {482, "Loop Detected", 25},
	call.CauseOverload:          {503, "Service Unavailable", 42},
	call.CauseMediaTimeout:      {480, "Temporarily Unavailable", 102},
	call.CauseProtocol:          {480, "Temporarily Unavailable", 111},
	call.CauseDuration:          {480, "Temporarily Unavailable", 102},
	call.CauseShutdown:          {503, "Service Unavailable", 41},
	call.CauseRestart:           {480, "Temporarily Unavailable", 41},
	call.CauseInternal:          {500, "Server Internal Error", 41},
}

func refusalOf(c call.Cause) refusal {
	if r, ok := causeStatus[c]; ok {
		return r
	}
	return causeStatus[call.CauseInternal]
}

// statusCause is the one table from the final statuses of a called phone to causes;
// what is missing follows its class.
var statusCause = map[int]call.Cause{
	401: call.CauseRejected, // we never show our credentials to a phone (A9)
	403: call.CauseRejected,
	404: call.CauseUnreachable,
	407: call.CauseRejected,
	408: call.CauseUnreachable,
	410: call.CauseUnreachable,
	415: call.CauseNotAcceptable,
	480: call.CauseUnreachable,
	481: call.CauseUnreachable,
	482: call.CauseLoop,
	483: call.CauseLoop,
	486: call.CauseBusy,
	487: call.CauseCancelled,
	488: call.CauseNotAcceptable,
	600: call.CauseBusy,
	603: call.CauseRejected,
	606: call.CauseNotAcceptable,
}

func causeOf(status int) call.Cause {
	if c, ok := statusCause[status]; ok {
		return c
	}
	if status >= 400 && status < 500 || status >= 600 {
		return call.CauseRejected
	}
	return call.CauseUnreachable
}

// q850Cause is the one table from the causes of ISUP (ITU-T Q.850) to ours, as a
// gateway tells them (RFC 6432); what is missing says nothing.
var q850Cause = map[int]call.Cause{
	1:   call.CauseNotFound,          // unallocated number
	2:   call.CauseUnreachable,       // no route to transit network
	3:   call.CauseUnreachable,       // no route to destination
	16:  call.CauseNormal,            // normal clearing
	17:  call.CauseBusy,              // user busy
	18:  call.CauseUnreachable,       // no user responding
	19:  call.CauseNoAnswer,          // no answer from user
	20:  call.CauseUnreachable,       // subscriber absent
	21:  call.CauseRejected,          // call rejected
	22:  call.CauseNotFound,          // number changed
	23:  call.CauseRedirected,        // redirection to new destination
	25:  call.CauseLoop,              // exchange routing error
	26:  call.CauseAnsweredElsewhere, // non-selected user clearing
	27:  call.CauseUnreachable,       // destination out of order
	28:  call.CauseNotFound,          // invalid number format
	29:  call.CauseRejected,          // facility rejected
	31:  call.CauseNormal,            // normal, unspecified
	34:  call.CauseOverload,          // no circuit available
	38:  call.CauseUnreachable,       // network out of order
	41:  call.CauseUnreachable,       // temporary failure
	42:  call.CauseOverload,          // switching equipment congestion
	44:  call.CauseOverload,          // requested circuit not available
	47:  call.CauseOverload,          // resource unavailable
	52:  call.CauseForbidden,         // outgoing call barred
	54:  call.CauseForbidden,         // incoming call barred
	55:  call.CauseForbidden,         // incoming calls barred within the group
	57:  call.CauseForbidden,         // bearer capability not authorized
	58:  call.CauseNotAcceptable,     // bearer capability not available
	65:  call.CauseNotAcceptable,     // bearer capability not implemented
	79:  call.CauseNotAcceptable,     // service not implemented
	87:  call.CauseForbidden,         // not a member of the group
	88:  call.CauseNotAcceptable,     // incompatible destination
	102: call.CauseMediaTimeout,      // recovery on timer expiry
	111: call.CauseProtocol,          // protocol error
}

// vague are the statuses that say less than a Reason beside them.
var vague = []int{400, 403, 480, 487, 500, 502, 503, 504, 600, 603}

// causeOfResponse is why a called phone or what stands before it refused.
func causeOfResponse(res *wire.Message) call.Cause {
	if slices.Contains(vague, res.Status()) {
		for _, r := range res.Reasons() {
			if c, ok := q850Cause[r.Cause]; ok && strings.EqualFold(r.Protocol, "Q.850") && c != call.CauseNormal {
				return c
			}
		}
	}
	return causeOf(res.Status())
}

// saidCause is the Reason a request gives (RFC 3326); "" without one we know.
func saidCause(m *wire.Message) call.Cause {
	for _, r := range m.Reasons() {
		switch {
		case strings.EqualFold(r.Protocol, "SIP") && r.Cause == 200:
			return call.CauseAnsweredElsewhere
		case strings.EqualFold(r.Protocol, "SIP") && r.Cause >= 400 && r.Cause < 700:
			return causeOf(r.Cause)
		case strings.EqualFold(r.Protocol, "Q.850") && q850Cause[r.Cause] != "":
			return q850Cause[r.Cause]
		}
	}
	return ""
}

// withdrawal is why a caller gave up before the answer: somebody else answered a
// call that was forked before it came here, or it just did.
func withdrawal(m *wire.Message) call.Cause {
	if saidCause(m) == call.CauseAnsweredElsewhere {
		return call.CauseAnsweredElsewhere
	}
	return call.CauseCancelled
}

// reasonFields is the Reason header (RFC 3326) of a BYE or CANCEL. A phone that
// loses to another contact must not show a missed call.
func reasonFields(c call.Cause) []wire.Field {
	if f, ok := reasons[c]; ok {
		return f
	}
	return reasonOf(c)
}

// reasons are those of all causes there are.
var reasons = allReasons()

func allReasons() map[call.Cause][]wire.Field {
	all := map[call.Cause][]wire.Field{}
	for c := range causeStatus {
		all[c] = reasonOf(c)
	}
	return all
}

func reasonOf(c call.Cause) []wire.Field {
	reason := wire.Reason{Protocol: "Q.850", Cause: refusalOf(c).q850}
	if c == call.CauseAnsweredElsewhere {
		reason = wire.Reason{Protocol: "SIP", Cause: 200, Text: "Call completed elsewhere"}
	}
	return []wire.Field{{Name: "Reason", Value: reason.String()}}
}
