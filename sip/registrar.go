package sip

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/sip/wire"
)

// minExpires is the shortest registration granted; a shorter wish gets 423.
const minExpires = 30 * time.Second

// registering is what a REGISTER is worked on with. A worker has one, which the next
// REGISTER takes over unless the store has to be waited for.
type registering struct {
	w        *worker
	request  location.Request
	bindings []location.Binding
	// While the store is waited for: the transaction, its request, the 200.
	tx   *serverTx
	m    *wire.Message
	ok   []byte
	done func(error) // what the bindings call when the change is durable
}

func newRegistering(w *worker) *registering {
	g := &registering{w: w}
	g.done = func(err error) { w.do(func() { g.stored(err) }) }
	return g
}

// register handles a REGISTER (RFC 3261 section 10.3).
func (w *worker) register(m *wire.Message, f flow, key txKey) {
	account, _, ok := w.authenticated(m, f)
	if !ok {
		return
	}
	merge := mergeKeyOf(m)
	if w.refuseMerged(m, f, key, merge) {
		return
	}
	if w.registering == nil {
		w.registering = newRegistering(w)
	}
	g := w.registering
	g.read(m, f, account.Extension)
	if g.tooLong() {
		w.server.metrics.refused("register")
		w.answerIn(m, f, key, 400, "Contact Too Long")
		return
	}
	// done may run before Update returns, but its job runs after this one.
	res, err := w.server.location.Update(g.request, w.now, g.done)
	if s, ok := f.(*streamFlow); ok && s.closed() {
		w.server.flowGone(s) // lost while we were at it
	}
	if err != nil {
		status, phrase, extra := registerError(err)
		w.server.metrics.refused("register")
		w.answerIn(m, f, key, status, phrase, extra...)
		return
	}
	g.bindings = res.Bindings
	b := g.granted(m, f)
	if !res.Pending {
		w.server.metrics.registered.Inc()
		w.transmit(f, b)
		w.merged[merge] = key
		w.keep(key, merge, f, false, b)
		return
	}
	g.tx, g.m, g.ok = w.newServerTx(key, false, f), m.Keep(), bytes.Clone(b)
	g.tx.claim(merge)
	w.registering = nil
}

// stored answers a REGISTER once what it changed is durable (D1).
func (g *registering) stored(err error) {
	if err != nil {
		status, phrase, extra := registerError(err)
		g.w.server.metrics.refused("register")
		g.tx.disclaim()
		g.tx.respond(status, g.w.render(g.m, g.tx.flow, status, phrase, g.w.tags.of(g.m), extra...))
		return
	}
	g.w.server.metrics.registered.Inc()
	g.tx.respond(200, g.ok)
}

// What a contact may be long: ten of them must fit into one datagram.
const (
	longestContact  = 2048
	longestInstance = 256
	longestAgent    = 256
)

func (g *registering) tooLong() bool {
	for i := range g.request.Contacts {
		if c := &g.request.Contacts[i]; len(c.URI) > longestContact || len(c.Instance) > longestInstance {
			return true
		}
	}
	return false
}

// read takes from m what the bindings want to know. The strings point into m: the
// bindings copy what they keep.
func (g *registering) read(m *wire.Message, f flow, extension int64) {
	seq, _ := m.CSeq()
	agent, _ := m.Header("User-Agent") // comes clean (S15)
	if len(agent) > longestAgent {
		agent = strings.ToValidUTF8(agent[:longestAgent], "")
	}
	r := location.Request{
		Extension: extension, CallID: m.CallID(), CSeq: seq, Expires: location.NoExpires,
		Flow: locationFlow(f), Source: f.remote(), UserAgent: agent,
		Contacts: g.request.Contacts[:0], Room: g.bindings[:0],
	}
	if d, ok := m.Expires(); ok {
		r.Expires = d
	}
	for _, c := range m.Contacts() {
		if c.Wildcard() {
			r.Wildcard = true
			continue
		}
		b := location.Contact{
			URI: c.URI.Text, Expires: location.NoExpires, Q: c.Q(),
			Instance: c.Instance(), RegID: c.RegID(),
		}
		if d, ok := c.Expires(); ok {
			b.Expires = d
		}
		r.Contacts = append(r.Contacts, b)
	}
	g.request = r
}

// granted writes the 200 into the worker's buffer: every contact with the time it
// has left (RFC 3261 10.3 step 8).
func (g *registering) granted(m *wire.Message, f flow) []byte {
	w := g.w
	a := wire.Answer(w.buf[:0], m, f.remote(), 200, "OK", w.tags.of(m))
	for i := range g.bindings {
		writeContact(&a, &g.bindings[i], w.now)
	}
	a.Field("Date", w.today.text(w.now))
	w.buf = a.End("", nil)
	return w.buf
}

func writeContact(a *wire.Writer, b *location.Binding, now time.Time) {
	a.Open("Contact").Text("<", b.Contact, ">;expires=").Int(int64(b.Remaining(now)))
	if b.Q != 1000 {
		a.Text(";q=", strconv.FormatFloat(float64(b.Q)/1000, 'f', -1, 64))
	}
	if b.Instance != "" {
		a.Text(";+sip.instance=").Quoted(b.Instance)
		if b.RegID > 0 {
			a.Text(";reg-id=").Int(int64(b.RegID))
		}
	}
	a.Close()
}

// date is the Date header of the present second.
type date struct {
	second int64
	value  string
}

func (d *date) text(now time.Time) string {
	if s := now.Unix(); s != d.second || d.value == "" {
		d.second, d.value = s, now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	}
	return d.value
}

func registerError(err error) (int, string, []wire.Field) {
	switch {
	case errors.Is(err, location.ErrTooBrief):
		return 423, "Interval Too Brief", []wire.Field{{Name: "Min-Expires", Value: strconv.Itoa(int(minExpires / time.Second))}}
	case errors.Is(err, location.ErrTooMany):
		return 403, "Too Many Contacts", nil
	case errors.Is(err, location.ErrWildcard):
		return 400, "Contact Wildcard Needs Expires 0", nil
	case errors.Is(err, location.ErrOutOfOrder):
		return 500, "CSeq Out Of Order", nil
	case errors.Is(err, location.ErrClosed):
		return 503, "Service Unavailable", []wire.Field{retryAfter()}
	}
	return 500, "Server Internal Error", nil
}

func locationFlow(f flow) location.Flow {
	switch f := f.(type) {
	case udpFlow:
		return location.Flow{Transport: transportUDP, Listener: f.l.name, Remote: f.to}
	case *streamFlow:
		return location.Flow{Transport: transportTCP, Listener: f.l.name, Remote: f.to, Conn: f.n}
	}
	return location.Flow{}
}
