package location

import (
	"context"
	"errors"
	"iter"

	"github.com/cordpair/cordpair/store"
)

// table is the Store over a space of the store.
type table struct {
	space *store.Space
	rows  *store.Table[Record]
}

// NewStore keeps records in a space, by extension id: one row each, written as a
// whole, so that a REGISTER with several contacts is in the store or is not.
func NewStore(sp *store.Space) Store {
	return &table{space: sp, rows: store.NewTable[Record](sp, store.Bindings, recordVersion)}
}

// Records yields every stored record, brought to the present form before.
func (t *table) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := t.rows.Upgrade(context.Background()); err != nil {
			yield(Record{}, err)
			return
		}
		enough := errors.New("the reader has seen enough")
		err := t.rows.Each(store.Range{}, func(row store.Row[Record]) error {
			if !yield(row.Value, nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(Record{}, err)
		}
	}
}

// Commit stores one record, or deletes it if there is nothing in it.
func (t *table) Commit(r Record, done func(error)) {
	key := store.Int(r.Extension)
	t.space.Submit(func(tx *store.Tx) error {
		if len(r.Bindings)+len(r.Ended) == 0 {
			return t.rows.In(tx).Delete(key)
		}
		return t.rows.In(tx).Put(key, r)
	}, done)
}
