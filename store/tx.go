package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// Tx is a transaction over all tables of one space. It sees its own writes and
// belongs to the function it was given to; it must not be kept.
type Tx struct {
	sp  *Space
	txn *badger.Txn

	batch *batch // nil in View
	wrote bool
	full  bool // the batch has no room for what was written
}

// NextID returns the next number of the sequence of a prefix: 1, 2, 3 …. The
// sequence moves on together with what the transaction writes.
func (tx *Tx) NextID(p Prefix) (int64, error) {
	key := metaSequence + string(p)
	var n uint64
	switch b, err := tx.get(key); {
	case err == nil && len(b) == 8:
		n = binary.BigEndian.Uint64(b)
	case err == nil:
		return 0, fmt.Errorf("store: sequence %s %w", p, ErrDamaged)
	case !errors.Is(err, ErrNotFound):
		return 0, err
	}
	n++
	return int64(n), tx.set(key, binary.BigEndian.AppendUint64(nil, n))
}

// room is an empty slice for n bytes of a key or row, keep takes what was put there:
// into memory of the commit, or for a reader into memory of its own.
func (tx *Tx) room(n int) []byte {
	if tx.batch == nil {
		return make([]byte, 0, n)
	}
	return tx.batch.slab.room(n)
}

func (tx *Tx) keep(b []byte) []byte {
	if tx.batch == nil {
		return b
	}
	return tx.batch.slab.keep(b)
}

// bytes is a key for Badger, which holds on to it until the commit is done.
func (tx *Tx) bytes(key string) []byte { return tx.keep(append(tx.room(len(key)), key...)) }

// get returns the bytes under key, which are the transaction's.
func (tx *Tx) get(key string) ([]byte, error) {
	item, err := tx.txn.Get(tx.bytes(key))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", tx.sp.name, err)
	}
	b, err := item.ValueCopy(tx.room(int(item.ValueSize())))
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", tx.sp.name, err)
	}
	return tx.keep(b), nil
}

func (tx *Tx) set(key string, value []byte) error {
	switch {
	case tx.batch == nil:
		return ErrReadOnly
	case len(key) > MaxKey || len(value) > MaxRow:
		return fmt.Errorf("store: key of %d and row of %d bytes: %w", len(key), len(value), ErrTooLarge)
	}
	return tx.write(len(key)+len(value), tx.txn.Set(tx.bytes(key), value))
}

func (tx *Tx) delete(key string) error {
	if tx.batch == nil {
		return ErrReadOnly
	}
	return tx.write(len(key), tx.txn.Delete(tx.bytes(key)))
}

// write notes what a write came to. A full batch is remembered as well as
// returned, so that a caller who swallows the error changes nothing.
func (tx *Tx) write(size int, err error) error {
	tx.wrote = true
	if errors.Is(err, badger.ErrTxnTooBig) {
		tx.full = true
		return errRetryAlone
	}
	if err != nil {
		return fmt.Errorf("store: %s: %w", tx.sp.name, err)
	}
	tx.batch.written += size
	return nil
}

// present are the bytes under key, nil if there are none.
func (tx *Tx) present(key string) ([]byte, error) {
	b, err := tx.get(key)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return b, err
}
