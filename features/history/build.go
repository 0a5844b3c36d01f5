package history

import (
	"slices"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// record is the record of the call as of now. A call that has not ended gets the
// one it would have if the switch were killed now.
func (r *running) record(now time.Time, ext func(client, id int64) Extension) Record {
	cause := r.cause
	if cause == "" {
		cause = call.CauseRestart
	}
	rec := Record{
		CallUUID: r.id,
		Fields: Fields{
			Flow: flow(call.Inbound, r.caller), Cause: cause, Q850: verdictOf(cause).q850,
			InitTime: dialplan.StampOf(r.started), StartTime: dialplan.StampOf(r.answered), HangupTime: dialplan.StampOf(now),
			Client: r.client, ToUsername: r.dialled, ToDomain: r.caller.Domain,
			DestNumber: r.dialled, DestDomain: r.caller.Domain,
		},
		Events: slices.Clip(r.events), Trace: slices.Clip(r.trace), Left: r.left, CDR: []Leg{},
	}
	if !r.answered.IsZero() {
		rec.Duration = seconds(now.Sub(r.answered))
	}
	rec.owner(r.client, r.caller.Extension, ext)
	rec.from(r.caller)
	rec.Result, rec.Disposition = r.result(cause), r.disposition(cause)
	if !r.first.IsZero() {
		rec.bridge(r, now)
	}
	for _, l := range r.legs {
		rec.CDR = append(rec.CDR, r.legRecord(l, &rec, now, ext))
	}
	return rec
}

// alive is the record of a call that goes on: what is not known yet is empty.
func (r *running) alive(now time.Time, ext func(client, id int64) Extension) Record {
	rec := r.record(now, ext)
	for i, l := range r.legs {
		leg := &rec.CDR[i]
		leg.CallsResult, leg.CallsDisposition = "", ""
		if l.ended.IsZero() {
			leg.goesOn(l.answered)
		}
	}
	rec.goesOn(r.answered)
	if rec.Bridged {
		rec.Result = ResultBridged
	}
	return rec
}

// goesOn takes back what is said of the end.
func (f *Fields) goesOn(answered time.Time) {
	f.Cause, f.Q850, f.Disposition, f.HangupTime, f.Result = "", "", "", dialplan.Stamp{}, ""
	if !answered.IsZero() {
		f.Result = ResultAnswered
	}
}

// maxMessages is how many messages of a leg are kept: the first ones, which set
// it up, and the last.
const maxMessages = 100

// withMessages is the record with the signalling of its legs: what the edge knows
// of them, or else what was kept when they left.
func (rec *Record) withMessages(of func(call.LegID) []call.Message) Record {
	full := *rec
	full.CDR = slices.Clone(rec.CDR)
	for i := range full.CDR {
		if messages := of(full.CDR[i].ID); messages != nil {
			full.CDR[i].Messages = bounded(messages)
		}
	}
	return full
}

func bounded(messages []call.Message) []call.Message {
	if n := len(messages); n > maxMessages {
		return slices.Concat(messages[:maxMessages/2], messages[n-maxMessages/2:])
	}
	return messages
}

// bridge says with whom and how long the caller talked.
func (rec *Record) bridge(r *running, now time.Time) {
	talked := r.talked
	if !r.bridged.IsZero() {
		talked += now.Sub(r.bridged)
	}
	n := seconds(talked)
	rec.Bridged, rec.BridgedDuration, rec.BridgedTime = true, &n, dialplan.StampOf(r.first)
	number, domain := r.partner.Number, r.partner.Domain
	rec.BridgedUsername, rec.BridgedDomain = &number, &domain
	rec.DestNumber, rec.DestDomain = number, domain
}

// legRecord is the record of one leg of the call.
func (r *running) legRecord(l *runningLeg, rec *Record, now time.Time, ext func(client, id int64) Extension) Leg {
	cause, end := l.cause, l.ended
	if end.IsZero() {
		cause, end = rec.Cause, now
	}
	v := verdictOf(cause)
	leg := Leg{
		CallUUID: r.id, ID: l.id, Stats: l.stats, Moved: l.moved,
		CallsResult: rec.Result, CallsDisposition: rec.Disposition,
		Fields: Fields{
			Flow: flow(l.direction, l.party), Cause: cause, Q850: v.q850, Result: v.result,
			Disposition: v.disposition,
			InitTime:    dialplan.StampOf(l.started), StartTime: dialplan.StampOf(l.answered), HangupTime: dialplan.StampOf(end),
			Client: r.client, ToUsername: r.dialled, ToDomain: r.caller.Domain,
			DestNumber: l.party.Number, DestDomain: l.party.Domain,
		},
	}
	if !l.answered.IsZero() {
		leg.Result, leg.Disposition = ResultAnswered, r.legDisposition(l, rec)
		leg.Duration = seconds(end.Sub(l.answered))
	}
	if l.direction == call.Inbound {
		leg.DestNumber, leg.DestDomain = rec.DestNumber, rec.DestDomain
	}
	leg.owner(r.client, l.party.Extension, ext)
	leg.from(r.caller)
	if l.direction == call.Inbound {
		leg.from(l.party) // a leg that was transferred here is no leg of the caller
	}
	return leg
}

// result is the result of the whole call.
func (r *running) result(cause call.Cause) string {
	switch {
	case !r.first.IsZero():
		return ResultBridged
	case !r.answered.IsZero():
		return ResultAnswered
	}
	return verdictOf(cause).result
}

// disposition says who ended the whole call. A party did if it hung up; one that
// fell silent or broke the protocol was hung up by the switch.
func (r *running) disposition(cause call.Cause) string {
	if r.answered.IsZero() {
		return verdictOf(cause).disposition
	}
	if l := r.leg(r.endedBy); l != nil && l.remote {
		return bye(l)
	}
	return InternalCancel
}

// legDisposition says who ended an answered leg: its own far end, or else
// whoever ended the call.
func (r *running) legDisposition(l *runningLeg, rec *Record) string {
	switch {
	case l.remote:
		return bye(l)
	case l.moved != "":
		return InternalCancel
	}
	return rec.Disposition
}

func bye(l *runningLeg) string {
	if l.direction == call.Inbound {
		return CallerBye
	}
	return CalleeBye
}

// owner sets whose record this is; the outside owns none.
func (f *Fields) owner(client, id int64, ext func(client, id int64) Extension) {
	if id == 0 {
		return
	}
	f.Extension = &id
	if ext == nil {
		return
	}
	if e := ext(client, id); e.Name != "" {
		f.ExtensionName, f.ExtensionType = &e.Name, &e.Type
		if e.Group != 0 {
			f.ExtensionGroup = &e.Group
		}
	}
}

func (f *Fields) from(p call.Party) {
	f.FromUsername, f.FromDomain, f.FromScreenName = p.Number, p.Domain, p.Name
}

// seconds is a duration in whole seconds, begun ones not counted, never negative.
func seconds(d time.Duration) int64 { return max(0, int64(d/time.Second)) }
