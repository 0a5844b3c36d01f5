package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/dgraph-io/badger/v4"
)

// TestCloseWithoutDirectory: a store whose directory has gone closes all the same,
// and says what it could not do.
func TestCloseWithoutDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	db, err := Open(Config{Dir: dir, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	tab := NewTable[int](db.Config(), Clients, 1)
	if err := tab.Put(Int(1), 1); err != nil {
		t.Fatal(err)
	}
	badgers := []*badger.DB{db.live.badger.Load(), db.config.badger.Load()}
	if err := os.Rename(dir, dir+" elsewhere"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); !errors.Is(err, ErrFailed) {
		t.Errorf("close: %v", err)
	}
	if err := os.Rename(dir+" elsewhere", dir); err != nil {
		t.Fatal(err)
	}
	for _, b := range badgers { // they can end now, and Close waits until they have
		_ = b.Close() // what it finds is said above
	}
	if db, err = Open(Config{Dir: dir, Logger: quiet()}); err != nil {
		t.Fatal(err)
	}
	tab = NewTable[int](db.Config(), Clients, 1)
	if n, err := tab.Get(Int(1)); n != 1 || err != nil {
		t.Errorf("the next start finds %d, %v", n, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
