package scenariotest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// Run plays every scenario that matches the pattern, each as a subtest in a
// bubble of its own. No match is a failure.
func Run(t *testing.T, effects call.Effects, pattern string) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no scenario matches %s (%v)", pattern, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".scn"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s, err := parse(string(text))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			synctest.Test(t, func(t *testing.T) {
				if fault := play(t, s, effects); fault != "" {
					t.Fatalf("%s:%s", name, fault)
				}
			})
		})
	}
}

// stage is where one scenario plays.
type stage struct {
	t       *testing.T
	view    *dialplan.View
	sw      *calltest.Switch
	ids     map[string]int64
	callers map[string]*calltest.Leg // the leg of the latest call each has made
	calls   map[string]*call.Call
}

// play runs a scenario inside a bubble. It stops at the first line that does not
// hold and says which and why.
func play(t *testing.T, s scenario, effects call.Effects) (fault string) {
	st := &stage{
		t:       t,
		ids:     map[string]int64{},
		callers: map[string]*calltest.Leg{},
		calls:   map[string]*call.Call{},
	}
	st.compile(s.extensions)
	st.sw = calltest.New(t, effects, func(inv call.Invite) call.Planner {
		return dialplan.Plan(st.view, dialplan.Facts{Invite: inv})
	})
	for _, x := range s.extensions {
		var contacts []calltest.Contact
		for _, c := range x.contacts {
			contacts = append(contacts, c.leg())
		}
		st.sw.Dialer.Set(st.ids[x.number], contacts...)
	}
	for _, a := range s.acts {
		want, got := st.act(a)
		synctest.Wait()
		if want != got {
			return fmt.Sprintf("%d: %s, got %s", a.line, strings.TrimSpace(a.who+" "+a.verb+" "+a.what), got)
		}
	}
	for who, c := range st.calls {
		if _, over := st.sw.Ended(c.ID()); !over {
			return fmt.Sprintf(" the call of %s is not over", who)
		}
	}
	return ""
}

// compile makes the client of the scenario, with ids in the order of its lines.
func (st *stage) compile(extensions []extension) {
	rows := dialplan.Rows{Client: dialplan.DefaultClient(), Demo: true}
	rows.Client.ID, rows.Client.Name, rows.Client.Prefix = 1, "Scenario", "0001"
	rows.Client.Domain = "scenario.test"
	for i, x := range extensions {
		row := dialplan.Row{Extension: dialplan.DefaultExtension(), Phone: dialplan.DefaultPhone()}
		row.Extension.ID, row.Extension.ClientID = int64(i+1), 1
		row.Extension.Name, row.Extension.Type = "0001*"+x.number, x.kind
		if x.blocked {
			row.Extension.Status = dialplan.StatusBlocked
		}
		rows.Extensions = append(rows.Extensions, row)
		st.ids[x.number] = row.Extension.ID
	}
	view, err := dialplan.Compile(rows)
	if err != nil {
		st.t.Fatal(err)
	}
	st.view = view
}

// leg is the behaviour as calltest knows it.
func (c contact) leg() calltest.Contact {
	const soon = 50 * time.Millisecond // the way there and back
	switch c.behaviour {
	case "answers":
		return calltest.Answers(c.after)
	case "early":
		return calltest.EarlyThenAnswers(c.after)
	case "busy":
		return calltest.Fails(soon, call.CauseBusy)
	case "rejects":
		return calltest.Fails(soon, call.CauseRejected)
	case "rings":
		return calltest.Rings()
	default:
		return calltest.Silent()
	}
}

// act does what a line says. For a line that says what must hold it returns what
// it wants and what it found.
func (st *stage) act(a act) (want, got string) {
	switch a.verb {
	case "wait":
		time.Sleep(a.time)
	case "calls":
		st.call(a.who, a.what)
	case "presses":
		st.talking(a.who).Press(a.what)
	case "holds":
		st.talking(a.who).Hold()
	case "resumes":
		st.talking(a.who).Resume()
	case "hangs up":
		st.hangUp(st.talking(a.who))
	case "rings", "idle":
		return a.verb, st.present(a.who)
	case "hears":
		return a.what, st.hears(a.who)
	case "told":
		return a.what, st.told(a.who, a.what)
	case "ends":
		return a.what, st.ended(a.who)
	}
	return "", ""
}

// call lets somebody dial a number.
func (st *stage) call(who, number string) {
	from, _ := st.view.Party(st.ids[who])
	dialled, err := dialplan.CleanDialled(number)
	if err != nil {
		st.t.Fatal(err)
	}
	st.callers[who], st.calls[who] = st.sw.Call(st.t, call.Invite{Client: 1, From: from, Dialled: dialled})
}

// hangUp puts the receiver down. A caller who was not answered yet cancels.
func (st *stage) hangUp(l *calltest.Leg) {
	for _, caller := range st.callers {
		if l == caller && !l.Told("answer") {
			l.Leave(call.CauseCancelled, true)
			return
		}
	}
	l.HangUp()
}
