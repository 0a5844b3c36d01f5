package sip

import (
	"time"

	"github.com/cordpair/cordpair/dialplan/call/actor"
)

// watchEvery is how often the state of the process is looked at.
const watchEvery = time.Second

// watch looks at memory and workers until the server stops.
func (s *Server) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var w watchdog
	for {
		s.memory.look()
		w.look(s, time.Now())
		select {
		case <-tick.C:
		case <-s.stop:
			return
		}
	}
}

// watchdog finds workers that make no progress (L9).
type watchdog struct {
	seen  []actor.Progress // by worker
	dumps actor.Dumps
}

// look compares the workers with how they were.
func (d *watchdog) look(s *Server, now time.Time) {
	if d.seen == nil {
		d.seen = make([]actor.Progress, len(s.workers))
	}
	for i, w := range s.workers {
		if d.seen[i].Stuck(w.done.Load(), w.busy(), now) {
			s.metrics.stuck.Inc()
			s.log.Error("a SIP worker is stuck", "worker", i, "stacks", d.dumps.Stacks(now))
		}
	}
}

// busy tells whether the worker has anything to do.
func (w *worker) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.ended && (w.running || w.waits())
}
