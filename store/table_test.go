package store_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

type phone struct {
	ID       int64        `json:"id"`
	User     string       `json:"user"`
	Group    int64        `json:"group"`
	Password store.Secret `json:"password"`
}

func phones(sp *store.Space) *store.Table[phone] {
	return store.NewTable(sp, store.Phones, 1,
		store.Index[phone]{Name: "user", Unique: true, Keys: func(p phone) []store.Key { return []store.Key{store.Str(p.User)} }},
		store.Index[phone]{Name: "group", Keys: func(p phone) []store.Key {
			if p.Group == 0 {
				return nil
			}
			return []store.Key{store.Int(p.Group)}
		}})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func users(t testing.TB, tab *store.Table[phone], r store.Range) (list []string, next store.Cursor) {
	t.Helper()
	page, err := tab.List(r)
	must(t, err)
	for _, row := range page.Rows {
		list = append(list, row.Value.User)
	}
	return list, page.Next
}

func TestPutGetDelete(t *testing.T) {
	tab := phones(storetest.Open(t).Config())
	want := phone{ID: 1, User: "101", Password: "s3cret"}
	must(t, tab.Put(store.Int(1), want))
	got, err := tab.Get(store.Int(1))
	must(t, err)
	if got != want {
		t.Fatalf("got %#v", got)
	}
	must(t, tab.Delete(store.Int(1)))
	must(t, tab.Delete(store.Int(1)))
	if _, err := tab.Get(store.Int(1)); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("after delete: %v", err)
	}
	if _, err := tab.Lookup("user", store.Str("101")); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("by user after delete: %v", err)
	}
	must(t, tab.Check())
}

func TestUniqueIndex(t *testing.T) {
	tab := phones(storetest.Open(t).Config())
	must(t, tab.Put(store.Int(1), phone{ID: 1, User: "101"}))
	if err := tab.Put(store.Int(2), phone{ID: 2, User: "101"}); !errors.Is(err, store.ErrTaken) {
		t.Fatalf("second row of one user: %v", err)
	}
	if _, err := tab.Get(store.Int(2)); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("the refused row is there: %v", err)
	}
	must(t, tab.Put(store.Int(1), phone{ID: 1, User: "201"}))
	must(t, tab.Put(store.Int(2), phone{ID: 2, User: "101"}))
	row, err := tab.Lookup("user", store.Str("101"))
	must(t, err)
	if row.Value.ID != 2 || row.Key != store.Int(2) {
		t.Fatalf("101 is %+v", row)
	}
	must(t, tab.Check())
}

func TestListing(t *testing.T) {
	tab := phones(storetest.Open(t).Config())
	for i := range int64(700) { // more than a chunk
		must(t, tab.Put(store.Int(i-10), phone{ID: i, User: fmt.Sprint(i), Group: i % 3}))
	}
	tests := []struct {
		name string
		r    store.Range
		want []string
	}{
		{"first", store.Range{Limit: 3}, []string{"0", "1", "2"}},
		{"last", store.Range{Limit: 2, Reverse: true}, []string{"699", "698"}},
		{"bounds", store.Range{From: store.Int(-2), To: store.Int(1)}, []string{"8", "9", "10"}},
		{"bounds backwards", store.Range{From: store.Int(-2), To: store.Int(1), Reverse: true}, []string{"10", "9", "8"}},
		{"one key", store.Range{Prefix: store.Int(5)}, []string{"15"}},
		{"by group", store.Range{Index: "group", Prefix: store.Int(2), Limit: 3}, []string{"2", "5", "8"}},
		{"by group backwards", store.Range{Index: "group", Prefix: store.Int(1), Limit: 2, Reverse: true}, []string{"697", "694"}},
		{"by user", store.Range{Index: "user", From: store.Str("99"), Limit: 2}, []string{"99"}},
		{"not in the index", store.Range{Index: "group", Prefix: store.Int(0)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := users(t, tab, tt.r)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	for _, r := range []store.Range{
		{Limit: 50}, {Limit: 50, Reverse: true}, {Limit: 7, Index: "group"}, {Limit: 7, Index: "group", Reverse: true}, {Limit: 350, Index: "user"},
	} {
		seen := make(map[string]int)
		for {
			list, next := users(t, tab, r)
			for _, u := range list {
				seen[u]++
			}
			if r.After = next; next == "" {
				break
			}
		}
		want := 700
		if r.Index == "group" {
			want = 466
		}
		for u, n := range seen {
			if n != 1 {
				t.Errorf("%+v: user %s seen %d times", r, u, n)
			}
		}
		if len(seen) != want {
			t.Errorf("%+v: %d rows, want %d", r, len(seen), want)
		}
	}
}

func TestReverseListingOfTopKeys(t *testing.T) {
	db := storetest.Open(t)
	tab := store.NewTable[int](db.Config(), store.Phones, 1)
	for i := range 3 {
		must(t, tab.Put(store.Join(store.Int(-1), store.Str(fmt.Sprintf("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff%d", i))), i))
		must(t, tab.Put(store.Join(store.Int(0), store.Str(fmt.Sprint(i))), 10+i))
	}
	page, err := tab.List(store.Range{Prefix: store.Int(-1), Reverse: true, Limit: 2})
	must(t, err)
	if len(page.Rows) != 2 || page.Rows[0].Value != 2 || page.Rows[1].Value != 1 {
		t.Fatalf("got %+v", page.Rows)
	}
}

type lease struct {
	Name string
	End  time.Time
}

func (l lease) Expires() time.Time { return l.End }

func leases(sp *store.Space) *store.Table[lease] {
	return store.NewTable(sp, store.Bindings, 1, store.Index[lease]{
		Name: "name", Unique: true, Keys: func(l lease) []store.Key { return []store.Key{store.Str(l.Name)} },
	})
}

func TestOwnExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		tab := leases(db.Live())
		minute := time.Now().Add(time.Minute)
		must(t, tab.Put(store.Int(1), lease{"short", minute}))
		must(t, tab.Put(store.Int(2), lease{"for ever", time.Time{}}))
		must(t, tab.Put(store.Int(3), lease{"deleted", minute}))
		must(t, tab.Delete(store.Int(3)))
		count := func() int {
			page, err := tab.List(store.Range{Index: "name"})
			must(t, err)
			return len(page.Rows)
		}
		if n := count(); n != 2 {
			t.Fatalf("%d rows", n)
		}
		time.Sleep(time.Minute)
		if n := count(); n != 1 {
			t.Fatalf("%d rows after a minute", n)
		}
		if _, err := tab.Get(store.Int(1)); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("expired row: %v", err)
		}
		must(t, tab.Put(store.Int(9), lease{"short", time.Time{}})) // the name is free again
		must(t, tab.Check())
		time.Sleep(10 * time.Minute) // swept
		must(t, tab.Check())
		if n := count(); n != 2 {
			t.Fatalf("%d rows after the sweep", n)
		}
	})
}
