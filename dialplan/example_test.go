package dialplan_test

import (
	"fmt"

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
	// steps [{ring 1 {2 60}}], cause ""
	// extension 102: ringing failed: wanted answered, got busy
	// steps [], cause "busy"
}
