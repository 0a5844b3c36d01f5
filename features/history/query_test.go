package history

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

// someRecords draws records of two clients with legs of a few extensions, close
// enough in time that many begin together.
func someRecords(t *rapid.T, base time.Time) []Record {
	at := func(label string, from time.Time) dialplan.Stamp {
		return dialplan.StampOf(from.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, label)) * 10 * time.Millisecond))
	}
	fields := func(client int64, from time.Time) Fields {
		f := Fields{
			Client: client, InitTime: at("init", from), Duration: rapid.Int64Range(0, 99).Draw(t, "duration"),
			Flow:       rapid.SampledFrom([]string{"in", "out"}).Draw(t, "flow"),
			Result:     rapid.SampledFrom([]string{ResultAnswered, ResultBusy}).Draw(t, "result"),
			ToUsername: rapid.SampledFrom([]string{"102", "103"}).Draw(t, "to"), FromUsername: "101",
		}
		if id := rapid.Int64Range(0, 3).Draw(t, "extension"); id != 0 {
			f.Extension = &id
		}
		return f
	}
	recs := make([]Record, rapid.IntRange(0, 30).Draw(t, "calls"))
	for i := range recs {
		client := rapid.Int64Range(7, 8).Draw(t, "client")
		recs[i] = Record{CallUUID: call.ID(fmt.Sprintf("%04d", i)), Fields: fields(client, base), CDR: []Leg{}}
		for n := range rapid.IntRange(0, 3).Draw(t, "legs") {
			leg := Leg{CallUUID: recs[i].CallUUID, ID: call.LegID(fmt.Sprint(i, ".", n)), Fields: fields(client, recs[i].InitTime.Time)}
			recs[i].CDR = append(recs[i].CDR, leg)
		}
	}
	return recs
}

func someQuery(t *rapid.T, base time.Time) Query {
	bound := rapid.SampledFrom([]time.Time{{}, base, base.Add(50 * time.Millisecond), base.Add(120 * time.Millisecond)})
	word := func(label string, of ...string) string { return rapid.SampledFrom(append(of, "", "")).Draw(t, label) }
	return Query{
		Client: 7, From: bound.Draw(t, "from"), To: bound.Draw(t, "to"), OldestFirst: rapid.Bool().Draw(t, "oldest first"),
		Extensions: rapid.SliceOfNDistinct(rapid.Int64Range(1, 3), 0, 3, rapid.ID).Draw(t, "extensions"),
		Flow:       word("flow", "in"), Result: word("result", ResultBusy), ToUsername: word("to", "102"),
		Skip: rapid.IntRange(0, 5).Draw(t, "skip"), Limit: rapid.IntRange(0, 6).Draw(t, "limit"),
	}
}

// finds is what a query means, said once more and simply.
func (q *Query) finds(f *Fields, extensions []int64) bool {
	switch {
	case f.Client != q.Client, !q.matches(f):
		return false
	case !q.From.IsZero() && f.InitTime.Before(q.From), !q.To.IsZero() && !f.InitTime.Before(q.To):
		return false
	}
	return len(q.Extensions) == 0 || intersect(q.Extensions, extensions)
}

func page[T any](q Query, all []T) []T {
	all = all[min(q.Skip, len(all)):]
	if q.Limit > 0 {
		all = all[:min(q.Limit, len(all))]
	}
	return all
}

// ordered puts what a query finds in order; of those that began together the one
// with the higher key is the later.
func ordered[T any](q Query, all []T, at func(*T) (time.Time, string)) []T {
	slices.SortFunc(all, func(a, b T) int {
		x, p := at(&a)
		y, r := at(&b)
		order := cmp.Or(x.Compare(y), strings.Compare(p, r))
		if !q.OldestFirst {
			return -order
		}
		return order
	})
	return all
}

// TestQueries compares lists, pages and totals with a plain search of all records.
func TestQueries(t *testing.T) {
	// Some begin in one span of the index and some in the next.
	edge := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMicro()>>spanBits + 1
	base := time.UnixMicro(edge << spanBits).UTC().Add(-100 * time.Millisecond)
	db := storetest.Open(t)
	h := New(db, call.NewBus(), Options{})
	defer h.sub.Close()
	rapid.Check(t, func(rt *rapid.T) {
		recs := someRecords(rt, base)
		refill(rt, h, recs)
		q := someQuery(rt, base)
		var calls []Record
		var legs []Leg
		for _, rec := range recs {
			if q.finds(&rec.Fields, rec.extensions()) {
				calls = append(calls, rec)
			}
			for _, leg := range rec.CDR {
				var own []int64
				if leg.Extension != nil {
					own = []int64{*leg.Extension}
				}
				if q.finds(&leg.Fields, own) {
					legs = append(legs, leg)
				}
			}
		}
		calls = ordered(q, calls, func(r *Record) (time.Time, string) { return r.InitTime.Time, string(r.CallUUID) })
		legs = ordered(q, legs, func(l *Leg) (time.Time, string) {
			_, place, _ := strings.Cut(string(l.ID), ".")
			return l.InitTime.Time, place + string(l.CallUUID)
		})
		gotCalls, next, err := h.List(q)
		check(rt, "calls", callIDs(page(q, calls)), callIDs(gotCalls), err)
		if (next != "") != (q.Limit > 0 && len(calls) > q.Skip+q.Limit) {
			rt.Errorf("%d calls and a cursor %q", len(calls), next)
		}
		gotLegs, next, err := h.Legs(q)
		check(rt, "legs", legIDs(page(q, legs)), legIDs(gotLegs), err)
		if next != "" {
			q := q
			q.Skip, q.After = q.Skip+len(gotLegs), ""
			want := legIDs(page(q, legs))
			q.Skip, q.After = 0, next
			rest, _, err := h.Legs(q)
			check(rt, "legs after the cursor", want, legIDs(rest), err)
		}
		checkTotals(rt, h, q, calls, legs)
	})
	checkPlaces(t, h)
}

// checkPlaces compares the index with what it must be: each place of each record once,
// in its block, and no other.
func checkPlaces(t *testing.T, h *History) {
	t.Helper()
	type entry struct {
		client, extension int64
		place
	}
	want, got := map[entry]int{}, map[entry]int{}
	page, err := h.calls.List(store.Range{})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range page.Rows {
		for _, s := range appendSpots(nil, &row.Value, 0) {
			want[entry{s.client, s.extension, place{s.at, s.leg, row.Value.CallUUID}}]++
		}
	}
	err = h.blocks.Each(store.Range{}, func(block store.Row[row]) error {
		client, k, _ := block.Key.CutInt()
		extension, k, _ := k.CutInt()
		span, _, err := k.CutInt()
		if err != nil {
			return err
		}
		places, err := block.Value.places(nil, span, func(p place) bool { return p.at>>spanBits == span })
		for _, p := range places {
			got[entry{client, extension, p}]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(want, got, gocmp.AllowUnexported(entry{}, place{})); d != "" {
		t.Error(d)
	}
}

func checkTotals(t *rapid.T, h *History, q Query, calls []Record, legs []Leg) {
	want := newTotals()
	for i := range calls {
		want.add(&calls[i].Fields)
	}
	got, err := h.CallTotals(q)
	check(t, "totals of calls", want, got, err)
	want = newTotals()
	for i := range legs {
		want.add(&legs[i].Fields)
	}
	got, err = h.LegTotals(q)
	check(t, "totals of legs", want, got, err)
}

// refill makes recs the only records, written some at a time.
func refill(t *rapid.T, h *History, recs []Record) {
	err := h.records.Update(func(tx *store.Tx) error {
		return errors.Join(empty(h.calls.In(tx)), empty(h.blocks.In(tx)))
	})
	if err != nil {
		t.Fatal(err)
	}
	for some := range slices.Chunk(recs, rapid.IntRange(1, 30).Draw(t, "together")) {
		g := newGroup()
		for i := range some {
			g.rows, err = some[i].AppendRow(g.rows)
			if err != nil {
				t.Fatal(err)
			}
			g.add(&running{id: some[i].CallUUID}, &some[i])
		}
		if err := h.records.Update(h.putGroup(g)); err != nil {
			t.Fatal(err)
		}
		g.release()
	}
}

func empty[T any](rows store.Rows[T]) error {
	page, err := rows.List(store.Range{})
	if err != nil {
		return err
	}
	for _, row := range page.Rows {
		if err := rows.Delete(row.Key); err != nil {
			return err
		}
	}
	return nil
}

func check(t *rapid.T, what string, want, got any, err error) {
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(want, got); d != "" {
		t.Fatalf("%s: %s", what, d)
	}
}

func callIDs(recs []Record) (ids string) {
	for _, rec := range recs {
		ids += string(rec.CallUUID) + " "
	}
	return ids
}

func legIDs(legs []Leg) (ids string) {
	for _, leg := range legs {
		ids += string(leg.ID) + " "
	}
	return ids
}

// TestRunning: a call that is up can be looked at without an end, one that has
// just ended with it, and a client sees its own only.
func TestRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, storetest.Open(t))
		c := b.call("X")
		if _, running, err := b.h.Find(7, "X"); running || !errors.Is(err, store.ErrNotFound) {
			t.Errorf("before: %v, %v", running, err)
		}
		c.start(alice, "102")
		c.ring("b", bob)
		time.Sleep(time.Second)
		rec, running, err := b.h.Find(7, "X")
		if err != nil || !running || rec.Result != "" || !rec.HangupTime.IsZero() || rec.Cause != "" || len(rec.Trace) != 1 || len(rec.CDR) != 2 {
			t.Errorf("ringing: %+v, %v, %v", rec, running, err)
		}
		c.answer("b", bob)
		c.answer("a", alice)
		time.Sleep(10 * time.Second)
		rec, _, _ = b.h.Find(7, "X")
		if rec.Result != ResultBridged || rec.Duration != 10 || rec.CDR[1].Result != ResultAnswered || !rec.CDR[1].HangupTime.IsZero() || rec.CDR[1].Duration != 10 {
			t.Errorf("talking: %+v", rec)
		}
		c.gone("b", bob, call.CauseNormal, true)
		time.Sleep(gap)
		synctest.Wait()
		if rec, _, _ = b.h.Find(7, "X"); rec.CDR[1].HangupTime.IsZero() || rec.CDR[1].Cause != call.CauseNormal {
			t.Errorf("one leg has ended: %+v", rec.CDR[1])
		}
		c.gone("a", alice, call.CauseNormal, false)
		c.end(call.CauseNormal, "b")
		time.Sleep(gap) // not durable yet
		synctest.Wait()
		if rec, running, err = b.h.Find(7, "X"); err != nil || running || rec.Disposition != CalleeBye {
			t.Errorf("ended: %+v, %v, %v", rec, running, err)
		}
		for range 2 {
			if _, _, err := b.h.Find(8, "X"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("of another client: %v", err)
			}
			time.Sleep(gather + collect)
			synctest.Wait()
		}
		if _, ok := b.h.Running("X"); ok {
			t.Error("a durable record is still said to be on its way")
		}
		if rec, err := b.h.GetOf(7, "X"); err != nil || rec.Disposition != CalleeBye {
			t.Errorf("%+v, %v", rec, err)
		}
		if _, err := b.h.GetOf(8, "X"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of another client: %v", err)
		}
		b.stop()
	})
}

// TestFull: what waits is bounded by those who ask.
func TestFull(t *testing.T) {
	bus := call.NewBus()
	h := New(storetest.Open(t), bus, Options{})
	defer h.sub.Close()
	for range maxBacklog - 1 {
		bus.Publish(call.Event{})
	}
	if h.Full() {
		t.Error("full too early")
	}
	bus.Publish(call.Event{})
	if !h.Full() || h.Stats().Backlog != maxBacklog {
		t.Error("not full")
	}
}

// TestFullOfFailed: records that the store refuses stay in memory, but not without
// end (O5).
func TestFullOfFailed(t *testing.T) {
	h := New(storetest.Open(t), call.NewBus(), Options{Logger: slog.New(slog.DiscardHandler)})
	defer h.sub.Close()
	for i := range maxFailed {
		if h.Full() {
			t.Fatalf("full after %d", i)
		}
		h.pending.Add(1)
		h.done(&group{calls: []*running{{}}, rows: make([]byte, 1), ends: []int{1}}, errors.New("no"))
	}
	if !h.Full() {
		t.Error("not full")
	}
}
