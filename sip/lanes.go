package sip

import "github.com/cordpair/cordpair/sip/wire"

// lane is the priority of what waits for a worker (design section 6).
type lane int

const (
	// laneDialog: responses, requests with a tag of ours, and verbs. Never refused.
	laneDialog lane = iota
	// laneEmergency: calls to an emergency number.
	laneEmergency
	// laneAgain: INVITEs with credentials. They do not wait behind those without,
	// so no more are challenged than there is time to set up the calls of.
	laneAgain
	// laneInvite: new calls, and what names a dialog that we never had.
	laneInvite
	// laneRest: REGISTER and everything else outside a dialog.
	laneRest
	lanes
)

// laneCap and laneBytes bound what may wait in a lane of one worker, and of all
// together; one source may have half of it.
var (
	laneCap   = [lanes]int{laneDialog: 65536, laneEmergency: 1024, laneAgain: 4096, laneInvite: 4096, laneRest: 16384}
	laneBytes = [lanes]int{laneDialog: 32 << 20, laneEmergency: 4 << 20, laneAgain: 16 << 20, laneInvite: 16 << 20, laneRest: 16 << 20}
)

// laneBatch is how many messages a lane gets at a time. Nearly all the time there
// is goes to the calls there are, but not all of it, and they do not wait for many new
// ones.
var laneBatch = [lanes]int{laneDialog: 64, laneEmergency: 4, laneAgain: 8, laneInvite: 4, laneRest: 4}

// noRoom is the end of a message whose lane is full, or has too many of its source.
func (s *Server) noRoom(l lane, h wire.Head, p packet) {
	if c := s.classOf(h, p.data); l != laneDialog && c != classKept {
		s.shed(c, h, p)
		return
	}
	s.metrics.full[l].Inc()
}

// laneOf leads only those into the first lane who know a tag or a branch of ours
// (O3): who invents one goes before nobody.
func (s *Server) laneOf(h wire.Head, b []byte) lane {
	switch {
	case !h.Request && isOurBranch(h.Branch):
		return laneDialog
	case !h.Request:
		return laneRest
	case h.InDialog && isOurTag(h.ToTag):
		return laneDialog
	case h.InDialog:
		return laneInvite
	case string(h.Method) == methodInvite || string(h.Method) == methodAck || string(h.Method) == methodCancel:
		return s.callLane(h, b)
	}
	return laneRest
}

// callLane is the lane of a new call, or of what means one. A CANCEL waits behind
// the INVITE it means; it may overtake one without credentials, which is challenged
// and no call yet.
func (s *Server) callLane(h wire.Head, b []byte) lane {
	switch {
	case s.directory.Emergency(wire.Dialled(b)):
		return laneEmergency
	case string(h.Method) == methodInvite && !wire.Signed(b):
		return laneInvite
	}
	return laneAgain
}

// turnOf says which lane is next: an emergency before every other turn; after every
// batch of the first lane, one of the lower lanes that have something, in turn. mu
// is held.
func (w *worker) turnOf() lane {
	if w.saved = !w.saved && w.queues[laneEmergency].count > 0; w.saved {
		return laneEmergency
	}
	if w.queues[laneDialog].count > 0 && !w.owed {
		w.owed = true
		return laneDialog
	}
	w.owed = false
	for range lanes - laneAgain {
		if w.low++; w.low >= lanes || w.low < laneAgain {
			w.low = laneAgain
		}
		if w.queues[w.low].count > 0 {
			return w.low
		}
	}
	return laneDialog
}
