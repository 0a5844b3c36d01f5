package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dgraph-io/badger/v4"
)

// Range says which rows of a table to read, and in which order.
type Range struct {
	// Index is the index whose order and keys are meant; empty: the row key.
	Index string
	// Prefix restricts to keys that begin with it, which is to say with these
	// parts.
	Prefix Key
	// From and To bound the keys: From <= key < To. Empty means no bound.
	From, To Key
	// Reverse reads from the highest key to the lowest.
	Reverse bool
	// Skip leaves out that many rows before the first. By an index, of rows that do
	// not expire, they are not read: each costs a look at its index entry.
	Skip int
	// After is the Next of the page before, of the same Range; empty begins.
	After Cursor
	// Limit is the most rows List returns; 0 means all. Each ignores it.
	Limit int
}

// Cursor says where a page ended. It stays good when rows come and go.
type Cursor string

// Page is a part of a list.
type Page[T any] struct {
	Rows []Row[T]
	// Next leads to the following page; empty if there is none.
	Next Cursor
}

// errStop ends a walk early; it never leaves the package.
var errStop = errors.New("stop")

// List returns one page of rows.
func (r Rows[T]) List(rg Range) (Page[T], error) {
	var page Page[T]
	err := r.walk(rg, func(at Cursor, row Row[T]) error {
		if rg.Limit > 0 && len(page.Rows) == rg.Limit {
			return errStop
		}
		page.Rows, page.Next = append(page.Rows, row), at
		return nil
	})
	if errors.Is(err, errStop) {
		return page, nil
	}
	page.Next = ""
	return page, err
}

// Each calls fn for every row of the range until fn returns an error, which Each
// returns. fn may write to the table.
func (r Rows[T]) Each(rg Range, fn func(Row[T]) error) error {
	return r.walk(rg, func(_ Cursor, row Row[T]) error { return fn(row) })
}

// walk calls fn for every row of the range with the cursor behind it.
func (r Rows[T]) walk(rg Range, fn func(Cursor, Row[T]) error) error {
	if rg.Index != "" {
		return r.walkIndex(rg, fn)
	}
	fn = skipping(rg.Skip, fn)
	base := rowKey(r.t.prefix, "")
	return r.tx.scan(rg.scan(base), func(k string, raw []byte) (bool, error) {
		key := Key(k[len(base):])
		row, err := r.t.codec.decode(key, raw)
		if errors.Is(err, ErrNotFound) {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", r.t.prefix, err)
		}
		return true, fn(Cursor(key), Row[T]{Key: key, Value: row, cursor: Cursor(key)})
	})
}

// skipping is fn without its first n calls.
func skipping[T any](n int, fn func(Cursor, Row[T]) error) func(Cursor, Row[T]) error {
	if n <= 0 {
		return fn
	}
	return func(at Cursor, row Row[T]) error {
		if n > 0 {
			n--
			return nil
		}
		return fn(at, row)
	}
}

func (r Rows[T]) walkIndex(rg Range, fn func(Cursor, Row[T]) error) error {
	ix, err := r.t.index(rg.Index)
	if err != nil {
		return err
	}
	base := indexBase(r.t.prefix, ix.Name)
	unread := rg.Skip
	if r.t.codec.expires {
		unread, fn = 0, skipping(rg.Skip, fn)
	}
	return r.tx.scan(rg.scan(base), func(k string, owner []byte) (bool, error) {
		if unread > 0 {
			unread--
			return true, nil
		}
		at, key := Key(k[len(base):]), Key(owner)
		if !ix.Unique {
			at = Key(strings.TrimSuffix(string(at), string(key)))
		}
		row, err := r.carries(ix, at, key)
		if err != nil || row == nil {
			return true, err
		}
		cursor := Cursor(k[len(base):])
		return true, fn(cursor, Row[T]{Key: key, Value: *row, At: at, cursor: cursor})
	})
}

// scan is a Range in terms of stored keys.
type scan struct {
	base     string // all keys begin with it
	from, to string // from <= key < to
	after    string // the last key seen
	reverse  bool
}

func (rg Range) scan(base string) scan {
	s := scan{base: base + string(rg.Prefix), reverse: rg.Reverse}
	if rg.From != "" {
		s.from = base + string(rg.From)
	}
	if rg.To != "" {
		s.to = base + string(rg.To)
	}
	if rg.After != "" {
		s.after = base + string(rg.After)
	}
	return s
}

// chunk is how many entries a scan holds at a time. Badger allows a writing
// transaction one iterator, and fn may want to walk another table.
const chunk = 256

type entry struct {
	key   string
	value []byte
}

// scan calls fn for the entries of s in order until it says no or fails.
func (tx *Tx) scan(s scan, fn func(key string, value []byte) (bool, error)) error {
	for {
		entries, err := tx.chunk(s)
		if err != nil {
			return err
		}
		for _, e := range entries {
			more, err := fn(e.key, e.value)
			if err != nil || !more {
				return err
			}
		}
		if len(entries) < chunk {
			return nil
		}
		s.after = entries[len(entries)-1].key
	}
}

// chunk reads the next entries of a scan.
func (tx *Tx) chunk(s scan) (entries []entry, err error) {
	o := badger.DefaultIteratorOptions
	o.PrefetchValues = false // values lie beside their keys
	o.Reverse = s.reverse
	o.Prefix = []byte(s.base)
	it := tx.txn.NewIterator(o)
	defer it.Close()
	for it.Seek([]byte(s.start())); it.ValidForPrefix([]byte(s.base)) && len(entries) < chunk; it.Next() {
		k := string(it.Item().Key())
		if s.past(k) {
			break
		}
		if !s.wants(k) {
			continue
		}
		v, err := it.Item().ValueCopy(nil)
		if err != nil {
			return nil, fmt.Errorf("store: %s: %w", tx.sp.name, err)
		}
		entries = append(entries, entry{k, v})
	}
	return entries, nil
}

// start is where the iterator begins.
func (s scan) start() string {
	if !s.reverse {
		return slices.Max([]string{s.base, s.from, s.after})
	}
	start := s.base + strings.Repeat("\xff", MaxKey) // above every key
	for _, bound := range []string{s.to, s.after} {
		if bound != "" {
			start = min(start, bound)
		}
	}
	return start
}

// past reports that k and all that follow lie outside.
func (s scan) past(k string) bool {
	if s.reverse {
		return s.from != "" && k < s.from
	}
	return s.to != "" && k >= s.to
}

// wants reports whether k, which is not past the end, lies inside.
func (s scan) wants(k string) bool {
	if s.reverse {
		return (s.to == "" || k < s.to) && (s.after == "" || k < s.after)
	}
	return s.after == "" || k > s.after
}
