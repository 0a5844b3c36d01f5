//go:build system

package system

import (
	"os"
	"path/filepath"
	"sync"
	"time"
)

// stalls watches whether this machine stands still for so long that a phone's
// timer for sending again (500 ms, RFC 3261 17.1) may run out without anybody's
// fault. SIPp's repetitions are excused then, and only then.
type stalls struct {
	mu   sync.Mutex
	last time.Time // when the latest stall ended
}

const (
	stallLook  = 50 * time.Millisecond
	stallLong  = 250 * time.Millisecond
	diskLook   = 10 // looks between two writes to the disk
	stallGrace = time.Second
)

var machine stalls

// watch looks at processor and disk until the tests end.
func (s *stalls) watch(dir string) {
	file, err := os.Create(filepath.Join(dir, "stalls"))
	if err != nil {
		return // nothing is excused then
	}
	for n := 0; ; n++ {
		before := time.Now()
		time.Sleep(stallLook)
		if n%diskLook == 0 {
			_, _ = file.WriteAt([]byte{byte(n)}, 0) // only its time matters
			_ = file.Sync()
		}
		if now := time.Now(); now.Sub(before) > stallLook+stallLong {
			s.mu.Lock()
			s.last = now
			s.mu.Unlock()
		}
	}
}

// since tells whether there was a stall after t.
func (s *stalls) since(t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last.After(t.Add(-stallGrace))
}
