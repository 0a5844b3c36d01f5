package dialplan

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordpair/cordpair/dialplan/call"
)

// transferred is 102 being transferred to a number by the extension with id by.
func transferred(by int64, to string) Facts {
	f := dial(to)
	f.Invite.Transfer = &call.Transfer{By: call.Party{Extension: by, Number: "10" + string(rune('0'+by))}, Claim: "sip:boss@elsewhere.example", From: "F"}
	f.Invite.From = call.Party{Extension: 2, Number: "102", Domain: "sip.example.org"}
	return f
}

// away is the situation of a call whose party may go back.
func away(f Facts, consult bool) call.Situation {
	o := &call.Origin{By: f.Invite.From, Consult: consult}
	if f.Invite.Transfer != nil {
		o.By = f.Invite.Transfer.By
	}
	return call.Situation{Origin: o}
}

// step1 is the only step of a decision, on one line.
func step1(d call.Decision) string {
	if len(d.Steps) != 1 {
		return "end " + string(d.Cause)
	}
	switch a := d.Steps[0].Args.(type) {
	case RingArgs:
		if a.Recall {
			return "recall"
		}
		return "ring"
	case ReturnArgs:
		return "return " + string(a.Cause)
	case RejectArgs:
		return "reject " + string(a.Cause)
	default:
		return d.Steps[0].Name
	}
}

// TestTransferPlans walks the plans of calls whose party was transferred: they run
// on the rights of who transferred, and what comes to nothing goes back.
func TestTransferPlans(t *testing.T) {
	busy := call.Outcome{Kind: call.OutcomeBusy}
	nobody := call.Outcome{Kind: call.OutcomeUnreachable}
	talked := call.Outcome{Kind: call.OutcomeTalkEnded, Cause: call.CauseNormal}
	tests := []struct {
		name     string
		f        Facts
		consult  bool
		outcomes []call.Outcome
		want     string
	}{
		{"busy", transferred(1, "103"), false, []call.Outcome{busy}, "ring, return busy"},
		{"busy, nobody waits", transferred(1, "103"), false, []call.Outcome{busy, nobody}, "ring, return busy, recall"},
		{"called back", transferred(1, "103"), false, []call.Outcome{busy, nobody, talked}, "ring, return busy, recall, end normal"},
		{"not taken back", transferred(1, "103"), false, []call.Outcome{busy, nobody, nobody}, "ring, return busy, recall, end busy"},
		{"nobody", transferred(1, "199"), false, nil, "return not_found"},
		{"blocked target", transferred(1, "105"), false, nil, "return not_found"},
		{"another client", transferred(1, "0002*101"), false, nil, "return not_found"},
		{"itself", transferred(1, "102"), false, nil, "return busy"},
		{"back to who transfers", transferred(1, "101"), false, nil, "ring"},
		{"who transfers is blocked", transferred(5, "103"), false, []call.Outcome{nobody}, "return forbidden, end forbidden"},
		{"who transfers is outside", transferred(0, "103"), false, []call.Outcome{nobody}, "return forbidden, end forbidden"},
		{"service", transferred(1, "*43"), false, nil, "echo"},
		{"consultation fails", dial("103"), true, []call.Outcome{busy}, "ring, return busy"},
		{"consultation ends", dial("103"), true, []call.Outcome{talked}, "ring, return normal"},
		{"consultation, nobody waits", dial("103"), true, []call.Outcome{busy, nobody}, "ring, return busy, end busy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Plan(compile(t, testRows()), tt.f)
			in := away(tt.f, tt.consult)
			var got []string
			d := p.Next(in, call.Outcome{Kind: call.OutcomeBegin})
			if tt.f.Invite.Transfer != nil {
				first := d.Trace[0]
				if first.Name != "transfer" || !strings.Contains(first.Because[0].Got, " 10") || !strings.HasSuffix(first.Because[0].Got, "elsewhere.example") {
					t.Errorf("trace begins with %+v", first)
				}
			}
			got = append(got, step1(d))
			for _, out := range tt.outcomes {
				d = p.Next(in, out)
				if len(d.Trace) == 0 {
					t.Errorf("no trace of %s", step1(d))
				}
				got = append(got, step1(d))
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestArrivedIsOver: once a transferred call was answered it ends like any other.
func TestArrivedIsOver(t *testing.T) {
	f := transferred(1, "103")
	p := Plan(compile(t, testRows()), f)
	p.Next(away(f, false), call.Outcome{Kind: call.OutcomeBegin})
	d := p.Next(call.Situation{}, call.Outcome{Kind: call.OutcomeTalkEnded, Cause: call.CauseNormal})
	if got := step1(d); got != "end normal" {
		t.Error(got)
	}
}

// TestTakeOver: the place of one's own extension, or of one in the same group.
func TestTakeOver(t *testing.T) {
	groups := func(a, b int64) Rows {
		rows := testRows()
		for id, g := range map[int]int64{0: a, 1: b} {
			if g != 0 {
				rows.Extensions[id].Extension.GroupID = &g
			}
		}
		rows.Groups = []Group{{ID: 8, ClientID: 1, Name: "eight"}, {ID: 9, ClientID: 1, Name: "nine"}}
		return rows
	}
	for _, tt := range []struct {
		rows   Rows
		by, of int64
		want   string
	}{
		{testRows(), 1, 2, "takeover"},
		{groups(8, 8), 1, 2, "takeover"},
		{groups(8, 9), 1, 2, "reject forbidden"},
		{groups(8, 0), 1, 2, "reject forbidden"},
		{groups(8, 9), 1, 1, "takeover"},
		{testRows(), 1, 99, "reject forbidden"},
		{testRows(), 5, 2, "reject forbidden"}, // blocked
	} {
		f := dial("102")
		f.Invite.From.Extension = tt.by
		f.Invite.Replaces = &call.Replaced{Leg: "leg", Party: call.Party{Extension: tt.of}}
		p := Plan(compile(t, tt.rows), f)
		d := p.Next(call.Situation{}, call.Outcome{Kind: call.OutcomeBegin})
		if got := step1(d); got != tt.want || d.Trace[0].Name != StepTakeOver {
			t.Errorf("%d for %d: %s, want %s; %+v", tt.by, tt.of, got, tt.want, d.Trace)
		}
		if tt.want != "takeover" {
			continue
		}
		if args := d.Steps[0].Args; args != (TakeOverArgs{"leg"}) {
			t.Errorf("with %+v", args)
		}
		d = p.Next(call.Situation{}, call.Outcome{Kind: call.OutcomeFailed, Cause: call.CauseNoCall})
		if got := step1(d); got != "end no_call" {
			t.Error(got)
		}
	}
}

// TestPress: which keys are a code, and for whom.
func TestPress(t *testing.T) {
	one, outside := call.Party{Extension: 1, Number: "101"}, call.Party{Number: "+15550100"}
	own := testRows()
	own.Client.Codes = []Code{{ContextInCall, "**7", StepBlindTransfer}}
	consulting := call.Situation{Origin: &call.Origin{By: one, Consult: true}}
	for _, tt := range []struct {
		rows Rows
		in   call.Situation
		by   call.Party
		keys string
		want string
	}{
		{testRows(), call.Situation{}, one, "#", "more"},
		{testRows(), call.Situation{}, one, "#1", StepBlindTransfer},
		{testRows(), call.Situation{}, one, "*", "more"},
		{testRows(), call.Situation{}, one, "*2", StepAttendedTransfer},
		{testRows(), call.Situation{}, one, "*3", ""},
		{testRows(), call.Situation{}, one, "5", ""},
		{testRows(), call.Situation{}, outside, "#1", ""},
		{testRows(), call.Situation{}, call.Party{Extension: 5}, "#1", ""}, // blocked
		{own, call.Situation{}, one, "#1", ""},
		{own, call.Situation{}, one, "**", "more"},
		{own, call.Situation{}, one, "**7", StepBlindTransfer},
		{testRows(), consulting, one, "*", StepReturn},
		{testRows(), consulting, one, "#", "more"},
		{testRows(), consulting, one, "##", StepReturn},
		{testRows(), consulting, one, "#1", ""},
		{testRows(), consulting, outside, "*", ""},
		{testRows(), call.Situation{Origin: &call.Origin{By: one}}, one, "*", ""},
	} {
		k := Plan(compile(t, tt.rows), dial("102")).(call.Keypad).Press(tt.in, tt.by, tt.keys)
		got := ""
		switch {
		case k.Step != nil:
			got = k.Step.Name
			if k.Alone != (got != StepReturn) {
				t.Errorf("%s alone: %v", tt.keys, k.Alone)
			}
		case k.More:
			got = "more"
		}
		if got != tt.want {
			t.Errorf("%v pressed %q: %q, want %q", tt.by, tt.keys, got, tt.want)
		}
	}
}

// TestInCallCodes: no code may begin another one, and none may want more behind it.
func TestInCallCodes(t *testing.T) {
	code := func(p string) Code { return Code{ContextInCall, p, StepBlindTransfer} }
	for _, tt := range []struct {
		codes []Code
		want  error
	}{
		{[]Code{code("#1"), code("*2"), code("##")}, nil},
		{[]Code{code("#1"), code("#12")}, ErrCodeClash},
		{[]Code{code("#12"), code("#1")}, ErrCodeClash},
		{[]Code{code("#1"), code("#1")}, ErrCodeClash},
		{[]Code{code("*73"), {ContextDialled, "*73", StepEcho}}, nil}, // other contexts
		{[]Code{code("*735")}, nil},                                   // programmed keys are dialled
	} {
		rows := testRows()
		rows.Client.Codes = tt.codes
		if _, err := Compile(rows); !errors.Is(err, tt.want) {
			t.Errorf("%v: %v, want %v", tt.codes, err, tt.want)
		}
	}
	for _, c := range []Code{
		{ContextInCall, "#1<ext>", StepBlindTransfer}, {ContextInCall, "#1", StepEcho}, {ContextDialled, "#1", StepBlindTransfer}, {ContextInCall, "1", StepBlindTransfer},
	} {
		if c.Validate() == nil {
			t.Errorf("%+v is valid", c)
		}
	}
}
