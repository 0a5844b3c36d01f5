package dialplan

import (
	"strings"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// Rehearsal stands in for the effects of a call: it answers what would come of
// each step. The zero value assumes that whoever is rung answers and talks.
type Rehearsal struct {
	// Assume says what comes of ringing an extension, by any of its names: one of
	// the words of Assumptions. Check finds what is wrong with it.
	Assume map[string]string
	// Registered says of an extension that is not in Assume whether a phone of it
	// is there to answer; one without is unreachable. Nil: all are there.
	Registered func(extension int64) bool
	// Press are the keys the caller presses, one entry for each time the plan
	// asks for some.
	Press []string

	replay   bool           // nothing but recorded
	recorded []call.Outcome // what really came of the decisions, in their order
}

// assumption is what a word of Rehearsal.Assume stands for: the outcome that a
// ring with this end reports.
type assumption struct {
	word  string
	kind  call.OutcomeKind
	cause call.Cause
	to    string // of a redirection
}

// assumptions by word. A call that fails for another reason does so most often
// because the phones have no codec in common.
var assumptions = []assumption{
	{"answered", call.OutcomeTalkEnded, call.CauseNormal, ""},
	{"busy", call.OutcomeBusy, call.CauseBusy, ""},
	{"no_answer", call.OutcomeNoAnswer, call.CauseNoAnswer, ""},
	{"rejected", call.OutcomeRejected, call.CauseRejected, ""},
	{"unreachable", call.OutcomeUnreachable, call.CauseUnreachable, ""},
	{"failed", call.OutcomeFailed, call.CauseNotAcceptable, ""},
}

// Words of assumptions that stand for a phone that is there and one that is not.
const (
	assumeAnswered    = "answered"
	assumeUnreachable = "unreachable"
)

// assumeRedirected begins the word for a phone that sends the call on; the number
// follows.
const assumeRedirected = "redirected:"

func assumptionOf(word string) (assumption, bool) {
	if number, ok := strings.CutPrefix(word, assumeRedirected); ok {
		to, err := CleanDialled(number)
		return assumption{word, call.OutcomeRedirected, call.CauseRedirected, to}, err == nil
	}
	for _, a := range assumptions {
		if a.word == word {
			return a, true
		}
	}
	return assumption{}, false
}

// Assumptions lists the words that can be assumed of an extension: "answered"
// (the parties talk and hang up), "busy", "no_answer", "rejected", "unreachable"
// and "failed". Beside them there is "redirected:" with a number, to which the
// phone sends the call on.
func Assumptions() []string {
	words := make([]string, len(assumptions))
	for i, a := range assumptions {
		words[i] = a.word
	}
	return words
}

// AssumeFrom is the rehearsal in which everything turns out as it did in the call
// that left trace. It ends where the call ended, if a party hung up before a step
// had an outcome.
func AssumeFrom(trace []call.TraceEntry) Rehearsal {
	r := Rehearsal{replay: true}
	for i := range trace {
		if e := &trace[i]; e.Outcome != nil && planned(e) {
			r.recorded = append(r.recorded, *e.Outcome)
		}
	}
	return r
}

// planned tells the entries of a planner from those the call adds itself when it
// is redirected, reaches a limit or has a fault: these are about nobody.
func planned(e *call.TraceEntry) bool { return e.Who != "" }

// Explanation is where a call would go and why (spec/shapes.md, "Explain answer").
type Explanation struct {
	// Would is the name of the last step taken. A call that is answered ends in
	// "ring", a refused one in "reject"; Cause says how it ended there.
	Would string     `json:"would" doc:"Last step of the call: ring, reject, echo …"`
	Cause call.Cause `json:"cause" doc:"How the call ends there: normal, busy, not_found …"`
	// Path are the steps in the order they would be taken.
	Path []call.Step `json:"path" nullable:"false" doc:"The steps of the call in their order"`
	// Trace is numbered from 1; its times begin with At and pass while phones
	// ring unanswered.
	Trace []call.TraceEntry `json:"trace" nullable:"false" doc:"Every decision with what it looked at"`
	// Assumed is what the path rests on: what came of each extension that was
	// rung, be it assumed by the caller or taken from the registrations.
	Assumed map[string]string `json:"assumed" nullable:"false" doc:"What came of each extension that was rung, as assumed or as registrations have it"`
	// Unused are the keys of Press that no step asked for.
	Unused []string `json:"unused,omitempty" nullable:"false" doc:"Keys that no step asked for"`
	// Cut tells that the plan was still going on after many steps.
	Cut bool      `json:"cut,omitempty" doc:"The plan was still going on after 100 steps"`
	At  time.Time `json:"at" doc:"Moment the call was rehearsed for"`
	// ConfigVersion is filled in by whoever knows it.
	ConfigVersion uint64 `json:"config_version" doc:"Number of the configuration that was used"`
}

// maxRehearsed is how many steps a rehearsal takes. No plan of a call that ends
// by itself is as long (MaxHops); one that asks the caller for keys may be.
const maxRehearsed = 100

// Rehearse says where the call would go at a time, and why. It runs the planner a
// real call runs, with r in place of the effects, so the trace is the one that
// the call would leave.
func Rehearse(v *View, f Facts, at time.Time, r Rehearsal) Explanation {
	return rehearse(Plan(v, f), v, at, r)
}

func rehearse(p call.Planner, v *View, at time.Time, r Rehearsal) Explanation {
	s := &stage{
		view: v, Rehearsal: r, now: at.UTC(),
		told: Explanation{
			Would: StepReject, Path: []call.Step{}, Trace: []call.TraceEntry{},
			Assumed: map[string]string{}, Unused: r.Press, At: at.UTC(),
		},
	}
	s.byID = s.assumed(v)
	out := call.Outcome{Kind: call.OutcomeBegin}
	for {
		d := p.Next(call.Situation{At: s.now}, out)
		s.note(d.Trace...)
		if len(d.Steps) == 0 {
			return s.ended(d.Cause)
		}
		if len(s.told.Path)+len(d.Steps) > maxRehearsed {
			return s.cut()
		}
		var over bool
		if out, over = s.perform(d.Steps); over {
			return s.told
		}
	}
}

// stage is one rehearsal under way.
type stage struct {
	Rehearsal
	view *View
	byID map[int64]assumption // Assume by extension
	now  time.Time
	told Explanation
}

// assumed is Assume by extension; what Check would complain about is left out.
func (r Rehearsal) assumed(v *View) map[int64]assumption {
	byID := make(map[int64]assumption, len(r.Assume))
	for name, word := range r.Assume {
		a, known := assumptionOf(word)
		if e, ok := v.lookup(name); ok && known {
			byID[e.Extension.ID] = a
		}
	}
	return byID
}

// note numbers and times trace entries as a call does.
func (s *stage) note(entries ...call.TraceEntry) {
	for _, e := range entries {
		e.Seq, e.At = len(s.told.Trace)+1, s.now
		s.told.Trace = append(s.told.Trace, e)
	}
}

func (s *stage) ended(cause call.Cause) Explanation {
	if cause == "" {
		cause = call.CauseNormal // as the call does
	}
	s.told.Cause = cause
	return s.told
}

// cut ends a rehearsal that does not end by itself.
func (s *stage) cut() Explanation {
	t := newTracer(rootPath, "rehearsal", 1)
	t.looked(call.TraceLimit, "steps", call.VerdictFailed, call.TraceCause{
		Condition: "steps", Want: "at most 100", Got: "more",
	})
	s.note(t.entries...)
	s.told.Cut = true
	return s.ended(call.CauseLoop)
}

// perform takes the steps of one decision as a call's scripts do: one that is
// done lets the next one run, the outcome of any other goes to the planner. Over
// tells that the call ends without asking the planner again.
func (s *stage) perform(steps []call.Step) (out call.Outcome, over bool) {
	if s.replay {
		return s.repeat(steps)
	}
	for _, step := range steps {
		s.take(step)
		if out, over = s.outcome(step); over || out.Kind != call.OutcomeDone {
			return out, over
		}
	}
	return out, false
}

// repeat takes the steps of a recorded decision: what came of them is known as a
// whole. A call that was ended before that has no more outcomes.
func (s *stage) repeat(steps []call.Step) (call.Outcome, bool) {
	for _, step := range steps {
		s.take(step)
	}
	if len(s.recorded) == 0 {
		return call.Outcome{}, true
	}
	out := s.recorded[0]
	s.recorded = s.recorded[1:]
	return out, false
}

func (s *stage) take(step call.Step) {
	s.told.Path = append(s.told.Path, step)
	s.told.Would = step.Name
}

// outcome is what would come of a step. A caller who listens to echo or music
// hangs up one day, and a rejected one is gone: neither is an outcome.
func (s *stage) outcome(step call.Step) (out call.Outcome, over bool) {
	switch args := step.Args.(type) {
	case RingArgs:
		return s.ring(step.Branch, args), false
	case RejectArgs:
		s.told.Cause = args.Cause
		return call.Outcome{}, true
	case EchoArgs, MusicArgs:
		s.told.Cause = call.CauseNormal
		return call.Outcome{}, true
	default:
		return call.Outcome{Branch: step.Branch, Kind: call.OutcomeDone}, false
	}
}

// ring is what would come of ringing an extension.
func (s *stage) ring(branch string, args RingArgs) call.Outcome {
	a, given := s.byID[args.Extension]
	if !given {
		word := assumeAnswered
		if s.Registered != nil && !s.Registered(args.Extension) {
			word = assumeUnreachable
		}
		a, _ = assumptionOf(word)
	}
	if a.kind == call.OutcomeNoAnswer {
		s.now = s.now.Add(time.Duration(args.Timeout) * time.Second)
	}
	s.told.Assumed[s.view.number(args.Extension)] = a.word
	out := call.Outcome{Branch: branch, Kind: a.kind, Cause: a.cause, To: a.to}
	if a.to != "" {
		out.Why = call.DivertUnconditional
	}
	return out
}

// number is the bare number of an extension, empty if it is not there.
func (v *View) number(id int64) string {
	if e, ok := v.byID.get(id); ok {
		return e.Extension.Number()
	}
	return ""
}

// Check reports as FieldErrors what of Assume makes no sense: an extension that
// is not there (assume/199) or is named twice, a word that is none.
func (r Rehearsal) Check(v *View) error {
	var e FieldErrors
	seen := map[int64]bool{}
	for _, name := range sortedKeys(r.Assume) {
		at := "assume/" + pointerToken(name)
		row, ok := v.Lookup(name)
		e.none(!ok, at, "extension")
		e.check(!seen[row.Extension.ID], at, "is assumed twice")
		seen[row.Extension.ID] = ok
		_, known := assumptionOf(r.Assume[name])
		e.check(known, at, "must be one of "+strings.Join(Assumptions(), ", ")+", or "+assumeRedirected+" and a number")
	}
	return e.err()
}
