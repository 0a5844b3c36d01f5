package dialplan

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cordpair/cordpair/dialplan/call"
)

// someday is the moment of rehearsed calls.
var someday = time.Date(2026, 12, 25, 10, 0, 0, 0, time.UTC)

func TestRehearse(t *testing.T) {
	rows := testRows()
	rows.Client.Codes = []Code{{ContextDialled, "*61<ext>", StepRing}}
	v := compile(t, rows)
	gone := func(id int64) bool { return id != 3 } // 103 has no phone
	tests := []struct {
		to     string
		assume map[string]string
		would  string
		cause  call.Cause
		rung   map[string]string
		took   time.Duration
	}{
		{"102", nil, StepRing, call.CauseNormal, map[string]string{"102": "answered"}, 0},
		{"*61102", nil, StepRing, call.CauseNormal, map[string]string{"102": "answered"}, 0},
		{"103", nil, StepRing, call.CauseUnreachable, map[string]string{"103": "unreachable"}, 0},
		{"103", map[string]string{"0001*103": "busy"}, StepRing, call.CauseBusy, map[string]string{"103": "busy"}, 0},
		{"102", map[string]string{"102": "no_answer"}, StepRing, call.CauseNoAnswer, map[string]string{"102": "no_answer"}, 20 * time.Second},
		{"102", map[string]string{"102": "rejected"}, StepRing, call.CauseRejected, map[string]string{"102": "rejected"}, 0},
		{"102", map[string]string{"102": "failed"}, StepRing, call.CauseNotAcceptable, map[string]string{"102": "failed"}, 0},
		{"102", map[string]string{"102": "unreachable", "103": "busy"}, StepRing, call.CauseUnreachable, map[string]string{"102": "unreachable"}, 0},
		{"105", nil, StepReject, call.CauseNotFound, nil, 0},
		{"101", nil, StepReject, call.CauseBusy, nil, 0},
		{"112", nil, StepReject, call.CauseUnreachable, nil, 0},
		{"*43", nil, StepEcho, call.CauseNormal, nil, 0},
		{"*44", nil, StepMusic, call.CauseNormal, nil, 0},
		{"*45", nil, StepSayNumber, call.CauseNormal, nil, 0},
	}
	for _, tt := range tests {
		x := Rehearse(v, dial(tt.to), someday, Rehearsal{Assume: tt.assume, Registered: gone, Press: []string{"1"}})
		if tt.rung == nil {
			tt.rung = map[string]string{}
		}
		if x.Would != tt.would || x.Cause != tt.cause || len(x.Path) != 1 || x.Path[0].Name != tt.would || x.Cut || !x.At.Equal(someday) {
			t.Errorf("%s: %+v", tt.to, x)
		}
		if diff := cmp.Diff(tt.rung, x.Assumed); diff != "" {
			t.Errorf("%s: %s", tt.to, diff)
		}
		for i, e := range x.Trace {
			if e.Seq != i+1 || e.At.Before(someday) {
				t.Errorf("%s: entry %d is %+v", tt.to, i, e)
			}
		}
		if last := x.Trace[len(x.Trace)-1]; last.At.Sub(someday) != tt.took {
			t.Errorf("%s: took %v", tt.to, last.At.Sub(someday))
		}
		if diff := cmp.Diff([]string{"1"}, x.Unused); diff != "" {
			t.Errorf("%s: unused %s", tt.to, diff)
		}
	}
}

// TestExplanationShape holds the form of spec/shapes.md, "Explain answer".
func TestExplanationShape(t *testing.T) {
	x := Rehearse(compile(t, testRows()), dial("102"), someday, Rehearsal{Assume: map[string]string{"102": "busy"}})
	x.ConfigVersion, x.Trace = 42, x.Trace[5:]
	got, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"would":"ring","cause":"busy","path":[{"name":"ring","branch":"1","args":{"extension_id":2,"timeout":20}}],` +
		`"trace":[{"seq":6,"at":"2026-12-25T10:00:00Z","branch":"1","who":"extension 102","kind":"outcome","id":2,"name":"ringing",` +
		`"verdict":"failed","because":[{"condition":"outcome","want":"answered","got":"busy","ok":false}],"step":null,` +
		`"outcome":{"branch":"1","kind":"busy","cause":"busy"}}],` +
		`"assumed":{"102":"busy"},"at":"2026-12-25T10:00:00Z","config_version":42}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

// roundabout is a machine that never ends.
type roundabout struct{}

func (roundabout) Next(call.Situation, call.Outcome) call.Decision {
	return call.Decision{Steps: []call.Step{{Name: StepSayNumber, Branch: "1", Args: SayNumberArgs{}}}}
}

func TestRehearsalIsBounded(t *testing.T) {
	x := rehearse(roundabout{}, compile(t, testRows()), someday, Rehearsal{})
	if !x.Cut || x.Cause != call.CauseLoop || len(x.Path) != maxRehearsed || len(x.Trace) != 1 || x.Trace[0].Kind != call.TraceLimit {
		t.Errorf("%d steps, %+v", len(x.Path), x.Trace)
	}
}

// randomView draws a client of six extensions in any state.
var randomView = rapid.Custom(func(t *rapid.T) *View {
	rows := testRows()
	rows.Demo = rapid.Bool().Draw(t, "demo")
	rows.Client.Status = rapid.SampledFrom([]Status{StatusActive, StatusActive, StatusBlocked}).Draw(t, "client")
	if rapid.Bool().Draw(t, "codes") {
		rows.Client.Codes = []Code{{ContextDialled, "*61<ext>", StepRing}, {ContextDialled, "*7", StepSayNumber}}
	}
	for i := range rows.Extensions {
		r := &rows.Extensions[i]
		r.Extension.Status = rapid.SampledFrom([]Status{StatusActive, StatusActive, StatusBlocked}).Draw(t, "status")
		r.Extension.Type = rapid.SampledFrom([]Type{TypePhone, TypePhone, TypePhone, TypeIVR}).Draw(t, "type")
		r.Phone.HangupTimeout = rapid.IntRange(1, 600).Draw(t, "timeout")
	}
	v, err := Compile(rows)
	if err != nil {
		t.Fatal(err)
	}
	return v
})

// really drives a planner as a call does, asking ends what came of each ring.
func really(p call.Planner, ends func(extension int64) assumption) (steps []call.Step, trace []call.TraceEntry) {
	out := call.Outcome{Kind: call.OutcomeBegin}
	for {
		d := p.Next(call.Situation{At: someday.Add(time.Hour)}, out)
		for _, e := range d.Trace {
			e.Seq, e.At = len(trace)*3+7, someday.Add(time.Duration(len(trace))*time.Second)
			trace = append(trace, e)
		}
		if len(d.Steps) == 0 {
			return steps, trace
		}
		step := d.Steps[0]
		steps = append(steps, step)
		switch args := step.Args.(type) {
		case RejectArgs, EchoArgs, MusicArgs:
			return steps, trace // the call ends while the step runs
		case RingArgs:
			a := ends(args.Extension)
			out = call.Outcome{Branch: step.Branch, Kind: a.kind, Cause: a.cause}
		default:
			out = call.Outcome{Branch: step.Branch, Kind: call.OutcomeDone}
		}
	}
}

// TestRehearsalIsTheCall: same decisions, same trace, byte for byte but for
// numbers and times; and the trace replays, also from its JSON.
func TestRehearsalIsTheCall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := randomView.Draw(t, "view")
		f := dial(numbers.Draw(t, "number"))
		f.Invite.From.Extension = rapid.Int64Range(0, 7).Draw(t, "from")
		assume := map[string]string{}
		for _, number := range []string{"101", "102", "103", "104", "105", "106"} {
			assume[number] = rapid.SampledFrom(Assumptions()).Draw(t, number)
		}
		steps, trace := really(Plan(v, f), func(id int64) assumption {
			a, _ := assumptionOf(assume[v.number(id)])
			return a
		})
		x := Rehearse(v, f, someday, Rehearsal{Assume: assume})
		if diff := cmp.Diff(steps, x.Path); diff != "" {
			t.Fatalf("steps: %s", diff)
		}
		if diff := cmp.Diff(bare(t, trace), bare(t, x.Trace)); diff != "" {
			t.Fatalf("trace: %s", diff)
		}
		if err := Replay(v, f, trace); err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(trace)
		var stored []call.TraceEntry
		if err := json.Unmarshal(b, &stored); err != nil {
			t.Fatal(err)
		}
		if err := Replay(v, f, stored); err != nil {
			t.Fatal(err)
		}
	})
}

// bare is the JSON of a trace without numbers and times.
func bare(t *rapid.T, trace []call.TraceEntry) string {
	list := append([]call.TraceEntry{}, trace...)
	for i := range list {
		list[i].Seq, list[i].At = 0, time.Time{}
	}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReplay(t *testing.T) {
	v, f := compile(t, testRows()), dial("102")
	trace := Rehearse(v, f, someday, Rehearsal{Assume: map[string]string{"102": "busy"}}).Trace
	limit := call.TraceEntry{Kind: call.TraceLimit, Name: "longest call", Outcome: &call.Outcome{Kind: call.OutcomeFailed, Cause: call.CauseDuration}}
	for name, recorded := range map[string][]call.TraceEntry{
		"whole": trace, "hung up while it rang": trace[:5], "cut off by a limit": append(trace[:5:5], limit),
	} {
		if err := Replay(v, f, recorded); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := v.Client()
	c.Status = StatusBlocked
	blocked, err := v.WithClient(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"other view": Replay(blocked, f, trace), "other number": Replay(v, dial("103"), trace),
		"entry missing": Replay(v, f, trace[1:]), "nothing": Replay(v, f, nil),
	} {
		if !errors.Is(err, ErrReplay) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if x := Rehearse(blocked, f, someday, AssumeFrom(trace)); x.Would != StepReject {
		t.Errorf("under another configuration: %+v", x)
	}
}

func TestRefused(t *testing.T) {
	p := Refused(call.CauseForbidden, "the client is gone")
	d := p.Next(call.Situation{}, call.Outcome{Kind: call.OutcomeBegin})
	if len(d.Steps) != 0 || d.Cause != call.CauseForbidden || len(d.Trace) != 1 || d.Trace[0].Because[0].Got != "the client is gone" {
		t.Errorf("%+v", d)
	}
	if d := p.Next(call.Situation{}, call.Outcome{Kind: call.OutcomeDone}); d.Cause != call.CauseForbidden || len(d.Trace) != 0 {
		t.Errorf("again: %+v", d)
	}
}

func BenchmarkRehearse(b *testing.B) {
	v, f := compile(b, testRows()), dial("102")
	r := Rehearsal{Assume: map[string]string{"102": "busy"}}
	b.ReportAllocs()
	for b.Loop() {
		Rehearse(v, f, someday, r)
	}
}
