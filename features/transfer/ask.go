package transfer

import (
	"context"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// Limits of an entry (spec/function-keys.md 2.3); the first key may take longer,
// because people look the number up then.
const (
	firstKey  = 10 * time.Second
	nextKey   = 5 * time.Second
	maxNumber = 32
)

// Ask is the code #1 or *2 in a call: the party hears "transfer", enters a number
// and ends it with #, or by waiting. The other party hears music. Then that one is
// connected with the number, or the party itself if it wants to ask there first;
// in that case it transfers by hanging up, and * or ## brings it back.
//
// Parameters: Consult, the party wants to ask first.
//
// Outcomes: done with a number; no_answer when none was entered or it holds what no
// number does: the talk goes on.
type Ask struct {
	Consult bool
}

// Run waits for the number.
func (a Ask) Run(ctx context.Context, c *call.Call) (call.Outcome, error) {
	keys, err := c.Gather(ctx, call.GatherSpec{
		Sounds: []string{"transfer"}, First: firstKey, Next: nextKey, End: '#', Max: maxNumber,
	})
	if err != nil {
		return call.Outcome{}, err
	}
	to, err := dialplan.CleanDialled(keys)
	if err != nil {
		return call.Outcome{Kind: call.OutcomeNoAnswer}, nil
	}
	return call.Outcome{Kind: call.OutcomeDone, Refer: &call.Refer{To: to, Consult: a.Consult}}, nil
}
