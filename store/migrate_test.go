package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
)

// childKill tells a child to migrate the store and to kill itself at that row.
const childKill = "STORE_TEST_KILL_AT"

// doubling moves the rows of Phones to their second form, in which the text is
// there twice, and copies each to Extensions; rows called "drop" go.
func doubling(at func()) migration {
	return migration{name: "doubling", space: "config", prefix: Phones,
		row: func(w *rewriter, key, value []byte) error {
			at()
			head, body, err := parseRow(value)
			if err != nil {
				return err
			}
			var text string
			if err := json.Unmarshal(body, &text); err != nil {
				return err
			}
			if text == "drop" {
				return w.delete(Phones, key)
			}
			body, err = json.Marshal(text + text)
			if err != nil {
				return err
			}
			head.version = 2
			row := append(head.bytes(len(body)), body...)
			return errors.Join(w.put(Phones, key, row), w.put(Extensions, key, row))
		}}
}

// migrateChild is what a child does under childKill.
func migrateChild(dir, at string) {
	n, err := strconv.Atoi(at)
	if err != nil {
		os.Exit(1)
	}
	list := []migration{doubling(func() {
		if n--; n == 0 {
			self, _ := os.FindProcess(os.Getpid()) // it is there
			self.Kill()
			select {} // until it arrives
		}
	})}
	if _, err := Open(Config{Dir: dir, Logger: quiet(), migrations: list}); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	os.Exit(0) // fewer rows than that
}

func TestMigrationSurvivesKills(t *testing.T) {
	const rows = 600
	dir := t.TempDir()
	db, err := Open(Config{Dir: dir, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	old := NewTable[string](db.Config(), Phones, 1)
	err = db.Config().Update(func(tx *Tx) error {
		for i := range rows {
			text := fmt.Sprint(i)
			if i%10 == 9 {
				text = "drop"
			}
			if err := old.In(tx).Put(Int(int64(i)), text); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{1, 200, 256, 257, 300, 40, 87, 44, 1} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir, childKill+"="+fmt.Sprint(at))
		if out, err := cmd.Output(); err == nil || len(out) > 0 {
			t.Fatalf("kill at %d: %v %s", at, err, out)
		}
	}
	db, err = Open(Config{Dir: dir, Logger: quiet(), migrations: []migration{doubling(func() {})}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Prefix{Phones, Extensions} {
		tab := NewTable[string](db.Config(), p, 2)
		n := 0
		err := tab.Each(Range{}, func(r Row[string]) error {
			n++
			i, _, err := r.Key.CutInt()
			if want := fmt.Sprint(i, i); err != nil || r.Value != strings.ReplaceAll(want, " ", "") {
				t.Errorf("%s %d is %q", p, i, r.Value)
			}
			return nil
		})
		if err != nil || n != rows*9/10 {
			t.Errorf("%s: %d rows, %v", p, n, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(Config{Dir: dir, Logger: quiet()}) // this release knows no migration
	if !errors.Is(err, ErrNewerStore) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("older release: %v", err)
	}
}

func TestMigrationsRunInOrderAndOnce(t *testing.T) {
	dir := t.TempDir()
	var ran []string
	note := func(name, space string) migration {
		return migration{name: name, space: space, prefix: Clients, row: func(*rewriter, []byte, []byte) error {
			ran = append(ran, name)
			return nil
		}}
	}
	open := func(list ...migration) {
		t.Helper()
		db, err := Open(Config{Dir: dir, Logger: quiet(), migrations: list})
		if err == nil {
			err = db.OpenRecords()
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, sp := range db.spaces() {
			err = errors.Join(err, NewTable[int](sp, Clients, 1).Put(Int(1), 1))
		}
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	a, b, c, d := note("a", "config"), note("b", "records"), note("c", "config"), note("d", "live")
	open(a)          // a new store is of the newest form
	open(a, b, c)    // config: c; records: b
	open(a, b, c, d) // live: d
	open(a, b, c, d)
	if got := strings.Join(ran, " "); got != "c b d" {
		t.Errorf("ran %q", got)
	}
}

func TestFailedMigrationRefusesTheStart(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Config{Dir: dir, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	err = NewTable[int](db.Config(), Clients, 1).Put(Int(1), 1)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	bad := migration{name: "bad", space: "config", prefix: Clients, row: func(*rewriter, []byte, []byte) error { return broken }}
	if _, err := Open(Config{Dir: dir, Logger: quiet(), migrations: []migration{bad}}); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	db, err = Open(Config{Dir: dir, Logger: quiet()}) // untouched
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewTable[int](db.Config(), Clients, 1).Get(Int(1)); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestForeignVersion: a row of a form this table does not know is an error.
func TestForeignVersion(t *testing.T) {
	db, err := Open(Config{InMemory: true, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := NewTable[int](db.Config(), Clients, 2).Put(Int(1), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := NewTable[int](db.Config(), Clients, 1).Get(Int(1)); !errors.Is(err, ErrNewerStore) {
		t.Fatalf("got %v", err)
	}
	bdb := db.config.badger.Load()
	err = bdb.Update(func(txn *badger.Txn) error { return txn.Set([]byte(rowKey(Clients, Int(1))), []byte{2}) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewTable[int](db.Config(), Clients, 2).Get(Int(1)); !errors.Is(err, ErrDamaged) {
		t.Fatalf("cut row: %v", err)
	}
}
