package store

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func memory(t testing.TB) *DB {
	t.Helper()
	db, err := Open(Config{InMemory: true, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// names lists the names in a table, in the order of their keys.
func names(t *testing.T, tab *Table[item]) string {
	t.Helper()
	page, err := tab.List(Range{})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range page.Rows {
		list = append(list, r.Value.Name)
	}
	return strings.Join(list, ",")
}

// TestGroup: submissions made while the committer is busy share a commit; one
// that fails leaves no trace and disturbs nobody; done is called in order.
func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memory(t)
		tab := items(db.Config(), Clients)
		if err := tab.Put(Int(0), item{Name: "zero"}); err != nil {
			t.Fatal(err)
		}
		before := db.Config().Stats().Commits
		hold := make(chan struct{})
		db.Config().Submit(func(*Tx) error { <-hold; return nil }, nil)
		synctest.Wait()
		broken := errors.New("broken")
		var order []int
		errs := map[int]error{}
		for i := 1; i <= 6; i++ {
			db.Config().Submit(func(tx *Tx) error {
				if err := tab.In(tx).Put(Int(0), item{Name: fmt.Sprint("zero after ", i)}); err != nil {
					return err
				}
				if err := tab.In(tx).Put(Int(int64(i)), item{ID: int64(i), Name: fmt.Sprint("n", i)}); err != nil {
					return err
				}
				switch i {
				case 2:
					return broken
				case 4:
					panic("four")
				case 5:
					return tab.In(tx).Put(Int(99), item{Name: "n1"}) // taken
				}
				return nil
			}, func(err error) { order, errs[i] = append(order, i), err })
		}
		if n := db.Config().Stats().Waiting; n != 6 {
			t.Errorf("%d wait", n)
		}
		close(hold)
		synctest.Wait()
		if !slices.Equal(order, []int{1, 2, 3, 4, 5, 6}) {
			t.Errorf("order %v", order)
		}
		if errs[1] != nil || errs[3] != nil || errs[6] != nil || !errors.Is(errs[2], broken) ||
			!strings.Contains(fmt.Sprint(errs[4]), "four") || !errors.Is(errs[5], ErrTaken) {
			t.Errorf("outcomes %v", errs)
		}
		if n := db.Config().Stats().Commits - before; n > 3 { // those between two that failed share one
			t.Errorf("%d commits", n)
		}
		if got := names(t, tab); got != "zero after 6,n1,n3,n6" {
			t.Errorf("rows %s", got)
		}
		if err := tab.Check(); err != nil {
			t.Error(err)
		}
	})
}

// TestTooLarge: a transaction that no commit can hold fails alone; those around
// it are written.
func TestTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memory(t)
		tab := NewTable[string](db.Config(), Clients, 1)
		row := strings.Repeat("x", 100<<10)
		hold := make(chan struct{})
		db.Config().Submit(func(*Tx) error { <-hold; return nil }, nil)
		errs := make([]error, 5)
		for i := range errs {
			rows := 4
			if i == 2 {
				rows = 20
			}
			db.Config().Submit(func(tx *Tx) error {
				for j := range rows {
					if err := tab.In(tx).Put(Join(Int(int64(i)), Int(int64(j))), row); err != nil {
						return err
					}
				}
				return nil
			}, func(err error) { errs[i] = err })
		}
		close(hold)
		synctest.Wait()
		for i, err := range errs {
			if (i == 2) != errors.Is(err, ErrTooLarge) || i != 2 && err != nil {
				t.Errorf("%d: %v", i, err)
			}
			page, err := tab.List(Range{Prefix: Int(int64(i))})
			if want := map[bool]int{true: 0, false: 4}[i == 2]; err != nil || len(page.Rows) != want {
				t.Errorf("%d: %d rows, %v", i, len(page.Rows), err)
			}
		}
		if err := tab.Put(Int(9), strings.Repeat("x", MaxRow)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("row: %v", err)
		}
		if err := tab.Put(Str(strings.Repeat("x", MaxKey)), ""); !errors.Is(err, ErrTooLarge) {
			t.Errorf("key: %v", err)
		}
	})
}

func TestFullQueueRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memory(t)
		hold := make(chan struct{})
		db.Live().Submit(func(*Tx) error { <-hold; return nil }, nil)
		synctest.Wait()
		ran, refused := 0, 0
		for range maxQueue + 10 {
			db.Live().Submit(func(*Tx) error { ran++; return nil }, func(err error) {
				if errors.Is(err, ErrBusy) {
					refused++
				}
			})
		}
		if refused != 10 {
			t.Errorf("%d refused", refused)
		}
		close(hold)
		synctest.Wait()
		if ran != maxQueue {
			t.Errorf("%d ran", ran)
		}
	})
}

// TestClose: what was submitted before is committed, what comes after is refused.
func TestClose(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Config{Dir: dir, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	tab := NewTable[int](db.Live(), Bindings, 1)
	if err := NewTable[int](db.Records(), Calls, 1).Put(Int(1), 1); !errors.Is(err, ErrClosed) {
		t.Errorf("records before they are open: %v", err)
	}
	var wg sync.WaitGroup
	wg.Add(500)
	for i := range 500 {
		db.Live().Submit(func(tx *Tx) error { return tab.In(tx).Put(Int(int64(i)), i) }, func(err error) {
			if err != nil {
				t.Error(err)
			}
			wg.Done()
		})
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := errors.Join(tab.Put(Int(1), 1), db.Close()); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	if _, err := tab.Get(Int(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	if db, err = Open(Config{Dir: dir, Logger: quiet()}); err != nil {
		t.Fatal(err)
	}
	page, err := NewTable[int](db.Live(), Bindings, 1).List(Range{})
	if err != nil || len(page.Rows) != 500 {
		t.Errorf("%d rows, %v", len(page.Rows), err)
	}
	if free, err := db.FreeBytes(); err != nil || free == 0 {
		t.Errorf("free: %d %v", free, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFailedCommitStopsWrites(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Config{Dir: dir, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	tab := NewTable[int](db.Config(), Clients, 1)
	if err := tab.Put(Int(1), 1); err != nil {
		t.Fatal(err)
	}
	if err := db.config.mark.close(); err != nil { // the next commit cannot be marked
		t.Fatal(err)
	}
	if err := tab.Put(Int(2), 2); !errors.Is(err, ErrFailed) || !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := tab.Put(Int(3), 3); !errors.Is(err, ErrFailed) {
		t.Errorf("afterwards %v", err)
	}
	if n, err := tab.Get(Int(1)); n != 1 || err != nil {
		t.Errorf("reading: %d %v", n, err)
	}
	if err := db.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("close: %v", err)
	}
}

func TestWatch(t *testing.T) {
	db := memory(t)
	tab := items(db.Config(), Clients)
	var seen []string
	cancel := tab.Watch(func(ch Change[item]) {
		name := func(i *item) string {
			if i == nil {
				return "-"
			}
			return i.Name
		}
		seen = append(seen, name(ch.Old)+">"+name(ch.New))
	})
	err := db.Config().Update(func(tx *Tx) error {
		r := tab.In(tx)
		return errors.Join(r.Put(Int(1), item{Name: "a"}), r.Put(Int(1), item{Name: "b"}), r.Put(Int(2), item{Name: "c"}))
	})
	err = errors.Join(err, tab.Delete(Int(1)), tab.Delete(Int(1)))
	failed := db.Config().Update(func(tx *Tx) error {
		return errors.Join(tab.In(tx).Put(Int(5), item{Name: "never"}), errors.New("no"))
	})
	if err != nil || failed == nil {
		t.Fatal(err, failed)
	}
	cancel()
	if err := tab.Put(Int(3), item{Name: "unheard"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen, " "); got != "->a a>b ->c b>-" {
		t.Errorf("saw %s", got)
	}
}

func TestViewIsOnePictureAndReadsOnly(t *testing.T) {
	db := memory(t)
	tab := NewTable[int](db.Config(), Clients, 1)
	if err := tab.Put(Int(1), 1); err != nil {
		t.Fatal(err)
	}
	err := db.Config().View(func(tx *Tx) error {
		if err := tab.Put(Int(1), 2); err != nil { // from outside
			return err
		}
		if n, err := tab.In(tx).Get(Int(1)); n != 1 || err != nil {
			t.Errorf("saw %d, %v", n, err)
		}
		return tab.In(tx).Put(Int(2), 2)
	})
	if !errors.Is(err, ErrReadOnly) {
		t.Errorf("write: %v", err)
	}
}

func TestSequences(t *testing.T) {
	dir := t.TempDir()
	var got []int64
	for range 3 {
		db, err := Open(Config{Dir: dir, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			id, err := db.Config().NextID(Clients)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, id)
		}
		if id, err := db.Config().NextID(Phones); err != nil || id != got[len(got)-1]/2 {
			t.Errorf("other sequence: %d %v", id, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, []int64{1, 2, 3, 4, 5, 6}) {
		t.Errorf("ids %v", got)
	}
}

// TestLateSubmissions: they are answered in their order with the first that cannot
// wait, and before Close returns.
func TestLateSubmissions(t *testing.T) {
	db, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.OpenRecords(); err != nil {
		t.Fatal(err)
	}
	rows := NewTable[string](db.Records(), Calls, 1)
	var answered []int // by the committer; read after what follows it
	late := func(i int) {
		db.Records().SubmitLate(func(tx *Tx) error {
			return rows.In(tx).Put(Int(int64(i)), "late")
		}, func(err error) {
			if err != nil {
				t.Error(err)
			}
			answered = append(answered, i)
		})
	}
	late(1)
	late(2)
	if err := rows.Put(Int(3), "now"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(answered, []int{1, 2}) {
		t.Errorf("answered: %v", answered)
	}
	late(4)
	late(5)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(answered, []int{1, 2, 4, 5}) {
		t.Errorf("answered: %v", answered)
	}
}
