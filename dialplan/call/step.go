package call

import "time"

// Step is one thing a call is told to do: plain data, fit for a trace.
type Step struct {
	// Name is the key of the features table: "ring", "reject", "echo".
	Name string `json:"name"`
	// Branch is the place in the plan's tree, "1" for the root, "1.2" below it.
	Branch string `json:"branch"`
	// Args is the step's own parameter value, a struct of package dialplan.
	Args any `json:"args,omitempty"`
}

// Situation is what changes while a call runs, read together at every step.
type Situation struct {
	At time.Time
	// Origin is set while the party of the call is here by a transfer whose end is
	// not known yet.
	Origin *Origin
}

// Decision is a planner's answer.
type Decision struct {
	Steps []Step
	// Cause ends the call when there are no steps.
	Cause Cause
	// Trace is the call's from now on.
	Trace []TraceEntry
}

// OutcomeKind says how a step ended.
type OutcomeKind string

// The outcomes a step can report. A step that ends in OutcomeDone lets the next
// one run; any other outcome, or the end of the steps, goes to the planner.
const (
	OutcomeBegin       OutcomeKind = "begin"       // nothing has run yet
	OutcomeDone        OutcomeKind = "done"        // the step did what it says
	OutcomeBusy        OutcomeKind = "busy"        // the target is busy or refused with busy
	OutcomeNoAnswer    OutcomeKind = "no_answer"   // the target did not answer in time
	OutcomeUnreachable OutcomeKind = "unreachable" // the target has no contact, or none that responds
	OutcomeRejected    OutcomeKind = "rejected"    // the target declined
	OutcomeRedirected  OutcomeKind = "redirected"  // the target names another number, see To
	OutcomeFailed      OutcomeKind = "failed"      // anything else, see Cause
	OutcomeTalkEnded   OutcomeKind = "talk_ended"  // two parties talked and one left, see By
)

// Outcome is what a step reports.
type Outcome struct {
	Branch string      `json:"branch,omitempty"`
	Kind   OutcomeKind `json:"kind"`
	Cause  Cause       `json:"cause,omitempty"`
	// By is the leg that brought the outcome about, if one did.
	By LegID `json:"by,omitempty"`
	// To and Why come with OutcomeRedirected.
	To  string       `json:"to,omitempty"`
	Why DivertReason `json:"why,omitempty"`
	// Refer is what the party of a leg script asks for; nil for nothing.
	Refer *Refer `json:"-"`
}

// TraceEntry is one line of a call's decision trace (spec/shapes.md, "Trace
// entry"). Seq and At are filled in by the loop.
type TraceEntry struct {
	Seq     int          `json:"seq"`
	At      time.Time    `json:"at"`
	Branch  string       `json:"branch"`
	Who     string       `json:"who"`
	Kind    string       `json:"kind"`
	ID      int64        `json:"id,omitempty"`
	Name    string       `json:"name"`
	Verdict string       `json:"verdict"`
	Because []TraceCause `json:"because"`
	Step    *Step        `json:"step"`
	Outcome *Outcome     `json:"outcome"`
}

// TraceCause is one condition a decision looked at and the value that decided it.
type TraceCause struct {
	Condition string `json:"condition"`
	Want      string `json:"want"`
	Got       string `json:"got"`
	OK        bool   `json:"ok"`
}

// Kinds and verdicts of trace entries.
const (
	TraceNumber  = "number"
	TraceRule    = "rule"
	TraceRing    = "ring"
	TraceEffect  = "effect"
	TraceOutcome = "outcome"
	TraceLimit   = "limit"
	TraceMedia   = "media" // a finding about the audio, told with EventFinding

	VerdictTaken   = "taken"
	VerdictSkipped = "skipped"
	VerdictFailed  = "failed"
)
