package history

import (
	"encoding/json"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// recordVersion is the form AppendRow writes. Version 1 was JSON; version 2 had the
// events and the trace as lists, version 3 nothing of what the far end reports, version 4
// nothing of forged packets.
const recordVersion = 5

// brief is a record without its sequence, trace and messages, which reading one
// row after another need not take apart.
type brief struct{ Record }

// AppendRow writes the stored form: what lists show first, then the tale of the
// call and the messages of each leg (store.Coded).
func (rec *Record) AppendRow(b []byte) ([]byte, error) {
	var w, tale writer
	w.begin(b, rec.InitTime.Time)
	w.head(rec)
	tale.begin(nil, rec.InitTime.Time)
	for i := range rec.Events {
		tale.tellEvent(rec.Events[i].told())
	}
	for i := range rec.Trace {
		tale.tellDecision(&rec.Trace[i])
	}
	w.part(tale.b)
	w.messages(rec.CDR)
	return w.b, tale.err
}

// ParseRow reads the stored form (store.Coded).
func (rec *Record) ParseRow(version byte, b []byte) error {
	if version == 1 {
		return json.Unmarshal(b, rec)
	}
	r := newReader(string(b), version)
	r.head(rec)
	if version == 2 {
		rec.Events = list(r, r.event)
		rec.Trace = list(r, r.entry)
	} else {
		rec.Events, rec.Trace = r.tale()
	}
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
	r := newReader(string(b), version)
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
	w.uint(m.Forged)
	w.float(m.JitterMS)
	w.uint(m.FarLost)
	w.float(m.FarJitterMS)
	w.float(m.RoundTripMS)
	w.text(m.Codec)
	w.time(m.FirstAt)
	w.text(m.Signalled)
	w.text(m.Source)
}

func (r *reader) media(m *call.MediaStats) {
	for _, n := range []*uint64{&m.PacketsReceived, &m.PacketsSent, &m.OctetsReceived, &m.OctetsSent, &m.Lost, &m.Dropped} {
		*n = r.uint()
	}
	if r.version > 4 {
		m.Forged = r.uint()
	}
	m.JitterMS = r.float()
	if r.version > 3 {
		m.FarLost, m.FarJitterMS, m.RoundTripMS = r.uint(), r.float(), r.float()
	}
	m.Codec = r.text()
	m.FirstAt = r.time()
	m.Signalled, m.Source = r.text(), r.text()
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

func (w *writer) messages(legs []Leg) {
	for i := range legs {
		writeList(w, legs[i].Messages, w.message)
	}
}

// utc is a time as records keep it: without zone and monotonic reading.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Round(0)
}
