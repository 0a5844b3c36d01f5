package feed

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// teller publishes the events of one call.
type teller struct {
	b   *bench
	id  call.ID
	seq int
}

func (c *teller) say(ev call.Event) {
	c.seq++
	ev.Call, ev.Client, ev.Seq, ev.At = c.id, 7, c.seq, time.Now()
	c.b.bus.Publish(ev)
}

// talk is a call of alice to bob and carol, which bob takes.
func (c *teller) talk() {
	c.say(call.Event{Kind: call.EventStarted, Leg: "a", Party: alice, Dialled: "*61"})
	c.say(call.Event{Kind: call.EventLegStarted, Leg: "a", Party: alice, Direction: call.Inbound})
	c.say(call.Event{Kind: call.EventDecided, Trace: &call.TraceEntry{Kind: call.TraceNumber, Name: "4711"}})
	c.say(call.Event{Kind: call.EventDigit, Leg: "a", Party: alice, Digit: '7'})
	c.say(call.Event{Kind: call.EventLegStarted, Leg: "b", Party: bob, Direction: call.Outbound})
	c.say(call.Event{Kind: call.EventRinging, Leg: "b", Party: bob})
	c.say(call.Event{Kind: call.EventLegStarted, Leg: "c", Party: carol, Direction: call.Outbound})
	time.Sleep(1500 * time.Millisecond)
	c.say(call.Event{Kind: call.EventAnswered, Leg: "b", Party: bob})
	c.say(call.Event{Kind: call.EventAnswered, Leg: "a", Party: alice})
	c.say(call.Event{Kind: call.EventLegEnded, Leg: "c", Party: carol, Direction: call.Outbound, Cause: call.CauseAnsweredElsewhere})
	time.Sleep(10 * time.Second)
	c.say(call.Event{Kind: call.EventHeld, Leg: "b", Party: bob})
	c.say(call.Event{Kind: call.EventFinding, Leg: "b", Party: bob, Finding: &call.Finding{Code: "no_media", Text: "nothing was heard"}})
	c.say(call.Event{Kind: call.EventLegEnded, Leg: "b", Party: bob, Direction: call.Outbound, Cause: call.CauseNormal, Remote: true, Stats: &call.MediaStats{PacketsReceived: 50, Codec: "PCMA", FirstAt: time.Now()}})
	c.say(call.Event{Kind: call.EventLegEnded, Leg: "a", Party: alice, Direction: call.Inbound, Cause: call.CauseNormal})
	c.say(call.Event{Kind: call.EventEnded, Party: alice, Dialled: "*61", Cause: call.CauseNormal, By: "b"})
}

// names are what every event of talk has.
const names = `"caller_number":"101","caller_name":"Alice","called_number":"*61","called_name":`

// talked is what the stream says of talk. The bubble begins at 2000-01-01.
var talked = []string{
	`call.started {"call_uuid":"C","call_api_id":"a","extension_id":1,"at":"2000-01-01T00:00:00.000Z","seq":1,` + names + `""}`,
	`leg.started {"call_uuid":"C","call_api_id":"a","extension_id":1,"at":"2000-01-01T00:00:00.000Z","seq":2,` + names + `"","number":"101","name":"Alice","direction":"in"}`,
	`leg.started {"call_uuid":"C","call_api_id":"b","extension_id":2,"at":"2000-01-01T00:00:00.000Z","seq":5,` + names + `"Bob","number":"102","name":"Bob","direction":"out"}`,
	`call.ringing {"call_uuid":"C","call_api_id":"b","extension_id":2,"at":"2000-01-01T00:00:00.000Z","seq":6,` + names + `"Bob","number":"102","name":"Bob","direction":"out"}`,
	`leg.started {"call_uuid":"C","call_api_id":"c","extension_id":3,"at":"2000-01-01T00:00:00.000Z","seq":7,` + names + `"Bob","number":"103","direction":"out"}`,
	`call.answered {"call_uuid":"C","call_api_id":"b","extension_id":2,"at":"2000-01-01T00:00:01.500Z","seq":8,` + names + `"Bob","number":"102","name":"Bob","direction":"out"}`,
	`call.answered {"call_uuid":"C","call_api_id":"a","extension_id":1,"at":"2000-01-01T00:00:01.500Z","seq":9,` + names + `"Bob","number":"101","name":"Alice","direction":"in"}`,
	`leg.ended {"call_uuid":"C","call_api_id":"c","extension_id":3,"at":"2000-01-01T00:00:01.500Z","seq":10,` + names + `"Bob","number":"103","direction":"out","cause":"answered_elsewhere","remote":false,"duration":1.5,"talk_duration":0,"stats":{"packets_received":0,"packets_sent":0,"octets_received":0,"octets_sent":0,"lost":0,"dropped":0,"jitter_ms":0}}`,
	`call.held {"call_uuid":"C","call_api_id":"b","extension_id":2,"at":"2000-01-01T00:00:11.500Z","seq":11,` + names + `"Bob","number":"102","name":"Bob","direction":"out"}`,
	`media.finding {"call_uuid":"C","call_api_id":"b","extension_id":2,"at":"2000-01-01T00:00:11.500Z","seq":12,` + names + `"Bob","number":"102","name":"Bob","direction":"out","finding":{"code":"no_media","text":"nothing was heard"}}`,
	`leg.ended {"call_uuid":"C","call_api_id":"b","extension_id":2,"at":"2000-01-01T00:00:11.500Z","seq":13,` + names + `"Bob","number":"102","name":"Bob","direction":"out","cause":"normal","remote":true,"duration":11.5,"talk_duration":10,"stats":{"packets_received":50,"packets_sent":0,"octets_received":0,"octets_sent":0,"lost":0,"dropped":0,"jitter_ms":0,"codec":"PCMA","first_at":"2000-01-01T00:00:11.5Z"}}`,
	`leg.ended {"call_uuid":"C","call_api_id":"a","extension_id":1,"at":"2000-01-01T00:00:11.500Z","seq":14,` + names + `"Bob","number":"101","name":"Alice","direction":"in","cause":"normal","remote":false,"duration":11.5,"talk_duration":10,"stats":{"packets_received":0,"packets_sent":0,"octets_received":0,"octets_sent":0,"lost":0,"dropped":0,"jitter_ms":0}}`,
	`call.ended {"call_uuid":"C","call_api_id":null,"extension_id":1,"at":"2000-01-01T00:00:11.500Z","seq":15,` + names + `"Bob","cause":"normal","ended_by":"b","duration":11.5,"talk_duration":10}`,
}

// read returns what a reader has got, as lines.
func read(t *testing.T, r *Reader) []string {
	t.Helper()
	var lines []string
	for _, ev := range next(t, r) {
		lines = append(lines, string(ev.Kind)+" "+string(ev.Data))
	}
	return lines
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("event %d:\n got %s\nwant %s", i, g, w)
		}
	}
}

func TestCallIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		r := b.f.Read(7, 0, Filter{})
		defer r.Close()
		(&teller{b: b, id: "C"}).talk()
		time.Sleep(time.Second)
		compare(t, read(t, r), talked)
		if b.stop(); len(b.f.calls) != 0 {
			t.Errorf("%d calls remembered after their end", len(b.f.calls))
		}
	})
}

// An extension's user sees the calls the extension has had a leg in, from then
// on, and of legs the extension's own.
func TestExtensionSeesItsOwn(t *testing.T) {
	for extension, want := range map[int64][]int{
		1: {0, 1, 3, 5, 6, 8, 11, 12}, // not how the phones of others are
		2: {2, 3, 5, 6, 8, 9, 10, 12},
		3: {4, 5, 6, 7, 8, 12},
		4: nil,
	} {
		bubble(t, func(t *testing.T) {
			b := newBench(t, Options{})
			r := b.f.Read(7, 0, Filter{Extension: extension})
			defer r.Close()
			b.f.Changed(7, "client", 7, 3)
			b.f.Registered(7, Registration{Extension: 9})
			(&teller{b: b, id: "C"}).talk()
			time.Sleep(time.Second)
			if want == nil {
				quiet(t, r)
				return
			}
			var lines []string
			for _, i := range want {
				lines = append(lines, talked[i])
			}
			compare(t, read(t, r), lines)
		})
	}
}

// A group's user sees what the users of its extensions do, and nothing else.
func TestGroupSeesItsExtensions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		r := b.f.Read(7, 0, Filter{Sees: func(x int64) bool { return x == 2 || x == 3 }, Types: Types{"leg", "registration", "config"}})
		defer r.Close()
		b.f.Changed(7, "client", 7, 3)
		b.f.Registered(7, Registration{Extension: 1})
		(&teller{b: b, id: "C"}).talk()
		time.Sleep(time.Second)
		compare(t, read(t, r), []string{talked[2], talked[4], talked[7], talked[10]})
	})
}

func TestSecretsAreNotStreamed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		r := b.f.Read(7, 0, Filter{})
		defer r.Close()
		c := &teller{b: b, id: "C"}
		unknown := call.Party{Number: "+15550100", Name: "Zoe", Anonymous: true}
		c.say(call.Event{Kind: call.EventStarted, Leg: "a", Party: unknown, Dialled: "101"})
		c.say(call.Event{Kind: call.EventLegStarted, Leg: "a", Party: unknown, Direction: call.Inbound})
		c.say(call.Event{Kind: call.EventDigit, Leg: "a", Party: unknown, Digit: '7'})
		c.say(call.Event{Kind: call.EventDecided, Trace: &call.TraceEntry{Name: "4711"}})
		time.Sleep(time.Second)
		lines := read(t, r)
		if len(lines) != 2 {
			t.Errorf("%d events, want the two that are no digit or decision", len(lines))
		}
		for _, line := range lines {
			if strings.Contains(line, "5550100") || strings.Contains(line, "Zoe") {
				t.Errorf("a caller who wants to be unknown is told: %s", line)
			}
		}
	})
}

// A leg that moves is seen in both calls, by all who have been in either.
func TestJoinedLeg(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		r := b.f.Read(7, 0, Filter{Extension: 3, Types: Types{"call.joined", "leg.ended"}})
		defer r.Close()
		from, to := &teller{b: b, id: "F"}, &teller{b: b, id: "T"}
		from.say(call.Event{Kind: call.EventStarted, Leg: "a", Party: alice, Dialled: "103"})
		from.say(call.Event{Kind: call.EventLegStarted, Leg: "c", Party: carol, Direction: call.Outbound})
		to.say(call.Event{Kind: call.EventStarted, Leg: "b", Party: bob, Dialled: "*69"})
		from.say(call.Event{Kind: call.EventJoined, Leg: "c", Party: carol, Direction: call.Outbound, Other: "T"})
		to.say(call.Event{Kind: call.EventJoined, Leg: "c", Party: carol, Direction: call.Outbound, Other: "F"})
		time.Sleep(4 * time.Second)
		to.say(call.Event{Kind: call.EventLegEnded, Leg: "c", Party: carol, Direction: call.Outbound, Cause: call.CauseNormal})
		time.Sleep(time.Second)
		var got []map[string]any
		for _, ev := range next(t, r) {
			var data map[string]any
			if err := json.Unmarshal(ev.Data, &data); err != nil {
				t.Fatal(err)
			}
			got = append(got, data)
		}
		if len(got) != 3 || got[0]["other_call_uuid"] != "T" || got[1]["other_call_uuid"] != "F" || got[2]["call_uuid"] != "T" || got[2]["talk_duration"] != 4.0 {
			t.Errorf("got %v", got)
		}
	})
}

func TestOtherEvents(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		r := b.f.Read(7, 0, Filter{})
		defer r.Close()
		reg := Registration{Extension: 2, Number: "102", ID: "r1", Contact: "sip:102@10.0.0.2", Address: "sip:192.0.2.7:62338", Device: `Phone "X"`, Left: 1}
		b.f.Registered(7, reg)
		reg.Left, reg.Reason, reg.At = 0, "timeout", time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.FixedZone("", 3600))
		b.f.Unregistered(7, reg)
		b.f.Changed(7, "extension", 2, 12)
		b.f.Changed(7, "group", 5, 13)
		b.f.Publish(7, "queue.joined", 9, map[string]any{"position": 2})
		b.f.Publish(7, KindLamp, 0, nil)
		b.f.Publish(7, KindLamp, 0, struct{}{})
		b.f.Publish(7, KindLamp, 0, 12)
		b.f.Publish(7, "call.decided", 0, nil) // not in the stream
		b.f.Publish(7, KindGap, 0, nil)        // only for readers it concerns
		const now = `"at":"2000-01-01T00:00:00.000Z"`
		const nobody = `{"call_uuid":null,"call_api_id":null,"extension_id":`
		compare(t, read(t, r), []string{
			`registration.added ` + nobody + `2,` + now + `,"short_ext_name":"102","registration_id":"r1","device":"Phone \"X\"","contact_address":"sip:102@10.0.0.2","real_address":"sip:192.0.2.7:62338","registrations":1}`,
			`registration.removed ` + nobody + `2,"at":"2026-01-02T02:04:05.006Z","short_ext_name":"102","registration_id":"r1","device":"Phone \"X\"","contact_address":"sip:102@10.0.0.2","real_address":"sip:192.0.2.7:62338","registrations":0,"reason":"timeout"}`,
			`config.changed ` + nobody + `2,` + now + `,"what":"extension","id":2,"version":12}`,
			`config.changed ` + nobody + `null,` + now + `,"what":"group","id":5,"version":13}`,
			`queue.joined ` + nobody + `9,` + now + `,"position":2}`,
			`lamp.changed ` + nobody + `null,` + now + `}`,
			`lamp.changed ` + nobody + `null,` + now + `}`,
			`lamp.changed {"error":"event cannot be shown"}`,
		})
	})
}

// TestTransferred: the stream tells who came from where and by whom, and counts the
// talk from the answer on.
func TestTransferred(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, Options{})
		r := b.f.Read(7, 0, Filter{Types: Types{"call.transferred", "call.ended"}})
		defer r.Close()
		c := &teller{b: b, id: "N"}
		c.say(call.Event{Kind: call.EventStarted, Leg: "b", Party: bob, Dialled: "103"})
		c.say(call.Event{Kind: call.EventJoined, Leg: "b", Party: bob, Direction: call.Inbound, Other: "F"})
		c.say(call.Event{Kind: call.EventLegStarted, Leg: "c", Party: carol, Direction: call.Outbound})
		time.Sleep(3 * time.Second)
		c.say(call.Event{Kind: call.EventAnswered, Leg: "c", Party: carol})
		c.say(call.Event{Kind: call.EventAnswered, Leg: "b", Party: bob})
		c.say(call.Event{Kind: call.EventTransferred, Leg: "b", Party: bob, Other: "F", By: "a"})
		time.Sleep(4 * time.Second)
		c.say(call.Event{Kind: call.EventEnded, Cause: call.CauseNormal, By: "c"})
		time.Sleep(time.Second)
		var got []map[string]any
		for _, ev := range next(t, r) {
			var data map[string]any
			if err := json.Unmarshal(ev.Data, &data); err != nil {
				t.Fatal(err)
			}
			got = append(got, data)
		}
		if len(got) != 2 || got[0]["other_call_uuid"] != "F" || got[0]["transferred_by"] != "a" || got[0]["ended_by"] != nil ||
			got[1]["talk_duration"] != 4.0 || got[1]["duration"] != 7.0 || got[1]["ended_by"] != "c" {
			t.Errorf("got %v", got)
		}
	})
}

// TestStatsAreCopied: an event may point into a leg, which must not stay in memory for
// as long as the stream has the event.
func TestStatsAreCopied(t *testing.T) {
	for _, stats := range []call.MediaStats{{}, {PacketsSent: 1}, {PacketsSent: 1, FirstAt: time.Now()}} {
		ev := call.Event{Kind: call.EventLegEnded, Leg: "a", Stats: &stats}
		c := &conversation{ends: &between{}}
		if d := c.item(Kind(ev.Kind), &ev).data.(*callData); d.Stats == &stats || d.Stats.PacketsSent != stats.PacketsSent {
			t.Errorf("%+v became %+v", stats, *d.Stats)
		}
	}
}
