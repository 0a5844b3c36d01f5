package store

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// stored counts the keys of a table that lie in the space, rows, marks and
// index entries.
func stored(t *testing.T, sp *Space, p Prefix) (n int) {
	t.Helper()
	err := sp.View(func(tx *Tx) error {
		return tx.scan(scan{base: string(p)}, func(string, []byte) (bool, error) { n++; return true, nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestDeletedRowLeavesAMark until its own end, so that no older state of the key
// can come back as a live row; then everything of it is swept out.
func TestDeletedRowLeavesAMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memory(t)
		tab := items(db.Live(), Bindings)
		end := time.Now().Add(30 * time.Minute)
		for i := range 3 * chunk {
			if err := tab.Put(Int(int64(i)), item{ID: int64(i), Name: fmt.Sprint(i), Old: true, End: end}); err != nil {
				t.Fatal(err)
			}
		}
		if err := tab.Delete(Int(1)); err != nil {
			t.Fatal(err)
		}
		if n := stored(t, db.Live(), Bindings); n != 3*3*chunk-2 {
			t.Errorf("%d keys after the deletion", n)
		}
		raw := func() (b []byte) {
			err := db.Live().View(func(tx *Tx) (err error) { b, err = tx.get(rowKey(Bindings, Int(1))); return err })
			if err != nil && !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
			return b
		}
		if !tab.codec.isTombstone(raw()) {
			t.Errorf("in its place lies %x", raw())
		}
		if _, err := tab.Get(Int(1)); !errors.Is(err, ErrNotFound) {
			t.Errorf("deleted row: %v", err)
		}
		if err := tab.Check(); err != nil {
			t.Error(err)
		}
		time.Sleep(41 * time.Minute)
		if n := stored(t, db.Live(), Bindings); n != 0 {
			t.Errorf("%d keys after the sweep", n)
		}
	})
}

// TestIndexOfWhatIsStored: a network may send us bytes that JSON does not keep.
func TestIndexOfWhatIsStored(t *testing.T) {
	db := memory(t)
	tab := items(db.Live(), Bindings)
	if err := tab.Put(Int(1), item{Name: "a\xff"}); err != nil {
		t.Fatal(err)
	}
	row, err := tab.Lookup("name", Str("a\ufffd"))
	if err != nil || row.Key != Int(1) {
		t.Errorf("%+v %v", row, err)
	}
	if err := tab.Check(); err != nil {
		t.Error(err)
	}
}

// TestLiveIsSyncedEverySecond: the mark beside the space says what is on the disk.
func TestLiveIsSyncedEverySecond(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Config{Dir: dir, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	tab := NewTable[int](db.Live(), Bindings, 1)
	before := marked(t, dir)
	if err := tab.Put(Int(1), 1); err != nil {
		t.Fatal(err)
	}
	db.syncSpaces() // what the ticker does
	if after := marked(t, dir); after != before+1 {
		t.Errorf("marked %d, then %d", before, after)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func marked(t *testing.T, dir string) uint64 {
	t.Helper()
	m, n, err := openMark(dir+"/live.mark", quiet())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
	return n
}
