package history

import (
	"context"
	"fmt"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// Last names the call of a client that ended last, also while its record is being
// gathered; the error wraps store.ErrNotFound where none has ended. It waits, until
// ctx ends, for what happened before it was asked: for two gaps at most.
func (h *History) Last(ctx context.Context, client int64) (call.ID, error) {
	if h.sub.Depth() > 0 {
		read := time.NewTimer(2 * gap)
		defer read.Stop()
		select {
		case <-read.C:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	h.mu.Lock()
	id, ok := h.last[client]
	h.mu.Unlock()
	if ok {
		return id, nil
	}
	return h.lastBefore(client)
}

// lastBefore is Last among the calls of earlier lives. The last to end did so after
// the last to begin, and so began not longer before that than a call may last.
func (h *History) lastBefore(client int64) (id call.ID, err error) {
	var end time.Time
	take := func(rec *Record) {
		if id == "" || end.Before(rec.HangupTime.Time) {
			id, end = rec.CallUUID, rec.HangupTime.Time
		}
	}
	if _, err = h.eachCall(Query{Client: client, Limit: 1}, take); err == nil && id != "" {
		_, err = h.eachCall(Query{Client: client, From: end.Add(-call.DefaultMaxDuration)}, take)
	}
	if err == nil && id == "" {
		err = fmt.Errorf("history: no call of client %d has ended: %w", client, store.ErrNotFound)
	}
	return id, err
}
