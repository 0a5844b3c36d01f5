package pager

import (
	"errors"
	"iter"

	"github.com/cordpair/cordpair/store"
)

// messageVersion is the form of a stored Message.
const messageVersion = 1

type table struct {
	space *store.Space
	rows  *store.Table[Message]
}

// NewStore keeps messages in a space, by target and number.
func NewStore(sp *store.Space) Store {
	return &table{space: sp, rows: store.NewTable[Message](sp, store.Messages, messageVersion)}
}

func keyOf(target, seq int64) store.Key { return store.Join(store.Int(target), store.Int(seq)) }

// Messages implements Store.
func (t *table) Messages() iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		enough := errors.New("the reader has seen enough")
		err := t.rows.Each(store.Range{}, func(row store.Row[Message]) error {
			if !yield(row.Value, nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(Message{}, err)
		}
	}
}

// Put implements Store.
func (t *table) Put(m Message, done func(error)) {
	t.space.Submit(func(tx *store.Tx) error { return t.rows.In(tx).Put(keyOf(m.Target, m.Seq), m) }, done)
}

// Delete implements Store. Nobody waits for it, so it shares a later sync.
func (t *table) Delete(target, seq int64, done func(error)) {
	t.space.SubmitLate(func(tx *store.Tx) error { return t.rows.In(tx).Delete(keyOf(target, seq)) }, done)
}
