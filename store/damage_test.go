package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// fastDir is a directory in memory where there is such a thing: these tests are
// not about the disk and would wait for its syncs most of the time.
func fastDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "store")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) // at worst left to the system
	return dir
}

// fill writes rows of known content; closing or not decides whether they end in
// tables or stay in the log.
func fill(t *testing.T, dir string, from, to int) *DB {
	t.Helper()
	db, err := Open(Config{Dir: dir, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	tab := NewTable[string](db.Config(), Clients, 1)
	for i := from; i < to; i++ {
		if err := tab.Put(Int(int64(i)), content(i)); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func content(i int) string { return fmt.Sprintf("row %d %s", i, strings.Repeat("x", i%50)) }

// files are the files below a directory: their bytes up to the last that is not
// zero, and their size.
type files map[string]struct {
	bytes []byte
	size  int64
}

// snapshot reads the files of a store as a killed process would leave them.
func snapshot(t *testing.T, dir string) files {
	t.Helper()
	all := files{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		one := all[name]
		one.bytes, one.size = bytes.Clone(bytes.TrimRight(b, "\x00")), int64(len(b))
		all[name] = one
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// write lays the files out in a new directory.
func (f files) write(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(fastDir(t), "copy")
	for name, one := range f {
		name = filepath.Join(dir, name)
		err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700),
			os.WriteFile(name, one.bytes, 0o600), os.Truncate(name, one.size))
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// verify opens the store and reads all rows: what is wrong, or the error met.
func verify(dir string, rows int) (wrong string, refused error) {
	db, err := Open(Config{Dir: dir, Logger: quiet()})
	if err != nil {
		return "", err
	}
	defer db.Close()
	tab := NewTable[string](db.Config(), Clients, 1)
	page, err := tab.List(Range{})
	if err != nil {
		return "", err
	}
	if len(page.Rows) != rows {
		return fmt.Sprintf("%d rows of %d", len(page.Rows), rows), nil
	}
	for i, row := range page.Rows {
		if row.Value != content(i) {
			return fmt.Sprintf("row %d is %q", i, row.Value), nil
		}
	}
	return "", nil
}

// TestFlippedByte changes bytes of every file of the configuration, one at a
// time: the store refuses to start naming what is damaged, or every value is
// right. Both forms are tried: with the rows in the log, and in tables.
func TestFlippedByte(t *testing.T) {
	const rows = 300
	dir := fastDir(t)
	if err := fill(t, dir, 0, rows/2).Close(); err != nil {
		t.Fatal(err)
	}
	db := fill(t, dir, rows/2, rows)
	killed := snapshot(t, dir) // tables and a log
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for form, all := range map[string]files{"killed": killed, "closed": snapshot(t, dir)} {
		if wrong, refused := verify(all.write(t), rows); refused != nil || wrong != "" {
			t.Fatalf("%s, undamaged: %v %s", form, refused, wrong)
		}
		for name := range all {
			if filepath.Dir(name) == "config" {
				flipBytes(t, form, all, name, rows)
			}
		}
	}
}

// flipBytes tries some bytes of a file: its ends and a random choice of what is
// not zero between them.
func flipBytes(t *testing.T, form string, all files, name string, rows int) {
	used := len(all[name].bytes)
	tries := map[int]bool{used: true}
	for i := range 2 {
		tries[i], tries[used-1-i], tries[20+i*used/3] = true, true, true
		tries[rand.IntN(used+1)] = true
	}
	refusals := 0
	for at := range tries {
		if at < 0 || int64(at) >= all[name].size {
			continue
		}
		dir := all.write(t)
		bad := append(bytes.Clone(all[name].bytes), 0)
		bad[at%len(bad)] ^= 1 << rand.IntN(8)
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteAt(bad[:min(int64(len(bad)), all[name].size)], 0)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		wrong, refused := verify(dir, rows)
		os.RemoveAll(dir) // they are many
		if wrong != "" {
			t.Errorf("%s, %s byte %d of %d: %s", form, name, at, used, wrong)
		}
		if refused != nil {
			refusals++
			if !strings.Contains(refused.Error(), filepath.Join(dir, "config")) {
				t.Errorf("%s, %s byte %d: the text names no file: %v", form, name, at, refused)
			}
		}
	}
	t.Logf("%s, %s: %d of %d refused", form, name, refusals, len(tries))
	if strings.HasSuffix(name, ".sst") && refusals < len(tries)-1 {
		t.Errorf("%s, %s: damage went unseen", form, name)
	}
}

// killed fills a store and returns its files as of before Close, and the name of
// its log.
func killed(t *testing.T, rows int) (files, string) {
	t.Helper()
	dir := fastDir(t)
	db := fill(t, dir, 0, rows)
	all := snapshot(t, dir)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for name := range all {
		if filepath.Dir(name) == "config" && filepath.Ext(name) == ".mem" {
			return all, name
		}
	}
	t.Fatal("no log")
	return nil, ""
}

func TestTornTailIsNoDamage(t *testing.T) {
	all, name := killed(t, 50)
	log := all[name]
	_, end, _ := readLog(append(log.bytes, make([]byte, 64)...))
	log.bytes = append(log.bytes[:end:end], log.bytes[logHeader:logHeader+25]...) // the beginning of a record
	all[name] = log
	if wrong, refused := verify(all.write(t), 50); refused != nil || wrong != "" {
		t.Fatalf("%v %s", refused, wrong)
	}
}

func TestLostLogIsDamage(t *testing.T) {
	all, name := killed(t, 50)
	delete(all, name)
	if _, refused := verify(all.write(t), 50); !errors.Is(refused, ErrDamaged) {
		t.Fatalf("got %v", refused)
	}
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := fill(t, dir, 0, 10).Close(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has %o", path, info.Mode().Perm())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
