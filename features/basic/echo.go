package basic

import (
	"context"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// Echo answers and returns to the caller everything it says, until it hangs up
// or the longest allowed call is over. It shows that audio passes both ways.
//
// Parameters: none.
//
// Outcomes: none; the call ends with it.
type Echo struct {
	dialplan.EchoArgs
}

// Run echoes until ctx ends.
func (Echo) Run(ctx context.Context, c *call.Call) (call.Outcome, error) {
	if err := c.Answer(ctx); err != nil {
		return call.Outcome{}, err
	}
	if err := c.Echo(ctx); err != nil {
		return call.Outcome{}, err
	}
	<-ctx.Done()
	return call.Outcome{}, context.Cause(ctx)
}
