package store

import (
	"errors"
	"fmt"
)

// Table is the rows of one type T, stored with a version byte as JSON, or in a
// form of their own if *T is Coded. It holds
// nothing but how to find and code them, so two tables of one prefix see the
// same rows. Its methods may be called from any goroutine.
//
// If T or *T has a method Expires() time.Time, a row whose time has come is not
// found any more, whatever the store still holds; the zero time means never.
// Such rows leave a mark when deleted that lasts until then.
type Table[T any] struct {
	sp      *Space
	prefix  Prefix
	codec   codec[T]
	indexes []Index[T]
}

// Index finds rows by something other than their key. Entries are written and
// removed in the transaction of their row.
type Index[T any] struct {
	// Name is unique in its table and never given a second meaning.
	Name string
	// Unique refuses a second row with the same key: ErrTaken.
	Unique bool
	// Keys are the keys under which a row is found; none leaves it out. It must
	// depend on the row alone.
	Keys func(T) []Key
}

// NewTable describes a table of a space. version is the form of the rows, 1 at
// first; a migration must have brought all rows to it. NewTable panics if T
// hides a Secret behind a marshaller of its own, which would lose it.
func NewTable[T any](sp *Space, prefix Prefix, version byte, indexes ...Index[T]) *Table[T] {
	t := &Table[T]{sp: sp, prefix: prefix, codec: newCodec[T](sp, prefix, version), indexes: indexes}
	if t.codec.expires {
		sp.sweeps.add(prefix, t.sweep)
	}
	return t
}

// Get returns the row under key, or ErrNotFound.
func (t *Table[T]) Get(key Key) (row T, err error) {
	err = t.sp.View(func(tx *Tx) error {
		row, err = t.In(tx).Get(key)
		return err
	})
	return row, err
}

// Lookup returns the row that a unique index knows under key, or ErrNotFound.
func (t *Table[T]) Lookup(index string, key Key) (row Row[T], err error) {
	err = t.sp.View(func(tx *Tx) error {
		row, err = t.In(tx).Lookup(index, key)
		return err
	})
	return row, err
}

// Put writes a row, replacing the one under the same key.
func (t *Table[T]) Put(key Key, row T) error {
	return t.sp.Update(func(tx *Tx) error { return t.In(tx).Put(key, row) })
}

// Delete removes a row. Without one it does nothing.
func (t *Table[T]) Delete(key Key) error {
	return t.sp.Update(func(tx *Tx) error { return t.In(tx).Delete(key) })
}

// List returns one page of rows of one picture of the table.
func (t *Table[T]) List(r Range) (page Page[T], err error) {
	err = t.sp.View(func(tx *Tx) error {
		page, err = t.In(tx).List(r)
		return err
	})
	return page, err
}

// Each calls fn for every row of the range, in order, over one picture of the
// table, until fn returns an error, which Each returns.
func (t *Table[T]) Each(r Range, fn func(Row[T]) error) error {
	return t.sp.View(func(tx *Tx) error { return t.In(tx).Each(r, fn) })
}

// Change is a committed write to a row: Old is nil if there was none, New is nil
// if there is none any more. A row that merely expires is no change.
type Change[T any] struct {
	Key      Key
	Old, New *T
}

// Watch calls fn after the commit of every change of the table, in their order
// and before the writer gets its answer, from the committer's goroutine: fn must
// not block. A change committed while cancel runs may still arrive after it.
func (t *Table[T]) Watch(fn func(Change[T])) (cancel func()) {
	return t.sp.watches.add(t.prefix, func(ch change) {
		out := Change[T]{Key: ch.key}
		var errs [2]error
		out.Old, errs[0] = t.codec.maybe(ch.key, ch.old)
		out.New, errs[1] = t.codec.maybe(ch.key, ch.new)
		if err := errors.Join(errs[:]...); err != nil {
			t.sp.db.log.Error("watched row cannot be read", "table", t.prefix, "err", err)
			return
		}
		fn(out)
	})
}

// In binds the table to a transaction of its space.
func (t *Table[T]) In(tx *Tx) Rows[T] { return Rows[T]{t, tx} }

// Rows is a table inside a transaction.
type Rows[T any] struct {
	t  *Table[T]
	tx *Tx
}

// Row is a row and its key.
type Row[T any] struct {
	Key   Key
	Value T
	// At is the index key it was found under, empty without an index. A row that
	// stands in an index several times is found as often.
	At Key

	cursor Cursor
}

// Cursor leads to what follows this row in the range it was found in.
func (r Row[T]) Cursor() Cursor { return r.cursor }

// Get returns the row under key, or ErrNotFound.
func (r Rows[T]) Get(key Key) (row T, err error) {
	raw, err := r.tx.get(rowKey(r.t.prefix, key))
	if err == nil {
		row, err = r.t.codec.decode(key, raw)
	}
	if err != nil {
		return row, fmt.Errorf("%s: %w", r.t.prefix, err)
	}
	return row, nil
}

// Lookup returns the row that a unique index knows under key, or ErrNotFound.
func (r Rows[T]) Lookup(index string, key Key) (row Row[T], err error) {
	page, err := r.List(Range{Index: index, Prefix: key, Limit: 1})
	if err != nil {
		return row, err
	}
	if len(page.Rows) == 0 {
		return row, fmt.Errorf("%s by %s: %w", r.t.prefix, index, ErrNotFound)
	}
	return page.Rows[0], nil
}

// Put writes a row, replacing the one under the same key. ErrTaken if a unique
// index has another row under a key of this one; ErrTooLarge above MaxRow.
func (r Rows[T]) Put(key Key, row T) error {
	raw, err := r.t.codec.encode(r.tx, key, &row)
	if err != nil {
		return fmt.Errorf("%s: %w", r.t.prefix, err)
	}
	var old []byte
	watched := r.tx.sp.watches.any(r.t.prefix)
	if watched || len(r.t.indexes) > 0 { // nobody else asks what was there
		old, err = r.tx.present(rowKey(r.t.prefix, key))
	}
	if err == nil {
		old, err = r.replace(key, old, raw, r.given(&row))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.t.prefix, err)
	}
	if watched {
		r.note(change{r.t.prefix, key, old, raw})
	}
	return nil
}

// Insert is Put for a row of whose key nobody has written one: nothing is read first.
func (r Rows[T]) Insert(key Key, row T) error {
	raw, err := r.t.codec.encode(r.tx, key, &row)
	if err == nil {
		_, err = r.replace(key, nil, raw, r.given(&row))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.t.prefix, err)
	}
	r.note(change{prefix: r.t.prefix, key: key, new: raw})
	return nil
}

// given is what the indexes must say of a row; nil if that is to be read from its
// stored form.
func (r Rows[T]) given(row *T) *T {
	if r.t.codec.coded {
		return row
	}
	return nil
}

// Delete removes a row. Without one it does nothing.
func (r Rows[T]) Delete(key Key) error {
	old, err := r.tx.present(rowKey(r.t.prefix, key))
	if err == nil && r.t.codec.gone(old) {
		return nil
	}
	if err == nil {
		old, err = r.replace(key, old, r.t.codec.tombstone(old), nil)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.t.prefix, err)
	}
	r.note(change{prefix: r.t.prefix, key: key, old: old})
	return nil
}

// replace writes raw under key, where old is, or removes the row if raw is nil, and brings the
// indexes from what they say of the old row to what they must say of the new
// one, which is what will be read: JSON may not keep all of what was given, such
// as bytes that are no UTF-8. A coded row does, and is given in is. It returns the
// old row unless that was gone.
func (r Rows[T]) replace(key Key, old, raw []byte, is *T) ([]byte, error) {
	if len(r.t.indexes) > 0 {
		was, err := r.t.codec.remains(key, old)
		if err != nil {
			return nil, err
		}
		if is == nil {
			if is, err = r.t.codec.remains(key, raw); err != nil {
				return nil, err
			}
		}
		if err := r.reindex(key, was, is); err != nil {
			return nil, err
		}
	}
	if r.t.codec.gone(old) {
		old = nil
	}
	if raw == nil {
		return old, r.tx.delete(rowKey(r.t.prefix, key))
	}
	return old, r.tx.set(rowKey(r.t.prefix, key), raw)
}

// note tells the watchers, if there are any, once the commit is done.
func (r Rows[T]) note(ch change) {
	if r.tx.sp.watches.any(ch.prefix) {
		r.tx.batch.changes = append(r.tx.batch.changes, ch)
	}
}
