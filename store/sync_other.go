//go:build !linux

package store

import "os"

// syncFile brings a file to the disk, whoever has written it, by mapping it or
// otherwise.
func syncFile(f *os.File) error { return f.Sync() }
