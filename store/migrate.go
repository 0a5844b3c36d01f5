package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// migration brings the rows of one table from one form to the next. Its number
// is its place in the list, counted from 2, for all three spaces together.
type migration struct {
	name   string // for the log and error texts
	space  string // config, live or records
	prefix Prefix
	// row is called once for every stored row, key being what follows the
	// prefix and value its stored form, and says through w what takes its
	// place; a row it does not mention stays as it is. It must not put rows of
	// its own table under other keys.
	row func(w *rewriter, key, value []byte) error
}

// migrations of this release. One that has been released is never changed.
var migrations = []migration{}

// firstVersion is the version of a store before any migration.
const firstVersion = 1

// migrateRows is the number of rows rewritten in one transaction.
const migrateRows = 256

// rewriter collects the writes of one step of a migration.
type rewriter struct {
	txn *badger.Txn
}

// put writes the stored form of a row of any table of the space.
func (w *rewriter) put(p Prefix, key, value []byte) error {
	return w.txn.Set([]byte(rowKey(p, Key(key))), value)
}

// delete removes a row.
func (w *rewriter) delete(p Prefix, key []byte) error {
	return w.txn.Delete([]byte(rowKey(p, Key(key))))
}

// migrate brings a space to the newest version. Every step commits the rows it
// rewrote together with how far it came, so that a process killed anywhere goes
// on from there and no row is rewritten twice.
func migrate(bdb *badger.DB, space, where string, list []migration) error {
	newest := uint64(firstVersion + len(list))
	version, err := readNumber(bdb, metaVersion)
	if err != nil {
		return fmt.Errorf("store: %s: %w", where, err)
	}
	if version > newest {
		return fmt.Errorf("store: %s %w: it has version %d, this release knows %d", where, ErrNewerStore, version, newest)
	}
	if version == 0 { // a new space
		return writeVersion(bdb, newest)
	}
	for ; version < newest; version++ {
		m := list[version-firstVersion]
		if m.space == space {
			err = m.run(bdb, version+1)
		} else {
			err = writeVersion(bdb, version+1)
		}
		if err != nil {
			return fmt.Errorf("store: %s: migration %d, %s: %w", where, version+1, m.name, err)
		}
	}
	return nil
}

// run performs the migration from where it was left and ends at version.
func (m migration) run(bdb *badger.DB, version uint64) error {
	for {
		var last []byte
		err := bdb.Update(func(txn *badger.Txn) error {
			var err error
			if last, err = m.step(txn); err != nil {
				return err
			}
			if last != nil {
				return txn.Set([]byte(metaCursor), last)
			}
			if err := txn.Delete([]byte(metaCursor)); err != nil {
				return err
			}
			return txn.Set([]byte(metaVersion), binary.BigEndian.AppendUint64(nil, version))
		})
		if err != nil || last == nil {
			return err
		}
	}
}

// step rewrites the next rows and returns the key of the last of them, nil if
// there are none.
func (m migration) step(txn *badger.Txn) (last []byte, err error) {
	base := rowKey(m.prefix, "")
	after := ""
	item, err := txn.Get([]byte(metaCursor))
	if err == nil {
		var b []byte
		b, err = item.ValueCopy(nil)
		after = string(b)
	}
	if err != nil && !errors.Is(err, badger.ErrKeyNotFound) {
		return nil, err
	}
	tx := &Tx{sp: &Space{name: m.space}, txn: txn}
	w := &rewriter{txn}
	rows := 0
	err = tx.scan(scan{base: base, after: after}, func(k string, v []byte) (bool, error) {
		if err := m.row(w, []byte(k[len(base):]), v); err != nil {
			return false, err
		}
		last = []byte(k)
		rows++
		return rows < migrateRows, nil
	})
	return last, err
}

func writeVersion(bdb *badger.DB, n uint64) error {
	return bdb.Update(func(txn *badger.Txn) error {
		return txn.Set([]byte(metaVersion), binary.BigEndian.AppendUint64(nil, n))
	})
}

// readNumber reads a number of the space about itself, 0 if it is not there.
func readNumber(bdb *badger.DB, key string) (n uint64, err error) {
	err = bdb.View(func(txn *badger.Txn) error {
		item, err := txn.Get([]byte(key))
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return item.Value(func(b []byte) error {
			if len(b) != 8 {
				return ErrDamaged
			}
			n = binary.BigEndian.Uint64(b)
			return nil
		})
	})
	return n, err
}
