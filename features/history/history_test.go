package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	alice = call.Party{Extension: 1, Number: "101", Name: "Alice", Domain: "a.test"}
	bob   = call.Party{Extension: 2, Number: "102", Domain: "a.test"}
	carol = call.Party{Extension: 3, Number: "103", Domain: "a.test"}
	world = call.Party{Number: "+15550100"}
)

// teller publishes the events of one call.
type teller struct {
	bus *call.Bus
	id  call.ID
	seq int
}

func (c *teller) say(ev call.Event) {
	c.seq++
	ev.Call, ev.Client, ev.Seq, ev.At = c.id, 7, c.seq, time.Now()
	if ev.Trace != nil {
		ev.Trace.Seq, ev.Trace.At = ev.Seq, ev.At
	}
	c.bus.Publish(ev)
}

func (c *teller) start(from call.Party, dialled string) {
	c.say(call.Event{Kind: call.EventStarted, Leg: "a", Party: from, Dialled: dialled})
	c.say(call.Event{Kind: call.EventLegStarted, Leg: "a", Party: from, Direction: call.Inbound})
	c.say(call.Event{Kind: call.EventDecided, Trace: &call.TraceEntry{Kind: call.TraceNumber, Name: dialled}})
}

func (c *teller) ring(leg call.LegID, to call.Party) {
	c.say(call.Event{Kind: call.EventLegStarted, Leg: leg, Party: to, Direction: call.Outbound})
	c.say(call.Event{Kind: call.EventRinging, Leg: leg, Party: to})
}

func (c *teller) answer(leg call.LegID, p call.Party) {
	c.say(call.Event{Kind: call.EventAnswered, Leg: leg, Party: p})
}

func (c *teller) gone(leg call.LegID, p call.Party, cause call.Cause, remote bool) {
	c.say(call.Event{Kind: call.EventLegEnded, Leg: leg, Party: p, Cause: cause, Remote: remote, Stats: call.MediaStats{PacketsReceived: 50}})
}

func (c *teller) end(cause call.Cause, by call.LegID) {
	c.say(call.Event{Kind: call.EventEnded, Cause: cause, By: by})
}

// bench is a History at work in a synctest bubble.
type bench struct {
	t      *testing.T
	db     *store.DB
	bus    *call.Bus
	h      *History
	cancel context.CancelFunc
	ended  chan error
}

func newBench(t *testing.T, db *store.DB) *bench {
	b := &bench{t: t, db: db, bus: call.NewBus(), ended: make(chan error, 1)}
	b.h = New(db, b.bus, Options{
		Logger: slog.New(slog.DiscardHandler),
		Extension: func(client, id int64) Extension {
			return Extension{Name: fmt.Sprintf("%04d*%d@a.test", client, 100+id), Type: "phone", Group: id % 2}
		},
	})
	var ctx context.Context
	ctx, b.cancel = context.WithCancel(context.Background())
	go func() { b.ended <- b.h.Run(ctx) }() // ends when stop cancels ctx
	return b
}

// stop ends Run as a switch does that stops in order.
func (b *bench) stop() {
	b.t.Helper()
	b.cancel()
	if err := <-b.ended; err != nil {
		b.t.Error(err)
	}
}

func (b *bench) call(id call.ID) *teller { return &teller{bus: b.bus, id: id} }

func (b *bench) get(id call.ID) Record {
	b.t.Helper()
	rec, err := b.h.Get(id)
	if err != nil {
		b.t.Fatal(err)
	}
	return rec
}

func (b *bench) journal() int {
	b.t.Helper()
	page, err := b.h.journal.List(store.Range{})
	if err != nil {
		b.t.Fatal(err)
	}
	return len(page.Rows)
}

// verdict of a record: what the outside first looks at.
func summary(r Record) string {
	s := fmt.Sprintf("%s %s %s %s %ds", r.Flow, r.Result, r.Q850, r.Disposition, r.Duration)
	if r.Bridged {
		s += fmt.Sprintf(" with %s %ds", *r.BridgedUsername, *r.BridgedDuration)
	}
	for _, l := range r.CDR {
		s += fmt.Sprintf(" | %s %s %s %s %s %ds", l.ID, l.Flow, l.Result, l.Q850, l.Disposition, l.Duration)
	}
	return s
}

func TestRecords(t *testing.T) {
	sec := func(n int) { time.Sleep(time.Duration(n) * time.Second) }
	tests := []struct {
		name string
		tell func(c *teller)
		want string
	}{
		{"talk, caller hangs up", func(c *teller) {
			c.start(alice, "102")
			c.ring("b", bob)
			sec(5)
			c.answer("b", bob)
			c.answer("a", alice)
			sec(60)
			c.gone("a", alice, call.CauseNormal, true)
			c.gone("b", bob, call.CauseNormal, false)
			c.end(call.CauseNormal, "a")
		}, "out bridged NORMAL_CLEARING caller_bye 60s with 102 60s | a out answered NORMAL_CLEARING caller_bye 60s | b in answered NORMAL_CLEARING caller_bye 60s"},
		{"talk, called party hangs up", func(c *teller) {
			c.start(world, "102")
			c.ring("b", bob)
			c.answer("b", bob)
			c.answer("a", world)
			sec(3)
			c.gone("b", bob, call.CauseNormal, true)
			sec(1)
			c.gone("a", world, call.CauseNormal, false)
			c.end(call.CauseNormal, "")
		}, "in bridged NORMAL_CLEARING callee_bye 4s with 102 3s | a in answered NORMAL_CLEARING callee_bye 4s | b in answered NORMAL_CLEARING callee_bye 3s"},
		{"busy", func(c *teller) {
			c.start(alice, "102")
			c.ring("b", bob)
			c.gone("b", bob, call.CauseBusy, true)
			c.gone("a", alice, call.CauseBusy, false)
			c.end(call.CauseBusy, "")
		}, "out busy USER_BUSY callee_refuse 0s | a out busy USER_BUSY callee_refuse 0s | b in busy USER_BUSY callee_refuse 0s"},
		{"caller gives up", func(c *teller) {
			c.start(alice, "102")
			c.ring("b", bob)
			sec(10)
			c.gone("a", alice, call.CauseCancelled, true)
			c.gone("b", bob, call.CauseCancelled, false)
			c.end(call.CauseCancelled, "a")
		}, "out not answered ORIGINATOR_CANCEL caller_cancel 0s | a out not answered ORIGINATOR_CANCEL caller_cancel 0s | b in not answered ORIGINATOR_CANCEL caller_cancel 0s"},
		{"no answer", func(c *teller) {
			c.start(alice, "102")
			c.ring("b", bob)
			sec(30)
			c.gone("b", bob, call.CauseNoAnswer, false)
			c.gone("a", alice, call.CauseNoAnswer, false)
			c.end(call.CauseNoAnswer, "")
		}, "out not answered NO_ANSWER internal_cancel 0s | a out not answered NO_ANSWER internal_cancel 0s | b in not answered NO_ANSWER internal_cancel 0s"},
		{"forked, the second phone answers", func(c *teller) {
			c.start(alice, "102")
			c.ring("b", bob)
			c.ring("c", bob)
			sec(2)
			c.answer("c", bob)
			c.answer("a", alice)
			c.gone("b", bob, call.CauseAnsweredElsewhere, false)
			sec(9)
			c.gone("c", bob, call.CauseNormal, true)
			c.gone("a", alice, call.CauseNormal, false)
			c.end(call.CauseNormal, "c")
		}, "out bridged NORMAL_CLEARING callee_bye 9s with 102 9s | a out answered NORMAL_CLEARING callee_bye 9s | b in answered elsewhere LOSE_RACE internal_cancel 0s | c in answered NORMAL_CLEARING callee_bye 9s"},
		{"a machine answers", func(c *teller) {
			c.start(alice, "*43")
			c.answer("a", alice)
			sec(7)
			c.gone("a", alice, call.CauseNormal, true)
			c.end(call.CauseNormal, "a")
		}, "out answered NORMAL_CLEARING caller_bye 7s | a out answered NORMAL_CLEARING caller_bye 7s"},
		{"overload", func(c *teller) {
			c.start(alice, "102")
			c.gone("a", alice, call.CauseOverload, false)
			c.end(call.CauseOverload, "")
		}, "out failed SWITCH_CONGESTION internal_cancel 0s | a out failed SWITCH_CONGESTION internal_cancel 0s"},
		{"unknown number", func(c *teller) {
			c.start(alice, "999")
			c.gone("a", alice, call.CauseNotFound, false)
			c.end(call.CauseNotFound, "")
		}, "out failed UNALLOCATED_NUMBER callee_refuse 0s | a out failed UNALLOCATED_NUMBER callee_refuse 0s"},
		{"a leg moves away and another comes", func(c *teller) {
			c.start(alice, "102")
			c.ring("b", bob)
			c.answer("b", bob)
			c.answer("a", alice)
			sec(5)
			c.say(call.Event{Kind: call.EventJoined, Leg: "d", Party: carol, Direction: call.Outbound, Other: "OTHER"})
			c.say(call.Event{Kind: call.EventJoined, Leg: "b", Party: bob, Direction: call.Outbound, Other: "OTHER"})
			sec(5)
			c.gone("d", carol, call.CauseNormal, true)
			c.gone("a", alice, call.CauseNormal, false)
			c.end(call.CauseNormal, "")
		}, "out bridged NORMAL_CLEARING callee_bye 10s with 102 10s | a out answered NORMAL_CLEARING callee_bye 10s | b in answered NORMAL_CLEARING internal_cancel 5s | d in answered NORMAL_CLEARING callee_bye 5s"},
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, storetest.Open(t))
		for i, tt := range tests {
			id := call.ID(fmt.Sprintf("%032X", i))
			tt.tell(b.call(id))
			synctest.Wait()
			if got := summary(b.get(id)); got != tt.want {
				t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
			}
		}
		if n := b.journal(); n != 0 {
			t.Errorf("%d journal entries left", n)
		}
		b.stop()
		if st := b.h.Stats(); st.Written != uint64(len(tests)) || st.Failed != 0 || st.Pending != 0 || st.Backlog != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// TestRecordInJSON fixes names and forms of spec/http-api.md 2.18 and 5.5.
func TestRecordInJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble's clock begins at 2000-01-01
		b := newBench(t, storetest.Open(t))
		c := b.call("0123456789ABCDEF0123456789ABCDEF")
		time.Sleep(1234567 * time.Microsecond)
		c.start(alice, "102")
		c.ring("b", bob)
		time.Sleep(765433 * time.Microsecond)
		c.answer("b", bob)
		c.answer("a", alice)
		time.Sleep(90 * time.Second)
		c.gone("a", alice, call.CauseNormal, true)
		c.end(call.CauseNormal, "a")
		b.stop()
		rec := b.get("0123456789ABCDEF0123456789ABCDEF")
		body, err := json.Marshal(rec)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`"call_uuid":"0123456789ABCDEF0123456789ABCDEF"`, `"flow":"out"`, `"result":"bridged"`,
			`"hangup_cause":"NORMAL_CLEARING"`, `"hangup_disposition":"caller_bye"`,
			`"init_time_gmt":"2000-01-01 00:00:01.23"`, `"start_time_gmt":"2000-01-01 00:00:02"`,
			`"hangup_time_gmt":"2000-01-01 00:01:32"`, `"duration":90`,
			`"extension_id":1`, `"extension_name":"0007*101@a.test"`, `"extension_type":"phone"`,
			`"extension_group_owner_id":1`, `"client_owner_id":7`,
			`"from_username":"101"`, `"from_domain":"a.test"`, `"from_screen_name":"Alice"`,
			`"to_username":"102"`, `"to_domain":"a.test"`, `"dest_number":"102"`, `"dest_domain":"a.test"`,
			`"bridged":true`, `"bridged_duration":90`, `"bridged_time_gmt":"2000-01-01 00:00:02"`,
			`"bridged_username":"102"`, `"bridged_domain":"a.test"`,
			`"cdr":[{"call_uuid":"0123456789ABCDEF0123456789ABCDEF","call_api_id":"a"`,
			`"calls_result":"bridged"`, `"calls_hangup_disposition":"caller_bye"`, `"packets_received":50`,
			`"kind":"call.ringing","call_api_id":"b","extension_id":2,"number":"102"`, `"trace":[{"seq":3,`,
		} {
			if !strings.Contains(string(body), want) {
				t.Errorf("no %s", want)
			}
		}
		var back Record
		if err := json.Unmarshal(body, &back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rec, back); d != "" {
			t.Error(d)
		}
		if t.Failed() {
			t.Log(string(body))
		}
	})
}

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
// records of them that end within ten seconds of the truth.
func TestRestart(t *testing.T) {
	for _, alive := range []time.Duration{0, 3 * time.Second, 47 * time.Second} {
		t.Run(alive.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := storetest.Open(t)
				b := newBench(t, db)
				c := b.call("X")
				c.start(alice, "102")
				c.ring("b", bob)
				c.answer("b", bob)
				c.answer("a", alice)
				time.Sleep(alive)
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
				if late := died.Sub(rec.HangupTime.Time); late < 0 || late > 10*time.Second {
					t.Errorf("ends %v before it did", late)
				}
				if rec.Cause != call.CauseRestart || rec.Q850 != "CRASH" || rec.Result != ResultBridged || rec.Disposition != InternalCancel {
					t.Errorf("%s", summary(rec))
				}
				if off := died.Sub(rec.StartTime.Time) - time.Duration(rec.Duration)*time.Second; off < 0 || off > 11*time.Second {
					t.Errorf("duration %d is %v off", rec.Duration, off)
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
func (b *bench) snapshot() []store.Row[Record] {
	b.t.Helper()
	page, err := b.h.journal.List(store.Range{})
	if err != nil {
		b.t.Fatal(err)
	}
	return page.Rows
}

// restore makes the journal what it was.
func (b *bench) restore(rows []store.Row[Record]) {
	b.t.Helper()
	err := b.db.Records().Update(func(tx *store.Tx) error {
		for _, r := range rows {
			if err := b.h.journal.In(tx).Put(r.Key, r.Value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// TestAcknowledgedAtOnce: the journal entry is there as soon as the call began
// and the record as soon as it ended, without any time passing.
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
		if b.journal() != 0 {
			t.Error("journal entry stays")
		}
		b.get("X")
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

// TestAnyPrefixIsARecord: wherever the switch is killed, in whatever order the
// events come, the journal holds a record that is complete and makes sense.
func TestAnyPrefixIsARecord(t *testing.T) {
	kinds := []call.EventKind{
		call.EventRinging, call.EventAnswered, call.EventHeld, call.EventResumed, call.EventJoined, call.EventEnded,
		call.EventLegStarted, call.EventLegEnded, call.EventDecided, call.EventDigit,
	}
	causes := []call.Cause{"", "unheard of"}
	for c := range verdicts {
		causes = append(causes, c)
	}
	legs := []call.LegID{"a", "b", "c", ""}
	base := time.Now()
	rapid.Check(t, func(t *rapid.T) {
		at := base
		r := begin(call.Event{Call: "X", Client: 7, At: at, Kind: call.EventStarted, Leg: "a", Party: alice, Dialled: "102"})
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			at = at.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
			r.apply(call.Event{
				Call: "X", Client: 7, At: at,
				Kind:      rapid.SampledFrom(kinds).Draw(t, "kind"),
				Leg:       rapid.SampledFrom(legs).Draw(t, "leg"),
				Party:     rapid.SampledFrom([]call.Party{alice, bob, world}).Draw(t, "party"),
				Direction: rapid.SampledFrom([]call.Direction{call.Inbound, call.Outbound}).Draw(t, "direction"),
				Cause:     rapid.SampledFrom(causes).Draw(t, "cause"),
				By:        rapid.SampledFrom(legs).Draw(t, "by"),
				Remote:    rapid.Bool().Draw(t, "remote"),
				Trace:     &call.TraceEntry{Name: "x"},
			})
			if err := valid(r.record(at, nil)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// valid says what is wrong with a record.
func valid(r Record) error {
	known := map[string]bool{
		ResultBridged: true, ResultAnswered: true, ResultNotAnswered: true, ResultBusy: true, ResultRejected: true,
		ResultFailed: true, ResultAnsweredElsewhere: true,
		CalleeBye: true, CallerBye: true, CallerCancel: true, CalleeRefuse: true, InternalCancel: true,
		"in": true, "out": true,
	}
	check := func(f Fields) error {
		switch {
		case !known[f.Result] || !known[f.Disposition] || !known[f.Flow] || f.Q850 == "" || f.Cause == "":
			return fmt.Errorf("unknown word in %+v", f)
		case f.InitTime.IsZero() || f.HangupTime.IsZero() || f.HangupTime.Before(f.InitTime.Time):
			return fmt.Errorf("times of %+v", f)
		case f.StartTime.IsZero() != (f.Duration == 0) && f.StartTime.IsZero():
			return fmt.Errorf("duration of %+v", f)
		case f.Duration < 0 || f.Duration > int64(f.HangupTime.Sub(f.InitTime.Time)/time.Second)+1:
			return fmt.Errorf("duration of %+v", f)
		}
		return nil
	}
	if err := check(r.Fields); err != nil {
		return err
	}
	if r.Bridged != (r.Result == ResultBridged) || r.Bridged != (r.BridgedDuration != nil) {
		return fmt.Errorf("bridge of %+v", r)
	}
	for _, l := range r.CDR {
		if err := check(l.Fields); err != nil {
			return err
		}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var back Record
	if err := json.Unmarshal(body, &back); err != nil {
		return err
	}
	if d := cmp.Diff(r, back); d != "" {
		return errors.New(d)
	}
	return nil
}
