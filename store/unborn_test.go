package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestUnbornLogs: a process killed between making a log and giving it its size
// leaves an empty file; the store opens by itself all the same (D2).
func TestUnbornLogs(t *testing.T) {
	for _, unborn := range []string{"00099.mem", "000099.vlog"} {
		t.Run(unborn, func(t *testing.T) {
			dir := t.TempDir()
			write := func(id int64) {
				t.Helper()
				db, err := Open(Config{Dir: dir, Logger: quiet()})
				if err != nil {
					t.Fatal(err)
				}
				tab := items(db.Config(), Clients)
				if err := tab.Put(Int(id), item{ID: id, Name: fmt.Sprint(id)}); err != nil {
					t.Fatal(err)
				}
				if _, err := tab.Get(Int(1)); err != nil {
					t.Errorf("the first row: %v", err)
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
			write(1)
			if err := os.WriteFile(filepath.Join(dir, "config", unborn), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			write(2)
		})
	}
}

// TestLogCutToNothing: an empty log that held commits is damage, not unborn.
func TestLogCutToNothing(t *testing.T) {
	dir := t.TempDir()
	runChild(t, dir, 50*time.Millisecond, false)
	names, err := filepath.Glob(filepath.Join(dir, "config", "*.mem"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no log after a kill: %v", err)
	}
	for _, name := range names {
		if err := os.Truncate(name, 0); err != nil {
			t.Fatal(err)
		}
	}
	if db, err := Open(Config{Dir: dir, Logger: quiet()}); err == nil {
		t.Error("opened although commits are gone")
		_ = db.Close()
	}
}
