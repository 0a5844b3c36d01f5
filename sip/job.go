package sip

import "github.com/cordpair/cordpair/dialplan/call"

// verb is what a call asks of a leg.
type verb uint8

const (
	verbOther verb = iota // its f
	verbPlace
	verbRing
	verbAnswer
	verbConnected
	verbForwarded
	verbHangup
)

// job is what somebody wants done by a worker: f, or a verb of a leg.
type job struct {
	leg   *leg // nil: f alone
	f     func()
	verb  verb
	early bool       // of verbRing
	cause call.Cause // of verbHangup
	with  call.Party // of verbConnected
}

func (j *job) run() {
	if j.leg != nil {
		j.leg.perform(j)
		return
	}
	j.f()
}

// jobsMost bounds what calls may have asked of one worker and not yet got (O5), half
// of it what media report. A leg whose verb finds no room is hung up: it could not be
// trusted any more.
const jobsMost = 1 << 16

// jobsSpare is how large a list of jobs may be to be used again.
const jobsSpare = 1024

// do runs f when whoever has the turn is done with what it is at, or reports that the
// worker has ended. It has no bound of its own: whoever calls it has one thing under
// way at a time, a request that waits for the store or for another worker.
func (w *worker) do(f func()) bool {
	w.mu.Lock()
	if w.ended {
		w.mu.Unlock()
		return false
	}
	w.jobs = append(w.jobs, job{f: f})
	w.queued()
	return true
}

// offer is do for what may be lost when a worker is far behind.
func (w *worker) offer(f func()) {
	w.mu.Lock()
	if w.ended || len(w.jobs) >= jobsMost/2 {
		w.mu.Unlock()
		return
	}
	w.jobs = append(w.jobs, job{f: f})
	w.queued()
}

// post queues a verb, or reports that the worker has ended, or has no room for a leg
// that is yet to be.
func (w *worker) post(j job) bool {
	w.mu.Lock()
	full := len(w.jobs) >= jobsMost
	if w.ended || full && j.verb == verbPlace {
		w.mu.Unlock()
		return false
	}
	switch {
	case !full:
		w.jobs = append(w.jobs, j)
	case w.overrun == nil:
		w.overrun = map[*leg]struct{}{j.leg: {}}
	default:
		w.overrun[j.leg] = struct{}{} // at most all legs there are
	}
	w.queued()
	return true
}

// queued gives mu back and has somebody look at what was queued under it.
func (w *worker) queued() {
	running := w.running
	w.mu.Unlock()
	w.rouseUnless(running)
}

// takeJobs returns what is to be done, valid until the next time; mu is held.
func (w *worker) takeJobs() []job {
	clear(w.doing)
	if cap(w.doing) > jobsSpare {
		w.doing = nil
	}
	w.doing, w.jobs = w.jobs, w.doing[:0]
	for l := range w.overrun {
		w.doing = append(w.doing, job{leg: l, verb: verbHangup, cause: call.CauseOverload})
	}
	w.overrun = nil
	return w.doing
}

// end does what was promised before and gives up the legs there are.
func (w *worker) end() {
	w.mu.Lock()
	w.ended = true
	jobs := w.takeJobs() // promised before
	for l := range w.queues {
		w.queues[l] = newFair(laneCap[l], 0) // takes nothing
	}
	w.mu.Unlock()
	for i := range jobs {
		w.guard(jobs[i].run)
	}
	for _, l := range w.legs {
		l.abandon()
	}
	w.flush()
}
