package basic_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
	"github.com/cordpair/cordpair/features"
	"github.com/cordpair/cordpair/features/scenariotest"
)

func TestScenarios(t *testing.T) {
	scenariotest.Run(t, features.New(), "testdata/*.scn")
}

// run lets one step run in a call of extension 7 and returns the switch and the
// caller's leg once the call waits or is over.
func run(t *testing.T, s call.Step, change ...func(*call.Config)) (*calltest.Switch, *calltest.Leg, *call.Call) {
	sw := calltest.New(t, features.New(), calltest.Steps(s), change...)
	from := call.Party{Extension: 7, Number: "107", Name: "Seven", Domain: "example.org"}
	leg, c := sw.Call(t, call.Invite{Client: 3, From: from, Dialled: "102"})
	synctest.Wait()
	return sw, leg, c
}

func wantEnd(t *testing.T, sw *calltest.Switch, c *call.Call, want call.Cause) {
	t.Helper()
	synctest.Wait()
	if ev, over := sw.Ended(c.ID()); !over || ev.Cause != want {
		t.Errorf("call over: %v, cause %q; want %q", over, ev.Cause, want)
	}
}

func TestRingShowsTheCallerAndStopsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phones := &calltest.Dialer{}
		phones.Set(2, calltest.Rings())
		sw, _, c := run(t, call.Step{Name: "ring", Branch: "1.2", Args: dialplan.RingArgs{Extension: 2, Timeout: 20}},
			func(cfg *call.Config) { cfg.Dialer = phones })
		to := phones.Targets()
		if len(to) != 1 || to[0].Client != 3 || to[0].Extension != 2 || to[0].From != c.Caller() {
			t.Fatalf("dialled %+v", to)
		}
		leg := phones.Legs()[0]
		time.Sleep(20*time.Second - time.Nanosecond)
		synctest.Wait()
		if leg.Gone() {
			t.Error("stopped ringing too early")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if !leg.Told("hangup no_answer") {
			t.Errorf("after the timeout the phone was told %v", leg.Verbs())
		}
		wantEnd(t, sw, c, call.CauseNoAnswer)
	})
}

func TestRejectTellsTheCause(t *testing.T) {
	for _, cause := range []call.Cause{call.CauseNotFound, call.CauseBusy, call.CauseForbidden} {
		synctest.Test(t, func(t *testing.T) {
			sw, leg, c := run(t, call.Step{Name: "reject", Args: dialplan.RejectArgs{Cause: cause}})
			if v := leg.Verbs(); len(v) != 1 || v[0] != "hangup "+string(cause) {
				t.Errorf("the caller was told %v", v)
			}
			wantEnd(t, sw, c, cause)
		})
	}
}

// TestEndlessServices: echo and music go on for as long as a call may.
func TestEndlessServices(t *testing.T) {
	tests := []struct {
		step  call.Step
		hears string
	}{
		{call.Step{Name: "echo", Args: dialplan.EchoArgs{}}, "echo"},
		{call.Step{Name: "music", Args: dialplan.MusicArgs{}}, "loop music"},
	}
	for _, tt := range tests {
		t.Run(tt.step.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sw, leg, c := run(t, tt.step)
				time.Sleep(call.DefaultMaxDuration - time.Second)
				synctest.Wait()
				if !leg.Told("answer") || leg.Hears() != tt.hears {
					t.Errorf("told %v, hears %q", leg.Verbs(), leg.Hears())
				}
				time.Sleep(time.Second)
				wantEnd(t, sw, c, call.CauseDuration)
			})
		})
	}
}
