package reglog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quietly(retention time.Duration) Options {
	return Options{Retention: retention, Logger: slog.New(slog.DiscardHandler)}
}

// run starts Run; stop ends it and returns when all is written.
func run(t testing.TB, l *Log) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { l.Run(ctx); close(ended) }() // ends when stop cancels ctx
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// phone is a phone of client 1 that came or went.
func phone(extension int64, on bool) Change {
	c := Change{
		Client: 1, Extension: extension, Group: extension % 2, Name: fmt.Sprint(100 + extension),
		Type: dialplan.TypePhone, Wanted: true, Added: on, At: time.Now(),
	}
	if on {
		c.Left = 1
	}
	return c
}

// list is what List answers, as the API would write it.
func list(t testing.TB, l *Log, q Query) string {
	t.Helper()
	entries, _, err := l.List(q)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestOnlyTransitionsOfPhonesWhoseClientWantsIt(t *testing.T) {
	base := Change{Client: 1, Extension: 7, Name: "601", Type: dialplan.TypePhone, Wanted: true}
	for name, row := range map[string]struct {
		edit func(*Change)
		want string
	}{
		"first came":  {func(c *Change) { c.Added, c.Left = true, 1 }, "on"},
		"second came": {func(c *Change) { c.Added, c.Left = true, 2 }, ""},
		"one of two":  {func(c *Change) { c.Left = 1 }, ""},
		"last went":   {func(c *Change) {}, "off"},
		"not wanted":  {func(c *Change) { c.Wanted = false }, ""},
		"a queue":     {func(c *Change) { c.Type = dialplan.TypeQueue }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(storetest.Open(t), quietly(0))
				run(t, l)
				c := base
				c.At = time.Now()
				row.edit(&c)
				l.Note(c)
				time.Sleep(time.Second)
				want := "[]"
				if row.want != "" {
					want = fmt.Sprintf(`[{"date_gmt":"2000-01-01 00:00:00","status":%q,"short_ext_name":"601"}]`, row.want)
				}
				if got := list(t, l, Query{Client: 1}); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		})
	}
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(storetest.Open(t), quietly(0))
		run(t, l)
		begun := time.Now()
		for i := range 6 { // 101 on, 102 on, 103 on, 101 off …, a minute apart
			l.Note(phone(int64(i%3+1), i < 3))
			time.Sleep(time.Minute)
		}
		other := phone(1, true)
		other.Client, other.Extension, other.Group = 2, 50, 9
		l.Note(other)
		time.Sleep(time.Second)
		at := func(minute int) time.Time { return begun.Add(time.Duration(minute) * time.Minute) }
		for name, row := range map[string]struct {
			q    Query
			want []string
		}{
			"newest first":      {Query{Client: 1}, []string{"off 103", "off 102", "off 101", "on 103", "on 102", "on 101"}},
			"oldest first":      {Query{Client: 1, OldestFirst: true, Limit: 2}, []string{"on 101", "on 102"}},
			"an extension":      {Query{Client: 1, Extension: 2}, []string{"off 102", "on 102"}},
			"a group":           {Query{Client: 1, Group: 1, OldestFirst: true}, []string{"on 101", "on 103", "off 101", "off 103"}},
			"not in the group":  {Query{Client: 1, Group: 1, Extension: 2}, nil},
			"from, included":    {Query{Client: 1, From: at(4)}, []string{"off 103", "off 102"}},
			"to, not included":  {Query{Client: 1, To: at(1)}, []string{"on 101"}},
			"between":           {Query{Client: 1, From: at(1), To: at(3), OldestFirst: true}, []string{"on 102", "on 103"}},
			"foreign extension": {Query{Client: 2, Extension: 1}, nil},
			"foreign group":     {Query{Client: 1, Group: 9}, nil},
			"nobody":            {Query{Client: 3}, nil},
		} {
			entries, _, err := l.List(row.q)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(entries); !slices.Equal(got, row.want) {
				t.Errorf("%s: %v, want %v", name, got, row.want)
			}
		}
		if _, _, err := l.List(Query{}); !errors.Is(err, ErrNoClient) {
			t.Errorf("without a client: %v", err)
		}
	})
}

func names(entries []Entry) []string {
	var list []string
	for _, e := range entries {
		list = append(list, string(e.Status)+" "+e.Name)
	}
	return list
}

// Pages of any size put together are the whole list, also where many entries
// have the same time, in either order.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(storetest.Open(t), quietly(0))
		run(t, l)
		for i := range 40 {
			l.Note(phone(int64(i+1), true))
			time.Sleep(time.Duration(i%3/2) * time.Second)
		}
		time.Sleep(time.Second)
		for size := 1; size < 45; size += 4 {
			for _, oldest := range []bool{true, false} {
				var got []string
				q := Query{Client: 1, Limit: size, OldestFirst: oldest}
				for {
					entries, next, err := l.List(q)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, names(entries)...)
					if next == "" {
						break
					}
					q.After = next
				}
				if !oldest {
					slices.Reverse(got)
				}
				if len(got) != 40 || got[0] != "on 101" || got[39] != "on 140" || !slices.IsSorted(got) {
					t.Fatalf("pages of %d: %v", size, got)
				}
			}
		}
	})
}

// The edge never waits: a queue that is full loses, and counts what it lost.
func TestFullQueue(t *testing.T) {
	l := New(storetest.Open(t), quietly(0)) // Run does not run
	for range maxQueue + 3 {
		l.Note(phone(1, true))
	}
	if s := l.Stats(); s.Queued != maxQueue || s.Lost != 3 {
		t.Errorf("%+v", s)
	}
}

// Many entries are few commits, and Run leaves none behind.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		l := New(db, quietly(0))
		stop := run(t, l)
		synctest.Wait()
		for range 1500 {
			l.Note(phone(1, true))
		}
		time.Sleep(time.Second)
		if s, n := l.Stats(), db.Records().Stats().Commits; s.Written != 1500 || n > 4 {
			t.Errorf("%+v in %d commits, want 1500 in 3", s, n)
		}
		l.Note(phone(1, false))
		stop()
		if s := l.Stats(); s.Written != 1501 || s.Queued != 0 {
			t.Errorf("%+v; the last one must be written before Run ends", s)
		}
		l.Note(phone(1, true))
		if s := l.Stats(); s.Lost != 1 || s.Queued != 0 {
			t.Errorf("%+v; what comes after the end is lost and counted", s)
		}
	})
}

// Entries wait for a records space that opens late.
func TestSpaceOpensLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(store.Config{InMemory: true})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		l := New(db, quietly(0))
		stop := run(t, l)
		defer stop()
		l.Note(phone(1, true))
		time.Sleep(5 * time.Second)
		if s := l.Stats(); s.Written != 0 || s.Queued != 1 {
			t.Errorf("before: %+v", s)
		}
		if err := db.OpenRecords(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if s := l.Stats(); s.Written != 1 || s.Queued != 0 {
			t.Errorf("after: %+v", s)
		}
	})
}

func TestClosedStoreLosesAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(store.Config{InMemory: true})
		if err != nil {
			t.Fatal(err)
		}
		l := New(db, quietly(0))
		stop := run(t, l)
		l.Note(phone(1, true))
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		stop()
		if s := l.Stats(); s.Lost != 1 || s.Queued != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// What was written is there after a kill, whose files a copy has, and the numbers
// go on.
func TestEntriesSurviveAKill(t *testing.T) {
	dir, killed := t.TempDir(), t.TempDir()
	l := New(storetest.OpenDir(t, dir), quietly(0))
	for i := range 5 {
		l.write(t.Context(), []row{{Client: 1, Extension: int64(i + 1), Name: fmt.Sprint(101 + i), At: time.Now()}})
	}
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	again := New(storetest.OpenDir(t, killed), quietly(0))
	again.write(t.Context(), []row{{Client: 1, Extension: 6, Name: "106", Online: true, At: time.Now()}})
	entries, _, err := again.List(Query{Client: 1, OldestFirst: true})
	if want := []string{"off 101", "off 102", "off 103", "off 104", "off 105", "on 106"}; err != nil || !slices.Equal(names(entries), want) {
		t.Errorf("%v, %v", names(entries), err)
	}
	if err := again.rows.Check(); err != nil {
		t.Error(err)
	}
}

// Old entries go, in steps; entries a jumping clock dated ahead do not keep them.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(storetest.Open(t), quietly(48*time.Hour))
		note := func(extension int64, n int, age time.Duration) {
			for range n {
				c := phone(extension, true)
				c.At = c.At.Add(-age)
				l.Note(c)
			}
		}
		note(9, 1, -10*365*24*time.Hour)
		note(1, 2*sweepStep+10, 48*time.Hour+time.Second)
		note(2, 1, 47*time.Hour)
		l.writeAll(t.Context(), l.box.TakeAll(nil))
		run(t, l) // sweeps at its start
		synctest.Wait()
		entries, _, err := l.List(Query{Client: 1})
		if err != nil || !slices.Equal(names(entries), []string{"on 109", "on 102"}) || l.Stats().Removed != 2*sweepStep+10 {
			t.Errorf("%d entries left, %d removed, %v", len(entries), l.Stats().Removed, err)
		}
		if err := l.rows.Check(); err != nil {
			t.Error(err)
		}
	})
}

// Whatever phones do, the log of an extension is on, off, on … and ends with how
// it is.
func TestLogIsTrue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := New(storetest.Open(t), quietly(0))
		left := map[int64]int{}
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 7), 1, 40).Draw(rt, "steps") {
			x, add := int64(step/2+1), step%2 == 0
			if !add && left[x] == 0 {
				continue
			}
			if left[x]--; add {
				left[x] += 2
			}
			l.Note(Change{Client: 1, Extension: x, Name: "1", Type: dialplan.TypePhone, Wanted: true, Added: add, Left: left[x], At: time.Now()})
		}
		l.writeAll(t.Context(), l.box.TakeAll(nil))
		for x, n := range left {
			entries, _, err := l.List(Query{Client: 1, Extension: x})
			if err != nil || len(entries) == 0 || (entries[0].Status == On) != (n > 0) {
				rt.Fatalf("extension %d with %d registrations: %v, %v", x, n, entries, err)
			}
			for i := 1; i < len(entries); i++ {
				if entries[i].Status == entries[i-1].Status || entries[i].Extension != x {
					rt.Fatalf("extension %d: %v", x, entries)
				}
			}
		}
	})
}
