package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestSyncAside: more files at a time than there are syncers reach the disk, by the
// kernel's own or by a thread, and what cannot be synced is an error as ever.
func TestSyncAside(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 3 * syncers {
		all.Go(func() {
			f, err := os.Create(filepath.Join(dir, string(rune('a'+i))))
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			for range 4 {
				if _, err := f.WriteString("row"); err != nil {
					t.Error(err)
				}
				if err := syncFile(f); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if syncFile(w) == nil {
		t.Error("a pipe was synced")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := syncFile(w); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed file: %v", err)
	}
	if n := len(idleSyncers); aside() && n == 0 || n > syncers {
		t.Errorf("%d syncers are kept", n)
	}
}
