package dialplan

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/dialplan/call"
)

// decided is what the first Advance of a call decides.
func decided(v *View, f Facts) (call.Step, []call.TraceEntry) {
	_, d := Advance(v, f, State{}, call.Situation{}, call.Outcome{Kind: call.OutcomeBegin})
	return d.Steps[0], d.Trace
}

func TestResolve(t *testing.T) {
	rows := testRows()
	rows.Client.Codes = []Code{{ContextDialled, "*50", StepMusic}, {ContextDialled, "*55<ext>", StepRing}}
	v := compile(t, rows)
	reject := func(c call.Cause) RejectArgs { return RejectArgs{c} }
	tests := []struct {
		number string
		place  string // where it was found
		step   string
		args   any
		got    string // the value that decided it
	}{
		{"112", "emergency number", StepReject, reject(call.CauseUnreachable), "112, no outgoing way"},
		{"911", "emergency number", StepReject, reject(call.CauseUnreachable), "911, no outgoing way"},
		{"*50", "code", StepMusic, MusicArgs{}, "*50"},
		{"*55102", "code", StepRing, RingArgs{Extension: 2, Timeout: 20}, "extension 102"},
		{"*55105", "code", StepReject, reject(call.CauseNotFound), "extension 105, blocked"},
		{"*55199", "code", StepReject, reject(call.CauseNotFound), "*55199, no such extension"},
		{"*73512***225", "programmed key", StepReject, reject(call.CauseNotFound), "*73512***225, not served yet"},
		{"*735", "programmed key", StepReject, reject(call.CauseNotFound), "*735, not served yet"},
		{"102", "extension", StepRing, RingArgs{Extension: 2, Timeout: 20}, "extension 102"},
		{"103", "extension", StepRing, RingArgs{Extension: 3, Timeout: 60}, "extension 103"},
		{"0001*102", "extension", StepRing, RingArgs{Extension: 2, Timeout: 20}, "extension 102"},
		{"12345*0001*102", "extension", StepRing, RingArgs{Extension: 2, Timeout: 20}, "extension 102"},
		{"0001*102@sip.example.org", "extension", StepRing, RingArgs{Extension: 2, Timeout: 20}, "extension 102"},
		{"101", "extension", StepReject, reject(call.CauseBusy), "extension 101, the caller itself"},
		{"105", "extension", StepReject, reject(call.CauseNotFound), "extension 105, blocked"},
		{"106", "extension", StepReject, reject(call.CauseUnreachable), "extension 106, type queue is not served yet"},
		{"*43", "demo number", StepEcho, EchoArgs{}, "*43"},
		{"*44", "demo number", StepMusic, MusicArgs{}, "*44"},
		{"*45", "demo number", StepSayNumber, SayNumberArgs{"101"}, "*45"},
		{"*46", "refused", StepReject, reject(call.CauseNotFound), "*46"},
		{"199", "refused", StepReject, reject(call.CauseNotFound), "199"},
		{"1120", "refused", StepReject, reject(call.CauseNotFound), "1120"},
		{"0002*101", "refused", StepReject, reject(call.CauseNotFound), "0002*101"},
		{"+442079460123", "refused", StepReject, reject(call.CauseNotFound), "+442079460123"},
		{"", "refused", StepReject, reject(call.CauseNotFound), ""},
	}
	for _, tt := range tests {
		step, trace := decided(v, dial(tt.number))
		if step.Name != tt.step || !reflect.DeepEqual(step.Args, tt.args) || step.Branch != "1" {
			t.Errorf("%q: %+v, want %s %+v", tt.number, step, tt.step, tt.args)
		}
		if found := numberEntry(trace); found.Name != tt.place || found.Because[0].Got != tt.got {
			t.Errorf("%q: found as %s because of %q, want %s, %q", tt.number, found.Name, found.Because[0].Got, tt.place, tt.got)
		}
	}
}

// numberEntry is the entry of the place where the number was found.
func numberEntry(trace []call.TraceEntry) call.TraceEntry {
	for _, e := range trace {
		if e.Kind == call.TraceNumber && e.Verdict == call.VerdictTaken {
			return e
		}
	}
	return call.TraceEntry{Because: make([]call.TraceCause, 1)}
}

// TestBlockedLooksUnknown compares what a caller can see of an extension that is
// blocked and of one that does not exist.
func TestBlockedLooksUnknown(t *testing.T) {
	v := compile(t, testRows())
	blocked, _ := decided(v, dial("105"))
	unknown, _ := decided(v, dial("199"))
	if blocked != unknown {
		t.Errorf("blocked: %+v, unknown: %+v", blocked, unknown)
	}
}

func TestDemoNumbersNeedTheDemo(t *testing.T) {
	rows := testRows()
	rows.Demo = false
	v := compile(t, rows)
	for _, n := range []string{"*43", "*44", "*45"} {
		if step, _ := decided(v, dial(n)); step.Args != (RejectArgs{call.CauseNotFound}) {
			t.Errorf("%s: %+v", n, step)
		}
	}
}

func TestBlockedCallers(t *testing.T) {
	rows := testRows()
	rows.Extensions[0].Extension.Status = StatusBlocked
	blockedExtension := compile(t, rows)
	c := testClient()
	c.Status = StatusBlocked
	blockedClient, err := compile(t, testRows()).WithClient(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]*View{"extension": blockedExtension, "client": blockedClient} {
		for number, want := range map[string]call.Cause{
			"102": call.CauseForbidden,
			"*43": call.CauseForbidden,
			"199": call.CauseNotFound,
			"112": call.CauseUnreachable, // the emergency number passes
		} {
			step, trace := decided(v, dial(number))
			if step.Args != (RejectArgs{want}) {
				t.Errorf("blocked %s dials %s: %+v, want %s", name, number, step, want)
			}
			last := trace[len(trace)-1]
			if (last.Kind == call.TraceLimit) != (want == call.CauseForbidden) {
				t.Errorf("blocked %s dials %s: last entry %+v", name, number, last)
			}
		}
	}
}

// TestEmergencyComesFirst gives the client a code for everything else it could be.
func TestEmergencyComesFirst(t *testing.T) {
	v := compile(t, testRows())
	_, trace := decided(v, dial("112"))
	if len(trace) != 1 || trace[0].Name != "emergency number" {
		t.Errorf("trace %+v", trace)
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"101", "0001*102", "12345*0001*102", "0001*103@sip.example.org", "112", "*43", "*735*1", "**", "@", "*@*", "+1"} {
		f.Add(s)
	}
	rows := testRows()
	rows.Client.Codes = []Code{{ContextDialled, "*50", StepMusic}, {ContextDialled, "*55<ext>", StepRing}}
	v := compile(f, rows)
	f.Fuzz(func(t *testing.T, number string) {
		step, trace := decided(v, dial(number))
		taken := 0
		for i, e := range trace {
			if len(e.Because) != 1 {
				t.Fatalf("%q: entry without a reason: %+v", number, e)
			}
			if e.Kind == call.TraceNumber && e.Verdict == call.VerdictTaken {
				taken++
			}
			if (e.Step != nil) != (i == len(trace)-1) {
				t.Fatalf("%q: the step stands at entry %d of %d", number, i, len(trace))
			}
		}
		if taken != 1 {
			t.Fatalf("%q: taken at %d places", number, taken)
		}
		switch a := step.Args.(type) {
		case RingArgs:
			r, ok := v.Extension(a.Extension)
			if !ok || r.Extension.Status != StatusActive || !strings.Contains(number, r.Extension.Number()) {
				t.Fatalf("%q rings %+v", number, r)
			}
		case RejectArgs:
			if a.Cause == "" {
				t.Fatalf("%q is refused without a cause", number)
			}
		}
	})
}
