package sip

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/sip/wire"
)

// minExpires is the shortest registration granted; a shorter wish gets 423.
const minExpires = 30 * time.Second

// register handles a REGISTER (RFC 3261 section 10.3).
func (w *worker) register(m *wire.Message, f flow) {
	account, _, ok := w.authenticated(m, f)
	if !ok {
		return
	}
	if w.refuseMerged(m, f) {
		return
	}
	req := registration(m, f, account.Extension)
	if tooLong(&req) {
		w.server.metrics.refused("register")
		w.answer(m, f, 400, "Contact Too Long")
		return
	}
	tx := w.newServerTx(serverKey(m), false, f)
	tx.claim(m)
	var res location.Result
	// done may run before Update returns, but its job runs after this one.
	res, err := w.server.location.Update(req, w.now, func(err error) {
		w.do(func() { w.registered(tx, m, res, err) })
	})
	if s, ok := f.(*streamFlow); ok && s.closed() {
		w.server.flowGone(s) // lost while we were at it
	}
	if err != nil || !res.Pending {
		w.registered(tx, m, res, err)
	}
}

// What a contact may be long: ten of them must fit into one datagram.
const (
	longestContact  = 2048
	longestInstance = 256
	longestAgent    = 256
)

func tooLong(r *location.Request) bool {
	for i := range r.Contacts {
		if len(r.Contacts[i].URI) > longestContact || len(r.Contacts[i].Instance) > longestInstance {
			return true
		}
	}
	return false
}

func registration(m *wire.Message, f flow, extension int64) location.Request {
	seq, _ := m.CSeq()
	agent, _ := m.Header("User-Agent") // comes clean (S15)
	if len(agent) > longestAgent {
		agent = strings.ToValidUTF8(agent[:longestAgent], "")
	}
	r := location.Request{
		Extension: extension, CallID: m.CallID(), CSeq: seq, Expires: location.NoExpires,
		Flow: locationFlow(f), Source: f.remote(), UserAgent: agent,
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
	return r
}

// registered answers a REGISTER once what it changed is durable (D1).
func (w *worker) registered(tx *serverTx, m *wire.Message, res location.Result, err error) {
	if err != nil {
		status, phrase, extra := registerError(err)
		w.server.metrics.refused("register")
		tx.disclaim()
		tx.respond(status, w.server.statelessReply(m, tx.flow, status, phrase, extra...))
		return
	}
	w.server.metrics.registered.Inc()
	fields := make([]wire.Field, 0, len(res.Bindings)+1)
	for i := range res.Bindings {
		fields = append(fields, wire.Field{Name: "Contact", Value: contactOf(&res.Bindings[i], w.now)})
	}
	fields = append(fields, wire.Field{Name: "Date", Value: w.now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")})
	tx.respond(200, w.server.statelessReply(m, tx.flow, 200, "OK", fields...))
}

func contactOf(b *location.Binding, now time.Time) string {
	s := "<" + b.Contact + ">;expires=" + strconv.Itoa(b.Remaining(now))
	if b.Q != 1000 {
		s += ";q=" + strconv.FormatFloat(float64(b.Q)/1000, 'f', -1, 64)
	}
	if b.Instance != "" {
		s += ";+sip.instance=" + wire.Quote(b.Instance)
		if b.RegID > 0 {
			s += ";reg-id=" + strconv.Itoa(b.RegID)
		}
	}
	return s
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
