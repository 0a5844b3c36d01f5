package call

// Cause says why a leg or a call ended or could not begin. The edge holds the
// one table from causes to SIP statuses and back.
type Cause string

// The causes. The zero value means "no cause": the thing goes on.
const (
	CauseNormal            Cause = "normal"             // a party hung up after talking
	CauseCancelled         Cause = "cancelled"          // the caller gave up before an answer
	CauseAnsweredElsewhere Cause = "answered_elsewhere" // another contact was faster
	CauseBusy              Cause = "busy"
	CauseNoAnswer          Cause = "no_answer"
	CauseRejected          Cause = "rejected"    // the party declined
	CauseRedirected        Cause = "redirected"  // the party sent the call on to another number
	CauseUnreachable       Cause = "unreachable" // no contact, or none that responds
	CauseNotFound          Cause = "not_found"   // no such number
	CauseForbidden         Cause = "forbidden"
	CauseNoCall            Cause = "no_call"        // the call that was named is not there
	CauseNotAcceptable     Cause = "not_acceptable" // no common codec, or media we must not send to
	CauseLoop              Cause = "loop"           // hop limit reached
	CauseOverload          Cause = "overload"       // refused before it began, or a mailbox overflowed
	CauseMediaTimeout      Cause = "media_timeout"  // nothing heard and the leg no longer answers
	CauseProtocol          Cause = "protocol"       // the far end broke the protocol (no ACK, no answer to a request)
	CauseDuration          Cause = "duration"       // the longest allowed call
	CauseShutdown          Cause = "shutdown"       // the switch stops
	CauseRestart           Cause = "restart"        // the switch was killed during the call
	CauseInternal          Cause = "internal"       // a fault of ours
)
