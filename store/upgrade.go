package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// upgradeRows is the number of rows brought up to date in one transaction.
const upgradeRows = 256

// form names what the rows of a table look like: their version and indexes.
func (t *Table[T]) form() string {
	words := []string{fmt.Sprint(t.codec.version)}
	for _, ix := range t.indexes {
		words = append(words, ix.Name)
	}
	return strings.Join(words, " ")
}

// Upgrade brings rows of an earlier version to the present one and enters all
// rows into indexes that are new. The space remembers that this was done, so
// that it costs nothing the next time; one cut off begins again. It is for the
// owner of a Coded table, before its first use: until then old rows can be read,
// and new indexes do not find them. Watchers hear nothing of it.
func (t *Table[T]) Upgrade(ctx context.Context) error {
	return t.UpgradeWith(ctx, func(*Tx, Key, T) error { return nil })
}

// UpgradeWith is Upgrade that calls also for every row, in the transaction in which
// it is brought up to date: for what the owner keeps beside it. It may be called again
// for a row it has seen.
func (t *Table[T]) UpgradeWith(ctx context.Context, also func(*Tx, Key, T) error) error {
	form := t.form()
	done := false
	err := t.sp.View(func(tx *Tx) error {
		was, err := tx.get(metaForm + string(t.prefix))
		done = err == nil && string(was) == form
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil || done {
		return err
	}
	err = t.inPortions(ctx, func(tx *Tx, after string) (string, error) { return t.In(tx).upgrade(after, also) })
	if err == nil {
		err = t.inPortions(ctx, func(tx *Tx, after string) (string, error) { return t.In(tx).dropOld(after) })
	}
	if err != nil {
		return fmt.Errorf("store: upgrade of %s: %w", t.prefix, err)
	}
	return t.sp.Update(func(tx *Tx) error { return tx.set(metaForm+string(t.prefix), []byte(form)) })
}

// inPortions calls some in one transaction after another, with what it returned in the
// one before, until that is empty.
func (t *Table[T]) inPortions(ctx context.Context, some func(tx *Tx, after string) (last string, err error)) error {
	for after := ""; ; {
		last := ""
		err := t.sp.Update(func(tx *Tx) (err error) {
			last, err = some(tx, after)
			return err
		})
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || last == "" {
			return err
		}
		after = last
	}
}

// dropOld removes the next entries of indexes that the table has no more, and returns
// the last of them.
func (r Rows[T]) dropOld(after string) (last string, err error) {
	base := string(r.t.prefix) + "i"
	n := 0
	err = r.tx.scan(scan{base: base, after: after}, func(k string, _ []byte) (bool, error) {
		last = k
		n++
		name, _, _ := strings.Cut(k[len(base):], "\x00")
		if _, err := r.t.index(name); err == nil {
			return n < upgradeRows, nil
		}
		return n < upgradeRows, r.tx.delete(k)
	})
	return last, err
}

// upgrade does the next rows and returns the stored key of the last of them,
// empty if there are none.
func (r Rows[T]) upgrade(after string, also func(*Tx, Key, T) error) (last string, err error) {
	base := rowKey(r.t.prefix, "")
	n := 0
	err = r.tx.scan(scan{base: base, after: after}, func(k string, raw []byte) (bool, error) {
		last = k
		n++
		err := r.refresh(Key(k[len(base):]), raw, also)
		return n < upgradeRows && r.tx.batch.written < maxBatch/2, err
	})
	return last, err
}

// refresh brings one row up to date.
func (r Rows[T]) refresh(key Key, raw []byte, also func(*Tx, Key, T) error) error {
	row, err := r.t.codec.remains(key, raw)
	if err != nil || row == nil {
		return err
	}
	if raw[0] != r.t.codec.version {
		fresh, err := r.t.codec.encode(r.tx, key, row)
		if err != nil {
			return err
		}
		if err := r.tx.set(rowKey(r.t.prefix, key), fresh); err != nil {
			return err
		}
	}
	if err := also(r.tx, key, *row); err != nil {
		return err
	}
	return r.reindex(key, nil, row)
}
