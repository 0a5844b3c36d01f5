package reglog

import (
	"context"
	"errors"
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
// may open after Run began: entries wait for it.
func (l *Log) Run(ctx context.Context) {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	l.sweep(ctx)
	for {
		select {
		case <-ctx.Done():
			l.drain()
			return
		case <-sweep.C:
			l.sweep(ctx)
		case first := <-l.queue:
			l.write(ctx, l.gather(ctx, first))
		}
	}
}

// gather waits a moment for what else comes.
func (l *Log) gather(ctx context.Context, first row) []row {
	rows := []row{first}
	end := time.NewTimer(linger)
	defer end.Stop()
	for len(rows) < maxCommit {
		select {
		case r := <-l.queue:
			rows = append(rows, r)
		case <-end.C:
			return rows
		case <-ctx.Done():
			return rows
		}
	}
	return rows
}

// drain writes what is left when Run ends.
func (l *Log) drain() {
	ended, cancel := context.WithCancel(context.Background())
	cancel() // one attempt each
	for {
		var rows []row
		for len(rows) < maxCommit && len(l.queue) > 0 {
			rows = append(rows, <-l.queue)
		}
		if len(rows) == 0 {
			return
		}
		l.write(ended, rows)
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
