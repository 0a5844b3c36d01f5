package location

import (
	"slices"
	"time"
)

// Remove ends the binding with the given registration id, or all of an extension
// when id is empty. It reports whether there was one; then done is called once
// when that is durable. done may be nil.
func (b *Bindings) Remove(extension int64, id string, now time.Time, done func(error)) bool {
	sh := b.shard(extension)
	sh.mu.Lock()
	defer b.deliver(sh)
	rec := sh.records[extension]
	if rec == nil || b.closed.Load() {
		return false
	}
	b.reapRecord(sh, rec, now)
	found := false
	for _, e := range slices.Clone(rec.active) {
		if id == "" || e.ID == id {
			b.end(sh, e, Removed, ReasonAdmin, now)
			found = true
		}
	}
	if found {
		b.commit(sh, rec, done)
	}
	return found
}

// Forget removes everything known about an extension that no longer exists. done
// is called once when that is durable; it may be nil.
func (b *Bindings) Forget(extension int64, now time.Time, done func(error)) {
	sh := b.shard(extension)
	sh.mu.Lock()
	if b.closed.Load() {
		sh.mu.Unlock()
		if done != nil {
			done(ErrClosed)
		}
		return
	}
	defer b.deliver(sh)
	rec := sh.records[extension]
	if rec == nil {
		rec = &record{extension: extension}
	}
	for _, e := range slices.Clone(rec.active) {
		b.end(sh, e, Removed, ReasonGone, now)
	}
	rec.ended = nil
	delete(sh.records, extension)
	b.commit(sh, rec, done)
}

// FlowClosed suspends the bindings of a lost stream connection. conn must never be
// used again: a REGISTER that came over it and is still on its way to Update makes
// a suspended binding.
func (b *Bindings) FlowClosed(conn uint64, now time.Time) {
	for extension := range b.flows.lost(conn) {
		sh := b.shard(extension)
		sh.mu.Lock()
		if rec := sh.records[extension]; rec != nil && !b.closed.Load() {
			for _, e := range rec.active {
				if e.Flow.Conn == conn && !e.Suspended {
					e.Suspended, e.suspendedAt = true, now
					sh.due.moveUp(e, e.deadline(b.cfg.SuspendFor))
					b.report(sh, Suspended, "", e, now)
				}
			}
		}
		b.deliver(sh)
	}
}

// end takes a binding out. With the last one the extension keeps what it had, for
// the HTTP API to show; those that end together are kept together.
func (b *Bindings) end(sh *shard, e *entry, kind EventKind, why Reason, now time.Time) {
	rec := e.rec
	i := slices.Index(rec.active, e)
	rec.active = slices.Delete(rec.active, i, i+1)
	sh.due.remove(e)
	b.live.Add(-1)
	b.flows.leave(e.Flow.Conn, rec)
	if e.Expires.After(now) {
		e.Expires = now // it ends here, whatever was granted
	}
	if len(rec.ended) > 0 && !rec.ended[0].Expires.Equal(e.Expires) {
		rec.ended = rec.ended[:0:0]
	}
	rec.ended = append(rec.ended, e.Binding)
	b.report(sh, kind, why, e, now)
}

// reap ends everything in the shard that has run out.
func (b *Bindings) reap(sh *shard, now time.Time) {
	for len(sh.due) > 0 && !sh.due[0].due.After(now) {
		b.expire(sh, sh.due[0], now)
	}
}

// reapRecord does so for one extension, so that an Update never meets a binding
// that has run out but was not collected yet.
func (b *Bindings) reapRecord(sh *shard, rec *record, now time.Time) {
	for i := len(rec.active) - 1; i >= 0; i-- {
		if e := rec.active[i]; !e.deadline(b.cfg.SuspendFor).After(now) {
			b.expire(sh, e, now)
		}
	}
}

// expire ends a binding whose deadline has come; otherwise it puts it back.
func (b *Bindings) expire(sh *shard, e *entry, now time.Time) {
	deadline := e.deadline(b.cfg.SuspendFor)
	if deadline.After(now) {
		sh.due.putBack(e, deadline)
		return
	}
	why := ReasonTimeout
	if e.Expires.After(now) {
		why = ReasonFlowLost
	}
	b.end(sh, e, Expired, why, now)
	b.soil(sh, e.rec)
}
