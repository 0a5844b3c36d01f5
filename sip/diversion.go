package sip

import (
	"strconv"
	"strings"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/escape"
	"github.com/cordpair/cordpair/sip/wire"
)

// divert is how a reason to forward looks in Diversion (RFC 5806) and in
// History-Info (RFC 4458 section 6.1).
type divert struct {
	why    call.DivertReason
	reason string
	cause  int
}

// diverts is the one table of them, in both directions. An unknown reason is the
// first one.
var diverts = []divert{
	{call.DivertUnconditional, "unconditional", 302},
	{call.DivertBusy, "user-busy", 486},
	{call.DivertNoAnswer, "no-answer", 408},
	{call.DivertDeflection, "deflection", 480},
	{call.DivertUnavailable, "unavailable", 404},
	{call.DivertDoNotDisturb, "do-not-disturb", 302},
}

func divertOf(why call.DivertReason) divert {
	for _, d := range diverts {
		if d.why == why {
			return d
		}
	}
	return diverts[0]
}

// redirected handles a 3xx to our INVITE: the phone names another number, which
// call control dials as if the phone had (F4).
func (l *leg) redirected(res *wire.Message) {
	to := l.redirectTarget(res)
	if to == "" {
		l.w.server.metrics.refused("redirect")
		l.finish(call.CauseRejected, true)
		return
	}
	l.finishWith(call.LegEvent{Cause: call.CauseRedirected, Remote: true, To: to, Why: l.whyDiverted(res)})
}

// redirectTarget is the number that the first usable Contact names: a tel URI, or a
// SIP URI of the phone's own domain, or at an address, as phones write it that know no
// domain. What is elsewhere is named with its domain, which no number has: where the
// switch has no way there, the caller hears so and the trace says where it was.
func (l *leg) redirectTarget(res *wire.Message) string {
	elsewhere := ""
	for _, c := range res.Contacts() {
		user, own := l.named(&c.URI)
		number, err := dialplan.CleanDialled(user)
		switch {
		case err != nil:
		case own:
			return strings.Clone(number)
		case elsewhere == "":
			elsewhere = number + "@" + c.URI.Host
		}
	}
	return elsewhere
}

// named is whom a URI names, and whether that is a number of the phone's own plan.
func (l *leg) named(u *wire.URI) (user string, own bool) {
	switch u.Scheme {
	case "tel":
		_, number, _ := strings.Cut(u.Text, ":")
		return number, true // CleanDialled takes its parameters off
	case "sip", "sips":
		_, literal := wire.HostAddr(u.Host)
		return u.User, literal || strings.EqualFold(u.Host, l.account.Domain)
	}
	return "", false
}

// whyDiverted is what the phone says of it, or what its behaviour tells.
func (l *leg) whyDiverted(res *wire.Message) call.DivertReason {
	if list := res.Diversions(); len(list) > 0 {
		for _, d := range diverts {
			if d.reason == list[0].Reason {
				return d.why
			}
		}
	}
	if l.calling.ringing {
		return call.DivertDeflection
	}
	return call.DivertUnconditional
}

// diversionFields tell the target of a forwarded call who sent it on and why: the
// latest first in Diversion, the first target first in History-Info (RFC 7044).
// Who hides itself is not named.
func diversionFields(list []call.Diversion, a Account, number string) []wire.Field {
	if len(list) == 0 {
		return nil
	}
	var fields []wire.Field
	for i := len(list) - 1; i >= 0; i-- {
		d := divertOf(list[i].Why)
		privacy := "off"
		if list[i].By.Anonymous {
			privacy = "full"
		}
		fields = append(fields, wire.Field{
			Name:  "Diversion",
			Value: fromOf(list[i].By, a.Domain) + ";reason=" + d.reason + ";privacy=" + privacy + ";counter=1",
		})
	}
	index, cause := "1", 0
	for i := range list {
		d := divertOf(list[i].Why)
		fields = append(fields, historyField(list[i].By, a.Domain, index, cause, d.cause))
		index, cause = index+".1", d.cause
	}
	return append(fields, historyField(call.Party{Number: number}, a.Domain, index, cause, 0))
}

// historyField is one entry: cause is why the call came to it, left why it went
// on.
func historyField(p call.Party, domain, index string, cause, left int) wire.Field {
	uri := "sip:" + escapeUser(p.Number) + "@" + domain
	if p.Anonymous {
		uri = "sip:anonymous@anonymous.invalid"
	}
	if cause > 0 {
		uri += ";cause=" + strconv.Itoa(cause)
	}
	if left > 0 {
		uri += "?Reason=" + escape.Header(wire.Reason{Protocol: "SIP", Cause: left}.String())
	}
	value := "<" + uri + ">;index=" + index
	if i := strings.LastIndexByte(index, '.'); i > 0 {
		value += ";mp=" + index[:i]
	}
	return wire.Field{Name: "History-Info", Value: value}
}
