package sip

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordpair/cordpair/sip/event"
	"github.com/cordpair/cordpair/sip/wire"
)

// publish handles a PUBLISH (RFC 3903 section 6). An extension publishes for
// itself only.
func (w *worker) publish(m *wire.Message, f flow, key txKey) {
	account, _, ok := w.authenticated(m, f)
	merge := mergeKeyOf(m)
	if !ok || w.refuseMerged(m, f, key, merge) {
		return
	}
	req, no := w.server.newPublish(m, account)
	if no != nil {
		w.refuse(m, f, no)
		return
	}
	tx := w.newServerTx(key, false, f)
	tx.claim(merge)
	m.Keep()
	var etag string
	var changed bool
	// done may run before Update returns, but its job runs after this one.
	etag, changed, err := w.server.events.publications.Update(req, w.now, func(err error) {
		w.do(func() { w.published(tx, m, req, etag, changed, err) })
	})
	if err != nil {
		w.published(tx, m, req, "", false, err)
	}
}

// newPublish reads a PUBLISH, or says why it is refused.
func (s *Server) newPublish(m *wire.Message, a Account) (event.Publish, *denial) {
	ev, _ := m.Event()
	pack, ok := s.events.packages[ev.Package].(event.Publisher)
	if !ok {
		return event.Publish{}, &denial{489, "Bad Event", "event", []wire.Field{s.noEvent()}}
	}
	r, ok := s.resource(m, a)
	switch {
	case !ok:
		return event.Publish{}, &denial{404, "Not Found", "resource", nil}
	case r.Extension != a.Extension:
		return event.Publish{}, &denial{403, "Forbidden", "access", nil}
	}
	granted, no := grant(m)
	if no != nil {
		return event.Publish{}, no
	}
	if no := checkBody(m, pack); no != nil {
		return event.Publish{}, no
	}
	tag, _ := m.IfMatch()
	return event.Publish{
		Client: a.Client, Extension: a.Extension, Package: pack.Name(), IfMatch: tag,
		Type: strings.Clone(m.MediaType()), Body: m.Body(), Expires: granted,
	}, nil
}

// checkBody refuses a body that the package does not take.
func checkBody(m *wire.Message, pack event.Publisher) *denial {
	if m.BodySize() == 0 {
		return nil
	}
	if types := pack.PublishTypes(); !slices.Contains(types, m.MediaType()) {
		return &denial{415, "Unsupported Media Type", "body", []wire.Field{{Name: "Accept", Value: strings.Join(types, ", ")}}}
	}
	if m.BodySize() > event.LongestPublication {
		return &denial{413, "Request Entity Too Large", "body", nil}
	}
	if err := pack.Check(m.MediaType(), m.Body()); err != nil {
		return &denial{400, "Bad Body: " + wire.Clean(err.Error()), "body", nil}
	}
	return nil
}

// published answers a PUBLISH once what it changed is durable, and has the
// watchers told.
func (w *worker) published(tx *serverTx, m *wire.Message, req event.Publish, etag string, changed bool, err error) {
	if err != nil {
		no := publishError(err)
		w.server.metrics.refused(no.reason)
		tx.disclaim()
		tx.respond(no.status, w.server.statelessReply(m, tx.flow, no.status, no.phrase, no.fields...))
		return
	}
	tx.respond(200, w.server.statelessReply(m, tx.flow, 200, "OK",
		wire.Field{Name: "SIP-ETag", Value: etag},
		wire.Field{Name: "Expires", Value: strconv.Itoa(int(req.Expires / time.Second))}))
	if changed {
		w.server.Changed(req.Package, req.Extension)
	}
}

func publishError(err error) *denial {
	d := &denial{500, "Server Internal Error", "publish", nil}
	switch {
	case errors.Is(err, event.ErrNoMatch):
		d.status, d.phrase = 412, "Conditional Request Failed"
	case errors.Is(err, event.ErrNoBody):
		d.status, d.phrase = 400, "Publication Without Body"
	case errors.Is(err, event.ErrTooMany):
		d.status, d.phrase = 403, "Too Many Publications"
	case errors.Is(err, event.ErrFull):
		d.status, d.phrase, d.fields = 503, "Service Unavailable", []wire.Field{retryAfter()}
	}
	return d
}
