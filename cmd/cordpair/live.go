package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

type callsCmd struct {
	remote
	JSON bool `name:"json" help:"The API's answer instead of a table."`
}

// currentCall is what a table shows of a leg.
type currentCall struct {
	Call     string  `json:"call_uuid"`
	From     string  `json:"caller_id_number"`
	Name     string  `json:"caller_id_name"`
	To       string  `json:"called_number"`
	Begun    string  `json:"init_time_gmt"`
	Answered *string `json:"answer_time_gmt"`
	State    string  `json:"state"`
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
	return printCalls(os.Stdout, answer.Calls, time.Now())
}

// widest is how much of a name a table shows.
const widest = 32

// printCalls writes one line for each conversation, whose legs stand beside each
// other.
func printCalls(w io.Writer, legs []currentCall, now time.Time) error {
	if len(legs) == 0 {
		_, err := fmt.Fprintln(w, "no calls")
		return err
	}
	var rows [][]string
	for rest := legs; len(rest) > 0; {
		l, n := rest[0], slices.IndexFunc(rest, func(c currentCall) bool { return c.Call != rest[0].Call })
		if n < 0 {
			n = len(rest)
		}
		state, began := conversation(rest[:n])
		rows = append(rows, []string{
			l.Call, short(strings.TrimSpace(l.From+" "+l.Name), widest), l.To, state, since(now, began),
		})
		rest = rest[n:]
	}
	return table(w, []string{"CALL", "FROM", "TO", "STATE", "FOR"}, rows)
}

// conversation is what a call as a whole does, and since when. Somebody who was
// transferred has long been talking when the next phone still rings.
func conversation(legs []currentCall) (state, began string) {
	up, held, ringing, answered := 0, false, "", ""
	for _, l := range legs {
		if l.State == "ringing" || l.Answered == nil {
			if ringing == "" || l.Begun < ringing {
				ringing = l.Begun
			}
			continue
		}
		up++
		held = held || l.State == "held"
		answered = max(answered, *l.Answered)
	}
	switch {
	case ringing != "" && up < 2:
		return "ringing", ringing
	case held:
		return "held", answered
	}
	return "talking", answered
}

// since is the time from a moment as the API writes it until now.
func since(now time.Time, stamp string) string {
	t, err := time.Parse(time.DateTime, stamp)
	if err != nil {
		return "?"
	}
	return max(now.Sub(t), 0).Round(time.Second).String()
}

type registrationsCmd struct {
	remote
	JSON bool `name:"json" help:"The API's answer instead of a table."`
}

type extensionName struct {
	ID   int64  `json:"id"`
	Name string `json:"name"` // 0001*101
}

// number is the name without the client's prefix.
func (x extensionName) number() string {
	if _, number, ok := strings.Cut(x.Name, "*"); ok {
		return number
	}
	return x.Name
}

type registrationState struct {
	Registered    bool  `json:"registered"`
	Extension     int64 `json:"extension_id"`
	Registrations []struct {
		Device  string `json:"device"`
		Real    string `json:"real_address"`
		Expires int    `json:"expires"`
		Away    bool   `json:"away"`
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
	var names []extensionName
	if err := c.get(ctx, path+"/extension/"+query("type", "phone"), &names); err != nil {
		return err
	}
	var states []registrationState
	if err := c.get(ctx, path+"/registration/", &states); err != nil {
		return err
	}
	return printRegistrations(os.Stdout, names, states)
}

// printRegistrations writes a line for each phone, and one for an extension
// without any.
func printRegistrations(w io.Writer, names []extensionName, states []registrationState) error {
	number := map[int64]string{}
	for _, n := range names {
		number[n.ID] = n.number()
	}
	slices.SortStableFunc(states, func(a, b registrationState) int {
		return cmp.Compare(number[a.Extension], number[b.Extension])
	})
	var rows [][]string
	for _, s := range states {
		rows = append(rows, s.rows(number[s.Extension])...)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "no phones")
		return err
	}
	return table(w, []string{"EXTENSION", "STATE", "ADDRESS", "EXPIRES", "DEVICE"}, rows)
}

// rows are the lines of one extension: of its phones, or of those it last had.
func (s registrationState) rows(number string) [][]string {
	if len(s.Registrations) == 0 {
		return [][]string{{number, "offline"}}
	}
	var rows [][]string
	for _, r := range s.Registrations {
		state, expires := "offline", ""
		if s.Registered {
			state, expires = "online", (time.Duration(r.Expires) * time.Second).String()
		}
		if r.Away {
			state = "away"
		}
		rows = append(rows, []string{number, state, strings.TrimPrefix(r.Real, "sip:"), expires, short(r.Device, widest)})
	}
	return rows
}
