package location

import (
	"net/netip"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cordpair/cordpair/store/storetest"
)

// The 200 waits for the store only when something but time has moved, and a mere
// refresh is in the store within a second.
func TestWrittenBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newShelf()
		shelf.held = true
		b := open(t, Config{Store: shelf})
		answered := false
		res, err := b.Update(register("a", 1, hour, contact("sip:x@h")), time.Now(), func(error) { answered = true })
		if err != nil || !res.Pending || answered {
			t.Fatalf("pending %v, answered %v, %v", res.Pending, answered, err)
		}
		shelf.release()
		if !answered || shelf.count() != 1 {
			t.Fatalf("answered %v after %d writes", answered, shelf.count())
		}
		time.Sleep(1000*second + 100*time.Millisecond) // between two rounds of writing
		for i := range uint32(5) {
			if res := mustUpdate(t, b, register("a", 2+i, hour, contact("sip:x@h"))); res.Pending {
				t.Error("a refresh waits for the store")
			}
		}
		if got := shelf.row(1).Bindings[0].CSeq; got != 1 {
			t.Errorf("written at once: CSeq %d", got)
		}
		time.Sleep(second)
		if got := shelf.row(1).Bindings[0].CSeq; got != 6 || shelf.count() != 2 {
			t.Errorf("after a second CSeq %d, %d writes", got, shelf.count())
		}
		time.Sleep(hour / 2)
		if shelf.count() != 2 {
			t.Errorf("%d writes though nothing happened", shelf.count())
		}
	})
}

// A refresh on its way to the store when its binding is removed must not bring
// the binding back.
func TestRefreshRacesRemoval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newShelf()
		b := open(t, Config{Store: shelf})
		mustUpdate(t, b, register("a", 1, hour, contact("sip:x@h")))
		shelf.held = true
		mustUpdate(t, b, register("a", 2, hour, contact("sip:x@h")))
		time.Sleep(second) // the refresh is with the store, which holds it
		mustUpdate(t, b, register("a", 3, hour, contact("sip:x@h")))
		mustUpdate(t, b, register("a", 4, 0, contact("sip:x@h")))
		time.Sleep(second)
		shelf.release()
		time.Sleep(second)
		if row := shelf.row(1); len(row.Bindings) != 0 {
			t.Errorf("stored: %+v", row)
		}
	})
}

// What the store refused is written again until it takes it.
func TestStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newShelf()
		b := open(t, Config{Store: shelf})
		mustUpdate(t, b, register("a", 1, hour, contact("sip:x@h")))
		mustUpdate(t, b, register("b", 1, hour, contact("sip:y@h")))
		shelf.fail = errDisk
		var got error
		r := register("c", 1, hour, contact("sip:z@h"))
		if _, err := b.Update(r, time.Now(), func(err error) { got = err }); err != nil || got != errDisk {
			t.Fatalf("%v, done with %v", err, got)
		}
		b.Forget(2, time.Now(), nil) // nothing is known, but its row may be there
		time.Sleep(3 * second)
		shelf.mu.Lock()
		shelf.fail = nil
		shelf.mu.Unlock()
		time.Sleep(second)
		if row := shelf.row(1); len(row.Bindings) != 3 {
			t.Errorf("stored: %q", contacts(row.Bindings))
		}
		sh := b.shard(2)
		sh.mu.Lock()
		defer sh.mu.Unlock()
		if sh.records[2] != nil || len(sh.dirty) != 0 {
			t.Error("a forgotten extension left a trace")
		}
	})
}

// A store that is open twice in a row stands for a process that was killed: what
// was acknowledged is there.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newShelf()
		first := open(t, Config{Store: shelf, Node: "a"})
		want := mustUpdate(t, first, register("a", 7, 600*second, contact("sip:x@h"), contact("sip:y@h"))).Bindings
		r := register("t", 1, 600*second, contact("sip:t@h"))
		r.Flow, r.Extension = tcp(5), 2
		mustUpdate(t, first, r)
		time.Sleep(100 * second)

		var events log
		b := open(t, Config{Store: shelf, Node: "a", Events: events.add})
		got := b.Lookup(1, time.Now(), nil)
		if d := cmp.Diff(contacts(want), contacts(got)); d != "" || b.Len() != 3 {
			t.Fatalf("%d bound: %s", b.Len(), d)
		}
		if got[0].Suspended || got[0].Flow != udp || got[0].ID != want[0].ID || got[0].Extension != 1 {
			t.Errorf("over UDP: %+v", got[0])
		}
		stream := b.Lookup(2, time.Now(), nil)
		if len(stream) != 1 || !stream[0].Suspended || stream[0].Flow.Conn != 0 {
			t.Errorf("over TCP: %+v", stream)
		}
		if _, err := b.Update(register("a", 7, hour, contact("sip:x@h")), time.Now(), nil); err != ErrOutOfOrder {
			t.Errorf("an old REGISTER: %v", err)
		}
		if got := events.take(); len(got) != 0 {
			t.Errorf("a restart is no news: %q", got)
		}
		r.CSeq, r.Flow = 2, tcp(1)
		mustUpdate(t, b, r)
		if d := cmp.Diff([]string{"resumed sip:t@h 1"}, events.take()); d != "" {
			t.Error(d)
		}
	})
}

func TestRestartStreamDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newShelf()
		first := open(t, Config{Store: shelf})
		r := register("t", 1, hour, contact("sip:t@h"))
		r.Flow = tcp(5)
		mustUpdate(t, first, r)
		var events log
		b := open(t, Config{Store: shelf, Events: events.add})
		time.Sleep(61 * second)
		if d := cmp.Diff([]string{"expired (flow lost) sip:t@h 0"}, events.take()); d != "" || b.Len() != 0 {
			t.Errorf("Len %d: %s", b.Len(), d)
		}
	})
}

// Granted 60 s at 0. When the refresh of second 55 is lost with the process, the
// phone counts on being registered until second 115.
func TestLostRefresh(t *testing.T) {
	tests := []struct {
		name    string
		restart time.Duration
		asked   time.Duration
		want    int
	}{
		{"at once", 56 * second, 114 * second, 1},
		{"after the stored end", 70 * second, 114 * second, 1},
		{"not longer than an interval", 30 * second, 90 * second, 0},
		{"within a quarter more", 120 * second, 134 * second, 1},
		{"long after", 136 * second, 136 * second, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				killed, shelf := newShelf(), newShelf()
				begin := time.Now()
				mustUpdate(t, open(t, Config{Store: killed}), register("a", 1, 60*second, contact("sip:x@h")))
				shelf.rows[1] = killed.row(1) // what it does later does not arrive
				time.Sleep(time.Until(begin.Add(tt.restart)))
				b := open(t, Config{Store: shelf})
				time.Sleep(time.Until(begin.Add(tt.asked)))
				if got := b.Lookup(1, time.Now(), nil); len(got) != tt.want {
					t.Errorf("%d bound", len(got))
				}
				if list, _ := b.Registrations(1, time.Now()); len(list) != 1 {
					t.Errorf("%d listed", len(list))
				}
			})
		})
	}
}

// A phone that refreshes every half minute is written once a quarter of its
// interval, and no restart unregisters it early, whenever it comes.
func TestFrequentRefreshes(t *testing.T) {
	for restart := 5 * time.Minute; restart < 3*hour; restart += 7 * time.Minute {
		synctest.Test(t, func(t *testing.T) {
			shelf := newShelf()
			b := open(t, Config{Store: shelf})
			var last time.Time
			for i := uint32(1); time.Duration(i)*30*second <= restart; i++ {
				last = time.Now()
				mustUpdate(t, b, register("a", i, hour, contact("sip:x@h")))
				time.Sleep(30 * second)
			}
			if most := 2 + int(restart/(15*time.Minute)); shelf.count() > most {
				t.Errorf("%d writes in %v", shelf.count(), restart)
			}
			copied := newShelf()
			copied.rows[1] = shelf.row(1) // what Close writes is lost
			// The phone comes back just before it has to.
			time.Sleep(time.Until(last.Add(hour - second)))
			again := open(t, Config{Store: copied})
			if got := again.Lookup(1, time.Now(), nil); len(got) != 1 {
				t.Errorf("unregistered early after a restart at %v", restart)
			}
		})
	}
}

// A wall clock that was set back before the restart stretches nothing.
func TestRestartWithClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := newShelf()
		x := Binding{ID: "i", Flow: udp, Contact: "sip:x@h", Granted: 60, Refreshed: time.Now().AddDate(10, 0, 0)}
		shelf.rows[1] = Record{Extension: 1, Bindings: []Binding{x}}
		b := open(t, Config{Store: shelf})
		if got := b.Lookup(1, time.Now(), nil); len(got) != 1 || got[0].Remaining(time.Now()) != 60 {
			t.Errorf("%+v", got)
		}
	})
}

// The same over the real store, on the disk.
func TestRealStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	run := func(use func(b *Bindings)) {
		t.Run("run", func(t *testing.T) {
			db := storetest.OpenDir(t, dir)
			b := open(t, Config{Store: NewStore(db.Live()), Node: "a"})
			use(b)
		})
	}
	r := register("a", 1, hour, contact("sip:x@h"), contact("sip:y@h"))
	r.Path = []string{"<sip:p;lr>"}
	var before []Binding
	run(func(b *Bindings) {
		before = durably(t, b, r)
		gone := register("g", 1, hour, contact("sip:g@h"))
		gone.Extension = 2
		durably(t, b, gone)
		gone.CSeq, gone.Expires = 2, 0
		durably(t, b, gone)
		gone.Extension, gone.Expires = 3, hour
		durably(t, b, gone)
		done := make(chan error, 1)
		b.Forget(3, time.Now(), func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	run(func(b *Bindings) {
		after := b.Lookup(1, time.Now(), nil)
		if len(after) != 2 {
			t.Fatalf("%d bound", len(after))
		}
		for i := range after {
			// Each has a new interval from the restart on; the rest is as it was.
			if d := after[i].Expires.Sub(before[i].Expires); d < -time.Minute || d > time.Minute {
				t.Errorf("expires %v later", d)
			}
			after[i].Expires, before[i].Expires = time.Time{}, time.Time{}
			if d := cmp.Diff(before[i], after[i], cmp.Comparer(time.Time.Equal), cmpopts.EquateComparable(netip.AddrPort{})); d != "" {
				t.Error(d)
			}
		}
		list, ok := b.Registrations(2, time.Now())
		if ok || !cmp.Equal(contacts(list), []string{"sip:g@h"}) || list[0].Extension != 2 {
			t.Errorf("last known: %+v", list)
		}
		if list, _ := b.Registrations(3, time.Now()); len(list) != 0 {
			t.Errorf("forgotten: %+v", list)
		}
	})
}

// durably is mustUpdate with the wait for the store.
func durably(t *testing.T, b *Bindings, r Request) []Binding {
	t.Helper()
	done := make(chan error, 1)
	res, err := b.Update(r, time.Now(), func(err error) { done <- err })
	if err == nil && res.Pending {
		err = <-done
	}
	if err != nil {
		t.Fatal(err)
	}
	return res.Bindings
}
