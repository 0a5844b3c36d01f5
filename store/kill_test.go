package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childDir tells a re-executed test binary to write to that store until killed.
const childDir = "STORE_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if at := os.Getenv(childKill); at != "" {
			migrateChild(dir, at)
		}
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

type item struct {
	ID   int64
	Name string
	Old  bool
	Pad  string // so that logs rotate and tables are compacted under way
	End  time.Time
}

func (i item) Expires() time.Time { return i.End }

func items(sp *Space, p Prefix) *Table[item] {
	return NewTable(sp, p, 1,
		Index[item]{Name: "name", Unique: true, Keys: func(i item) []Key { return []Key{Str(i.Name)} }},
		Index[item]{Name: "old", Keys: func(i item) []Key {
			if !i.Old {
				return nil
			}
			return []Key{Int(i.ID % 7)}
		}})
}

// child writes to all three spaces from several goroutines and says on its
// standard output what was acknowledged: "space id".
func child(dir string) {
	db, err := Open(Config{Dir: dir, Logger: quiet()})
	if err == nil {
		err = db.OpenRecords()
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("open")
	end := time.Now().Add(24 * time.Hour)
	pad := strings.Repeat("pad ", 500)
	for _, sp := range db.spaces() {
		tab := items(sp, Clients)
		for range 3 {
			go func() { // ends with the process
				for {
					var id int64
					err := sp.Update(func(tx *Tx) error {
						var err error
						if id, err = tx.NextID(Clients); err != nil {
							return err
						}
						if id > 20 { // the neighbour changes names, an old one goes
							if old, err := tab.In(tx).Get(Int(id - 1)); err == nil {
								old.Name += " again"
								if err := tab.In(tx).Put(Int(id-1), old); err != nil {
									return err
								}
							}
							if err := tab.In(tx).Delete(Int(id - 20)); err != nil {
								return err
							}
						}
						return tab.In(tx).Put(Int(id), item{ID: id, Name: fmt.Sprint("n", id), Old: id%2 == 0, Pad: pad, End: end})
					})
					if err != nil {
						fmt.Println("error", err)
						os.Exit(1)
					}
					fmt.Println(sp.name, id) // one write, so whole lines
				}
			}()
		}
	}
	select {} // until killed
}

// runChild lets a child write for a while, kills it and returns what it said. Its
// life begins when it has opened the store, or with early at once.
func runChild(t *testing.T, dir string, life time.Duration, early bool) (acked map[string][]int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() { cmd.Process.Kill() } // a child gone already is reported by Wait
	if early {
		defer time.AfterFunc(life, kill).Stop()
	}
	lines := bufio.NewReader(out)
	acked = make(map[string][]int64)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // what a killed child had not written to the end
		}
		if err != nil {
			t.Fatal(err)
		}
		space, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch id, err := strconv.ParseInt(rest, 10, 64); {
		case space == "open":
			if !early {
				defer time.AfterFunc(life, kill).Stop()
			}
		case err != nil:
			t.Fatalf("child: %s", line)
		default:
			acked[space] = append(acked[space], id)
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("child ended by itself")
	}
	return acked
}

// TestKill kills a writer at random moments, again and again over one store.
// Each time the store opens by itself, holds what was acknowledged, its indexes
// agree with the rows, and no id was given twice.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for seconds")
	}
	dir := t.TempDir()
	last := map[string]int64{}
	total := 0
	for round := range 20 {
		acked := runChild(t, dir, time.Duration(5+rand.IntN(120))*time.Millisecond, round%4 == 0)
		db, err := Open(Config{Dir: dir, Logger: quiet()})
		if err == nil {
			err = db.OpenRecords()
		}
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for _, sp := range db.spaces() {
			total += len(acked[sp.name])
			last[sp.name] = checkSpace(t, sp, acked[sp.name], last[sp.name])
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d acknowledged transactions survived 20 kills", total)
	if total == 0 {
		t.Fatal("the children wrote nothing")
	}
}

// checkSpace compares a space with what was acknowledged in the last round and
// returns the highest id given so far.
func checkSpace(t *testing.T, sp *Space, acked []int64, before int64) int64 {
	t.Helper()
	tab := items(sp, Clients)
	if err := tab.Check(); err != nil {
		t.Errorf("%s: %v", sp.name, err)
	}
	seen := map[int64]bool{}
	top := before
	for _, id := range acked {
		if seen[id] || id <= before {
			t.Errorf("%s: id %d given twice, %d was reached before", sp.name, id, before)
		}
		seen[id] = true
		top = max(top, id)
	}
	highest := top
	err := tab.Each(Range{}, func(row Row[item]) error {
		highest = max(highest, row.Value.ID)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, id := range acked {
		row, err := tab.Get(Int(id))
		switch {
		case id+20 <= highest && errors.Is(err, ErrNotFound): // deleted by a later one
		case err != nil:
			t.Errorf("%s: acknowledged row %d: %v", sp.name, id, err)
		case row.ID != id:
			t.Errorf("%s: row %d is %+v", sp.name, id, row)
		}
	}
	next, err := sp.NextID(Clients)
	if err != nil || next <= highest {
		t.Errorf("%s: next id %d after %d: %v", sp.name, next, highest, err)
	}
	return max(highest, next)
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Config{Dir: dir, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.Output()
	if err == nil {
		t.Fatal("second process opened the store")
	}
	want := fmt.Sprintf("error store: directory %s is in use by another process (pid %d)\n", dir, os.Getpid())
	if string(out) != want {
		t.Fatalf("said %q, want %q", out, want)
	}
	if _, err := Open(Config{Dir: dir, Logger: quiet()}); !errors.Is(err, ErrLocked) {
		t.Fatalf("second time in one process: %v", err)
	}
}
