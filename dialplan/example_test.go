package dialplan_test

import (
	"fmt"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// A plan is asked, told what came of its steps, and asked again. Its trace says
// what it looked at on the way.
func ExamplePlan() {
	client := dialplan.DefaultClient()
	client.ID, client.Name, client.Prefix, client.Domain = 1, "Example", "0001", "sip.example.org"
	desk := dialplan.DefaultExtension()
	desk.ID, desk.ClientID, desk.Name = 2, 1, "0001*102"
	view, err := dialplan.Compile(dialplan.Rows{
		Client:     client,
		Extensions: []dialplan.Row{{Extension: desk, Phone: dialplan.DefaultPhone()}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	invite := call.Invite{Client: 1, From: call.Party{Extension: 1, Number: "101"}, Dialled: "102"}
	plan := dialplan.Plan(view, dialplan.Facts{Invite: invite})
	for _, outcome := range []call.OutcomeKind{call.OutcomeBegin, call.OutcomeBusy} {
		d := plan.Next(call.Situation{}, call.Outcome{Kind: outcome})
		for _, e := range d.Trace {
			fmt.Printf("%s: %s %s: wanted %s, got %s\n", e.Who, e.Name, e.Verdict, e.Because[0].Want, e.Because[0].Got)
		}
		fmt.Printf("steps %v, cause %q\n", d.Steps, d.Cause)
	}
	// Output:
	// caller 101: emergency number skipped: wanted one of 112 911, got 102
	// caller 101: code skipped: wanted (none), got 102
	// caller 101: programmed key skipped: wanted *735…, got 102
	// caller 101: extension taken: wanted a number of client 0001, got extension 102
	// extension 102: ring taken: wanted active, got active
	// steps [{ring 1 {2 60 [] false}}], cause ""
	// extension 102: ringing failed: wanted answered, got busy
	// steps [], cause "busy"
}

// Explain says where a call would go, and here where it would go if the phone
// were blocked.
func ExampleView_Explain() {
	client := dialplan.DefaultClient()
	client.ID, client.Name, client.Prefix, client.Domain = 1, "Example", "0001", "sip.example.org"
	rows := dialplan.Rows{Client: client}
	for i, name := range []string{"0001*101", "0001*102"} {
		x := dialplan.DefaultExtension()
		x.ID, x.ClientID, x.Name = int64(i+1), 1, name
		rows.Extensions = append(rows.Extensions, dialplan.Row{Extension: x, Phone: dialplan.DefaultPhone()})
	}
	view, err := dialplan.Compile(rows)
	if err != nil {
		fmt.Println(err)
		return
	}
	q := dialplan.Question{From: "101", To: "102", At: time.Unix(0, 0), Assume: map[string]string{"102": "busy"}}
	x, err := view.Explain(q, nil)
	fmt.Println(x.Would, x.Cause, err)
	q.Draft = &dialplan.Draft{Extensions: map[string]map[string]any{"102": {"status": "blocked"}}}
	x, err = view.Explain(q, nil)
	fmt.Println(x.Would, x.Cause, err)
	q.Assume["199"] = "asleep"
	_, err = view.Explain(q, nil)
	fmt.Println(err)
	// Output:
	// ring busy <nil>
	// reject not_found <nil>
	// assume/199: there is no such extension; assume/199: must be one of answered, busy, no_answer, rejected, unreachable, failed, or redirected: and a number
}
