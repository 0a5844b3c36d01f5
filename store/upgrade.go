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
	for after := ""; ; {
		last := ""
		err := t.sp.Update(func(tx *Tx) (err error) {
			last, err = t.In(tx).upgrade(after)
			return err
		})
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("store: upgrade of %s: %w", t.prefix, err)
		}
		if last == "" {
			break
		}
		after = last
	}
	return t.sp.Update(func(tx *Tx) error { return tx.set(metaForm+string(t.prefix), []byte(form)) })
}

// upgrade does the next rows and returns the stored key of the last of them,
// empty if there are none.
func (r Rows[T]) upgrade(after string) (last string, err error) {
	base := rowKey(r.t.prefix, "")
	n := 0
	err = r.tx.scan(scan{base: base, after: after}, func(k string, raw []byte) (bool, error) {
		last = k
		n++
		err := r.refresh(Key(k[len(base):]), raw)
		return n < upgradeRows && r.tx.batch.written < maxBatch/2, err
	})
	return last, err
}

// refresh brings one row up to date.
func (r Rows[T]) refresh(key Key, raw []byte) error {
	row, err := r.t.codec.remains(key, raw)
	if err != nil || row == nil {
		return err
	}
	if raw[0] != r.t.codec.version {
		fresh, err := r.t.codec.encode(key, *row)
		if err != nil {
			return err
		}
		if err := r.tx.set(rowKey(r.t.prefix, key), fresh); err != nil {
			return err
		}
	}
	return r.reindex(key, nil, row)
}
