package dialplan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cordpair/cordpair/dialplan/call"
)

// sentOn is what a phone reports that names another number.
func sentOn(to string, why call.DivertReason) call.Outcome {
	return call.Outcome{Kind: call.OutcomeRedirected, Cause: call.CauseRedirected, To: to, Why: why}
}

// TestRedirect: 101 calls 102, whose phone sends it on. It goes where 102 may call
// (F4), and not back to where it came from.
func TestRedirect(t *testing.T) {
	for name, tc := range map[string]struct {
		to   string
		want call.Step
	}{
		"another phone": {to: "103", want: call.Step{Name: StepRing, Args: RingArgs{Extension: 3, Timeout: 60, Diverted: []call.Diversion{
			{By: call.Party{Extension: 2, Number: "102", Domain: "sip.example.org"}, Why: call.DivertBusy},
		}}}},
		"a service":         {to: "*43", want: call.Step{Name: StepEcho, Args: EchoArgs{}}},
		"whose number":      {to: "*45", want: call.Step{Name: StepSayNumber, Args: SayNumberArgs{"102"}}},
		"nobody":            {to: "199", want: call.Step{Name: StepReject, Args: RejectArgs{call.CauseNotFound}}},
		"another client":    {to: "0002*103", want: call.Step{Name: StepReject, Args: RejectArgs{call.CauseNotFound}}},
		"a blocked phone":   {to: "105", want: call.Step{Name: StepReject, Args: RejectArgs{call.CauseNotFound}}},
		"back to itself":    {to: "102", want: call.Step{Name: StepReject, Args: RejectArgs{call.CauseBusy}}},
		"back to who calls": {to: "101", want: call.Step{Name: StepReject, Args: RejectArgs{call.CauseBusy}}},
	} {
		t.Run(name, func(t *testing.T) {
			v := compile(t, testRows())
			p := Plan(v, dial("102"))
			p.Next(call.Situation{}, call.Outcome{Kind: call.OutcomeBegin})
			d := p.Next(call.Situation{}, sentOn(tc.to, call.DivertBusy))
			tc.want.Branch = "1"
			if diff := cmp.Diff([]call.Step{tc.want}, d.Steps); diff != "" {
				t.Error(diff)
			}
			if got := d.Trace[len(d.Trace)-1].Because[0].Got; tc.to == "102" && got != "extension 102, which sent the call on" {
				t.Errorf("busy, for it is %s", got) // 101 is the caller
			}
			first := d.Trace[0]
			if first.Who != "extension 102" || first.Because[0].Got != "redirected to "+tc.to || first.Outcome.To != tc.to {
				t.Errorf("trace begins with %+v", first)
			}
		})
	}
}

// TestRedirectLimit (S13): the sixth is a loop; the chain is told in order.
func TestRedirectLimit(t *testing.T) {
	v := compile(t, testRows())
	p := Plan(v, dial("102"))
	d := p.Next(call.Situation{}, call.Outcome{Kind: call.OutcomeBegin})
	for n := 1; n <= MaxRedirects; n++ {
		to := []string{"102", "103", "104"}[n%3]
		d = p.Next(call.Situation{}, sentOn(to, call.DivertUnconditional))
		if len(d.Steps) != 1 || d.Steps[0].Name != StepRing {
			t.Fatalf("redirect %d to %s: %+v", n, to, d)
		}
	}
	if list := d.Steps[0].Args.(RingArgs).Diverted; len(list) != MaxRedirects || list[0].By.Number != "102" || list[1].By.Number != "103" {
		t.Errorf("diverted by %+v", list)
	}
	d = p.Next(call.Situation{}, sentOn("104", call.DivertUnconditional))
	if diff := cmp.Diff(RejectArgs{call.CauseLoop}, d.Steps[0].Args); diff != "" {
		t.Error(diff)
	}
}

// TestRedirectIsExplained: the rehearsal takes the same way and tells why, and
// the trace replays.
func TestRedirectIsExplained(t *testing.T) {
	v := compile(t, testRows())
	e, err := v.Explain(Question{From: "101", To: "102", At: time.Unix(0, 0), Assume: map[string]string{"102": "redirected:103"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Would != StepRing || len(e.Path) != 2 || e.Path[1].Args.(RingArgs).Extension != 3 || e.Assumed["102"] != "redirected:103" {
		t.Errorf("explained as %+v", e)
	}
	if err := Replay(v, dial("102"), e.Trace); err != nil {
		t.Error(err)
	}
	_, err = v.Explain(Question{From: "101", To: "102", At: time.Unix(0, 0), Assume: map[string]string{"102": "redirected:;"}}, nil)
	if err == nil || !strings.Contains(err.Error(), "redirected: and a number") {
		t.Errorf("a number that is none: %v", err)
	}
}
