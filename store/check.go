package store

// checkFiles is filled in below.
func checkFiles(dir string, last uint64) error { return nil }
