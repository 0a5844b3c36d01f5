package sip

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/cordpair/cordpair/sip/wire"
)

// legKey finds a dialog by what every request inside it carries: the Call-ID and
// our own tag, which is random.
type legKey struct{ callID, localTag string }

// dialog is the state of RFC 3261 section 12, in either role.
type dialog struct {
	callID              string
	localTag, remoteTag string
	// local and remote are the From and To values we send, with their tags.
	local, remote string
	localSeq      uint32
	remoteSeq     int64 // -1 before the first request of the far end
	// target is the far end's Contact; routes its route set as we send it.
	target string
	routes []string
	flow   flow
	far    abilities
	// log of the leg; nil before it exists.
	log *messageLog
}

// abilities are what a far end says it can do, a set.
type abilities uint8

const (
	allowsUpdate abilities = 1 << iota // UPDATE (RFC 3311)
	followsFrom                        // a new From inside the dialog (RFC 4916)
)

func (a abilities) has(b abilities) bool { return a&b != 0 }

// learn takes what a message of the far end says of it; what it does not mention
// stays as it was.
func (d *dialog) learn(m *wire.Message) {
	d.note(m, "Allow", methodUpdate, allowsUpdate)
	d.note(m, "Supported", optionFromChange, followsFrom)
}

func (d *dialog) note(m *wire.Message, header, token string, a abilities) {
	if _, ok := m.Line(header, 0); !ok {
		return
	}
	d.far &^= a
	if m.Has(header, token) {
		d.far |= a
	}
}

// acceptDialog is the dialog of an INVITE that came in (12.1.1).
func acceptDialog(m *wire.Message, f flow, tag string) dialog {
	seq, _ := m.CSeq()
	to, _ := m.Line("To", 0)
	from, _ := m.Line("From", 0)
	d := dialog{
		callID: m.CallID(), localTag: tag, remoteTag: m.FromTag(), local: to + ";tag=" + tag, remote: from,
		remoteSeq: int64(seq), flow: f, target: contactURI(m),
	}
	if d.target == "" { // a peer of RFC 2543 may leave Contact out
		d.target = sipURI("", f.remote(), f.transport())
	}
	for _, rr := range m.RecordRoutes() {
		d.routes = append(d.routes, "<"+rr+">")
	}
	d.learn(m)
	own(&d.callID, &d.remoteTag, &d.remote, &d.target)
	return d
}

// confirm takes the far end's part of a dialog from a response to our INVITE
// (12.1.2).
func (d *dialog) confirm(res *wire.Message) {
	d.routes = nil
	for _, rr := range res.RecordRoutes() {
		d.routes = append([]string{"<" + rr + ">"}, d.routes...)
	}
	d.learn(res)
	to, _ := res.Line("To", 0)
	target := cmp.Or(contactURI(res), d.target)
	if d.remote == to && d.remoteTag == res.ToTag() && d.target == target {
		return // the 2xx of whom we know already
	}
	d.remote, d.remoteTag, d.target = to, res.ToTag(), target
	own(&d.remoteTag, &d.remote, &d.target)
}

// own copies strings that point into a message, into one piece of memory: a dialog
// outlives the text of its messages.
func own(list ...*string) {
	n := 0
	for _, s := range list {
		n += len(*s)
	}
	var b strings.Builder
	b.Grow(n)
	for _, s := range list {
		b.WriteString(*s)
	}
	text := b.String()
	for _, s := range list {
		*s, text = text[:len(*s)], text[len(*s):]
	}
}

// retarget follows a new Contact of the far end (12.2).
func (d *dialog) retarget(m *wire.Message) {
	if uri := contactURI(m); uri != "" {
		d.target = strings.Clone(uri)
	}
}

// request makes the next request inside the dialog. An ACK has the CSeq of its
// INVITE.
func (d *dialog) request(method string) outRequest {
	if method != methodAck {
		d.localSeq++
	}
	r := outRequest{
		method: method, uri: d.target, branch: newBranch(), from: d.local, to: d.remote,
		callID: d.callID, cseq: d.localSeq, routes: d.routes, log: d.log,
	}
	if len(d.routes) > 0 && !isLoose(d.routes[0]) {
		r.uri = bareURI(d.routes[0])
		r.routes = append(append([]string{}, d.routes[1:]...), "<"+d.target+">")
	}
	return r
}

// isLoose tells a loose router's Record-Route by its lr parameter.
func isLoose(route string) bool {
	_, params, _ := strings.Cut(bareURI(route), ";")
	for p := range strings.SplitSeq(params, ";") {
		if name, _, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(name), "lr") {
			return true
		}
	}
	return false
}

func bareURI(nameAddr string) string {
	if _, rest, ok := strings.Cut(nameAddr, "<"); ok {
		uri, _, _ := strings.Cut(rest, ">")
		return uri
	}
	return nameAddr
}

// contactURI is the far end's Contact as a Request-URI, a part of the message's text.
func contactURI(m *wire.Message) string {
	for _, c := range m.Contacts() {
		if !c.Wildcard() {
			return requestURI(c.URI.Text)
		}
	}
	return ""
}

// requestURI is a Contact as a Request-URI: without the headers it may have
// (RFC 3261 19.1.5).
func requestURI(contact string) string {
	host := strings.IndexByte(contact, '@') + 1
	if i := strings.IndexByte(contact[host:], '?'); i >= 0 {
		return contact[:host+i]
	}
	return contact
}

// seconds writes a duration as SIP headers have it.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
