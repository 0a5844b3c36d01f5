package call_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// TestStuckCall (L9): a call whose loop does not come back for ten seconds is
// counted once, with what everybody is doing; a second one within the hour without
// that. A call that merely lasts is none.
func TestStuckCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var log bytes.Buffer
		gate := make(chan struct{})
		plan := func(inv call.Invite) call.Planner {
			if inv.Dialled == "stuck" {
				<-gate
			}
			return calltest.Steps(step("echo"))(inv)
		}
		sw := calltest.New(t, effects(), plan, func(cfg *call.Config) { cfg.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		lasting, _ := sw.Call(t, invite)
		pass(time.Minute)
		begin := func() {
			leg := calltest.NewLeg(invite.From)
			// Ends when the gate opens.
			go func() {
				if _, err := sw.Start(leg, call.Invite{Client: 1, Dialled: "stuck"}); err != nil {
					t.Error(err)
				}
			}()
		}
		begin()
		pass(9 * time.Second)
		if n := sw.Stats().Stuck; n != 0 {
			t.Errorf("%d are stuck after 9 s", n)
		}
		pass(time.Minute)
		if n := sw.Stats().Stuck; n != 1 {
			t.Errorf("%d are stuck after a minute", n)
		}
		begin()
		pass(time.Minute)
		if n := sw.Stats().Stuck; n != 2 {
			t.Errorf("%d are stuck, want 2", n)
		}
		close(gate)
		lasting.HangUp()
		pass(time.Minute)
		if n := strings.Count(log.String(), "a call is stuck"); n != 2 {
			t.Errorf("%d lines", n)
		}
		if n := strings.Count(log.String(), "goroutine "); n == 0 || strings.Count(log.String(), "TestStuckCall") == 0 {
			t.Errorf("no stacks in %s", log.String())
		}
	})
}
