package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

// sameRow says what a record loses on its way through the store.
func sameRow(rec Record) error {
	row, err := rec.AppendRow(nil)
	if err != nil {
		return err
	}
	var back Record
	if err := back.ParseRow(recordVersion, row); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if d := cmp.Diff(rec, back); d != "" {
		return errors.New(d)
	}
	var short brief
	if err := short.ParseRow(recordVersion, row); err != nil {
		return fmt.Errorf("read in brief: %w", err)
	}
	rec = withoutSequence(rec)
	if d := cmp.Diff(rec, short.Record); d != "" {
		return errors.New(d)
	}
	return nil
}

// withoutSequence is what a list shows of a record.
func withoutSequence(rec Record) Record {
	rec.Events, rec.Trace, rec.CDR = nil, nil, slices.Clone(rec.CDR)
	for i := range rec.CDR {
		rec.CDR[i].Messages = nil
	}
	return rec
}

// fullRecord has something in every field, and some fields again.
func fullRecord() Record {
	c, at := "0123456789ABCDEF0123456789ABCDEF", time.Date(2026, 1, 2, 3, 4, 5, 6e7, time.UTC)
	r := begin(&call.Event{Call: call.ID(c), Client: 7, Seq: 1, At: at, Kind: call.EventStarted, Leg: "a", Party: alice, Dialled: "102"})
	step := func(ev call.Event) {
		at = at.Add(1234567 * time.Microsecond)
		ev.At, ev.Seq = at, r.events+r.decisions+1
		r.apply(&ev)
	}
	step(call.Event{Kind: call.EventLegStarted, Leg: "a", Party: alice, Direction: call.Inbound})
	step(call.Event{Kind: call.EventDecided, Trace: &call.TraceEntry{
		Seq: 3, At: at, Branch: "1.2", Who: "extension 102", Kind: call.TraceRule, ID: 31, Name: "after hours", Verdict: call.VerdictTaken,
		Because: []call.TraceCause{{Condition: "interval", Want: "open 5", Got: "closed", OK: false}, {OK: true}},
		Step:    &call.Step{Name: "ring", Branch: "1.2", Args: map[string]any{"extension_id": 2.0}},
		Outcome: &call.Outcome{Branch: "1", Kind: call.OutcomeBusy, Cause: call.CauseBusy, By: "b"},
	}})
	step(call.Event{Kind: call.EventDecided, Trace: &call.TraceEntry{Because: []call.TraceCause{}, Step: &call.Step{}}})
	step(call.Event{Kind: call.EventLegStarted, Leg: "b", Party: bob, Direction: call.Outbound})
	step(call.Event{Kind: call.EventAnswered, Leg: "b", Party: bob})
	step(call.Event{Kind: call.EventAnswered, Leg: "a", Party: alice})
	step(call.Event{Kind: call.EventJoined, Leg: "c", Party: carol, Direction: call.Outbound, Other: "OTHER"})
	step(call.Event{Kind: call.EventFinding, Leg: "b", Party: bob, Finding: &call.Finding{Code: "loss", Text: "7 of 100"}})
	step(call.Event{Kind: call.EventLegEnded, Leg: "b", Cause: call.CauseNormal, Remote: true, Stats: &call.MediaStats{
		PacketsReceived: 1, PacketsSent: 1 << 40, OctetsReceived: 3, OctetsSent: 4, Lost: 5, Dropped: 6, Forged: 11, JitterMS: 7.25, FarLost: 8, FarJitterMS: 9.5, RoundTripMS: 10.25,
		Codec: "PCMA", FirstAt: at.Add(-time.Second), Signalled: "10.0.0.7:4000", Source: "192.0.2.7:61000",
	}})
	step(call.Event{Kind: call.EventJoined, Leg: "c", Party: carol, Other: "THIRD"})
	step(call.Event{Kind: call.EventEnded, Cause: call.CauseNormal, By: "b"})
	r.left = 3
	rec := r.record(r.over, func(client, id int64) Extension {
		return Extension{Name: fmt.Sprintf("%04d*%d@a.test", client, 100+id), Type: "phone", Group: id % 2}
	})
	return rec.withMessages(func(id call.LegID) []call.Message {
		return []call.Message{
			{At: rec.InitTime.Time, Line: "INVITE sip:102@a.test", Of: "1 INVITE", Peer: "UDP 192.0.2.7:5060", Body: "application/sdp", Repeats: 2},
			{At: at, Sent: true, Line: "100 Trying"},
		}
	})
}

// TestRow: a record with everything in it comes back as it went.
func TestRow(t *testing.T) {
	rec := fullRecord()
	if err := sameRow(rec); err != nil {
		t.Error(err)
	}
	if err := sameRow(Record{}); err != nil {
		t.Error(err)
	}
	row, _ := rec.AppendRow(nil)
	text, _ := json.Marshal(rec)
	t.Logf("%d bytes, as JSON %d", len(row), len(text))
	if len(row) > len(text)/3 {
		t.Error("that is no cheaper form")
	}
	for n := range row {
		var back Record
		if err := back.ParseRow(recordVersion, row[:n]); !errors.Is(err, store.ErrDamaged) {
			t.Fatalf("cut to %d: %v", n, err)
		}
	}
	var back Record
	if err := back.ParseRow(recordVersion, append(row, 0)); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("with a byte too many: %v", err)
	}
	rec.Trace[0].Step = &call.Step{Args: func() {}}
	if _, err := rec.AppendRow(nil); err == nil {
		t.Error("what JSON cannot say was written")
	}
}

// FuzzRow: no bytes make a reader panic or take memory they do not pay for, and
// what can be read can be written again.
func FuzzRow(f *testing.F) {
	rec := fullRecord()
	row, _ := rec.AppendRow(nil)
	f.Add(row)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, row []byte) {
		var rec, back Record
		if rec.ParseRow(recordVersion, row) != nil {
			return
		}
		again, err := rec.AppendRow(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := back.ParseRow(recordVersion, again); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRecordsOfVersion1: what an earlier release wrote, as JSON and without the
// newer indexes, is found by all of them; its journal becomes records.
func TestRecordsOfVersion1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		type plain Record // JSON: without the methods of Record
		rec := fullRecord()
		for i := range rec.CDR {
			st := &rec.CDR[i].Stats
			st.Forged, st.FarLost, st.FarJitterMS, st.RoundTripMS = 0, 0, 0, 0
		}
		old := store.NewTable[plain](db.Records(), store.Calls, 1)
		if err := old.Put(key(rec.CallUUID), plain(rec)); err != nil {
			t.Fatal(err)
		}
		left := rec
		left.CallUUID = "LEFT"
		if err := store.NewTable[plain](db.Live(), store.Journal, 1).Put(key(left.CallUUID), plain(left)); err != nil {
			t.Fatal(err)
		}
		h := New(db, call.NewBus(), Options{})
		defer h.sub.Close()
		if n, err := h.Recover(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		got, err := h.Get(rec.CallUUID)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rec, got); d != "" {
			t.Error(d)
		}
		if legs, _, err := h.Legs(Query{Client: 7, Extensions: []int64{2}}); err != nil || len(legs) != 2 {
			t.Errorf("%d legs, %v", len(legs), err)
		}
		checkPlaces(t, h)
	})
}

// record2 is what an earlier release had: lists of events and decisions, and an index
// entry for each call.
type record2 struct{ Record }

func (rec *record2) AppendRow(b []byte) ([]byte, error) {
	var w writer
	w.begin(b, rec.InitTime.Time)
	w.head2(&rec.Record)
	writeList(&w, rec.Events, w.event2)
	writeList(&w, rec.Trace, w.entry)
	w.messages(rec.CDR)
	return w.b, w.err
}

func (w *writer) head2(rec *Record) {
	w.text(string(rec.CallUUID))
	w.fields(&rec.Fields)
	w.bool(rec.Bridged)
	w.optInt(rec.BridgedDuration)
	w.time(rec.BridgedTime.Time)
	w.optText(rec.BridgedUsername)
	w.optText(rec.BridgedDomain)
	w.int(int64(rec.Left))
	writeList(w, rec.CDR, w.leg2)
}

func (w *writer) leg2(l *Leg) {
	w.text(string(l.CallUUID))
	w.text(string(l.ID))
	w.fields(&l.Fields)
	w.text(l.CallsResult)
	w.text(l.CallsDisposition)
	w.media2(&l.Stats)
	w.text(string(l.Moved))
}

func (w *writer) event2(ev *Event) {
	w.int(int64(ev.Seq))
	w.time(ev.At)
	for _, s := range []string{string(ev.Kind), string(ev.Leg)} {
		w.text(s)
	}
	w.int(ev.Extension)
	for _, s := range []string{ev.Number, string(ev.Cause), string(ev.By), string(ev.Other)} {
		w.text(s)
	}
	w.bool(ev.Finding != nil)
	if ev.Finding != nil {
		w.text(string(ev.Finding.Code))
		w.text(ev.Finding.Text)
	}
}

func (rec *record2) entry(b []byte) ([]byte, error) { return rec.AppendRow(append(b, 2)) }

// TestRecordsOfVersion2: they are read, listed and free of entries that nobody looks
// at any more; the journal becomes records, also if the first attempt is cut off.
func TestRecordsOfVersion2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		rec := fullRecord()
		for i := range rec.CDR {
			st := &rec.CDR[i].Stats
			st.Forged, st.FarLost, st.FarJitterMS, st.RoundTripMS = 0, 0, 0, 0
		}
		old := store.NewTable(db.Records(), store.Calls, 2, store.Index[record2]{
			Name: "client_time", Keys: func(rec record2) []store.Key { return []store.Key{store.Time(rec.InitTime.Time)} },
		})
		for i := range 600 { // more than are upgraded at a time
			rec.CallUUID = call.ID(fmt.Sprintf("%04d", i))
			if err := old.Put(key(rec.CallUUID), record2{rec}); err != nil {
				t.Fatal(err)
			}
		}
		left := record2{rec}
		left.CallUUID = "LEFT"
		var s store.Sheet
		if err := errors.Join(db.Daybook().Turn(), s.Put("LEFT", left.entry), db.Daybook().Write(&s)); err != nil {
			t.Fatal(err)
		}
		h := New(db, call.NewBus(), Options{})
		defer h.sub.Close()
		cut, stop := context.WithCancel(t.Context())
		stop()
		if _, err := h.Recover(cut); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if n, err := h.Recover(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		got, err := h.Get("0007")
		rec.CallUUID = "0007"
		if d := cmp.Diff(rec, got); d != "" || err != nil {
			t.Error(d, err)
		}
		if recs, _, err := h.List(Query{Client: 7}); len(recs) != 601 || err != nil {
			t.Errorf("%d records, %v", len(recs), err)
		}
		checkPlaces(t, h)
		if err := h.calls.Check(); err != nil {
			t.Error(err)
		}
		if page, err := old.List(store.Range{Index: "client_time"}); err != nil || len(page.Rows) != 0 {
			t.Errorf("the old index has %d entries, %v", len(page.Rows), err)
		}
	})
}

// TestMessages: the signalling of a leg is in its record, asked for when the
// record is written, and bounded.
func TestMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		b := newBenchWith(t, storetest.Open(t), func(o *Options) {
			o.Messages = func(leg call.LegID) []call.Message {
				if !ended {
					return []call.Message{{Line: "INVITE", At: time.Now().UTC()}}
				}
				messages := make([]call.Message, 1000)
				for i := range messages {
					messages[i].Line = fmt.Sprint(leg, " ", i)
				}
				return messages
			}
		})
		c := b.call("X")
		c.start(alice, "102")
		synctest.Wait()
		if rec, ok := b.h.Running("X"); !ok || len(rec.CDR) != 1 || len(rec.CDR[0].Messages) != 1 {
			t.Errorf("running: %v, %+v", ok, rec.CDR)
		}
		ended = true
		c.gone("a", alice, call.CauseNormal, true)
		c.end(call.CauseNormal, "a")
		b.stop()
		m := b.get("X").CDR[0].Messages
		if len(m) != maxMessages || m[0].Line != "a 0" || m[maxMessages-1].Line != "a 999" {
			t.Errorf("%d messages", len(m))
		}
		recs, _, err := b.h.List(Query{Client: 7})
		if err != nil || len(recs) != 1 || recs[0].CDR[0].Messages != nil || recs[0].Events != nil || recs[0].Trace != nil {
			t.Errorf("the list shows %+v, %v", recs, err)
		}
	})
}

// TestMessagesOfALegThatLeft: a call goes on for an hour after one of its legs was
// transferred away and one was never answered; the edge has long forgotten them, the
// record has not. A leg that came from another call is nobody's but its own.
func TestMessagesOfALegThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone sync.Map // of when, by leg
		b := newBenchWith(t, storetest.Open(t), func(o *Options) {
			o.Messages = func(leg call.LegID) []call.Message {
				if at, ok := gone.Load(leg); ok && time.Since(at.(time.Time)) > time.Second {
					return nil
				}
				return []call.Message{{Line: "INVITE " + string(leg), At: time.Now().UTC()}}
			}
		})
		c := b.call("X")
		c.start(alice, "102")
		c.ring("b", bob)
		c.ring("c", carol)
		c.gone("c", carol, call.CauseNoAnswer, false)
		c.answer("b", bob)
		c.answer("a", alice)
		c.say(call.Event{Kind: call.EventJoined, Leg: "d", Party: carol, Direction: call.Inbound, Other: "Y"})
		c.gone("a", alice, call.CauseNormal, true)
		gone.Store(call.LegID("a"), time.Now())
		gone.Store(call.LegID("c"), time.Now())
		time.Sleep(time.Hour)
		synctest.Wait()
		check := func(when string, rec Record) {
			for _, leg := range rec.CDR {
				if len(leg.Messages) != 1 || leg.Messages[0].Line != "INVITE "+string(leg.ID) {
					t.Errorf("%s leg %s has the messages %v", when, leg.ID, leg.Messages)
				}
			}
			if len(rec.CDR) != 4 || rec.CDR[0].FromUsername != "101" || rec.CDR[1].FromUsername != "101" || rec.CDR[3].FromUsername != "103" {
				t.Errorf("%s: %+v", when, rec.CDR)
			}
		}
		rec, _ := b.h.Running("X")
		check("running:", rec)
		c.gone("b", bob, call.CauseNormal, true)
		c.end(call.CauseNormal, "b")
		b.stop()
		check("ended:", b.get("X"))
	})
}

// TestFindingIsKept in the sequence of the record.
func TestFindingIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, storetest.Open(t))
		c := b.call("X")
		c.start(alice, "102")
		c.say(call.Event{Kind: call.EventFinding, Leg: "a", Party: alice, Finding: &call.Finding{Code: "no_media", Text: "nothing"}})
		c.end(call.CauseNormal, "a")
		b.stop()
		text, err := json.Marshal(b.get("X").Events)
		if err != nil || !strings.Contains(string(text), `"finding":{"code":"no_media","text":"nothing"}`) || !strings.Contains(string(text), `"by_call_api_id":"a"`) {
			t.Errorf("%s, %v", text, err)
		}
	})
}
