package storetest

import (
	"log/slog"
	"testing"

	"github.com/cordpair/cordpair/store"
)

// Open returns an empty store in memory with all spaces open, and closes it at
// the end of the test. Inside a synctest bubble give it the bubble's t, so that
// it is closed there too.
func Open(t testing.TB) *store.DB {
	t.Helper()
	return open(t, store.Config{InMemory: true})
}

// OpenDir is Open over a directory, for tests that open a store again.
func OpenDir(t testing.TB, dir string) *store.DB {
	t.Helper()
	return open(t, store.Config{Dir: dir})
}

func open(t testing.TB, cfg store.Config) *store.DB {
	t.Helper()
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	db, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.OpenRecords(); err != nil {
		t.Fatal(err)
	}
	return db
}
