package history

import (
	"encoding/json"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// recordVersion is the form AppendRow writes. Version 1 was JSON.
const recordVersion = 2

// brief is a record without its sequence, trace and messages, which reading one
// row after another need not take apart.
type brief struct{ Record }

// AppendRow writes the stored form: what lists show first, then the events, the
// trace and the messages of each leg (store.Coded).
func (rec *Record) AppendRow(b []byte) ([]byte, error) {
	w := writers.Get().(*writer)
	defer w.release()
	w.b = b
	if !rec.InitTime.IsZero() {
		w.base = rec.InitTime.UnixNano()
	}
	w.int(w.base)
	w.head(rec)
	writeList(w, rec.Events, w.event)
	writeList(w, rec.Trace, w.entry)
	for i := range rec.CDR {
		writeList(w, rec.CDR[i].Messages, w.message)
	}
	return w.b, w.err
}

// ParseRow reads the stored form (store.Coded).
func (rec *Record) ParseRow(version byte, b []byte) error {
	if version == 1 {
		return json.Unmarshal(b, rec)
	}
	r := &reader{s: string(b), words: make([]string, 0, 64)}
	r.base = r.int()
	r.head(rec)
	rec.Events = list(r, r.event)
	rec.Trace = list(r, r.entry)
	for i := range rec.CDR {
		rec.CDR[i].Messages = list(r, r.message)
	}
	if r.err == nil && r.at < len(r.s) {
		return store.ErrDamaged
	}
	return r.err
}

// ParseRow reads the first part of the stored form.
func (rec *brief) ParseRow(version byte, b []byte) error {
	if version == 1 {
		err := json.Unmarshal(b, &rec.Record)
		rec.Events, rec.Trace = nil, nil
		return err
	}
	r := &reader{s: string(b), words: make([]string, 0, 64)}
	r.base = r.int()
	r.head(&rec.Record)
	return r.err
}

func (w *writer) head(rec *Record) {
	w.text(string(rec.CallUUID))
	w.fields(&rec.Fields)
	w.bool(rec.Bridged)
	w.optInt(rec.BridgedDuration)
	w.time(rec.BridgedTime.Time)
	w.optText(rec.BridgedUsername)
	w.optText(rec.BridgedDomain)
	w.int(int64(rec.Left))
	writeList(w, rec.CDR, w.leg)
}

func (r *reader) head(rec *Record) {
	rec.CallUUID = call.ID(r.text())
	r.fields(&rec.Fields)
	rec.Bridged = r.bool()
	rec.BridgedDuration = r.optInt()
	rec.BridgedTime = r.stamp()
	rec.BridgedUsername = r.optText()
	rec.BridgedDomain = r.optText()
	rec.Left = int(r.int())
	rec.CDR = list(r, r.leg)
}

func (r *reader) stamp() dialplan.Stamp { return dialplan.Stamp{Time: r.time()} }

func (w *writer) fields(f *Fields) {
	w.text(f.Flow)
	w.text(f.Result)
	w.text(string(f.Cause))
	w.text(f.Q850)
	w.text(f.Disposition)
	w.time(f.InitTime.Time)
	w.time(f.StartTime.Time)
	w.time(f.HangupTime.Time)
	w.int(f.Duration)
	w.optInt(f.Extension)
	w.optText(f.ExtensionName)
	w.optText(f.ExtensionType)
	w.optInt(f.ExtensionGroup)
	w.int(f.Client)
	for _, s := range []string{f.FromUsername, f.FromDomain, f.FromScreenName, f.ToUsername, f.ToDomain, f.DestNumber, f.DestDomain} {
		w.text(s)
	}
}

func (r *reader) fields(f *Fields) {
	f.Flow = r.text()
	f.Result = r.text()
	f.Cause = call.Cause(r.text())
	f.Q850 = r.text()
	f.Disposition = r.text()
	f.InitTime, f.StartTime, f.HangupTime = r.stamp(), r.stamp(), r.stamp()
	f.Duration = r.int()
	f.Extension = r.optInt()
	f.ExtensionName, f.ExtensionType = r.optText(), r.optText()
	f.ExtensionGroup = r.optInt()
	f.Client = r.int()
	for _, s := range []*string{&f.FromUsername, &f.FromDomain, &f.FromScreenName, &f.ToUsername, &f.ToDomain, &f.DestNumber, &f.DestDomain} {
		*s = r.text()
	}
}

func (w *writer) leg(l *Leg) {
	w.text(string(l.CallUUID))
	w.text(string(l.ID))
	w.fields(&l.Fields)
	w.text(l.CallsResult)
	w.text(l.CallsDisposition)
	w.media(&l.Stats)
	w.text(string(l.Moved))
}

func (r *reader) leg() (l Leg) {
	l.CallUUID, l.ID = call.ID(r.text()), call.LegID(r.text())
	r.fields(&l.Fields)
	l.CallsResult, l.CallsDisposition = r.text(), r.text()
	r.media(&l.Stats)
	l.Moved = call.ID(r.text())
	return l
}

func (w *writer) media(m *call.MediaStats) {
	for _, n := range []uint64{m.PacketsReceived, m.PacketsSent, m.OctetsReceived, m.OctetsSent, m.Lost, m.Dropped} {
		w.uint(n)
	}
	w.float(m.JitterMS)
	w.text(m.Codec)
	w.time(m.FirstAt)
	w.text(m.Signalled)
	w.text(m.Source)
}

func (r *reader) media(m *call.MediaStats) {
	for _, n := range []*uint64{&m.PacketsReceived, &m.PacketsSent, &m.OctetsReceived, &m.OctetsSent, &m.Lost, &m.Dropped} {
		*n = r.uint()
	}
	m.JitterMS = r.float()
	m.Codec = r.text()
	m.FirstAt = r.time()
	m.Signalled, m.Source = r.text(), r.text()
}

func (w *writer) event(ev *Event) {
	w.int(int64(ev.Seq))
	w.time(ev.At)
	w.text(string(ev.Kind))
	w.text(string(ev.Leg))
	w.int(ev.Extension)
	w.text(ev.Number)
	w.text(string(ev.Cause))
	w.text(string(ev.By))
	w.text(string(ev.Other))
	w.bool(ev.Finding != nil)
	if ev.Finding != nil {
		w.text(ev.Finding.Code)
		w.text(ev.Finding.Text)
	}
}

func (r *reader) event() (ev Event) {
	ev.Seq, ev.At, ev.Kind = int(r.int()), r.time(), call.EventKind(r.text())
	ev.Leg, ev.Extension, ev.Number = call.LegID(r.text()), r.int(), r.text()
	ev.Cause, ev.By, ev.Other = call.Cause(r.text()), call.LegID(r.text()), call.ID(r.text())
	if r.bool() {
		ev.Finding = &call.Finding{Code: r.text(), Text: r.text()}
	}
	return ev
}

func (w *writer) entry(t *call.TraceEntry) {
	w.int(int64(t.Seq))
	w.time(t.At)
	w.text(t.Branch)
	w.text(t.Who)
	w.text(t.Kind)
	w.int(t.ID)
	w.text(t.Name)
	w.text(t.Verdict)
	writeList(w, t.Because, w.because)
	w.bool(t.Step != nil)
	if t.Step != nil {
		w.text(t.Step.Name)
		w.text(t.Step.Branch)
		w.args(t.Step.Args)
	}
	w.outcome(t.Outcome)
}

// Forms of an outcome.
const (
	outcomeNone = iota
	outcomePlain
	outcomeRedirected // with To and Why
)

func (w *writer) outcome(o *call.Outcome) {
	switch {
	case o == nil:
		w.uint(outcomeNone)
		return
	case o.To == "" && o.Why == "":
		w.uint(outcomePlain)
	default:
		w.uint(outcomeRedirected)
		w.text(o.To)
		w.text(string(o.Why))
	}
	w.text(o.Branch)
	w.text(string(o.Kind))
	w.text(string(o.Cause))
	w.text(string(o.By))
}

func (r *reader) outcome() *call.Outcome {
	o := &call.Outcome{}
	switch r.uint() {
	case outcomeNone:
		return nil
	case outcomePlain:
	case outcomeRedirected:
		o.To, o.Why = r.text(), call.DivertReason(r.text())
	default:
		r.fail()
	}
	o.Branch, o.Kind, o.Cause, o.By = r.text(), call.OutcomeKind(r.text()), call.Cause(r.text()), call.LegID(r.text())
	return o
}

func (r *reader) entry() (t call.TraceEntry) {
	t.Seq, t.At = int(r.int()), r.time()
	t.Branch, t.Who, t.Kind = r.text(), r.text(), r.text()
	t.ID, t.Name, t.Verdict = r.int(), r.text(), r.text()
	t.Because = list(r, r.because)
	if r.bool() {
		t.Step = &call.Step{Name: r.text(), Branch: r.text(), Args: r.args()}
	}
	t.Outcome = r.outcome()
	return t
}

func (w *writer) because(c *call.TraceCause) {
	w.text(c.Condition)
	w.text(c.Want)
	w.text(c.Got)
	w.bool(c.OK)
}

func (r *reader) because() call.TraceCause {
	return call.TraceCause{Condition: r.text(), Want: r.text(), Got: r.text(), OK: r.bool()}
}

// args writes the parameters of a step, a struct of whoever made the step, as
// JSON; nothing if there are none.
func (w *writer) args(v any) {
	if v == nil {
		w.uint(0)
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		w.err = err
	}
	w.uint(uint64(len(b)))
	w.b = append(w.b, b...)
}

func (r *reader) args() (v any) {
	b := r.bytes(r.uint())
	if b == "" {
		return nil
	}
	if json.Unmarshal([]byte(b), &v) != nil {
		r.fail()
	}
	return v
}

func (w *writer) message(m *call.Message) {
	w.time(m.At)
	w.bool(m.Sent)
	w.text(m.Line)
	w.text(m.Of)
	w.text(m.Peer)
	w.text(m.Body)
	w.int(int64(m.Repeats))
}

func (r *reader) message() call.Message {
	return call.Message{
		At: r.time(), Sent: r.bool(), Line: r.text(), Of: r.text(), Peer: r.text(), Body: r.text(), Repeats: int(r.int()),
	}
}

// utc is a time as records keep it: without zone and monotonic reading.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Round(0)
}
