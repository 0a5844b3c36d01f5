package dialplan

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// ErrReplay says that a rehearsal did not decide as the recorded call did.
var ErrReplay = errors.New("the call would be decided differently")

// Replay rehearses a call with the outcomes in its trace and returns nil if every
// decision is the same again: entries that differ in number and time only. The
// trace is whole and comes from a call or from its record. The error wraps
// ErrReplay and names the first entry that differs. To see where a recorded call
// would go under another configuration, give AssumeFrom(trace) to Rehearse.
func Replay(v *View, f Facts, trace []call.TraceEntry) error {
	var was []call.TraceEntry
	for i := range trace {
		if planned(&trace[i]) {
			was = append(was, trace[i])
		}
	}
	at := time.Time{}
	if len(was) > 0 {
		at = was[0].At
	}
	is := Rehearse(v, f, at, AssumeFrom(trace)).Trace
	for i := range min(len(was), len(is)) {
		old, again := plain(was[i]), plain(is[i])
		if !reflect.DeepEqual(old, again) {
			return fmt.Errorf("%w: entry %d was %v, is %v", ErrReplay, was[i].Seq, old, again)
		}
	}
	if len(was) != len(is) {
		return fmt.Errorf("%w: %d entries became %d", ErrReplay, len(was), len(is))
	}
	return nil
}

// plain is an entry without number and time, in the form that is the same
// whether it comes from a planner or from its JSON.
func plain(e call.TraceEntry) any {
	e.Seq, e.At = 0, time.Time{}
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	return v
}

// Refused is the planner of a call that is not let in at all: it ends with cause,
// and the one entry of its trace says why.
func Refused(cause call.Cause, why string) call.Planner { return refused{cause, why} }

type refused struct {
	cause call.Cause
	why   string
}

// Next implements call.Planner.
func (r refused) Next(_ call.Situation, last call.Outcome) call.Decision {
	d := call.Decision{Cause: r.cause}
	if last.Kind == call.OutcomeBegin {
		t := newTracer(rootPath, "caller", 1)
		t.looked(call.TraceLimit, "refused", call.VerdictFailed, call.TraceCause{
			Condition: "client", Want: "a client that may call", Got: r.why,
		})
		d.Trace = t.entries
	}
	return d
}
