package sip

import (
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
	call.CauseUnreachable:       {480, "Temporarily Unavailable", 20},
	call.CauseNotFound:          {404, "Not Found", 1},
	call.CauseForbidden:         {403, "Forbidden", 21},
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

// reasonFields is the Reason header (RFC 3326) of a BYE or CANCEL. A phone that
// loses to another contact must not show a missed call.
func reasonFields(c call.Cause) []wire.Field {
	reason := wire.Reason{Protocol: "Q.850", Cause: refusalOf(c).q850}
	if c == call.CauseAnsweredElsewhere {
		reason = wire.Reason{Protocol: "SIP", Cause: 200, Text: "Call completed elsewhere"}
	}
	return []wire.Field{{Name: "Reason", Value: reason.String()}}
}
