package store

import (
	"bytes"
	"runtime"
	"testing"
)

// TestFreshTablesAreMerged: no compactor looks after the small spaces, so the
// tables that writing leaves must be merged by us, or reading would slow down
// without end. What was written stays.
func TestFreshTablesAreMerged(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100 MiB")
	}
	db, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tab := NewTable[item](db.Live(), Bindings, 1)
	text := string(bytes.Repeat([]byte("x"), 256<<10))
	const rows = 400
	for i := range rows {
		if err := tab.Put(Int(int64(i)), item{ID: int64(i), Name: text}); err != nil {
			t.Fatal(err)
		}
	}
	sp := db.Live()
	if n := sp.badger.Load().Levels()[0].NumTables; n < mergeFrom && !sp.flattening.Load() {
		t.Logf("%d fresh tables: they were merged meanwhile", n)
	}
	for sp.merge(); sp.flattening.Load(); { // ends with the merge
		runtime.Gosched()
	}
	if n := sp.badger.Load().Levels()[0].NumTables; n >= mergeFrom {
		t.Errorf("%d fresh tables after the merge", n)
	}
	for i := range rows {
		if got, err := tab.Get(Int(int64(i))); err != nil || got.Name != text {
			t.Fatalf("row %d: %v", i, err)
		}
	}
}
