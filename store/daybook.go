package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
)

// Daybook remembers by key what is going on, in case the process does not live to
// see the end of it. It is written for every change and read at the next start
// only, so it is no part of Badger, which would sort each entry, write it twice and
// forget it with as much work: sheets are appended to a file, and the whole is
// turned over to another file from time to time, with what counts by then. A killed
// process loses nothing of it and a power cut the last second, as of a space that
// is synced every second.
//
// Entries may be asked for by anybody; everything else belongs to one goroutine.
type Daybook struct {
	db *DB

	written atomic.Uint64 // sheets
	synced  uint64        // tend and close only

	mu     sync.Mutex
	leaves []leaf // oldest first; sheets go into the last
	number uint64 // of the last
	ended  bool
}

// leaf is a file of a Daybook, or what stands for it in memory.
type leaf interface {
	append(b []byte) error
	read() ([]byte, error)
	sync() error
	remove() error
	close() error
	name() string
}

// Sheet is a list of changes that are written together: all of them or none. Its
// zero value is empty.
type Sheet struct{ b []byte }

// A sheet on the disk is the length of its changes and their checksum, 4 bytes each,
// and the changes: what it is, the length of the key and the key; for more of an entry
// how long it was before; for an entry and more of it the length, 4 bytes, of the value
// and the value.
const (
	sheetHead = 8
	sheetPut  = 1
	sheetGone = 2
	sheetMore = 3
	daybookOf = "daybook-"
)

// Put says that key stands for what value appends to the buffer it is given. With an
// error of value the sheet is as it was.
func (p *Sheet) Put(key string, value func(b []byte) ([]byte, error)) error {
	before := len(p.b)
	p.begin(sheetPut, key)
	at := len(p.b)
	b, err := value(append(p.b, 0, 0, 0, 0))
	if err != nil {
		p.b = p.b[:before]
		return err
	}
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	p.b = b
	return nil
}

// Append says that more comes behind the value of key, which has been of a length. If
// the entry is not there, or not so long, because a sheet before could not be written
// or read, that changes nothing.
func (p *Sheet) Append(key string, length int, more []byte) {
	p.begin(sheetMore, key)
	p.b = binary.AppendUvarint(p.b, uint64(length))
	p.b = binary.BigEndian.AppendUint32(p.b, uint32(len(more)))
	p.b = append(p.b, more...)
}

// Delete says that key stands for nothing any more.
func (p *Sheet) Delete(key string) { p.begin(sheetGone, key) }

func (p *Sheet) begin(what byte, key string) {
	if len(p.b) == 0 {
		p.b = append(p.b, make([]byte, sheetHead)...)
	}
	p.b = append(p.b, what)
	p.b = binary.AppendUvarint(p.b, uint64(len(key)))
	p.b = append(p.b, key...)
}

// Len is the length of the sheet in bytes, 0 if it is empty.
func (p *Sheet) Len() int { return len(p.b) }

// Reset empties the sheet.
func (p *Sheet) Reset() { p.b = p.b[:0] }

// Daybook is the daybook of the store.
func (db *DB) Daybook() *Daybook { return db.daybook }

// open finds the files that earlier lives left.
func (d *Daybook) open() error {
	if d.db.cfg.InMemory {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(d.db.cfg.Dir, daybookOf+"*")) // sorted, and so by age
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for _, name := range names {
		if _, err := fmt.Sscanf(filepath.Base(name), daybookOf+"%016x", &d.number); err != nil {
			return fmt.Errorf("store: file %s %w: it is not named as a daybook", name, ErrDamaged)
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		d.leaves = append(d.leaves, &fileLeaf{File: f})
	}
	return nil
}

// Turn begins another file, into which sheets go from now on. Those before stay
// until Retire.
func (d *Daybook) Turn() error {
	var next leaf = &memoryLeaf{}
	if !d.db.cfg.InMemory {
		name := filepath.Join(d.db.cfg.Dir, fmt.Sprintf(daybookOf+"%016x", d.number+1))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		next = &fileLeaf{File: f, dir: d.db.cfg.Dir}
	}
	d.number++
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return errors.Join(fmt.Errorf("store: daybook: %w", ErrClosed), next.close())
	}
	d.leaves = append(d.leaves, next)
	return nil
}

// Retire removes all files but the one that Turn began last.
func (d *Daybook) Retire() error {
	d.mu.Lock()
	n := max(len(d.leaves)-1, 0)
	old := d.leaves[:n]
	d.leaves = slices.Clone(d.leaves[n:]) // others read the old ones
	d.mu.Unlock()
	var errs []error
	for _, l := range old {
		errs = append(errs, l.remove())
	}
	return errors.Join(errs...)
}

// Write appends a sheet to the file. Turn has begun one.
func (d *Daybook) Write(p *Sheet) error {
	if p.Len() == 0 {
		return nil
	}
	all := d.all()
	if len(all) == 0 {
		return fmt.Errorf("store: daybook: %w", ErrClosed)
	}
	binary.BigEndian.PutUint32(p.b, uint32(len(p.b)-sheetHead))
	binary.BigEndian.PutUint32(p.b[4:], crc32.Checksum(p.b[sheetHead:], castagnoli))
	if err := all[len(all)-1].append(p.b); err != nil {
		return fmt.Errorf("store: daybook: %w", err)
	}
	d.written.Add(1)
	return nil
}

func (d *Daybook) all() []leaf {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.leaves[:len(d.leaves):len(d.leaves)]
}

// Entries are the values by key, of earlier lives and of this one.
func (d *Daybook) Entries() (map[string][]byte, error) {
	entries := map[string][]byte{}
	for _, l := range d.all() {
		b, err := l.read()
		if err != nil {
			return nil, fmt.Errorf("store: daybook: %w", err)
		}
		if at := readSheets(b, entries); at < len(b) {
			// After a power cut the end may be torn. The rest counts: an entry
			// that was to change or to go is there as it was before.
			d.db.log.Error("daybook cannot be read to its end", "file", l.name(), "at", at, "of", len(b))
		}
	}
	return entries, nil
}

// readSheets applies the sheets of a file and returns where the first begins that is
// not whole, the length if all are.
func readSheets(b []byte, entries map[string][]byte) (whole int) {
	whole = len(b)
	for at := 0; at < len(b); {
		rest := b[at:]
		if len(rest) < sheetHead || uint64(binary.BigEndian.Uint32(rest)) > uint64(len(rest)-sheetHead) {
			return min(whole, at)
		}
		end := sheetHead + int(binary.BigEndian.Uint32(rest))
		body := rest[sheetHead:end]
		if len(body) == 0 || crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(rest[4:]) || !readChanges(body, entries) {
			whole = min(whole, at)
		}
		at += end
	}
	return whole
}

// readChanges applies the changes of a sheet; false if they make no sense.
func readChanges(b []byte, entries map[string][]byte) bool {
	for len(b) > 0 {
		what := b[0]
		n, size := binary.Uvarint(b[1:])
		if size <= 0 || n > uint64(len(b)-1-size) {
			return false
		}
		key := string(b[1+size : 1+size+int(n)])
		b = b[1+size+int(n):]
		length := uint64(0)
		switch what {
		case sheetGone:
			delete(entries, key)
			continue
		case sheetPut:
		case sheetMore:
			if length, size = binary.Uvarint(b); size <= 0 {
				return false
			}
			b = b[size:]
		default:
			return false
		}
		if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
			return false
		}
		end := 4 + int(binary.BigEndian.Uint32(b))
		was, ok := entries[key]
		switch {
		case what == sheetPut:
			entries[key] = b[4:end:end]
		case ok && uint64(len(was)) == length:
			entries[key] = append(was, b[4:end]...)
		}
		b = b[end:]
	}
	return true
}

// sync brings what was written to the disk.
func (d *Daybook) sync() error {
	n := d.written.Load()
	if n == d.synced {
		return nil
	}
	for _, l := range d.all() {
		if err := l.sync(); err != nil && !errors.Is(err, os.ErrClosed) { // Retire has removed it
			return fmt.Errorf("store: daybook: %w", err)
		}
	}
	d.synced = n
	return nil
}

// close syncs and closes the files. What they hold is for the next start.
func (d *Daybook) close() error {
	errs := []error{d.sync()}
	d.mu.Lock()
	leaves := d.leaves
	d.leaves, d.ended = nil, true
	d.mu.Unlock()
	for _, l := range leaves {
		errs = append(errs, l.close())
	}
	return errors.Join(errs...)
}
