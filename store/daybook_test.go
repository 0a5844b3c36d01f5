package store

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// put writes one sheet.
func (d *Daybook) note(t *testing.T, entries map[string]string, gone ...string) {
	t.Helper()
	var s Sheet
	for key, value := range entries {
		if err := s.Put(key, func(b []byte) ([]byte, error) { return append(b, value...), nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range gone {
		s.Delete(key)
	}
	if err := d.Write(&s); err != nil {
		t.Fatal(err)
	}
}

// more appends to an entry that is as long as was.
func (d *Daybook) more(t *testing.T, key, was, more string) {
	t.Helper()
	var s Sheet
	s.Append(key, len(was), []byte(more))
	if err := d.Write(&s); err != nil {
		t.Fatal(err)
	}
}

func (d *Daybook) want(t *testing.T, want map[string]string) {
	t.Helper()
	got, err := d.Entries()
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for key, value := range got {
		text[key] = string(value)
	}
	if !maps.Equal(text, want) {
		t.Errorf("got %v, want %v", text, want)
	}
}

func turn(t *testing.T, d *Daybook) {
	t.Helper()
	if err := d.Turn(); err != nil {
		t.Fatal(err)
	}
}

func retire(t *testing.T, d *Daybook) {
	t.Helper()
	if err := d.Retire(); err != nil {
		t.Fatal(err)
	}
}

func openDaybook(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(Config{Dir: dir, InMemory: dir == "", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// TestDaybook: the last word on a key counts, in whichever file it stands; what
// was retired is gone, also from the disk.
func TestDaybook(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		db := openDaybook(t, dir)
		d := db.Daybook()
		var s Sheet
		s.Delete("x")
		if err := d.Write(&s); err == nil {
			t.Error("a sheet was written into no file")
		}
		turn(t, d)
		d.note(t, map[string]string{"a": "1", "b": "2", "": "empty"})
		d.note(t, map[string]string{"a": "3"}, "b", "never there")
		d.want(t, map[string]string{"a": "3", "": "empty"})
		turn(t, d)
		d.note(t, map[string]string{"c": "4"}, "")
		d.want(t, map[string]string{"a": "3", "c": "4"})
		d.more(t, "a", "3", "3") // in another file
		d.more(t, "a", "33", "33")
		d.more(t, "a", "33", "not so long")
		d.more(t, "b", "", "not there")
		d.want(t, map[string]string{"a": "3333", "c": "4"})
		d.note(t, map[string]string{"a": "3"})
		if dir != "" {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = openDaybook(t, dir)
			d = db.Daybook()
			d.want(t, map[string]string{"a": "3", "c": "4"})
			turn(t, d)
			d.note(t, map[string]string{"a": "5"})
			d.want(t, map[string]string{"a": "5", "c": "4"})
		}
		turn(t, d)
		d.note(t, map[string]string{"e": "6"})
		retire(t, d)
		d.want(t, map[string]string{"e": "6"})
		if dir != "" {
			names, err := filepath.Glob(filepath.Join(dir, daybookOf+"*"))
			if err != nil || len(names) != 1 {
				t.Errorf("%v, %v", names, err)
			}
			info, err := os.Stat(names[0])
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Error("others may read the daybook", err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := d.Turn(); err == nil {
			t.Error("a closed daybook was turned over")
		}
	}
}

// TestDaybookReaders: who reads or syncs the files is not disturbed by Retire.
func TestDaybookReaders(t *testing.T) {
	db := openDaybook(t, "")
	defer func() { _ = db.Close() }() // it is in memory
	d := db.Daybook()
	for range 3 {
		turn(t, d)
	}
	seen := d.all()
	before := slices.Clone(seen)
	if err := d.Retire(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(seen, before) || len(d.all()) != 1 {
		t.Errorf("a reader of %v sees %v now; %d files are left", before, seen, len(d.all()))
	}
}

// TestDaybookDamage: whatever bit is changed and wherever the file ends, an entry
// is one that was written under its key, and only what stood in one place is lost.
func TestDaybookDamage(t *testing.T) {
	var whole []byte
	ever := map[string]bool{}
	dir := t.TempDir()
	db := openDaybook(t, dir)
	d := db.Daybook()
	turn(t, d)
	for i := range 20 {
		key := fmt.Sprint(i % 7)
		value := fmt.Sprint("value ", i)
		ever[key+value], ever[key+value+" and more"] = true, true
		d.note(t, map[string]string{key: value}, fmt.Sprint((i+3)%7))
		if i%3 == 0 {
			d.more(t, key, value, " and more")
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(filepath.Join(dir, daybookOf+"*"))
	whole, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, b []byte) {
		entries := map[string][]byte{}
		end := readSheets(b, entries)
		for key, value := range entries {
			if !ever[key+string(value)] {
				t.Fatalf("%s: %s is %q", what, key, value)
			}
		}
		if end == len(b) && len(b) == len(whole) {
			t.Fatalf("%s: not noticed", what)
		}
	}
	for i := range len(whole) * 8 {
		b := bytes.Clone(whole)
		b[i/8] ^= 1 << (i % 8)
		check(fmt.Sprint("bit ", i), b)
	}
	for i := range len(whole) {
		check(fmt.Sprint("cut at ", i), whole[:i])
		check(fmt.Sprint("zeros from ", i), slices.Concat(whole[:i], make([]byte, len(whole)-i)))
	}
}

// FuzzDaybook: no file makes the reader fail.
func FuzzDaybook(f *testing.F) {
	var s Sheet
	s.Delete("a")
	s.Append("a", 300, []byte("b"))
	f.Add(s.b)
	f.Fuzz(func(t *testing.T, b []byte) {
		entries := map[string][]byte{}
		if end := readSheets(b, entries); end < 0 || end > len(b) {
			t.Fatal(end)
		}
	})
}
