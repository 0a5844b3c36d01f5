package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// syncsItself reports whether we bring the commits of the space to the disk.
func (sp *Space) syncsItself() bool { return sp.promise.late && sp.dir != "" }

// syncLogs brings all that was committed to the disk. Badger's own Sync leaves out
// the log of a table that is full and on its way to become a file of its own, so
// all logs that are there are synced: a log goes when its table is on the disk.
func (sp *Space) syncLogs() error {
	names, err := filepath.Glob(filepath.Join(sp.dir, "*.mem"))
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for _, name := range names {
		if err := syncNamed(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("store: %w", err)
		}
	}
	return nil
}

// syncNamed syncs the file of a name.
func syncNamed(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(syncFile(f), f.Close())
}
