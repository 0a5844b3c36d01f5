package cordpair

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/cordpair/cordpair/store"
)

// Limits of readiness (L12).
const (
	// readyFree is the free space in bytes below which the switch is not ready.
	readyFree = 256 << 20
	// probeEvery is how long the answer of a test write counts.
	probeEvery = time.Second
)

// readiness knows whether the switch should be given new calls.
type readiness struct {
	mu     sync.Mutex
	at     time.Time // of the last test write
	err    error     // what it said
	writes uint64
}

// Ready is nil while new calls are taken and everything they need works: the
// listeners, a durable write, free space, the clock.
func (s *Switch) Ready() error {
	if !s.ready.Load() {
		return fmt.Errorf("listeners: not answering: %w", ErrNotRunning)
	}
	if s.cfg.InMemory || s.cfg.Network != nil {
		return nil // a test's disk and clock are its own
	}
	if free, err := s.db.FreeBytes(); err != nil {
		return fmt.Errorf("free space: %w", err)
	} else if free < readyFree {
		return fmt.Errorf("free space: %d MiB, less than %d", free>>20, readyFree>>20)
	}
	if year := time.Now().Year(); year < 2024 {
		return fmt.Errorf("clock: it is not the year %d", year)
	}
	return s.probe.write(s.tables.probe)
}

// write makes a durable write, or repeats what the one a moment ago said.
func (r *readiness) write(t *store.Table[uint64]) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) >= probeEvery {
		r.writes++
		r.err = t.Put(store.Int(1), r.writes)
		r.at = time.Now()
	}
	if r.err != nil {
		return fmt.Errorf("store: %w", r.err)
	}
	return nil
}

// serveReady tells a load balancer whether new calls are taken (L1, L12).
func (s *Switch) serveReady(w http.ResponseWriter, _ *http.Request) {
	if err := s.Ready(); err != nil {
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n") // whoever asked may be gone
}

// serveHealth tells whoever restarts processes that this one lives (L12).
func serveHealth(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "ok\n") // whoever asked may be gone
}
