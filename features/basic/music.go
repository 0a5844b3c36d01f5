package basic

import (
	"context"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// Music answers and plays the sound "music" from the beginning again and again,
// until the caller hangs up or the longest allowed call is over.
//
// Parameters: none.
//
// Outcomes: none; the call ends with it.
type Music struct {
	dialplan.MusicArgs
}

// Run plays until ctx ends.
func (Music) Run(ctx context.Context, c *call.Call) (call.Outcome, error) {
	if err := c.Answer(ctx); err != nil {
		return call.Outcome{}, err
	}
	return done(c.Play(ctx, []string{"music"}, true))
}
