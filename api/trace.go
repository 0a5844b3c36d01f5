package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/history"
	"github.com/cordpair/cordpair/features/ladder"
)

// Why a call went where it went, and what was said: the trace and the ladder, as
// data and for people.

type traceIn struct {
	OneCall
	Format string `query:"format" enum:"json,text" doc:"json, or text for a terminal; json by default"`
}

type ladderIn struct {
	OneCall
	Format string `query:"format" enum:"json,text,svg" doc:"json, text for a terminal of 100 columns, or svg; json by default"`
}

// The media types of answers for people.
const (
	plainText = "text/plain"
	svgImage  = "image/svg+xml"
)

func (s *Server) registerTraces() {
	const one = "/client/{client_id}/call_history/{call_uuid}"
	register(s, operation{
		ID: "getCallTrace", Method: http.MethodGet, Path: one + "/trace/", Tag: callHistoryTag,
		Summary: "Every decision about a call, with what decided it, and what was found wrong with its audio", Document: formats[[]call.TraceEntry](plainText),
	}, s.callTrace)
	register(s, operation{
		ID: "getCallLadder", Method: http.MethodGet, Path: one + "/ladder/", Tag: callHistoryTag,
		Summary:     "Messages of all legs, decisions and findings about the audio on one time axis",
		Description: "As data, drawn for a terminal, or as a picture.", Document: formats[ladder.Ladder](plainText, svgImage),
	}, s.callLadder)
}

func (s *Server) callTrace(ctx context.Context, in *traceIn) (*huma.StreamResponse, error) {
	rec, _, err := s.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	trace := withFindings(&rec)
	if in.Format == "text" {
		return drawn(plainText, func(w io.Writer) error { return ladder.WriteTrace(w, trace) })
	}
	return asJSON(whole(trace))
}

func (s *Server) callLadder(ctx context.Context, in *ladderIn) (*huma.StreamResponse, error) {
	rec, _, err := s.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	l := ladderOf(&rec)
	switch in.Format {
	case "text":
		return drawn(plainText, l.WriteText)
	case "svg":
		return drawn(svgImage, l.WriteSVG)
	}
	return asJSON(l)
}

// withFindings is the trace of a call with what was found wrong with its audio,
// each in its place.
func withFindings(rec *history.Record) []call.TraceEntry {
	trace := slices.Clone(rec.Trace)
	for _, ev := range rec.Events {
		if ev.Finding == nil {
			continue
		}
		who := ev.Number
		if ev.Extension != 0 {
			who = "extension " + who
		}
		trace = append(trace, call.TraceEntry{
			Seq: ev.Seq, At: ev.At, Who: who, Kind: call.TraceMedia, Name: string(ev.Finding.Code), Verdict: call.VerdictFailed,
			Because: []call.TraceCause{{Condition: "audio", Got: ev.Finding.Text, OK: true}},
		})
	}
	slices.SortStableFunc(trace, func(a, b call.TraceEntry) int { return cmp.Compare(a.Seq, b.Seq) })
	return trace
}

// whole are entries as spec/shapes.md has them: because is never null.
func whole(trace []call.TraceEntry) []call.TraceEntry {
	list := make([]call.TraceEntry, len(trace))
	copy(list, trace)
	for i := range list {
		if list[i].Because == nil {
			list[i].Because = []call.TraceCause{}
		}
	}
	return list
}

// ladderOf is the ladder of a call that is up or has ended.
func ladderOf(rec *history.Record) ladder.Ladder {
	c := ladder.Call{UUID: rec.CallUUID, Started: rec.InitTime.Time, Trace: rec.Trace}
	for _, ev := range rec.Events {
		c.Events = append(c.Events, ladder.Event{
			Seq: ev.Seq, At: ev.At, Kind: ev.Kind, Leg: ev.Leg, Cause: ev.Cause, By: ev.By, Other: ev.Other, Finding: ev.Finding,
		})
	}
	if len(rec.Events) > 0 {
		c.Started = rec.Events[0].At // finer than InitTime
	}
	for _, leg := range rec.CDR {
		c.Legs = append(c.Legs, laneOf(leg))
		if len(leg.Messages) > 0 && leg.Messages[0].At.Before(c.Started) {
			c.Started = leg.Messages[0].At // the INVITE comes before there is a call
		}
	}
	return ladder.New(c)
}

// laneOf is a leg as the ladder shows it. Flow is as the extension sees it, and
// as the switch does for the outside.
func laneOf(leg history.Leg) ladder.Leg {
	l := ladder.Leg{
		ID: leg.ID, Number: leg.DestNumber, Direction: call.Outbound, Messages: leg.Messages, Stats: leg.Stats, Moved: leg.Moved,
		Killed: leg.Cause == call.CauseRestart,
	}
	if (leg.Flow == "out") == (leg.Extension != nil) {
		l.Direction, l.Number, l.Name = call.Inbound, leg.FromUsername, leg.FromScreenName
	}
	return l
}

// drawn answers with what draw writes.
func drawn(kind string, draw func(io.Writer) error) (*huma.StreamResponse, error) {
	var b bytes.Buffer
	if err := draw(&b); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", kind)
		switch kind {
		case plainText:
			h.SetHeader("Content-Type", kind+"; charset=utf-8")
		case svgImage:
			h.SetHeader("Content-Security-Policy", svgPolicy)
		}
		_, _ = h.BodyWriter().Write(b.Bytes()) // the client may be gone
	}}, nil
}

// svgPolicy lets a picture be looked at and do nothing: it is drawn with
// attributes alone, and what a phone said in it is text.
const svgPolicy = "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

func asJSON(v any) (*huma.StreamResponse, error) {
	return drawn("application/json", func(w io.Writer) error { return json.NewEncoder(w).Encode(v) })
}

// formats documents an answer that comes as JSON of T or as another media type.
func formats[T any](others ...string) func(*huma.Operation, huma.Registry) {
	return func(op *huma.Operation, schemas huma.Registry) {
		schema := schemaOf[T](schemas)
		schema.Nullable = false
		describeTrace(schemas)
		content := map[string]*huma.MediaType{"application/json": {Schema: schema}}
		for _, kind := range others {
			content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		}
		op.Responses["200"].Content = content
	}
}

// traceDocs describes the members of a trace entry.
var traceDocs = map[string]string{
	"seq":     "Number in the sequence of the call, which events share",
	"at":      "When it was decided",
	"branch":  "Place in the plan's tree: 1, below it 1.1 and 1.2",
	"who":     "Whom it is about: extension 102; empty: the call",
	"kind":    "What was looked at: number, rule, ring, ivr, queue, effect, outcome, limit or media",
	"id":      "Id of the rule or setting",
	"name":    "Its name",
	"verdict": "taken, skipped or failed",
	"because": "The conditions that were looked at, and what they found",
	"step":    "What the call was told to do; null: nothing",
	"outcome": "What came of the step before; null: nothing yet",
}

// describeTrace corrects the schema of a trace entry: huma does not know that a
// pointer to a struct may be null.
func describeTrace(schemas huma.Registry) {
	entry := schemas.SchemaFromRef(schemaOf[call.TraceEntry](schemas).Ref)
	for name, doc := range traceDocs {
		p := entry.Properties[name]
		if p.Ref != "" {
			p = &huma.Schema{OneOf: []*huma.Schema{{Ref: p.Ref}, {Enum: []any{nil}}}}
			entry.Properties[name] = p
		}
		p.Description = doc
	}
	entry.Properties["because"].Nullable = false
}
