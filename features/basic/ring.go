package basic

import (
	"context"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// Ring calls an extension. All its registered phones ring together; the first to
// answer is connected with the caller, the others stop. The caller hears ringing
// tone, or what a phone sends before it answers.
//
// Parameters: Extension, whose phones to ring; Timeout, for how many seconds;
// Diverted, who sent the call on to it; Recall, it transferred the caller in vain.
// The called phones see the caller as the switch authenticated it.
//
// Outcomes: done when somebody answered; busy, rejected, no_answer (nobody
// answered in time), unreachable (no phone is registered, or none responds),
// redirected (a phone names another number).
type Ring struct {
	// Branch is the place in the plan that the outcome belongs to.
	Branch string
	dialplan.RingArgs
}

// Run rings until somebody answers, all refuse, or time is up.
func (r Ring) Run(ctx context.Context, c *call.Call) (call.Outcome, error) {
	return c.Ring(ctx, r.RingSpec(c))
}

// RingSpec says what Run does, so that the call can do it itself.
func (r Ring) RingSpec(c *call.Call) call.RingSpec {
	from := c.Caller()
	if r.Recall {
		from = call.Party{} // whoever it is rung for
	}
	return call.RingSpec{
		Branch:    r.Branch,
		Extension: r.Extension,
		From:      from,
		Diverted:  r.Diverted,
		Timeout:   time.Duration(r.Timeout) * time.Second,
	}
}
