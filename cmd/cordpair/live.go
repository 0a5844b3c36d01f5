package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// table prints rows under a head, in columns.
func table(w io.Writer, head string, rows []string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprintln(t, head)
	for _, r := range rows {
		if err == nil {
			_, err = fmt.Fprintln(t, r)
		}
	}
	return cmp.Or(err, t.Flush())
}

type callsCmd struct {
	remote
	JSON bool `name:"json" help:"The API's answer instead of a table."`
}

// currentCall is what a table shows of a leg.
type currentCall struct {
	ID         string  `json:"call_api_id"`
	Call       string  `json:"call_uuid"`
	Flow       string  `json:"call_flow"`
	From       string  `json:"caller_id_number"`
	Name       string  `json:"caller_id_name"`
	To         string  `json:"called_number"`
	Begun      string  `json:"init_time_gmt"`
	Answered   *string `json:"answer_time_gmt"`
	Extensions []struct {
		Name string `json:"name"`
	} `json:"called_extension"`
}

// Run lists the calls that are up.
func (c callsCmd) Run(ctx context.Context) error {
	path, err := c.client(ctx)
	if err != nil {
		return err
	}
	path += "/current_calls/"
	if c.JSON {
		return c.copy(ctx, http.MethodGet, path, nil)
	}
	var answer struct {
		Calls []currentCall `json:"call_list"`
	}
	if err := c.get(ctx, path, &answer); err != nil {
		return err
	}
	rows := make([]string, len(answer.Calls))
	for i, l := range answer.Calls {
		state := "ringing"
		if l.Answered != nil {
			state = "talking " + since(*l.Answered)
		}
		rows[i] = strings.Join([]string{l.Call, l.Flow, strings.TrimSpace(l.From + " " + l.Name), l.To, state, since(l.Begun)}, "\t")
	}
	return table(os.Stdout, "CALL\tFLOW\tFROM\tTO\tSTATE\tAGE", rows)
}

// since is the time from a moment as the API writes it until now.
func since(stamp string) string {
	t, err := time.Parse("2006-01-02 15:04:05", stamp)
	if err != nil {
		return "?"
	}
	return time.Since(t).Round(time.Second).String()
}

type registrationsCmd struct {
	remote
	JSON bool `name:"json" help:"The API's answer instead of a table."`
}

type registrationState struct {
	Registered    bool  `json:"registered"`
	Extension     int64 `json:"extension_id"`
	Registrations []struct {
		ID      string `json:"registration_id"`
		Device  string `json:"device"`
		Real    string `json:"real_address"`
		Contact string `json:"contact_address"`
		Expires int    `json:"expires"`
	} `json:"registrations"`
}

// Run lists the extensions and where their phones are.
func (c registrationsCmd) Run(ctx context.Context) error {
	path, err := c.client(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return c.copy(ctx, http.MethodGet, path+"/registration/", nil)
	}
	var names []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	if err := c.get(ctx, path+"/extension/"+query("type", "phone"), &names); err != nil {
		return err
	}
	var states []registrationState
	if err := c.get(ctx, path+"/registration/", &states); err != nil {
		return err
	}
	name := map[int64]string{}
	for _, n := range names {
		name[n.ID] = n.Name
	}
	slices.SortFunc(states, func(a, b registrationState) int { return cmp.Compare(name[a.Extension], name[b.Extension]) })
	var rows []string
	for _, s := range states {
		rows = append(rows, s.rows(name[s.Extension])...)
	}
	return table(os.Stdout, "EXTENSION\tSTATE\tFROM\tCONTACT\tDEVICE\tEXPIRES", rows)
}

// rows are the lines of one extension.
func (s registrationState) rows(name string) []string {
	state := "offline"
	if s.Registered {
		state = "online"
	}
	if len(s.Registrations) == 0 {
		return []string{name + "\tnever seen\t\t\t\t"}
	}
	var rows []string
	for _, r := range s.Registrations {
		expires := ""
		if s.Registered {
			expires = (time.Duration(r.Expires) * time.Second).String()
		}
		rows = append(rows, strings.Join([]string{name, state, r.Real, r.Contact, r.Device, expires}, "\t"))
	}
	return rows
}

type tailCmd struct {
	remote
	Types string `placeholder:"LIST" help:"Only these, for example call.started,call.ended or registration.*"`
	From  string `placeholder:"ID" help:"Go on after this event."`
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
	err = c.print(os.Stdout, events)
	if ctx.Err() != nil {
		return nil // interrupted
	}
	return err
}

// print writes one line for each event of a stream.
func (c tailCmd) print(w io.Writer, stream io.Reader) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
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
				return err
			}
		}
	}
	return lines.Err()
}

// event writes one event.
func (c tailCmd) event(w io.Writer, id, kind, data string) error {
	if c.JSON {
		_, err := fmt.Fprintf(w, "{\"id\":%q,\"event\":%q,\"data\":%s}\n", id, kind, data)
		return err
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(data), &members); err != nil {
		return fmt.Errorf("event %s: %w", id, err)
	}
	at, _ := members["at"].(string)
	delete(members, "at")
	line := fmt.Sprintf("%-24s  %-20s", at, kind)
	for _, k := range slices.Sorted(maps.Keys(members)) {
		line += fmt.Sprintf(" %s=%v", k, members[k])
	}
	_, err := fmt.Fprintln(w, line)
	return err
}
