package call_test

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// TestAgeMoves: a leg that goes to another call does not get a new limit there (F4),
// neither in a new call nor in one that has just begun.
func TestAgeMoves(t *testing.T) {
	for name, refer := range map[string]func(x *transfers, by *calltest.Leg) call.Refer{
		"blind":   func(*transfers, *calltest.Leg) call.Refer { return call.Refer{To: "103"} },
		"consult": func(*transfers, *calltest.Leg) call.Refer { return call.Refer{To: "103", Consult: true} },
		"attended": func(x *transfers, by *calltest.Leg) call.Refer {
			l, _, _ := x.talk(by.Party(), "103")
			return call.Refer{Leg: l.ID()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inTransfers(t, func(x *transfers) {
				began := x.first.Info().Started
				pass(call.DefaultMaxDuration - time.Hour)
				x.a.Refer(refer(x, x.a))
				pass(10 * time.Second)
				moved := x.b
				if name == "consult" {
					moved = x.a
				}
				second := x.call(moved)
				if second == x.first {
					t.Fatal("not moved")
				}
				pass(time.Until(began.Add(call.DefaultMaxDuration)) - time.Millisecond)
				if _, ended := x.sw.Ended(second.ID()); ended {
					t.Error("ended early")
				}
				pass(time.Millisecond)
				if ended, _ := x.sw.Ended(second.ID()); ended.Cause != call.CauseDuration {
					t.Errorf("after the longest call: %+v", ended)
				}
			})
		})
	}
}
