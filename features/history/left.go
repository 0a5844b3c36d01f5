package history

import (
	"slices"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// left is a leg that has left a call which may go on for hours, while the edge
// forgets the signalling of the leg soon.
type left struct {
	r   *running
	leg call.LegID
	due time.Time // then its last messages have come
}

// leaves notes the leg that ev ends or moves away.
func (h *History) leaves(r *running, ev *call.Event) {
	if h.opts.Messages == nil || ev.Kind != call.EventLegEnded && ev.Kind != call.EventJoined {
		return
	}
	if l := r.leg(ev.Leg); l != nil && !l.ended.IsZero() {
		h.left = append(h.left, left{r, l.id, ev.At.Add(gather)})
	}
}

// keepMessages keeps the signalling of legs that have left by now. Where the call
// has ended too, its record asks for itself.
func (h *History) keepMessages(now time.Time) {
	n := 0
	for ; n < len(h.left) && !h.left[n].due.After(now); n++ {
		l := h.left[n]
		if !l.r.over.IsZero() {
			continue
		}
		messages := bounded(h.opts.Messages(l.leg))
		h.mu.Lock()
		l.r.leg(l.leg).messages = messages
		h.mu.Unlock()
	}
	h.left = slices.Delete(h.left, 0, n)
}

// remember puts what was kept of legs that have left into the record.
func (r *running) remember(rec *Record) {
	for i := range r.legs {
		rec.CDR[i].Messages = r.legs[i].messages
	}
}
