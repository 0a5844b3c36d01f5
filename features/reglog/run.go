package reglog

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cordpair/cordpair/store"
)

const (
	linger     = 200 * time.Millisecond // how long an entry waits for others
	maxCommit  = 512                    // entries in one transaction
	retryAfter = time.Second            // the store is not open yet, or has too much to do
	sweepEvery = time.Hour
	sweepStep  = 256 // entries removed in one transaction
)

// Run writes what is noted, and removes what has become too old, until ctx ends;
// then it writes what has been noted by that time and returns. The records space
// may open after Run began: entries wait for it. What is noted later is lost.
func (l *Log) Run(ctx context.Context) {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	l.sweep(ctx)
	var batch []row
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-sweep.C:
			l.sweep(ctx)
		case <-l.box.Wake():
			pause(ctx, linger) // others will come
			batch = l.box.TakeAll(batch)
			l.writeAll(ctx, batch)
		}
	}
	l.box.Close()
	l.writeAll(ctx, l.box.TakeAll(batch))
}

// writeAll writes rows in as many transactions as they need.
func (l *Log) writeAll(ctx context.Context, rows []row) {
	for part := range slices.Chunk(rows, maxCommit) {
		l.write(ctx, part)
	}
}

// write brings rows to the disk. A store that is not open yet, or busy, is asked
// again until ctx ends; another refusal is final.
func (l *Log) write(ctx context.Context, rows []row) {
	defer l.queued.Add(int64(-len(rows)))
	for {
		err := l.space.Update(func(tx *store.Tx) error { return l.put(tx, rows) })
		if err == nil {
			l.written.Add(uint64(len(rows)))
			return
		}
		passing := errors.Is(err, store.ErrClosed) || errors.Is(err, store.ErrBusy)
		if !passing || !pause(ctx, retryAfter) {
			l.lost.Add(uint64(len(rows)))
			l.opts.Logger.Error("registration log cannot be written", "entries", len(rows), "err", err)
			return
		}
	}
}

func (l *Log) put(tx *store.Tx, rows []row) error {
	for _, r := range rows {
		n, err := tx.NextID(store.RegLog)
		if err != nil {
			return err
		}
		r.Number = n
		if err := l.rows.In(tx).Put(store.Int(n), r); err != nil {
			return err
		}
	}
	return nil
}

// pause waits and reports whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// sweep removes entries that have become too old, a few at a time and the first
// numbers first. It ends at the first step in which nothing is too old, so it
// never reads the whole log.
func (l *Log) sweep(ctx context.Context) {
	for before := time.Now().Add(-l.opts.Retention); ctx.Err() == nil; {
		n, err := l.sweepSome(before)
		if err != nil && !errors.Is(err, store.ErrClosed) {
			l.opts.Logger.Error("old entries of the registration log cannot be removed", "err", err)
		}
		l.removed.Add(uint64(n))
		if n == 0 || err != nil {
			return
		}
	}
}

func (l *Log) sweepSome(before time.Time) (n int, err error) {
	page, err := l.rows.List(store.Range{Limit: sweepStep})
	if err != nil {
		return 0, err
	}
	var old []store.Key
	for _, r := range page.Rows {
		if r.Value.At.Before(before) {
			old = append(old, r.Key)
		}
	}
	if len(old) == 0 {
		return 0, nil
	}
	return len(old), l.space.Update(func(tx *store.Tx) error {
		for _, key := range old {
			if err := l.rows.In(tx).Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}
