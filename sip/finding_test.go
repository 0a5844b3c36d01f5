package sip_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
)

// TestFindingOfASilentPhone: a call is told within two seconds of the answer that a
// phone sends nothing, and of one that does it is not.
func TestFindingOfASilentPhone(t *testing.T) {
	inEdge(t, func(e *edge) {
		c, err := e.phone("101").Call(e.ctx, "*43")
		e.must(err)
		e.must(c.WaitAnswered(e.ctx))
		wait(2 * time.Second)
		found := e.happened(call.EventFinding)
		if len(found) != 1 || found[0].Finding.Code != call.FindingNoMedia || !strings.HasPrefix(found[0].Finding.Text, "101 has sent nothing") {
			t.Errorf("%+v", found)
		}
		e.must(c.Hangup(e.ctx))
		if again := e.happened(call.EventFinding); len(again) != len(found) {
			t.Errorf("told once more: %+v", again)
		}
	})
}

// TestFindingsHaveNames: what media finds is what a call tells.
func TestFindingsHaveNames(t *testing.T) {
	for _, kind := range media.FindingKinds() {
		if !slices.Contains(call.FindingCodes(), call.FindingCode(kind)) {
			t.Errorf("a call does not know %s", kind)
		}
	}
}
