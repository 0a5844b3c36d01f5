package history

import (
	"encoding/json"

	"github.com/cordpair/cordpair/dialplan/call"
)

// The tale of a call is its sequence of events and decisions, written as they come
// and not again: the journal, the record and those who look at a running call all
// have the same bytes. Each entry begins with what it is.
const (
	taleEvent    = 1
	taleDecision = 2
)

func (w *writer) tellEvent(ev *Event) {
	w.uint(taleEvent)
	w.event(ev)
}

func (w *writer) tellDecision(t *call.TraceEntry) {
	w.uint(taleDecision)
	w.entry(t)
}

// part writes a form of its own inside another one.
func (w *writer) part(b []byte) {
	w.uint(uint64(len(b)))
	w.b = append(w.b, b...)
}

// tale reads the tale that is a part of this form.
func (r *reader) tale() ([]Event, []call.TraceEntry) {
	events, trace, err := readTale(r.bytes(r.uint()))
	if err != nil {
		r.fail()
	}
	return events, trace
}

// readTale takes a tale apart.
func readTale(b string) (events []Event, trace []call.TraceEntry, err error) {
	r := newReader(b)
	for r.err == nil && r.at < len(r.s) {
		switch r.uint() {
		case taleEvent:
			events = append(events, r.event())
		case taleDecision:
			trace = append(trace, r.entry())
		default:
			r.fail()
		}
	}
	return events, trace, r.err
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
