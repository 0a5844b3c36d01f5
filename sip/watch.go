package sip

import (
	"runtime"
	"time"
)

const (
	// watchEvery is how often the state of the process is looked at.
	watchEvery = time.Second
	// stuckAfter is how long a worker may be at one message (L9).
	stuckAfter = 10 * time.Second
	// dumpsApart keeps a machine that is stuck again and again from filling its
	// disk with stacks.
	dumpsApart = time.Hour
	dumpBytes  = 1 << 20
)

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

// watchdog finds workers that make no progress.
type watchdog struct {
	seen   []progress // by worker
	dumped time.Time
}

// progress is what one worker had done, and since when it is that.
type progress struct {
	done  uint64
	since time.Time
	stuck bool
}

// look compares the workers with how they were.
func (d *watchdog) look(s *Server, now time.Time) {
	if d.seen == nil {
		d.seen = make([]progress, len(s.workers))
	}
	for i, w := range s.workers {
		p := &d.seen[i]
		switch done := w.done.Load(); {
		case done != p.done || !w.busy() || p.since.IsZero():
			*p = progress{done: done, since: now}
		case !p.stuck && now.Sub(p.since) >= stuckAfter:
			p.stuck = true
			d.note(s, i, now)
		}
	}
}

func (d *watchdog) note(s *Server, worker int, now time.Time) {
	s.metrics.stuck.Inc()
	if !d.dumped.IsZero() && now.Sub(d.dumped) < dumpsApart {
		s.log.Error("a SIP worker is stuck", "worker", worker)
		return
	}
	d.dumped = now
	b := make([]byte, dumpBytes)
	s.log.Error("a SIP worker is stuck", "worker", worker, "stacks", string(b[:runtime.Stack(b, true)]))
}

// busy tells whether the worker has anything to do.
func (w *worker) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.ended && (w.running || w.waits())
}
