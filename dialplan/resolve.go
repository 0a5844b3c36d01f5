package dialplan

import (
	"slices"
	"strings"

	"github.com/cordpair/cordpair/dialplan/call"
)

// destination is what a number stands for. One of entry, step and cause is set.
type destination struct {
	entry *entry     // an extension that may be called
	step  string     // a service, by the name of its step
	cause call.Cause // refused
}

// place is one place in the order of resolution (design.md 5).
type place struct {
	name string
	want func(v *View) string
	// look says whether the number belongs to this place and, if so, what it
	// stands for and why in a word.
	look func(v *View, f *Facts) (d destination, got string, ok bool)
}

// places is the order of resolution. What has no feature behind it yet is not
// here: park slots stand between extension and demo number, outgoing dial rules
// after the demo numbers.
var places = [...]place{
	{"emergency number", func(v *View) string { return v.text.emergency }, lookEmergency},
	{"code", func(v *View) string { return v.text.codes }, lookCode},
	{"programmed key", func(*View) string { return programmedKeys + "…" }, lookProgrammedKey},
	{"extension", func(v *View) string { return v.text.extension }, lookExtension},
	{"demo number", func(v *View) string { return v.text.demo }, lookDemo},
}

// resolve finds out what the dialled number stands for, and leaves one trace entry
// for each place it looked at. It always answers: what belongs nowhere is
// refused with CauseNotFound.
func (v *View) resolve(f *Facts, t *tracer) destination {
	number := f.Invite.Dialled
	for i := range places {
		p := &places[i]
		d, got, ok := p.look(v, f)
		if !ok {
			got = number
		}
		t.looked(call.TraceNumber, p.name, verdict(ok), call.TraceCause{
			Condition: "dialled", Want: p.want(v), Got: got, OK: ok,
		})
		if ok {
			return d
		}
	}
	t.looked(call.TraceNumber, "refused", call.VerdictTaken, call.TraceCause{
		Condition: "dialled", Want: "a number known to the switch", Got: number, OK: false,
	})
	return destination{cause: call.CauseNotFound}
}

// lookEmergency comes first whatever else the number could be (F8). There is no
// way out of the switch yet, and saying so beats ringing an extension.
func lookEmergency(v *View, f *Facts) (destination, string, bool) {
	if !slices.Contains(v.client.EmergencyNumbers, f.Invite.Dialled) {
		return destination{}, "", false
	}
	return destination{cause: call.CauseUnreachable}, f.Invite.Dialled + ", no outgoing way", true
}

func lookCode(v *View, f *Facts) (destination, string, bool) {
	return v.lookCodes(v.codes[:v.own], f)
}

func lookDemo(v *View, f *Facts) (destination, string, bool) {
	return v.lookCodes(v.codes[v.own:], f)
}

func (v *View) lookCodes(codes []compiledCode, f *Facts) (destination, string, bool) {
	for i := range codes {
		number, ok := codes[i].match(f.Invite.Dialled)
		if !ok {
			continue
		}
		if codes[i].tail != tailExtension {
			return destination{step: codes[i].code.Step}, f.Invite.Dialled, true
		}
		if e, ok := v.lookup(number); ok {
			d, got := e.callable(f)
			return d, got, true
		}
		return destination{cause: call.CauseNotFound}, f.Invite.Dialled + ", no such extension", true
	}
	return destination{}, "", false
}

func lookProgrammedKey(_ *View, f *Facts) (destination, string, bool) {
	if !strings.HasPrefix(f.Invite.Dialled, programmedKeys) {
		return destination{}, "", false
	}
	return destination{cause: call.CauseNotFound}, f.Invite.Dialled + ", not served yet", true
}

func lookExtension(v *View, f *Facts) (destination, string, bool) {
	e, ok := v.lookup(f.Invite.Dialled)
	if !ok {
		return destination{}, "", false
	}
	d, got := e.callable(f)
	return d, got, true
}

// callable says whether the extension may be rung for this caller. A blocked one
// must look to the caller like one that does not exist; only the trace, which is
// its owner's, tells them apart. Calling oneself would ring the very phone that
// calls, so one's own number is busy.
func (e *entry) callable(f *Facts) (destination, string) {
	switch x := &e.Extension; {
	case x.Status == StatusBlocked:
		return destination{cause: call.CauseNotFound}, e.who + ", blocked"
	case x.Type != TypePhone:
		return destination{cause: call.CauseUnreachable}, e.who + ", type " + string(x.Type) + " is not served yet"
	case x.ID == f.Invite.From.Extension && f.sentOn:
		return destination{cause: call.CauseBusy}, e.who + ", which sent the call on"
	case x.ID == f.Invite.From.Extension:
		return destination{cause: call.CauseBusy}, e.who + ", the caller itself"
	}
	return destination{entry: e}, e.who
}
