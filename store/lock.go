package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// lockDir takes the lock of a store directory for as long as the file stays
// open; the kernel lets go of it however the process ends. The process id in
// the file is for the text of the error only.
func lockDir(dir string) (*os.File, error) {
	name := filepath.Join(dir, "lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := lockFile(f); err != nil {
		pid, _ := os.ReadFile(name) // without it the text is shorter
		f.Close()                   // read only so far
		return nil, fmt.Errorf("store: directory %s %w (pid %s)", dir, ErrLocked, strings.TrimSpace(string(pid)))
	}
	if err := f.Truncate(0); err != nil {
		return f, fmt.Errorf("store: %w", err)
	}
	if _, err := fmt.Fprintf(f, "%d\n", os.Getpid()); err != nil {
		return f, fmt.Errorf("store: %w", err)
	}
	return f, nil
}

// lockedByOther recognises the refusal of Badger's own lock, which has no
// sentinel; another program may have opened one of our directories with it.
func lockedByOther(err error) bool {
	return strings.Contains(err.Error(), "Cannot acquire directory lock")
}
