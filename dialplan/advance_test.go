package dialplan

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cordpair/cordpair/dialplan/call"
)

func TestOutcomesEndTheCall(t *testing.T) {
	v := compile(t, testRows())
	tests := []struct {
		number string
		out    call.Outcome
		want   call.Cause
		ok     bool // as the trace sees it
	}{
		{"102", call.Outcome{Kind: call.OutcomeTalkEnded, By: "leg"}, call.CauseNormal, true},
		{"102", call.Outcome{Kind: call.OutcomeTalkEnded, By: "leg", Cause: call.CauseMediaTimeout}, call.CauseMediaTimeout, true},
		{"102", call.Outcome{Kind: call.OutcomeDone}, call.CauseNormal, true},
		{"102", call.Outcome{Kind: call.OutcomeBusy}, call.CauseBusy, false},
		{"102", call.Outcome{Kind: call.OutcomeNoAnswer}, call.CauseNoAnswer, false},
		{"102", call.Outcome{Kind: call.OutcomeUnreachable}, call.CauseUnreachable, false},
		{"102", call.Outcome{Kind: call.OutcomeRejected}, call.CauseRejected, false},
		{"102", call.Outcome{Kind: call.OutcomeFailed, Cause: call.CauseNotAcceptable}, call.CauseNotAcceptable, false},
		{"102", call.Outcome{Kind: call.OutcomeFailed}, call.CauseInternal, false},
		{"102", call.Outcome{Kind: call.OutcomeBegin}, call.CauseInternal, false},
		{"102", call.Outcome{}, call.CauseInternal, false},
		{"*43", call.Outcome{Kind: call.OutcomeDone}, call.CauseNormal, true},
		{"*45", call.Outcome{Kind: call.OutcomeFailed, Cause: call.CauseMediaTimeout}, call.CauseMediaTimeout, false},
		{"199", call.Outcome{Kind: call.OutcomeDone}, call.CauseNotFound, true},
		{"199", call.Outcome{Kind: call.OutcomeFailed, Cause: call.CauseInternal}, call.CauseNotFound, true},
		{"101", call.Outcome{Kind: call.OutcomeDone}, call.CauseBusy, true},
	}
	for _, tt := range tests {
		p := Plan(v, dial(tt.number))
		p.Next(call.Situation{}, call.Outcome{Kind: call.OutcomeBegin})
		d := p.Next(call.Situation{}, tt.out)
		if len(d.Steps) != 0 || d.Cause != tt.want {
			t.Errorf("%s, then %s: %+v, want %s", tt.number, tt.out.Kind, d, tt.want)
			continue
		}
		e := d.Trace[0]
		if e.Kind != call.TraceOutcome || *e.Outcome != tt.out || e.Because[0].OK != tt.ok || (e.Verdict == call.VerdictTaken) != tt.ok {
			t.Errorf("%s, then %s: trace %+v", tt.number, tt.out.Kind, e)
		}
		got := string(tt.out.Kind)
		if tt.out.Kind == call.OutcomeTalkEnded && tt.out.Cause != "" {
			got += ": " + string(tt.out.Cause) // the end of a talk is shown with why
		}
		if e.Because[0].Got != got {
			t.Errorf("%s: %q, want %q", tt.number, e.Because[0].Got, got)
		}
		if again := p.Next(call.Situation{}, call.Outcome{Kind: call.OutcomeBusy}); again.Cause != tt.want || len(again.Steps) != 0 {
			t.Errorf("%s is over, but goes on with %+v", tt.number, again)
		}
	}
}

func TestHopLimit(t *testing.T) {
	v := compile(t, testRows())
	e, _ := v.byID.get(2)
	for hops, want := range map[int]string{MaxHops - 1: StepRing, MaxHops: StepReject} {
		tr := newTracer("1", "extension 102", 2)
		b, step := enter(Branch{Path: "1", Hops: hops}, e, tr)
		if step.Name != want {
			t.Errorf("after %d hops: %+v", hops, step)
		}
		if want == StepReject && (b.Outcome.Cause != call.CauseLoop || tr.entries[0].Kind != call.TraceLimit) {
			t.Errorf("after %d hops: %+v, %+v", hops, b, tr.entries)
		}
	}
}

// TestTraceShape holds the form of spec/shapes.md, "Trace entry".
func TestTraceShape(t *testing.T) {
	v := compile(t, testRows())
	_, trace := decided(v, dial("102"))
	got, err := json.Marshal(trace[3:])
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"seq":0,"at":"0001-01-01T00:00:00Z","branch":"1","who":"extension 101","kind":"number","name":"extension",` +
		`"verdict":"taken","because":[{"condition":"dialled","want":"a number of client 0001","got":"extension 102","ok":true}],` +
		`"step":null,"outcome":null},` +
		`{"seq":0,"at":"0001-01-01T00:00:00Z","branch":"1","who":"extension 102","kind":"ring","id":2,"name":"ring",` +
		`"verdict":"taken","because":[{"condition":"status","want":"active","got":"active","ok":true}],` +
		`"step":{"name":"ring","branch":"1","args":{"extension_id":2,"timeout":20}},"outcome":null}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

// numbers draws what people dial, near misses and noise.
var numbers = rapid.OneOf(
	rapid.SampledFrom([]string{"101", "102", "105", "106", "112", "*43", "*45", "*735*1", "0001*103", "199"}),
	rapid.StringMatching(`[0-9*#+@]{0,12}`),
)

// outcomes draws anything a step could report, sensible or not.
var outcomes = rapid.Custom(func(t *rapid.T) call.Outcome {
	return call.Outcome{
		Branch: rapid.SampledFrom([]string{"", "1", "1.2", "9"}).Draw(t, "branch"),
		Kind: rapid.SampledFrom([]call.OutcomeKind{
			call.OutcomeBegin, call.OutcomeDone, call.OutcomeBusy, call.OutcomeNoAnswer, call.OutcomeUnreachable,
			call.OutcomeRejected, call.OutcomeFailed, call.OutcomeTalkEnded, "", "nonsense",
		}).Draw(t, "kind"),
		Cause: rapid.SampledFrom([]call.Cause{"", call.CauseNormal, call.CauseBusy, call.CauseNotAcceptable}).Draw(t, "cause"),
	}
})

// longestPlan bounds how many decisions with steps one call can get.
const longestPlan = MaxHops + 1

// TestEveryCallEnds drives plans with random outcomes: each ends within the
// bound, with a cause, and its trace replays to the same decisions.
func TestEveryCallEnds(t *testing.T) {
	v := compile(t, testRows())
	rapid.Check(t, func(t *rapid.T) {
		f := dial(numbers.Draw(t, "number"))
		var made []call.Decision
		st, out := State{}, call.Outcome{Kind: call.OutcomeBegin}
		for {
			before := st
			next, d := Advance(v, f, st, call.Situation{}, out)
			if diff := cmp.Diff(before, st); diff != "" {
				t.Fatalf("Advance changed the state it was given: %s", diff)
			}
			made = append(made, d)
			st = next
			if len(d.Steps) == 0 {
				break
			}
			if d.Cause != "" {
				t.Fatalf("steps and a cause: %+v", d)
			}
			if len(made) > longestPlan {
				t.Fatalf("still going after %d decisions", len(made))
			}
			out = outcomes.Draw(t, "outcome")
		}
		if d := made[len(made)-1]; d.Cause == "" || st.Root.Cursor != CursorEnd || st.Root.Outcome.Cause != d.Cause {
			t.Fatalf("ends with %+v in %+v", d, st)
		}
		if diff := cmp.Diff(made, replay(v, f, made)); diff != "" {
			t.Fatalf("the trace replays differently: %s", diff)
		}
	})
}

// replay makes the decisions again from nothing but the outcomes in the trace.
func replay(v *View, f Facts, made []call.Decision) []call.Decision {
	p := Plan(v, f)
	again := []call.Decision{p.Next(call.Situation{}, call.Outcome{Kind: call.OutcomeBegin})}
	for _, d := range made {
		for _, e := range d.Trace {
			if e.Outcome != nil {
				again = append(again, p.Next(call.Situation{}, *e.Outcome))
			}
		}
	}
	return again
}

func TestCursorNames(t *testing.T) {
	for c, want := range map[Cursor]string{CursorStart: "start", CursorEnd: "end", CursorEnd + 1: "cursor(8)", -1: "cursor(-1)"} {
		if c.String() != want {
			t.Errorf("%d is %q, want %q", int(c), c, want)
		}
	}
}

// talk advances a whole call: rung, answered, hung up.
func talk(v *View, f Facts) {
	st, _ := Advance(v, f, State{}, call.Situation{}, call.Outcome{Kind: call.OutcomeBegin})
	Advance(v, f, st, call.Situation{}, call.Outcome{Kind: call.OutcomeTalkEnded})
}

func TestAdvanceAllocatesLittle(t *testing.T) {
	v, f := compile(t, testRows()), dial("102")
	allocs(t, 8, func() { talk(v, f) })
}

func BenchmarkAdvance(b *testing.B) {
	v, f := compile(b, testRows()), dial("102")
	b.ReportAllocs()
	for b.Loop() {
		talk(v, f)
	}
}
