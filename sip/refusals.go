package sip

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/cordpair/cordpair/sip/wire"
)

// refusalsPerSecond bounds the lines of one reason, so that a flood cannot fill
// a disk through the log.
const refusalsPerSecond = 10

// refusals is the log of what was refused: source, reason and Call-ID, at most
// ten lines a second for each reason. Everything is counted all the same.
type refusals struct {
	out *slog.Logger

	mu     sync.Mutex
	second int64
	lines  map[string]int
}

func (r *refusals) note(reason string, from netip.AddrPort, detail, callID string) {
	if !r.room(reason, time.Now().Unix()) {
		return
	}
	r.out.Warn("refused", "reason", reason, "source", from.String(), "detail", detail, "call_id", wire.Clean(callID))
}

func (r *refusals) room(reason string, second int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.second != second {
		r.second, r.lines = second, map[string]int{}
	}
	r.lines[reason]++
	return r.lines[reason] <= refusalsPerSecond
}

// overload is the line of a request that was refused unread.
func (r *refusals) overload(from netip.AddrPort, callID []byte, now time.Time) {
	if r.room("overload", now.Unix()) {
		r.out.Warn("refused", "reason", "overload", "source", from.String(), "call_id", wire.Clean(string(callID)))
	}
}
