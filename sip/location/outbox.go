package location

import (
	"slices"
	"time"
)

// delivery is something to be handed out once the shard's lock is released: an
// event, or a record for the store.
type delivery struct {
	event  Event
	record *Record
	done   func(error)
}

// report puts an event into the outbox.
func (b *Bindings) report(sh *shard, kind EventKind, why Reason, e *entry, now time.Time) {
	if b.cfg.Events == nil {
		return
	}
	sh.outbox = append(sh.outbox, delivery{event: Event{
		Kind: kind, Reason: why, Binding: e.Binding, Left: len(e.rec.active), At: now,
	}})
}

// commit puts the record as it is now into the outbox. The whole record is
// written each time and in the order of changes, so nothing that was removed can
// come back with a refresh. Without a store done is called with what else is
// handed out.
func (b *Bindings) commit(sh *shard, rec *record, done func(error)) {
	s := rec.snapshot()
	sh.outbox = append(sh.outbox, delivery{record: &s, done: done})
}

// maxBehind is how many records written behind may be with the store at once, a
// quarter of what it queues: refreshes must not crowd out what a 200 waits for.
const maxBehind = 1 << 14

// flush puts the records that wait to be written behind into the outbox, as many
// as may be with the store. The others wait for the next round.
func (b *Bindings) flush(sh *shard) {
	if b.cfg.Store == nil {
		return // without a store nothing is soiled
	}
	n := 0
	for ; n < len(sh.dirty) && b.behind.Load() < maxBehind; n++ {
		rec := sh.dirty[n]
		rec.dirty = false
		if sh.records[rec.extension] != rec {
			continue // forgotten, and its deletion is on its way
		}
		b.behind.Add(1)
		b.commit(sh, rec, func(error) { b.behind.Add(-1) })
		if len(rec.active)+len(rec.ended) == 0 {
			delete(sh.records, rec.extension) // it was here for its deletion only
		}
	}
	sh.dirty = slices.Delete(sh.dirty, 0, n)
}

// deliver unlocks the shard and hands out what stands in its outbox, in order.
// One goroutine at a time does so for a shard; others leave their part to it.
func (b *Bindings) deliver(sh *shard) {
	if sh.delivering || len(sh.outbox) == 0 {
		sh.mu.Unlock()
		return
	}
	sh.delivering = true
	b.work.Add(1)
	defer b.work.Done()
	var spare []delivery
	for len(sh.outbox) > 0 {
		batch := sh.outbox
		sh.outbox = spare[:0]
		sh.mu.Unlock()
		b.handOutAll(sh, batch) // locks again
		spare = batch
	}
	if cap(spare) <= outboxKept {
		sh.outbox = spare[:0]
	}
	sh.delivering = false
	sh.mu.Unlock()
}

// outboxKept is how large an outbox may be to be used again.
const outboxKept = 16

// handOutAll hands out a batch and locks the shard. When a callback panics, the
// rest waits for the next delivery: whoever recovers finds the shard in order.
func (b *Bindings) handOutAll(sh *shard, batch []delivery) {
	next := 0
	defer func() {
		sh.mu.Lock()
		if next < len(batch) {
			sh.outbox = slices.Insert(sh.outbox, 0, batch[next+1:]...)
			sh.delivering = false
			sh.mu.Unlock()
		}
		clear(batch)
	}()
	for ; next < len(batch); next++ {
		b.handOut(&batch[next])
	}
}

func (b *Bindings) handOut(d *delivery) {
	switch {
	case d.record == nil:
		b.cfg.Events(d.event)
	case b.cfg.Store == nil:
		if d.done != nil {
			d.done(nil)
		}
	default:
		b.work.Add(1)
		extension, done := d.record.Extension, d.done
		b.cfg.Store.Commit(*d.record, func(err error) {
			defer b.work.Done()
			if err != nil {
				b.failed(extension, err)
			}
			if done != nil {
				done(err)
			}
		})
	}
}

// failed has the record written again. While the store fails there is one log
// line in ten seconds, also when somebody sets the clock back.
func (b *Bindings) failed(extension int64, err error) {
	now := time.Now().Unix()
	if last := b.failedAt.Load(); (now < last || now-last >= 10) && b.failedAt.CompareAndSwap(last, now) {
		b.cfg.Logger.Error("bindings cannot be stored", "error", err)
	}
	sh := b.shard(extension)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	rec := sh.records[extension]
	if rec == nil {
		rec = &record{extension: extension}
		sh.records[extension] = rec
	}
	b.soil(sh, rec)
}
