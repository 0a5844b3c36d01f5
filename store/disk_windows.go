package store

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile locks a file against every other process, or fails at once. The byte that
// is locked lies far behind the text, which stays readable for others.
func lockFile(f *os.File) error {
	const alone = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(f.Fd()), alone, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1})
}

// freeBytes is what this process may still write to a file system.
func freeBytes(dir string) (uint64, error) {
	var free uint64
	name, err := windows.UTF16PtrFromString(dir)
	if err == nil {
		err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	}
	if err != nil {
		return 0, fmt.Errorf("store: free space of %s: %w", dir, err)
	}
	return free, nil
}
