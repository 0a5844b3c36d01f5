package transfer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
	"github.com/cordpair/cordpair/features"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAsk enters numbers after a code, with the real dial plan of a demo client: 101
// talks to 102 and wants 103.
func TestAsk(t *testing.T) {
	for _, tt := range []struct {
		name   string
		keys   string // after #1
		pause  time.Duration
		called int64 // 0: the talk goes on
	}{
		{"ended by #", "103#", 0, 3},
		{"ended by waiting", "103", 6 * time.Second, 3},
		{"not long enough", "10", 4 * time.Second, 0},
		{"nothing", "", 12 * time.Second, 0},
		{"nothing and #", "#", 0, 0},
		{"nobody's number", "199#", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sw, a, b := talking(t)
				a.Press("#1")
				time.Sleep(calltest.SoundLength)
				synctest.Wait()
				if b.Hears() != "loop music" {
					t.Errorf("who waits hears %q", b.Hears())
				}
				a.Press(tt.keys)
				time.Sleep(tt.pause)
				synctest.Wait()
				targets := sw.Dialer.Targets()
				switch last := targets[len(targets)-1]; {
				case tt.called == 0 && tt.pause == 4*time.Second:
					if b.Hears() != "loop music" || last.Extension != 2 {
						t.Error("the number was not waited for")
					}
				case tt.called == 0 && (a.Hears() != string(b.ID()) || last.Extension != 2):
					t.Errorf("hears %q, %d dialled", a.Hears(), last.Extension)
				case tt.called != 0 && last.Extension != tt.called:
					t.Errorf("%d dialled", last.Extension)
				}
				a.HangUp()
				b.HangUp()
			})
		})
	}
}

// talking has 101 talk to 102; 103 rings for ever.
func talking(t *testing.T) (sw *calltest.Switch, a, b *calltest.Leg) {
	var rows dialplan.Rows
	rows.Client = dialplan.DefaultClient()
	rows.Client.ID, rows.Client.Name, rows.Client.Prefix, rows.Client.Domain = 1, "Example", "0001", "example.org"
	for id, number := range map[int64]string{1: "101", 2: "102", 3: "103"} {
		x := dialplan.DefaultExtension()
		x.ID, x.ClientID, x.Name = id, 1, "0001*"+number
		rows.Extensions = append(rows.Extensions, dialplan.Row{Extension: x, Phone: dialplan.DefaultPhone()})
	}
	view, err := dialplan.Compile(rows)
	if err != nil {
		t.Fatal(err)
	}
	sw = calltest.New(t, features.New(), func(inv call.Invite) call.Planner { return dialplan.Plan(view, dialplan.Facts{Invite: inv}) })
	sw.Dialer.Set(2, calltest.Answers(0))
	sw.Dialer.Set(3, calltest.Rings())
	a, _ = sw.Call(t, call.Invite{Client: 1, From: call.Party{Extension: 1, Number: "101"}, Dialled: "102"})
	time.Sleep(time.Second)
	synctest.Wait()
	return sw, a, sw.Dialer.Legs()[0]
}
