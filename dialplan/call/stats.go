package call

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Refusal is a reason why something asked of the calls was not done.
type Refusal string

// The refusals that are counted.
const (
	RefusedOverload Refusal = "overload" // a new call above MaxCalls
	RefusedDraining Refusal = "draining" // a new call while the switch stops
	RefusedEnded    Refusal = "ended"    // a message to a call that has ended
	RefusedMailbox  Refusal = "mailbox"  // a message to a call whose mailbox is full
	RefusedHandover Refusal = "handover" // a leg that could not be moved stays where it is
)

// Refusals lists every reason, for metrics.
func Refusals() []Refusal {
	return []Refusal{RefusedOverload, RefusedDraining, RefusedEnded, RefusedMailbox, RefusedHandover}
}

// Stats are the counters of a registry since it was made.
type Stats struct {
	Active  int
	Started uint64
	Ended   map[Cause]uint64
	Refused map[Refusal]uint64
	// Panics were recovered in a script or a loop; each ended one call.
	Panics uint64
	// Faults are errors that effects returned; each ended one call.
	Faults uint64
	// Abandoned are legs and scripts that did not end within lingerLimit.
	Abandoned uint64
	// Stuck are calls whose loop was at one batch for actor.StuckAfter (L9).
	Stuck uint64
	// MailboxDepth is the largest number of messages that ever waited for one
	// call.
	MailboxDepth int
	// Findings count what was found wrong with the audio of legs.
	Findings map[FindingCode]uint64
}

// counters are what all loops count together.
type counters struct {
	started, panics, faults, abandoned, stuck atomic.Uint64
	deepest                                   atomic.Int64

	mu      sync.Mutex
	ended   map[Cause]uint64
	refused map[Refusal]uint64
	finds   map[FindingCode]uint64
}

func (n *counters) found(code FindingCode) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.finds == nil {
		n.finds = make(map[FindingCode]uint64)
	}
	n.finds[code]++
}

func (n *counters) refuse(why Refusal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refused == nil {
		n.refused = make(map[Refusal]uint64)
	}
	n.refused[why]++
}

func (n *counters) end(cause Cause) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended == nil {
		n.ended = make(map[Cause]uint64)
	}
	n.ended[cause]++
}

// depth remembers the deepest mailbox seen.
func (n *counters) depth(d int) {
	for {
		old := n.deepest.Load()
		if int64(d) <= old || n.deepest.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

func (n *counters) read(active int) Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return Stats{
		Active: active, Started: n.started.Load(),
		Ended: maps.Clone(n.ended), Refused: maps.Clone(n.refused),
		Panics: n.panics.Load(), Faults: n.faults.Load(), Abandoned: n.abandoned.Load(), Stuck: n.stuck.Load(),
		MailboxDepth: int(n.deepest.Load()), Findings: maps.Clone(n.finds),
	}
}
