package history

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

// TestLast: the call that ended last is named in the moment it has, however many have
// begun since, and after a restart.
func TestLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		b := newBench(t, db)
		last := func(h *History, want call.ID) {
			t.Helper()
			if id, err := h.Last(t.Context(), 7); id != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%q, want %q: %v", id, want, err)
			}
		}
		synctest.Wait()
		last(b.h, "")
		long := b.call("LONG")
		long.start(alice, "102")
		last(b.h, "")
		for i := range 60 {
			time.Sleep(time.Minute)
			id := call.ID(fmt.Sprint(i))
			short := b.call(id)
			short.start(alice, "102")
			short.end(call.CauseNormal, "a")
			last(b.h, id)
		}
		long.end(call.CauseNormal, "a")
		last(b.h, "LONG")
		if _, _, err := b.h.Find(7, "LONG"); err != nil {
			t.Error(err)
		}
		if _, err := b.h.Last(t.Context(), 8); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another client: %v", err)
		}
		b.stop()
		again := New(db, call.NewBus(), Options{})
		defer again.sub.Close()
		last(again, "LONG")
	})
}
