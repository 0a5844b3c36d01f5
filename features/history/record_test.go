package history

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
	"github.com/cordpair/cordpair/store/storetest"
)

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
		{"transferred here, then answered", func(c *teller) {
			c.say(call.Event{Kind: call.EventStarted, Leg: "a", Party: bob, Dialled: "103"})
			c.say(call.Event{Kind: call.EventJoined, Leg: "a", Party: bob, Direction: call.Inbound, Other: "F"})
			c.ring("b", carol)
			sec(5)
			c.answer("b", carol)
			c.answer("a", bob)
			c.say(call.Event{Kind: call.EventTransferred, Leg: "a", Party: bob, Other: "F", By: "t"})
			sec(60)
			c.gone("a", bob, call.CauseNormal, true)
			c.gone("b", carol, call.CauseNormal, false)
			c.end(call.CauseNormal, "a")
		}, "out bridged NORMAL_CLEARING caller_bye 60s with 103 60s" +
			" | a out answered NORMAL_CLEARING caller_bye 65s | b in answered NORMAL_CLEARING caller_bye 60s"},
		{"transferred here in vain", func(c *teller) {
			c.say(call.Event{Kind: call.EventStarted, Leg: "a", Party: bob, Dialled: "103"})
			c.say(call.Event{Kind: call.EventJoined, Leg: "a", Party: bob, Direction: call.Inbound, Other: "F"})
			c.ring("b", carol)
			sec(5)
			c.gone("b", carol, call.CauseBusy, true)
			c.say(call.Event{Kind: call.EventJoined, Leg: "a", Party: bob, Direction: call.Inbound, Other: "F"})
			c.end(call.CauseBusy, "")
		}, "out busy USER_BUSY callee_refuse 0s" +
			" | a out answered NORMAL_CLEARING internal_cancel 5s | b in busy USER_BUSY callee_refuse 0s"},
		{"transferred away in vain", func(c *teller) {
			c.start(alice, "102")
			c.ring("b", bob)
			c.answer("b", bob)
			c.answer("a", alice)
			sec(10)
			c.say(call.Event{Kind: call.EventJoined, Leg: "b", Party: bob, Direction: call.Outbound, Other: "N"})
			sec(5)
			c.say(call.Event{Kind: call.EventJoined, Leg: "b", Party: bob, Direction: call.Outbound, Other: "N"})
			sec(10)
			c.gone("b", bob, call.CauseNormal, true)
			c.gone("a", alice, call.CauseNormal, false)
			c.end(call.CauseNormal, "b")
		}, "out bridged NORMAL_CLEARING callee_bye 25s with 102 20s" +
			" | a out answered NORMAL_CLEARING callee_bye 25s | b in answered NORMAL_CLEARING callee_bye 25s"},
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
			c.end(call.CauseNormal, "b")
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
		{"a phone falls silent", func(c *teller) {
			c.start(alice, "102")
			c.ring("b", bob)
			c.answer("b", bob)
			c.answer("a", alice)
			sec(90)
			c.gone("b", bob, call.CauseMediaTimeout, false)
			c.gone("a", alice, call.CauseMediaTimeout, false)
			c.end(call.CauseMediaTimeout, "b")
		}, "out bridged MEDIA_TIMEOUT internal_cancel 90s with 102 90s | a out answered MEDIA_TIMEOUT internal_cancel 90s | b in answered MEDIA_TIMEOUT internal_cancel 90s"},
		{"the caller never acknowledges", func(c *teller) {
			c.start(alice, "*43")
			c.answer("a", alice)
			sec(32)
			c.gone("a", alice, call.CauseProtocol, false)
			c.end(call.CauseProtocol, "a")
		}, "out answered PROTOCOL_ERROR internal_cancel 32s | a out answered PROTOCOL_ERROR internal_cancel 32s"},
		{"the called party leaves, the longest call ends the rest", func(c *teller) {
			c.start(alice, "102")
			c.ring("b", bob)
			c.answer("b", bob)
			c.answer("a", alice)
			sec(10)
			c.gone("b", bob, call.CauseNormal, true)
			sec(10)
			c.gone("a", alice, call.CauseDuration, false)
			c.end(call.CauseDuration, "")
		}, "out bridged ALLOTTED_TIMEOUT internal_cancel 20s with 102 10s | a out answered ALLOTTED_TIMEOUT internal_cancel 20s | b in answered NORMAL_CLEARING callee_bye 10s"},
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
			c.end(call.CauseNormal, "d")
		}, "out bridged NORMAL_CLEARING callee_bye 10s with 102 10s | a out answered NORMAL_CLEARING callee_bye 10s | b in answered NORMAL_CLEARING internal_cancel 5s | d in answered NORMAL_CLEARING callee_bye 5s"},
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, storetest.Open(t))
		for i, tt := range tests {
			id := call.ID(fmt.Sprintf("%032X", i))
			tt.tell(b.call(id))
			time.Sleep(gather + collect)
			synctest.Wait()
			if got := summary(b.get(id)); got != tt.want {
				t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
			}
		}
		b.stop()
		if n := b.journal(); n != 0 {
			t.Errorf("%d journal entries left", n)
		}
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

// TestClockIsSet (L6): how long a call lasted is what a stopwatch would say.
func TestClockIsSet(t *testing.T) {
	const years = 10 * 365 * 24 * time.Hour
	for _, step := range []time.Duration{time.Hour, -time.Hour, years, -years} {
		b := newBench(t, storetest.Open(t))
		c := b.call("X")
		now := time.Now().Add(-2 * time.Minute)
		c.now = func() time.Time { return now }
		c.start(alice, "102")
		c.ring("b", bob)
		c.answer("b", bob)
		c.answer("a", alice)
		now = calltest.SetClock(now.Add(2*time.Minute), step)
		c.gone("b", bob, call.CauseNormal, true)
		c.end(call.CauseNormal, "b")
		b.stop()
		rec := b.get("X")
		if rec.Duration != 120 || rec.BridgedDuration == nil || *rec.BridgedDuration != 120 {
			t.Errorf("clock set by %v: %d s, talked %v", step, rec.Duration, rec.BridgedDuration)
		}
		for _, leg := range rec.CDR {
			if leg.Duration != 120 {
				t.Errorf("clock set by %v: leg %s %d s", step, leg.ID, leg.Duration)
			}
		}
	}
}
