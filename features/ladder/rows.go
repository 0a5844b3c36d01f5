package ladder

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cordpair/cordpair/dialplan/call"
)

// messageRow is an arrow between a phone and the switch: the method, or the
// status and what it answers unless that is the INVITE, and what body it has.
func messageRow(leg string, m call.Message) Row {
	word, rest, _ := strings.Cut(m.Line, " ")
	_, of, _ := strings.Cut(m.Of, " ")
	text := word
	if word != "" && word[0] >= '1' && word[0] <= '6' {
		text = word + " " + rest
		if of != "" && of != "INVITE" {
			text += " (" + of + ")"
		}
	}
	if m.Body != "" {
		text += " +" + bodyName(m.Body)
	}
	detail := join(", ", m.Line, prefixed("CSeq ", m.Of), m.Peer)
	r := Row{At: m.At.UTC(), Kind: KindMessage, From: leg, To: Switch, Text: text, Detail: detail, Repeats: m.Repeats}
	if m.Sent {
		r.From, r.To = Switch, leg
	}
	return r
}

// bodyName shortens a body's type: SDP for application/sdp.
func bodyName(kind string) string {
	if _, sub, ok := strings.Cut(kind, "/"); ok {
		kind = sub
	}
	kind, _, _ = strings.Cut(kind, ";")
	if strings.EqualFold(kind, "sdp") {
		return "SDP"
	}
	return kind
}

func decisionRow(e call.TraceEntry) Row {
	return Row{
		At: e.At.UTC(), Kind: KindDecision, From: Switch, Seq: e.Seq, Verdict: e.Verdict,
		Who: e.Who, Text: e.Name + " " + e.Verdict, Detail: join("; ", because(e), prefixed("next: ", stepText(e.Step))),
	}
}

// because is what decided an entry.
func because(e call.TraceEntry) string {
	parts := make([]string, len(e.Because))
	for i, b := range e.Because {
		parts[i] = b.Condition + " " + b.Got
		if !b.OK {
			parts[i] += ", wanted " + b.Want
		}
	}
	if len(parts) == 0 && e.Outcome != nil {
		parts = append(parts, "outcome "+join(" ", string(e.Outcome.Kind), string(e.Outcome.Cause)))
	}
	return strings.Join(parts, "; ")
}

// stepText is a step with its arguments: ring extension_id=2 timeout=20.
func stepText(s *call.Step) string {
	if s == nil {
		return ""
	}
	args := map[string]json.RawMessage{}
	if raw, err := json.Marshal(s.Args); err == nil {
		_ = json.Unmarshal(raw, &args) // no arguments if they are no object
	}
	text := s.Name
	for _, name := range slices.Sorted(maps.Keys(args)) {
		value := string(args[name]) // what is no text stays JSON: a list, a number
		_ = json.Unmarshal(args[name], &value)
		text += " " + name + "=" + value
	}
	return text
}

// eventWords say what happened in a word or two.
var eventWords = map[call.EventKind]string{
	call.EventStarted:     "call accepted",
	call.EventRinging:     "ringing",
	call.EventAnswered:    "answered",
	call.EventHeld:        "holds",
	call.EventResumed:     "resumes",
	call.EventJoined:      "joined",
	call.EventTransferred: "transferred",
	call.EventEnded:       "call ended",
	call.EventLegStarted:  "leg begins",
	call.EventLegEnded:    "leg ends",
	call.EventDigit:       "key pressed",
}

func eventRow(e Event) Row {
	r := Row{At: e.At.UTC(), Kind: KindEvent, From: string(e.Leg), Seq: e.Seq, Text: eventWords[e.Kind]}
	if r.Text == "" {
		r.Text = string(e.Kind)
	}
	if e.Finding != nil {
		r.Kind, r.Text, r.Detail = KindFinding, string(e.Finding.Code), e.Finding.Text
	}
	if e.Leg == "" || e.Kind == call.EventEnded || e.Kind == call.EventStarted {
		r.From = Switch
	}
	if e.Cause != "" {
		r.Text += ": " + string(e.Cause)
	}
	if e.Other != "" {
		r.Detail = "call " + string(e.Other)
	}
	return r
}

// join puts the parts that are not empty together.
func join(between string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), between)
}

// prefixed is s behind a prefix, or nothing.
func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// label is what an arrow or a mark is called.
func (r *Row) label() string {
	if r.Repeats > 0 {
		return fmt.Sprintf("%s (x%d)", r.Text, r.Repeats+1)
	}
	return r.Text
}

// note is the text of a row that is no arrow, behind its mark.
func (l *Ladder) note(r *Row) string {
	if r.Kind == KindFinding {
		return l.Columns[l.lane(r.From)].Title + ": " + join(": ", r.Text, r.Detail)
	}
	return join(": ", r.label(), r.Detail)
}

// mark stands before a note.
func (r *Row) mark() string {
	switch {
	case r.Kind == KindFinding:
		return "!"
	case r.Kind == KindEvent:
		return "●"
	}
	return verdictMark(r.Verdict)
}

// verdictMark is a full diamond for what was taken, an empty one for what was
// passed over and a cross for what failed.
func verdictMark(verdict string) string {
	switch verdict {
	case call.VerdictTaken:
		return "◆"
	case call.VerdictSkipped:
		return "◇"
	}
	return "✗"
}
