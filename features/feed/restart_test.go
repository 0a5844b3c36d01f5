package feed

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

// life opens a store, lets two clients have events and returns the first and
// last id of each.
func life(t testing.TB, dir string, bits uint, events int) (first, last [2]ID, db *store.DB) {
	t.Helper()
	db, err := store.Open(store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	f := newFeed(db, Options{}, bits)
	if err := f.numbers.begin(); err != nil {
		t.Fatal(err)
	}
	for i := range first {
		first[i] = f.ring(int64(i)).next
		for range events * (i + 1) {
			f.Changed(int64(i), "x", 1, 1)
			for f.numbers.asking.Load() { // so that the next block is there in time
				if _, err := db.Config().NextID("sync/"); err != nil {
					t.Fatal(err)
				}
			}
		}
		last[i] = f.ring(int64(i)).next - 1
	}
	if f.lost.Load() != 0 {
		t.Errorf("%d events without a number", f.lost.Load())
	}
	return first, last, db
}

// Ids rise strictly over restarts, orderly ones and those of a killed process,
// whose files a copy has as the kill leaves them. Blocks are tiny here, so that
// every life uses up several.
func TestIDsRiseOverRestarts(t *testing.T) {
	dir := t.TempDir()
	var before [2]ID
	for round, events := range []int{3, 40, 0, 1, 17, 8} {
		first, last, db := life(t, dir, 3, events)
		for client := range first {
			if first[client] <= before[client] {
				t.Errorf("round %d, client %d: begins with %d after %d", round, client, first[client], before[client])
			}
			if want := first[client] + ID(events*(client+1)) - 1; last[client] != want {
				t.Errorf("round %d, client %d: ends with %d, want %d", round, client, last[client], want)
			}
			before[client] = max(before[client], last[client])
		}
		if round%2 == 0 {
			killed := t.TempDir()
			if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			dir = killed
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIDsFitIntoJavaScript(t *testing.T) {
	n := numbers{bits: blockBits}
	n.reserved(1<<(53-blockBits) - 1)
	if got := ID(n.limit.Load()) - 1; got != maxID {
		t.Errorf("the last block ends with %d, want %d", got, maxID)
	}
	n.reserved(1 << 40)
	n.asking.Store(true)
	if n.may(maxID + 1) {
		t.Error("an id above 2^53 may be given")
	}
}

// Without numbers nothing is told, and nothing is numbered twice.
func TestWithoutNumbersEventsAreLost(t *testing.T) {
	db := storetest.Open(t)
	f := newFeed(db, Options{}, 3)
	if err := f.numbers.begin(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		f.Changed(1, "x", 1, 1)
	}
	if n, lost := f.ring(1).n, f.lost.Load(); n != 8 || lost != 12 {
		t.Errorf("%d events kept, %d lost; want the 8 of the block", n, lost)
	}
	if _, err := New(db, call.NewBus(), Options{}); err == nil {
		t.Error("a feed without numbers")
	}
}

// follower is a client of the stream as the property test sees it.
type follower struct {
	r    *Reader
	last ID // Last-Event-ID
	f    *Feed
}

// reconnect resumes from the last id, as browsers do.
func (c *follower) reconnect() {
	c.r.Close()
	c.r = c.f.Read(1, c.last, Filter{})
}

// Whatever a reader does, it gets every event in order, or is told which ids it
// did not get.
func TestReadersMissNothingUntold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFeed(storetest.Open(t), Options{Events: rapid.IntRange(1, 20).Draw(rt, "ring"), Keep: time.Minute}, blockBits)
		if err := f.numbers.begin(); err != nil {
			rt.Fatal(err)
		}
		begun := f.numbers.first
		c := &follower{f: f, last: begun - 1, r: f.Read(1, begun-1, Filter{})}
		ended := false
		readOn := func() {
			events, wait, err := c.r.take()
			if err == ErrBehind {
				c.reconnect()
				events, wait, err = c.r.take()
			}
			if err != nil || len(events) == 0 && wait == nil {
				rt.Fatalf("%d events, %v", len(events), err)
			}
			for _, ev := range events {
				if ev.Kind == KindGap {
					from, to := bounds(t, ev)
					if from != c.last+1 || to < from {
						rt.Fatalf("gap from %d to %d after %d", from, to, c.last)
					}
				} else if ev.ID != c.last+1 || counted(t, ev) != int(ev.ID-begun) {
					rt.Fatalf("event %d with number %d after %d", ev.ID, counted(t, ev), c.last)
				}
				c.last = ev.ID
			}
			ended = wait != nil
		}
		rt.Repeat(map[string]func(*rapid.T){
			"happen": func(rt *rapid.T) {
				for range rapid.IntRange(1, 30).Draw(rt, "events") {
					f.Changed(1, "x", int64(f.ring(1).next-begun), 1)
				}
			},
			"other":     func(*rapid.T) { f.Changed(2, "x", 99, 1) },
			"read":      func(*rapid.T) { readOn() },
			"reconnect": func(*rapid.T) { c.reconnect() },
			"age":       func(*rapid.T) { f.trim(time.Now()) },
		})
		for readOn(); !ended; {
			readOn()
		}
		if c.last != f.ring(1).next-1 {
			rt.Fatalf("reader ended at %d of %d", c.last, f.ring(1).next-1)
		}
	})
}

// Many who write, read and come and go at once, under the race detector.
func TestAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Events: 64})
		const writers, each = 4, 500
		for range writers {
			go func() { // ends when it has written
				for i := range each {
					b.f.Registered(1, Registration{Extension: 1, Left: i})
					if i%50 == 0 {
						time.Sleep(time.Millisecond)
					}
				}
			}()
		}
		done := make(chan ID)
		for range 8 {
			go func() { done <- followAll(t, b.f, b.f.numbers.first+writers*each-1) }() // ends with the last event
		}
		for range 8 {
			<-done
		}
		if s := b.f.Stats(); s.Events != writers*each || s.Readers != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// followAll reads until an id, beginning again when it falls behind.
func followAll(t *testing.T, f *Feed, until ID) ID {
	last := f.numbers.first - 1
	for last < until {
		r := f.Read(1, last, Filter{})
		for last < until {
			events, err := r.Next(t.Context())
			if err == ErrBehind {
				break
			}
			for _, ev := range events {
				if ev.ID <= last {
					t.Errorf("event %d after %d", ev.ID, last)
				}
				last = ev.ID
			}
		}
		r.Close()
	}
	return last
}
