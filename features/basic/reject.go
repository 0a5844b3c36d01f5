package basic

import (
	"context"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// Reject ends the call and tells the caller why.
//
// Parameters: Cause, what the caller is told, for example not_found or busy.
//
// Outcomes: done.
type Reject struct {
	dialplan.RejectArgs
}

// Run ends the call with the cause.
func (r Reject) Run(ctx context.Context, c *call.Call) (call.Outcome, error) {
	return done(c.End(ctx, r.Cause))
}

// done reports that the step did what it says, unless err says otherwise.
func done(err error) (call.Outcome, error) {
	if err != nil {
		return call.Outcome{}, err
	}
	return call.Outcome{Kind: call.OutcomeDone}, nil
}
