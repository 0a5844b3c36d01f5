package dialplan_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
	"github.com/cordpair/cordpair/features"
)

// phones behave as each word of Assumptions says.
var phones = map[string]calltest.Contact{
	"answered":    calltest.Answers(time.Second),
	"busy":        calltest.Fails(time.Second, call.CauseBusy),
	"no_answer":   calltest.Rings(),
	"rejected":    calltest.Fails(time.Second, call.CauseRejected),
	"unreachable": nil,
	"failed":      calltest.Fails(time.Second, call.CauseNotAcceptable),
}

// TestRealCallsAreExplained plays real calls, with the real effects, and holds
// that explain says the same of them and that their traces replay.
func TestRealCallsAreExplained(t *testing.T) {
	client := dialplan.DefaultClient()
	client.ID, client.Name, client.Prefix, client.Domain = 1, "Example", "0001", "sip.example.org"
	rows := dialplan.Rows{Client: client, Demo: true}
	for i := range 3 {
		x := dialplan.DefaultExtension()
		x.ID, x.ClientID, x.Name = int64(i+1), 1, fmt.Sprintf("0001*%d", 101+i)
		rows.Extensions = append(rows.Extensions, dialplan.Row{Extension: x, Phone: dialplan.DefaultPhone()})
	}
	rows.Extensions[2].Extension.Status = dialplan.StatusBlocked
	view, err := dialplan.Compile(rows)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range dialplan.Assumptions() {
		if _, ok := phones[word]; !ok {
			t.Fatalf("no phone is %s", word)
		}
		for _, number := range []string{"101", "102", "103", "112", "199", "*43", "*44", "*45", "*735*1"} {
			synctest.Test(t, func(t *testing.T) {
				inv, trace := play(t, view, number, phones[word])
				f := dialplan.Facts{Invite: inv}
				if err := dialplan.Replay(view, f, trace); err != nil {
					t.Errorf("%s while 102 is %s: %v", number, word, err)
				}
				x, err := view.Explain(dialplan.Question{From: "101", To: number, At: time.Now(), Assume: map[string]string{"102": word}}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(story(t, trace), story(t, x.Trace)); diff != "" {
					t.Errorf("%s while 102 is %s: %s", number, word, diff)
				}
			})
		}
	}
}

// play lets 101 dial a number, hang up after some minutes, and returns the trace.
func play(t *testing.T, view *dialplan.View, number string, phone calltest.Contact) (call.Invite, []call.TraceEntry) {
	sw := calltest.New(t, features.New(), func(inv call.Invite) call.Planner {
		return dialplan.Plan(view, dialplan.Facts{Invite: inv})
	})
	if phone != nil {
		sw.Dialer.Set(2, phone)
	}
	from, _ := view.Party(1)
	inv := call.Invite{Client: 1, From: from, Dialled: number}
	caller, _ := sw.Call(t, inv)
	time.Sleep(5 * time.Minute)
	caller.HangUp()
	synctest.Wait()
	var trace []call.TraceEntry
	for _, ev := range sw.Events("") {
		if ev.Trace != nil {
			trace = append(trace, *ev.Trace)
		}
	}
	return inv, trace
}

// story is the JSON of a trace without numbers, times and the legs that brought
// an outcome about: nobody foresees those.
func story(t *testing.T, trace []call.TraceEntry) string {
	list := append([]call.TraceEntry{}, trace...)
	for i := range list {
		list[i].Seq, list[i].At = 0, time.Time{}
		if list[i].Outcome != nil {
			o := *list[i].Outcome
			o.By = ""
			list[i].Outcome = &o
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
