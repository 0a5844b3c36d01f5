package store

import (
	"errors"
	"os"
	"slices"
	"sync"
)

// fileLeaf is a leaf on the disk.
type fileLeaf struct {
	*os.File
	at  int64  // end of what was written in this life; its writer's
	dir string // in which it is new, to be synced with it; empty once it was
}

func (l *fileLeaf) append(b []byte) error {
	if _, err := l.WriteAt(b, l.at); err != nil {
		return err // what is there of it is overwritten by the next
	}
	l.at += int64(len(b))
	return nil
}

func (l *fileLeaf) read() ([]byte, error) { return os.ReadFile(l.Name()) }

func (l *fileLeaf) name() string { return l.Name() }

// sync is called by one goroutine at a time.
func (l *fileLeaf) sync() error {
	err := syncFile(l.File)
	if err == nil && l.dir != "" {
		err = syncDir(l.dir)
		l.dir = ""
	}
	return err
}

func (l *fileLeaf) remove() error { return errors.Join(os.Remove(l.Name()), l.Close()) }
func (l *fileLeaf) close() error  { return l.Close() }

// memoryLeaf is a leaf of a store in memory.
type memoryLeaf struct {
	mu sync.Mutex
	b  []byte
}

func (l *memoryLeaf) append(b []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, b...)
	return nil
}

func (l *memoryLeaf) read() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.b), nil
}

func (l *memoryLeaf) name() string  { return "memory" }
func (l *memoryLeaf) sync() error   { return nil }
func (l *memoryLeaf) remove() error { return nil }
func (l *memoryLeaf) close() error  { return nil }
