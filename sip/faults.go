package sip

import (
	"log/slog"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
)

// faults is the log of recovered panics: the stack once for each place in the
// code, so that one bad packet sent a million times cannot fill a disk (S1).
// Everything is counted all the same.
type faults struct {
	mu   sync.Mutex
	seen map[string]bool
}

// note is called by the deferred function that recovered p.
func (f *faults) note(log *slog.Logger, p any) {
	site := panicSite()
	f.mu.Lock()
	known := f.seen[site]
	if f.seen == nil {
		f.seen = map[string]bool{}
	}
	f.seen[site] = true
	f.mu.Unlock()
	if !known {
		log.Error("panic in a SIP worker", "panic", p, "site", site, "stack", string(debug.Stack()))
	}
}

// panicSite is the line that panicked first: the frame below the deepest
// runtime.gopanic, past the runtime's own.
func panicSite() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	site, after := "unknown", false
	for {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			after = true
		case after && len(frame.Function) > 8 && frame.Function[:8] == "runtime.":
		case after:
			site, after = frame.Function+":"+strconv.Itoa(frame.Line), false
		}
		if !more {
			return site
		}
	}
}
