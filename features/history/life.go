package history

import (
	"encoding/binary"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// While calls are up the journal is given a sign of life every second, so that a
// call in the middle of which the switch was killed ends where the switch did.
const (
	signEvery = time.Second
	signOf    = "" // the key of its entry; no call has that id
)

// EventFinding of a call that the switch did not see end.
const codeKilled = call.FindingKilled

// sign puts a sign of life on the sheet if it is time for one.
func (h *History) sign(now time.Time) {
	if now.Sub(h.signed) < signEvery || !h.signs() {
		return
	}
	h.signed = now
	// It cannot fail.
	_ = h.sheet.Put(signOf, func(b []byte) ([]byte, error) {
		return binary.BigEndian.AppendUint64(b, uint64(now.UnixNano())), nil
	})
}

// signs reports whether anybody needs a sign of life.
func (h *History) signs() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.open) > 0
}

// lastSign takes the sign of life out of the entries of a journal; the zero time
// if there is none.
func lastSign(entries map[string][]byte) (at time.Time) {
	if b := entries[signOf]; len(b) == 8 {
		at = time.Unix(0, int64(binary.BigEndian.Uint64(b))).UTC()
	}
	delete(entries, signOf)
	return at
}

// killed ends a call during which the switch was, behind the event of a number. That
// this was so is said however long the tale is.
func (r *running) killed(at time.Time, seq int) {
	r.events++
	r.tale.tellEvent(&call.Event{Seq: seq + 1, At: at, Kind: call.EventFinding, Finding: &call.Finding{
		Code: codeKilled, Text: "the switch was killed during the call; this was its last sign of life, which it gives once a second",
	}})
	r.apply(&call.Event{Call: r.id, Client: r.client, Seq: seq + 2, At: at, Kind: call.EventEnded, Cause: call.CauseRestart})
}
