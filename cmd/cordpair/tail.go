package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

type tailCmd struct {
	remote
	Types string `placeholder:"LIST" help:"Only these, for example call.started,call.ended or registration.*"`
	From  string `placeholder:"ID" help:"Go on after this event; --json shows the ids."`
	JSON  bool   `name:"json" help:"One JSON object a line."`
}

// Run prints events as they come, until it is interrupted.
func (c tailCmd) Run(ctx context.Context) error {
	path, err := c.client(ctx)
	if err != nil {
		return err
	}
	events, err := c.send(ctx, http.MethodGet, path+"/events/stream/"+query("types", c.Types, "last_event_id", c.From), nil)
	if err != nil {
		return err
	}
	defer events.Close()
	last, err := c.print(os.Stdout, events)
	if ctx.Err() != nil {
		return nil // interrupted
	}
	if err == nil {
		err = io.EOF
	}
	if last == "" {
		return fmt.Errorf("the switch ended the stream: %w", err)
	}
	return fmt.Errorf("the switch ended the stream; go on with --from %s: %w", last, err)
}

// longestLine is the most an event may take in bytes.
const longestLine = 1 << 20

// print writes one line for each event of a stream and returns the id of the
// last.
func (c tailCmd) print(w io.Writer, stream io.Reader) (last string, err error) {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, longestLine)
	var id, kind string
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			if err := c.event(w, id, kind, value); err != nil {
				return id, err
			}
		}
	}
	return id, lines.Err()
}

// event writes one event.
func (c tailCmd) event(w io.Writer, id, kind, data string) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(struct {
			ID    string          `json:"id"`
			Event string          `json:"event"`
			Data  json.RawMessage `json:"data"`
		}{id, kind, json.RawMessage(data)})
	}
	members := map[string]any{}
	if err := json.Unmarshal([]byte(data), &members); err != nil {
		return fmt.Errorf("event %s: %w", id, err)
	}
	_, err := fmt.Fprintln(w, plain(eventLine(kind, members)))
	return err
}

// unshown are members that no person reads in passing; --json has them.
var unshown = []string{
	"seq", "extension_id", "call_api_id", "caller_name", "called_name", "name", "direction", "duration", "ended_by", "remote",
	"stats", "registration_id", "registrations", "contact_address",
}

// eventLine is an event for people: when, what, who with whom, which call, and
// what else there is to say.
func eventLine(kind string, members map[string]any) string {
	text := func(key string) string {
		s, _ := members[key].(string)
		delete(members, key)
		return s
	}
	line := fmt.Sprintf("%-12s  %-18s", clock(text("at")), kind)
	add := func(s string) {
		if s != "" {
			line += "  " + s
		}
	}
	if from, to := text("caller_number"), text("called_number"); from != "" {
		add(from + " -> " + to)
	}
	if number := text("number"); number != "" {
		add("leg " + number)
	}
	for _, key := range []string{"short_ext_name", "call_uuid"} {
		add(text(key))
	}
	add(strings.TrimPrefix(text("real_address"), "sip:"))
	add(text("device"))
	add(text("cause"))
	if talked, ok := members["talk_duration"].(float64); ok && talked > 0 {
		add(fmt.Sprintf("talked %.1f s", talked))
	}
	delete(members, "talk_duration")
	if found, ok := members["finding"].(map[string]any); ok {
		add(fmt.Sprint(found["text"]))
		delete(members, "finding")
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if v := members[key]; v != nil && v != "" && !slices.Contains(unshown, key) {
			value, _ := json.Marshal(v) // it came from JSON
			add(key + "=" + strings.Trim(string(value), `"`))
		}
	}
	return line
}

// clock is the local time of day in a timestamp, to the millisecond.
func clock(at string) string {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return at
	}
	return t.Local().Format("15:04:05.000")
}
