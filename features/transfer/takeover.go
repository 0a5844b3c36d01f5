package transfer

import (
	"context"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// TakeOver puts the caller in the place of a leg of another call, which is hung
// up: it talks to whom that one talked to, or answers the call that made it ring.
//
// Parameters: Leg, whose place to take.
//
// Outcomes: none when it has the place, because its own call ends with that; failed
// with no_call when the leg is not there any more.
type TakeOver struct {
	dialplan.TakeOverArgs
}

// Run offers the caller to the other call.
func (t TakeOver) Run(ctx context.Context, c *call.Call) (call.Outcome, error) {
	return c.TakeOver(ctx, t.Leg)
}
