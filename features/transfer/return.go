package transfer

import (
	"context"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// Return gives the party of a call that has come to nothing back to the
// conversation it was transferred from, where the two talk again.
//
// Parameters: Cause, why it came to nothing; the call ends with it.
//
// Outcomes: none when it has gone back, because the call ends with it; unreachable
// when nobody waits there any more.
type Return struct {
	dialplan.ReturnArgs
}

// Run offers the party to those who wait.
func (r Return) Run(ctx context.Context, c *call.Call) (call.Outcome, error) {
	return c.Return(ctx, r.Cause)
}
