package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDigitsAreNotKept: they may be PINs.
func TestDigitsAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, storetest.Open(t))
		c := b.call("X")
		c.start(alice, "102")
		c.say(call.Event{Kind: call.EventDigit, Leg: "a", Digit: '9'})
		c.end(call.CauseNormal, "a")
		b.stop()
		body, err := json.Marshal(b.get("X").Events)
		if err != nil || !strings.Contains(string(body), "leg.digit") || strings.Contains(string(body), `"digit"`) {
			t.Errorf("%s %v", body, err)
		}
	})
}

// TestRestart: a killed switch leaves journal entries; the next one makes
// records of them that end within a second of the truth, and say so.
func TestRestart(t *testing.T) {
	for _, alive := range []time.Duration{0, 3 * time.Second, 47 * time.Second} {
		t.Run(alive.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := storetest.Open(t)
				b := newBench(t, db)
				c := b.call("X")
				c.start(alice, "102")
				c.ring("b", bob)
				time.Sleep(time.Second) // what follows is appended to the entry
				c.answer("b", bob)
				c.answer("a", alice)
				time.Sleep(alive + gap) // by which the answer is in the journal at the latest
				synctest.Wait()
				died := time.Now()
				left := b.snapshot() // what a kill would leave
				b.stop()
				b.restore(left)
				time.Sleep(30 * time.Second)

				again := New(db, call.NewBus(), Options{})
				defer again.sub.Close()
				n, err := again.Recover(t.Context())
				if n != 1 || err != nil {
					t.Fatalf("%d, %v", n, err)
				}
				rec, err := again.Get("X")
				if err != nil {
					t.Fatal(err)
				}
				if late := died.Sub(rec.HangupTime.Time); late < 0 || late > time.Second+gap {
					t.Errorf("ends %v before it did", late)
				}
				if rec.Cause != call.CauseRestart || rec.Q850 != "CRASH" || rec.Result != ResultBridged || rec.Disposition != InternalCancel {
					t.Errorf("%s", summary(rec))
				}
				if off := died.Sub(rec.StartTime.Time) - time.Duration(rec.Duration)*time.Second; off < 0 || off > 2*time.Second+gap {
					t.Errorf("duration %d is %v off", rec.Duration, off)
				}
				events := rec.Events[len(rec.Events)-2:]
				if f := events[0].Finding; f == nil || f.Code != codeKilled {
					t.Errorf("the record does not say how exact it is: %+v", events[0])
				}
				if end := events[1]; end.Kind != call.EventEnded || end.Cause != call.CauseRestart || end.Seq != c.seq+2 || !end.At.Equal(rec.HangupTime.Time) {
					t.Errorf("the last event is %+v", end)
				}
				if n := b.journal(); n != 0 {
					t.Errorf("%d journal entries left", n)
				}
				if n, err := again.Recover(t.Context()); n != 0 || err != nil {
					t.Errorf("again: %d, %v", n, err)
				}
			})
		})
	}
}

// snapshot reads the journal.
func (b *bench) snapshot() map[string][]byte {
	b.t.Helper()
	entries, err := b.h.journal.Entries()
	if err != nil {
		b.t.Fatal(err)
	}
	return entries
}

// restore makes the journal what it was.
func (b *bench) restore(entries map[string][]byte) {
	b.t.Helper()
	var s store.Sheet
	for id, entry := range entries {
		if err := s.Put(id, func(b []byte) ([]byte, error) { return append(b, entry...), nil }); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := b.h.journal.Write(&s); err != nil {
		b.t.Fatal(err)
	}
}

// TestAcknowledgedAtOnce: the journal entry is there as soon as the call began
// and stands until the record is there, well within a second of the end (D1).
func TestAcknowledgedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, storetest.Open(t))
		c := b.call("X")
		c.start(alice, "102")
		synctest.Wait()
		if b.journal() != 1 {
			t.Error("no journal entry")
		}
		if _, err := b.h.Get("X"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("running call has a record: %v", err)
		}
		c.end(call.CauseNormal, "a")
		synctest.Wait()
		if b.journal() != 1 {
			t.Error("the journal entry went before the record came")
		}
		time.Sleep(gather + collect)
		synctest.Wait()
		b.get("X")
		time.Sleep(refreshEvery)
		synctest.Wait()
		if b.journal() != 0 {
			t.Error("journal entry stays")
		}
		b.stop()
	})
}

// TestStopDrains: what was published before the end of Run is durable after it,
// however much that is; calls still running stay in the journal.
func TestStopDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 4400 // more than may be pending
		b := newBench(t, storetest.Open(t))
		for i := range calls {
			c := b.call(call.ID(fmt.Sprint(i)))
			c.say(call.Event{Kind: call.EventStarted, Leg: "a", Party: alice})
			if i%2 == 0 {
				c.end(call.CauseOverload, "")
			}
		}
		b.stop()
		if n := b.journal(); n != calls/2 {
			t.Errorf("%d in the journal", n)
		}
		recs, _, err := b.h.List(Query{Client: 7})
		if err != nil || len(recs) != calls/2 {
			t.Errorf("%d records, %v", len(recs), err)
		}
	})
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, storetest.Open(t))
		begin := time.Now()
		for i := range 10 {
			c := b.call(call.ID(fmt.Sprint(i)))
			c.start(alice, "102")
			c.end(call.CauseNormal, "")
			time.Sleep(time.Minute)
		}
		b.stop()
		ids := func(q Query) (s string, next store.Cursor) {
			recs, next, err := b.h.List(q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range recs {
				s += string(r.CallUUID)
			}
			return s, next
		}
		at := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Minute) }
		for _, tt := range []struct {
			q    Query
			want string
		}{
			{Query{Client: 7}, "9876543210"},
			{Query{Client: 7, OldestFirst: true, Limit: 3}, "012"},
			{Query{Client: 7, From: at(2), To: at(5)}, "432"},
			{Query{Client: 7, To: at(2)}, "10"},
			{Query{Client: 7, From: at(8), OldestFirst: true}, "89"},
			{Query{Client: 8}, ""},
			{Query{Client: 6}, ""},
		} {
			if got, _ := ids(tt.q); got != tt.want {
				t.Errorf("%+v: %s, want %s", tt.q, got, tt.want)
			}
		}
		all, q := "", Query{Client: 7, Limit: 4}
		for {
			s, next := ids(q)
			all += s + "."
			if q.After = next; next == "" {
				break
			}
		}
		if all != "9876.5432.10." {
			t.Errorf("pages %s", all)
		}
	})
}

// TestHugeCall: a call with any number of events has a record that fits.
func TestHugeCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, storetest.Open(t))
		c := b.call("X")
		c.start(alice, "102")
		for range 3000 {
			c.say(call.Event{Kind: call.EventDecided, Trace: &call.TraceEntry{Name: strings.Repeat("n", 5000)}})
			c.say(call.Event{Kind: call.EventDigit, Leg: "a"})
			c.say(call.Event{Kind: call.EventLegStarted, Leg: call.LegID(fmt.Sprint(c.seq)), Party: bob, Direction: call.Outbound})
		}
		c.gone("a", alice, call.CauseNormal, true)
		c.end(call.CauseNormal, "a")
		b.stop()
		rec := b.get("X")
		if rec.Left == 0 || len(rec.CDR) != maxLegs || rec.Result != ResultNotAnswered {
			t.Errorf("left %d, legs %d, %s", rec.Left, len(rec.CDR), rec.Result)
		}
	})
}

// TestRefreshInPortions: while the entries of many calls are written into another
// file a few at a time, all of them can be read at every moment, right to ten
// seconds and what a round takes; and the file before goes.
func TestRefreshInPortions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		b := newBench(t, db)
		const calls = 10 * refreshSome
		for i := range calls {
			b.call(call.ID(fmt.Sprint(i))).start(alice, "102")
		}
		time.Sleep(3 * refreshEvery)
		size := 0
		for range 20 {
			time.Sleep(refreshEvery / 20)
			synctest.Wait()
			entries := b.snapshot()
			sign := lastSign(entries)
			if age := time.Since(sign); age > signEvery+gap {
				t.Fatalf("the last sign of life is %v old", age)
			}
			if len(entries) != calls {
				t.Fatalf("%d entries of %d", len(entries), calls)
			}
			for id, entry := range entries {
				var rec Record
				if err := parseEntry(&rec, call.ID(id), entry, time.Time{}, nil); err != nil {
					t.Fatal(id, err)
				}
				if age := time.Since(rec.HangupTime.Time); age > refreshEvery+10*gap {
					t.Fatalf("the entry of call %s is %v old", id, age)
				}
				size += len(entry)
			}
		}
		b.stop()
		if size == 0 || b.journal() != calls {
			t.Errorf("%d entries after the end", b.journal())
		}
	})
}

// TestRestartOfMany: what calls did in the same moment is in the journal of each.
func TestRestartOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		b := newBench(t, db)
		var calls []*teller
		for _, id := range []call.ID{"X", "Y", "Z"} {
			c := b.call(id)
			c.start(alice, "102")
			c.ring("b", bob)
			calls = append(calls, c)
		}
		time.Sleep(time.Second)
		for _, c := range calls {
			c.answer("b", bob)
			c.answer("a", alice)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		left := b.snapshot()
		b.stop()
		b.restore(left)
		again := New(db, call.NewBus(), Options{})
		defer again.sub.Close()
		if n, err := again.Recover(t.Context()); n != len(calls) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		for _, c := range calls {
			rec, err := again.Get(c.id)
			if err != nil {
				t.Fatal(err)
			}
			if rec.Result != ResultBridged || len(rec.Events) != c.seq-1+2 { // the decision stands in the trace; the end and its exactness come
				t.Errorf("%s: %s with %d events, not %d", c.id, rec.Result, len(rec.Events), c.seq)
			}
		}
	})
}

// TestOthersHaveTurns: however many calls there are something to be done for at once,
// others have turns in between, while their records are rendered and while they are
// written.
func TestOthersHaveTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 4 * maxGroup
		var turns atomic.Int64
		b := newBenchWith(t, storetest.Open(t), func(o *Options) { o.GiveWay = func() { turns.Add(1) } })
		for i := range calls {
			c := b.call(call.ID(fmt.Sprintf("c%03d", i)))
			c.start(alice, "102")
			c.end(call.CauseNormal, "a")
		}
		time.Sleep(gap + gather - time.Millisecond)
		synctest.Wait()
		taken := turns.Load()
		if most := int64(4 * calls); taken < most/someEvents {
			t.Errorf("%d turns while events were taken in", taken)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := turns.Load() - taken; n < 2*calls/someRows {
			t.Errorf("%d turns while records were written", n)
		}
		b.stop()
	})
}
