package store

import (
	"errors"
	"fmt"
	"slices"
)

// How rows and index entries lie in a space:
//
//	<prefix>r<key>                        the row
//	<prefix>i<index>\0<index key><key>    an index entry; its value is <key>
//	<prefix>i<index>\0<index key>         an entry of a unique index, likewise

func rowKey(p Prefix, key Key) string { return string(p) + "r" + string(key) }

func indexBase(p Prefix, index string) string { return string(p) + "i" + index + "\x00" }

// entryKey is where a row stands in an index.
func (t *Table[T]) entryKey(ix Index[T], at, key Key) string {
	if ix.Unique {
		key = ""
	}
	return string(t.prefix) + "i" + ix.Name + "\x00" + string(at) + string(key)
}

// index finds an index by its name.
func (t *Table[T]) index(name string) (Index[T], error) {
	for _, ix := range t.indexes {
		if ix.Name == name {
			return ix, nil
		}
	}
	return Index[T]{}, fmt.Errorf("store: %s has no index %q", t.prefix, name)
}

// reindex brings the indexes from the old row to the new one; nil is no row.
// An entry found to be wrong on the way is put right.
func (r Rows[T]) reindex(key Key, was, is *T) error {
	for _, ix := range r.t.indexes {
		var before, after []Key
		if was != nil {
			before = ix.Keys(*was)
		}
		if is != nil {
			after = ix.Keys(*is)
		}
		for _, at := range before {
			if slices.Contains(after, at) {
				continue
			}
			if err := r.drop(ix, at, key); err != nil {
				return err
			}
		}
		for _, at := range after {
			if !ix.Unique && !slices.Contains(before, at) {
				// Nobody else has this entry.
				if err := r.tx.set(r.t.entryKey(ix, at, key), r.tx.bytes(string(key))); err != nil {
					return err
				}
				continue
			}
			if err := r.enter(ix, at, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// drop removes the entry of a row, unless another row has it by now.
func (r Rows[T]) drop(ix Index[T], at, key Key) error {
	entry := r.t.entryKey(ix, at, key)
	owner, err := r.tx.get(entry)
	if errors.Is(err, ErrNotFound) || (err == nil && Key(owner) != key) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.tx.delete(entry)
}

// enter writes the entry of a row. A unique entry may be taken over from a row
// that is gone or does not carry that key.
func (r Rows[T]) enter(ix Index[T], at, key Key) error {
	entry := r.t.entryKey(ix, at, key)
	owner, err := r.tx.get(entry)
	switch {
	case err == nil && Key(owner) == key:
		return nil
	case err == nil && ix.Unique:
		other, err := r.carries(ix, at, Key(owner))
		if err != nil {
			return err
		}
		if other != nil {
			return fmt.Errorf("%s: %w", ix.Name, ErrTaken)
		}
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	return r.tx.set(entry, []byte(key))
}

// carries returns the row under key if it stands in the index at that place, or
// nil: an entry alone proves nothing.
func (r Rows[T]) carries(ix Index[T], at, key Key) (*T, error) {
	row, err := r.Get(key)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !slices.Contains(ix.Keys(row), at) {
		return nil, nil
	}
	return &row, nil
}

// Check reads the whole table and returns an error naming the first row that
// cannot be read, that an index misses or shares, or the first entry that
// leads nowhere.
func (t *Table[T]) Check() error {
	return t.sp.View(func(tx *Tx) error {
		r := t.In(tx)
		want := make(map[string]Key)
		err := r.Each(Range{}, func(row Row[T]) error {
			for _, ix := range t.indexes {
				for _, at := range ix.Keys(row.Value) {
					want[t.entryKey(ix, at, row.Key)] = row.Key
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for entry, key := range want {
			if owner, err := tx.get(entry); err != nil || Key(owner) != key {
				return fmt.Errorf("store: %s: index entry %q of row %q: %w", t.prefix, entry, key, ErrDamaged)
			}
		}
		for _, ix := range t.indexes {
			if err := r.checkEntries(ix, want); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkEntries finds entries that belong to no row. Those of expired rows wait
// for the sweep and are in order.
func (r Rows[T]) checkEntries(ix Index[T], want map[string]Key) error {
	return r.tx.scan(scan{base: indexBase(r.t.prefix, ix.Name)}, func(k string, owner []byte) (bool, error) {
		if _, ok := want[k]; ok {
			return true, nil
		}
		raw, err := r.tx.get(rowKey(r.t.prefix, Key(owner)))
		if err == nil && r.t.codec.expires && !r.t.codec.isTombstone(raw) && r.t.codec.gone(raw) {
			return true, nil
		}
		return false, fmt.Errorf("store: %s: index entry %q leads nowhere: %w", r.t.prefix, k, ErrDamaged)
	})
}
