package call

// stall is a message that takes as long as its gate is shut: what no message of
// the switch does, and what tests need to see what happens meanwhile.
type stall <-chan struct{}

func (m stall) handle(*Call) { <-m }

// Stall keeps the loop busy, once it has handled what was posted before, until
// gate is closed.
func (c *Call) Stall(gate <-chan struct{}) { c.send(stall(gate)) }

// LingerLimit is how long an ending call waits for its legs and script.
const LingerLimit = lingerLimit

// TimersRun reports whether a timer of the call is set. Not while its loop runs.
func (c *Call) TimersRun() bool { return len(c.clock.timers) > 0 || !c.clock.at.IsZero() }

// SeatedLegs is how many legs CallOf knows.
func (r *Registry) SeatedLegs() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.legs)
}

// Findings judges the audio of a leg.
var Findings = findings
