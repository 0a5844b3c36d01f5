package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	syncEvery  = time.Second
	sweepEvery = 10 * time.Minute
)

// tend syncs what is not synced at every commit and sweeps out what has expired,
// until Close.
func (db *DB) tend() {
	defer db.tended.Done()
	syncing := time.NewTicker(syncEvery)
	defer syncing.Stop()
	if db.cfg.InMemory {
		syncing.Stop() // nothing to sync
	}
	sweeping := time.NewTicker(sweepEvery)
	defer sweeping.Stop()
	for {
		select {
		case <-db.stop:
			return
		case <-syncing.C:
			db.syncSpaces()
		case <-sweeping.C:
			db.sweepSpaces()
		}
	}
}

func (db *DB) spaces() []*Space { return []*Space{db.config, db.live, db.records} }

func (db *DB) syncSpaces() {
	if err := db.daybook.sync(); err != nil {
		db.log.Error("daybook cannot be synced", "err", err)
	}
	for _, sp := range db.spaces() {
		if err := sp.syncLive(); err != nil {
			db.log.Error("store cannot be synced", "space", sp.name, "err", err)
		}
		if n := sp.stats.commits.Load(); n != sp.tightened {
			sp.tightened = n
			sp.tighten()
			sp.merge()
		}
	}
}

// mergeFrom is how many fresh tables a small space has before they are merged
// into the others; manyTables is more than it ever has.
const (
	mergeFrom  = 5
	manyTables = 1 << 20
)

// merge begins to merge the fresh tables of a small space, if there are enough,
// and does not wait for it.
func (sp *Space) merge() {
	bdb := sp.badger.Load()
	if bdb == nil || !sp.promise.small || bdb.Levels()[0].NumTables < mergeFrom || !sp.flattening.CompareAndSwap(false, true) {
		return
	}
	sp.db.tended.Go(func() { // ends with the merge; Close waits for it
		defer sp.flattening.Store(false)
		if err := bdb.Flatten(1); err != nil {
			sp.db.log.Error("store tables cannot be merged", "space", sp.name, "err", err)
		}
	})
}

func (db *DB) sweepSpaces() {
	for _, sp := range db.spaces() {
		for _, sweep := range sp.sweeps.all() {
			if err := sweep(); err != nil && !errors.Is(err, ErrClosed) {
				db.log.Error("expired rows cannot be removed", "space", sp.name, "err", err)
			}
		}
	}
}

// syncLive brings the commits of a space that does not sync by itself to the
// disk and marks them.
func (sp *Space) syncLive() error {
	bdb := sp.badger.Load()
	n := sp.stats.commits.Load()
	if bdb == nil || sp.promise.sync || n == sp.synced {
		return nil
	}
	if err := sp.syncLogs(); err != nil {
		return err
	}
	sp.synced = n
	return sp.mark.set(n)
}

// tighten takes from others the right to read the files of the space, which
// Badger creates as the umask allows. Their directory is private from the start.
func (sp *Space) tighten() {
	if sp.dir == "" || sp.badger.Load() == nil {
		return
	}
	entries, err := os.ReadDir(sp.dir)
	if err != nil {
		sp.db.log.Error("store directory cannot be read", "dir", sp.dir, "err", err)
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm()&0o077 == 0 {
			continue // removed meanwhile, or private already
		}
		if err := os.Chmod(filepath.Join(sp.dir, e.Name()), 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
			sp.db.log.Warn("store file stays readable for others", "file", e.Name(), "err", err)
		}
	}
}

// sweeps are the tables of a space whose rows expire.
type sweeps struct {
	mu sync.Mutex
	by map[Prefix]func() error
}

func (s *sweeps) add(p Prefix, sweep func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = make(map[Prefix]func() error)
	}
	s.by[p] = sweep
}

func (s *sweeps) all() []func() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]func() error, 0, len(s.by))
	for _, sweep := range s.by {
		list = append(list, sweep)
	}
	return list
}

// sweep removes rows and marks whose time has come, a few per transaction so
// that nobody waits for it.
func (t *Table[T]) sweep() error {
	after := ""
	base := rowKey(t.prefix, "")
	for {
		var keys []Key
		last := ""
		err := t.sp.View(func(tx *Tx) error {
			entries, err := tx.chunk(scan{base: base, after: after})
			for _, e := range entries {
				last = e.key
				if t.codec.past(e.value) {
					keys = append(keys, Key(e.key[len(base):]))
				}
			}
			return err
		})
		if err == nil && len(keys) > 0 {
			err = t.sp.Update(func(tx *Tx) error { return t.In(tx).sweep(keys) })
		}
		if err != nil || last == "" {
			return err
		}
		after = last
	}
}

// sweep removes the rows among keys whose time has come still.
func (r Rows[T]) sweep(keys []Key) error {
	for _, key := range keys {
		old, err := r.tx.present(rowKey(r.t.prefix, key))
		if err == nil && !r.t.codec.past(old) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := r.replace(key, old, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// past reports whether the expiry of a stored row or mark is behind us.
func (c codec[T]) past(raw []byte) bool {
	head, _, err := parseRow(raw)
	return err == nil && head.flags&flagExpiry != 0 && time.Now().UnixMilli() >= head.expiry
}
