package store

import (
	"fmt"
	"os"
	"path/filepath"
)

// removeUnborn removes the logs of a space that a killed process had made and
// not yet given their size. They hold nothing, and Badger takes each for a new
// file where it expects an old one and does not open. A log that held something
// and was cut to nothing is still found out: the commits in it are missed.
func removeUnborn(dir string) error {
	for _, kind := range []string{"*.mem", "*.vlog"} {
		names, err := filepath.Glob(filepath.Join(dir, kind))
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil {
				return fmt.Errorf("store: %w", err)
			}
			if info.Size() > 0 {
				continue
			}
			if err := os.Remove(name); err != nil {
				return fmt.Errorf("store: %w", err)
			}
		}
	}
	return nil
}
