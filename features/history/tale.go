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

// What is there of an event, as bits: the rest of it is empty.
const (
	hasExtension = 1 << iota
	hasNumber
	hasCause
	hasBy
	hasOther
	hasFinding
	// Of a party that comes, with all that is to be known of it.
	hasName
	hasDomain
	isAnonymous
	hasDirection
	hasDialled
	// Of a leg that ends.
	isRemote
	hasStats
)

// bits is what there is of an event that is worth keeping. The keys people press may
// be PINs and are not.
func bits(ev *call.Event) (has uint64) {
	set := func(bit uint64, there bool) {
		if there {
			has |= bit
		}
	}
	set(hasExtension, ev.Party.Extension != 0)
	set(hasNumber, ev.Party.Number != "")
	set(hasCause, ev.Cause != "")
	set(hasBy, ev.By != "")
	set(hasOther, ev.Other != "")
	set(hasFinding, ev.Finding != nil)
	switch ev.Kind {
	case call.EventStarted, call.EventLegStarted, call.EventJoined:
		set(hasName, ev.Party.Name != "")
		set(hasDomain, ev.Party.Domain != "")
		set(isAnonymous, ev.Party.Anonymous)
		set(hasDirection, ev.Direction != "")
		set(hasDialled, ev.Dialled != "" && ev.Kind == call.EventStarted)
	case call.EventLegEnded:
		set(isRemote, ev.Remote)
		set(hasStats, ev.Stats != nil && *ev.Stats != call.MediaStats{})
	}
	return has
}

func (w *writer) tellEvent(ev *call.Event) {
	has := bits(ev)
	w.uint(taleEvent)
	w.uint(has)
	w.uint(uint64(ev.Seq))
	w.time(ev.At)
	w.text(string(ev.Kind))
	w.text(string(ev.Leg))
	if has&hasExtension != 0 {
		w.int(ev.Party.Extension)
	}
	for _, t := range [...]struct {
		bit uint64
		s   string
	}{
		{hasNumber, ev.Party.Number}, {hasCause, string(ev.Cause)}, {hasBy, string(ev.By)}, {hasOther, string(ev.Other)},
		{hasName, ev.Party.Name}, {hasDomain, ev.Party.Domain}, {hasDirection, string(ev.Direction)}, {hasDialled, ev.Dialled},
	} {
		if has&t.bit != 0 {
			w.text(t.s)
		}
	}
	if has&hasFinding != 0 {
		w.text(string(ev.Finding.Code))
		w.text(ev.Finding.Text)
	}
	if has&hasStats != 0 {
		w.media(ev.Stats)
	}
}

// told reads an event as it was told.
func (r *reader) told() (ev call.Event) {
	has := r.uint()
	ev.Seq, ev.At, ev.Kind, ev.Leg = int(r.uint()), r.time(), call.EventKind(r.text()), call.LegID(r.text())
	if has&hasExtension != 0 {
		ev.Party.Extension = r.int()
	}
	text := func(bit uint64) string {
		if has&bit == 0 {
			return ""
		}
		return r.text()
	}
	ev.Party.Number, ev.Cause, ev.By, ev.Other = text(hasNumber), call.Cause(text(hasCause)), call.LegID(text(hasBy)), call.ID(text(hasOther))
	ev.Party.Name, ev.Party.Domain = text(hasName), text(hasDomain)
	ev.Direction, ev.Dialled = call.Direction(text(hasDirection)), text(hasDialled)
	ev.Party.Anonymous, ev.Remote = has&isAnonymous != 0, has&isRemote != 0
	if has&hasFinding != 0 {
		ev.Finding = &call.Finding{Code: call.FindingCode(r.text()), Text: r.text()}
	}
	if has&hasStats != 0 {
		ev.Stats = &call.MediaStats{}
		r.media(ev.Stats)
	}
	return ev
}

// eventOf is what a record shows of an event.
func eventOf(ev *call.Event) Event {
	return Event{
		Seq: ev.Seq, At: ev.At, Kind: ev.Kind, Leg: ev.Leg, Extension: ev.Party.Extension, Number: ev.Party.Number,
		Cause: ev.Cause, By: ev.By, Other: ev.Other, Finding: ev.Finding,
	}
}

// told is the event as the record shows it, told again.
func (ev *Event) told() *call.Event {
	return &call.Event{
		Seq: ev.Seq, At: ev.At, Kind: ev.Kind, Leg: ev.Leg, Party: call.Party{Extension: ev.Extension, Number: ev.Number},
		Cause: ev.Cause, By: ev.By, Other: ev.Other, Finding: ev.Finding,
	}
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
	events, trace, err := readTale(r.bytes(r.uint()), r.version)
	if err != nil {
		r.fail()
	}
	return events, trace
}

// readTale takes a tale of a version apart.
func readTale(b string, version byte) (events []Event, trace []call.TraceEntry, err error) {
	err = retell(b, version, func(ev *call.Event) {
		if ev.Trace != nil {
			trace = append(trace, *ev.Trace)
			return
		}
		events = append(events, eventOf(ev))
	})
	return events, trace, err
}

// retell calls fn for the events of a tale of a version, without what is not kept of them.
func retell(b string, version byte, fn func(*call.Event)) error {
	r := newReader(b, version)
	for r.err == nil && r.at < len(r.s) {
		var ev call.Event
		switch r.uint() {
		case taleEvent:
			ev = r.told()
		case taleDecision:
			t := r.entry()
			ev = call.Event{Seq: t.Seq, At: t.At, Kind: call.EventDecided, Trace: &t}
		default:
			r.fail()
		}
		if r.err == nil {
			fn(&ev)
		}
	}
	return r.err
}

// event reads an event of version 2.
func (r *reader) event() (ev Event) {
	ev.Seq, ev.At, ev.Kind = int(r.int()), r.time(), call.EventKind(r.text())
	ev.Leg, ev.Extension, ev.Number = call.LegID(r.text()), r.int(), r.text()
	ev.Cause, ev.By, ev.Other = call.Cause(r.text()), call.LegID(r.text()), call.ID(r.text())
	if r.bool() {
		ev.Finding = &call.Finding{Code: call.FindingCode(r.text()), Text: r.text()}
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
