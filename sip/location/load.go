package location

import (
	"fmt"
	"slices"
	"time"
)

// load takes over what an earlier run stored.
func (b *Bindings) load(now time.Time) error {
	for stored, err := range b.cfg.Store.Records() {
		if err != nil {
			return fmt.Errorf("bindings: %w", err)
		}
		b.restore(stored, now)
	}
	return nil
}

// restore takes over one extension. What has run out moves to the last known set.
func (b *Bindings) restore(stored Record, now time.Time) {
	sh := b.shard(stored.Extension)
	rec := newRecord(stored.Extension)
	rec.ended = stored.Ended
	sh.records[stored.Extension] = rec
	for i := range rec.ended {
		rec.ended[i].Extension = stored.Extension
	}
	var out []Binding
	for _, s := range stored.Bindings {
		s.Extension = stored.Extension
		left := b.remaining(&s, now)
		if left <= 0 {
			out = append(out, s)
			continue
		}
		e := rec.newEntry()
		e.Binding, e.stored = s, s.Refreshed
		e.Expires = now.Add(left)
		if e.Suspended = e.Flow.Stream(); e.Suspended {
			e.suspendedAt = now
		}
		rec.active = append(rec.active, e)
		sh.due.push(e, e.deadline(b.cfg.SuspendFor))
		b.live.Add(1)
	}
	if len(rec.active) == 0 && len(out) > 0 {
		rec.ended = slices.Clip(out)
	}
	if len(out) > 0 {
		b.soil(sh, rec)
	}
}

// remaining is how long a stored binding may live from now. Its last refresh may
// not have reached the store: it came before the expiry we know, and not in the
// future. The refreshes before it were left out too if they came soon after the
// stored one. So a binding gets one granted interval from that much after the
// expiry, or from now if that is earlier, which no acknowledged refresh can
// outlive (and no step of the wall clock can stretch).
func (b *Bindings) remaining(s *Binding, now time.Time) time.Duration {
	interval := min(time.Duration(s.Granted)*time.Second, b.cfg.MaxExpires)
	return min(s.granted().Add(lag(interval)).Sub(now), 0) + interval
}
