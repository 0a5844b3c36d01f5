package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPrintCalls(t *testing.T) {
	var legs []currentCall
	text := `[
		{"call_uuid": "C37946169A319A32573CCF4D84AFE88C", "caller_id_number": "101", "caller_id_name": "Phone 101", "called_number": "102",
		 "init_time_gmt": "2026-11-21 13:25:29.53", "answer_time_gmt": "2026-11-21 13:25:30.00", "state": "talking"},
		{"call_uuid": "C37946169A319A32573CCF4D84AFE88C", "caller_id_number": "101", "caller_id_name": "Phone 101", "called_number": "102",
		 "init_time_gmt": "2026-11-21 13:25:29.53", "answer_time_gmt": "2026-11-21 13:25:30.00", "state": "talking"},
		{"call_uuid": "0B", "caller_id_number": "103", "caller_id_name": "\u001b[31mA very long name that says nothing", "called_number": "*43",
		 "init_time_gmt": "2026-11-21 14:25:00.00", "answer_time_gmt": null, "state": "ringing"}]`
	if err := json.Unmarshal([]byte(text), &legs); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 14, 25, 5, 0, time.UTC)
	wants(t, func(w io.Writer) error { return printCalls(w, legs, now) }, `
CALL                              FROM                              TO   STATE    FOR
C37946169A319A32573CCF4D84AFE88C  101 Phone 101                     102  talking  59m35s
0B                                103 �[31mA very long name that …  *43  ringing  5s
`)
	wants(t, func(w io.Writer) error { return printCalls(w, nil, now) }, "\nno calls\n")
}

// TestConversation: the state of a call is not that of its first leg alone.
func TestConversation(t *testing.T) {
	leg := func(state, begun string, answered ...string) currentCall {
		c := currentCall{State: state, Begun: begun}
		for _, at := range answered {
			c.Answered = &at
		}
		return c
	}
	for _, c := range []struct {
		name         string
		legs         []currentCall
		state, began string
	}{
		{"rings", []currentCall{leg("ringing", "10"), leg("ringing", "11")}, "ringing", "10"},
		{"talks", []currentCall{leg("talking", "10", "15"), leg("talking", "11", "15")}, "talking", "15"},
		{"a service", []currentCall{leg("talking", "10", "15")}, "talking", "15"},
		{"transferred, the target rings", []currentCall{leg("talking", "10", "15"), leg("ringing", "40")}, "ringing", "40"},
		{"transferred, the target answered", []currentCall{leg("talking", "10", "15"), leg("talking", "40", "45")}, "talking", "45"},
		{"the called party holds", []currentCall{leg("talking", "10", "15"), leg("held", "11", "15")}, "held", "15"},
		{"a third phone rings still", []currentCall{leg("talking", "10", "15"), leg("talking", "11", "15"), leg("ringing", "11")}, "talking", "15"},
	} {
		if state, began := conversation(c.legs); state != c.state || began != c.began {
			t.Errorf("%s: %s since %s", c.name, state, began)
		}
	}
}

func TestPrintRegistrations(t *testing.T) {
	names := []extensionName{{3, "0001*103"}, {1, "0001*101"}, {2, "102"}}
	var states []registrationState
	text := `[
		{"registered": false, "extension_id": 3, "registrations": []},
		{"registered": true, "extension_id": 1, "registrations": [
			{"device": "baresip v1.0.0 (x86_64/linux)", "real_address": "sip:127.0.0.1:5160", "expires": 56},
			{"device": "two\ttabs\nand a line", "real_address": "sip:192.0.2.7:62338;transport=tcp", "expires": 3600, "away": true}]},
		{"registered": false, "extension_id": 2, "registrations": [{"device": "", "real_address": "sip:127.0.0.1:5162", "expires": 0}]}]`
	if err := json.Unmarshal([]byte(text), &states); err != nil {
		t.Fatal(err)
	}
	wants(t, func(w io.Writer) error { return printRegistrations(w, names, states) }, `
EXTENSION  STATE    ADDRESS                        EXPIRES  DEVICE
101        online   127.0.0.1:5160                 56s      baresip v1.0.0 (x86_64/linux)
101        away     192.0.2.7:62338;transport=tcp  1h0m0s   two�tabs�and a line
102        offline  127.0.0.1:5162
103        offline
`)
	wants(t, func(w io.Writer) error { return printRegistrations(w, nil, nil) }, "\nno phones\n")
}

// stream is what the API sends.
const stream = `retry: 2000

id: 7
event: registration.added
data: {"at":"2026-11-21T13:25:29.537Z","extension_id":1,"short_ext_name":"101","device":"baresip","real_address":"sip:127.0.0.1:5160","contact_address":"sip:101@127.0.0.1","registration_id":"c0","registrations":1}

id: 8
event: call.started
data: {"call_uuid":"C379","call_api_id":null,"extension_id":null,"at":"2026-11-21T13:25:29.539Z","seq":1,"caller_number":"101","caller_name":"Phone 101","called_number":"102","called_name":""}

id: 9
: alive

id: 10
event: media.finding
data: {"call_uuid":"C379","at":"2026-11-21T13:25:57.164Z","caller_number":"101","called_number":"102","number":"102","finding":{"code":"silence","text":"nothing came\u001b[2J for 5 s"}}

id: 11
event: call.ended
data: {"call_uuid":"C379","at":"2026-11-21T13:25:57.164Z","caller_number":"101","called_number":"102","cause":"normal","duration":27.6,"talk_duration":27.611,"ended_by":"f2","stats":{"lost":0}}

id: 12
event: config.changed
data: {"at":"2026-11-21T13:25:58Z","call_uuid":null,"what":"extension","id":5,"version":9}

`

func TestTail(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
	wants(t, func(w io.Writer) error {
		_, err := tailCmd{}.print(w, strings.NewReader(stream))
		return err
	}, `
13:25:29.537  registration.added  101  127.0.0.1:5160  baresip
13:25:29.539  call.started        101 -> 102  C379
13:25:57.164  media.finding       101 -> 102  leg 102  C379  nothing came�[2J for 5 s
13:25:57.164  call.ended          101 -> 102  C379  normal  talked 27.6 s
13:25:58.000  config.changed      id=5  version=9  what=extension
`)
	var out bytes.Buffer
	if last, err := (tailCmd{JSON: true}).print(&out, strings.NewReader(stream)); err != nil || last != "12" {
		t.Fatalf("up to event %q: %v", last, err)
	}
	var line struct {
		ID, Event string
		Data      struct{ Version int }
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil || len(lines) != 5 || line.ID != "12" || line.Event != "config.changed" || line.Data.Version != 9 {
		t.Errorf("%v: %+v in\n%s", err, line, out.String())
	}
	if _, err := (tailCmd{}).print(io.Discard, strings.NewReader("id: 1\nevent: x\ndata: {\n\n")); err == nil || !strings.Contains(err.Error(), "event 1") {
		t.Errorf("half an event: %v", err)
	}
}

// wants compares what is printed with a text that begins on its second line.
func wants(t *testing.T, print func(io.Writer) error, want string) {
	t.Helper()
	var out bytes.Buffer
	if err := print(&out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[1:], out.String()); diff != "" {
		t.Error(diff)
	}
	if err := print(brokenPipe{}); err == nil {
		t.Error("a closed output is no error")
	}
}
