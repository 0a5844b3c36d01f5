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
	rec := Record{CDR: make([]Leg, 0, len(r.legs))}
	r.summary(&rec, now, ext)
	rec.Events, rec.Trace, _ = readTale(string(r.tale.b), recordVersion) // what we wrote ourselves can be read
	return rec
}

// summary makes rec what lists show of the record. The memory of its legs is used
// again.
func (r *running) summary(rec *Record, now time.Time, ext func(client, id int64) Extension) {
	cause := r.cause
	if cause == "" {
		cause = call.CauseRestart
	}
	*rec = Record{
		CallUUID: r.id,
		Fields: Fields{
			Flow: flow(call.Inbound, r.caller), Cause: cause, Q850: verdictOf(cause).q850,
			InitTime: dialplan.StampOf(r.started), StartTime: dialplan.StampOf(r.answered), HangupTime: dialplan.StampOf(now),
			Client: r.client, ToUsername: r.dialled, ToDomain: r.caller.Domain,
			DestNumber: r.dialled, DestDomain: r.caller.Domain,
		},
		Left: r.left, CDR: rec.CDR[:0],
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
	for i := range r.legs {
		rec.CDR = append(rec.CDR, Leg{})
		r.legRecord(&rec.CDR[i], &r.legs[i], rec, now, ext)
	}
}

// alive is the record of a call that goes on: what is not known yet is empty.
func (r *running) alive(now time.Time, ext func(client, id int64) Extension) Record {
	rec := r.record(now, ext)
	for i := range r.legs {
		leg, l := &rec.CDR[i], &r.legs[i]
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
	rec.BridgedUsername, rec.BridgedDomain = &r.partner.Number, &r.partner.Domain // which do not change any more
	rec.DestNumber, rec.DestDomain = r.partner.Number, r.partner.Domain
}

// legRecord makes leg the record of one leg of the call, whose own is rec.
func (r *running) legRecord(leg *Leg, l *runningLeg, rec *Record, now time.Time, ext func(client, id int64) Extension) {
	cause, end := l.cause, l.ended
	if end.IsZero() {
		cause, end = rec.Cause, now
	}
	v := verdictOf(cause)
	*leg = Leg{
		CallUUID: r.id, ID: l.id, Moved: l.moved,
		CallsResult: rec.Result, CallsDisposition: rec.Disposition,
		Fields: Fields{
			Flow: flow(l.direction, l.party), Cause: cause, Q850: v.q850, Result: v.result,
			Disposition: v.disposition,
			InitTime:    dialplan.StampOf(l.started), StartTime: dialplan.StampOf(l.answered), HangupTime: dialplan.StampOf(end),
			Client: r.client, ToUsername: r.dialled, ToDomain: r.caller.Domain,
			DestNumber: l.party.Number, DestDomain: l.party.Domain,
		},
	}
	if l.stats != nil {
		leg.Stats = *l.stats
		leg.Stats.FirstAt = utc(leg.Stats.FirstAt)
	}
	if !l.answered.IsZero() {
		leg.Result, leg.Disposition = ResultAnswered, r.legDisposition(l, rec)
		leg.Duration = seconds(end.Sub(l.answered))
	}
	if l.direction == call.Inbound {
		leg.DestNumber, leg.DestDomain = rec.DestNumber, rec.DestDomain
	}
	if id := l.party.Extension; rec.Extension != nil && id == *rec.Extension {
		leg.Extension, leg.ExtensionName, leg.ExtensionType, leg.ExtensionGroup = rec.Extension, rec.ExtensionName, rec.ExtensionType, rec.ExtensionGroup
	} else {
		leg.owner(r.client, id, ext)
	}
	leg.from(r.caller)
	if l.direction == call.Inbound {
		leg.from(l.party) // a leg that was transferred here is no leg of the caller
	}
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
	var owner struct {
		id int64
		Extension
	}
	owner.id = id
	f.Extension = &owner.id
	if ext == nil {
		return
	}
	if owner.Extension = ext(client, id); owner.Name != "" {
		f.ExtensionName, f.ExtensionType = &owner.Name, &owner.Type
		if owner.Group != 0 {
			f.ExtensionGroup = &owner.Group
		}
	}
}

func (f *Fields) from(p call.Party) {
	f.FromUsername, f.FromDomain, f.FromScreenName = p.Number, p.Domain, p.Name
}

// seconds is a duration in whole seconds, begun ones not counted, never negative.
func seconds(d time.Duration) int64 { return max(0, int64(d/time.Second)) }
