package sip

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/sip/event"
	"github.com/cordpair/cordpair/sip/wire"
)

// subscription is one subscription to our state (RFC 6665), in a dialog of its
// own. It belongs to its worker, but for phone, which the lock of watchers
// guards, and those fields of rec that never change.
type subscription struct {
	w      *worker
	pack   event.Package
	rec    event.Record
	dialog dialog
	pace   event.Pace
	phone  string
	// seen is the Seen of the last document that arrived, told that of the one on
	// its way.
	seen, told any
	durable    uint32 // the highest CSeq that is reserved in the store
	reserving  bool
	begun      bool // its 200 is sent
	stored     bool
	gone       bool
	reason     ending
	tx         *clientTx
	expiry     timer
	wake       timer
}

// denial is why a request is not granted.
type denial struct {
	status int
	phrase string
	reason string // of the metric
	fields []wire.Field
}

// refuse answers a request of a known sender.
func (w *worker) refuse(m *wire.Message, f flow, r *denial) {
	w.server.metrics.refused(r.reason)
	w.answer(m, f, r.status, r.phrase, r.fields...)
}

// subscribe handles a SUBSCRIBE outside a dialog (RFC 6665 section 4.2.1).
func (w *worker) subscribe(m *wire.Message, f flow, key txKey) {
	account, _, ok := w.authenticated(m, f)
	merge := mergeKeyOf(m)
	if !ok || w.refuseMerged(m, f, key, merge) {
		return
	}
	sub, granted, no := w.newSubscription(m, f, account)
	if no != nil {
		w.refuse(m, f, no)
		return
	}
	tx := w.newServerTx(key, false, f)
	tx.claim(merge)
	m.Keep()
	if granted == 0 { // a fetch: nothing to keep
		sub.begun = true
		sub.accept(tx, m, 0)
		sub.end(endTimeout)
		return
	}
	older, err := w.server.events.watchers.add(sub, &w.server.events.cfg)
	if err != nil {
		no := tooMany(err)
		w.server.metrics.refused(no.reason)
		tx.respond(no.status, w.server.statelessReply(m, f, no.status, no.phrase, no.fields...))
		return
	}
	w.subs[sub.key()] = sub
	sub.keep(func(err error) {
		sub.begun = true
		if err != nil {
			w.failed(tx, m)
			sub.remove(endStore)
			if older != nil {
				older.w.do(older.stay)
			}
			return
		}
		sub.accept(tx, m, granted)
		if older != nil {
			older.w.do(func() { older.remove(endReplaced) })
		}
		if sub.gone {
			return // replaced already
		}
		if !sub.pace.Ending() {
			w.after(&sub.expiry, granted, sub.expired)
		}
		sub.pace.Ask()
		sub.pump()
	})
}

// stay: what was to replace the subscription could not be stored.
func (sub *subscription) stay() {
	if !sub.gone && !sub.pace.Ending() {
		sub.w.server.events.watchers.enter(sub)
		sub.changed() // it may have missed something
	}
}

// failed answers when something could not be stored.
func (w *worker) failed(tx *serverTx, m *wire.Message) {
	tx.disclaim()
	tx.respond(500, w.server.statelessReply(m, tx.flow, 500, "Server Internal Error"))
}

func tooMany(err error) *denial {
	if errors.Is(err, errPhoneFull) {
		return &denial{403, "Too Many Subscriptions", "subscriptions", nil}
	}
	return &denial{503, "Service Unavailable", "subscriptions", []wire.Field{retryAfter()}}
}

// newSubscription reads a SUBSCRIBE, or says why it is refused.
func (w *worker) newSubscription(m *wire.Message, f flow, a Account) (*subscription, time.Duration, *denial) {
	s := w.server
	ev, _ := m.Event()
	pack := s.events.packages[ev.Package]
	if pack == nil {
		return nil, 0, &denial{489, "Bad Event", "event", []wire.Field{s.noEvent()}}
	}
	bodyType, ok := accepted(m, pack.Types())
	if !ok {
		return nil, 0, &denial{406, "Not Acceptable", "accept", []wire.Field{{Name: "Accept", Value: strings.Join(pack.Types(), ", ")}}}
	}
	granted, no := grant(m)
	if no != nil {
		return nil, 0, no
	}
	resource, ok := s.resource(m, a)
	if !ok {
		return nil, 0, &denial{404, "Not Found", "resource", nil}
	}
	watcher := event.Watcher{Client: a.Client, Extension: a.Extension}
	if pack.Access(watcher, resource) == event.Refused {
		return nil, 0, &denial{403, "Forbidden", "access", nil}
	}
	tag := newTag()
	sub := &subscription{w: w, pack: pack, dialog: cloned(acceptDialog(m, f, tag)), durable: event.Reserve}
	d := &sub.dialog
	sub.rec = event.Record{
		ID: tag, Package: pack.Name(), EventID: strings.Clone(ev.ID), Type: bodyType, Watcher: watcher, Of: resource,
		CallID: d.callID, RemoteTag: d.remoteTag, Local: d.local, Remote: d.remote, Target: d.target, Routes: d.routes,
		User: strings.Clone(m.TargetURI().User), RemoteSeq: d.remoteSeq, Since: w.now,
		Flow: locationFlow(f), Binding: s.bindingBehind(a.Extension, f, w.now),
	}
	sub.granted(granted)
	sub.phone = phoneOf(sub.rec.Binding, f)
	return sub, granted, nil
}

// cloned is a dialog whose strings do not keep a whole message alive.
func cloned(d dialog) dialog {
	for _, s := range [...]*string{&d.callID, &d.remoteTag, &d.local, &d.remote, &d.target} {
		*s = strings.Clone(*s)
	}
	for i := range d.routes {
		d.routes[i] = strings.Clone(d.routes[i])
	}
	return d
}

// accepted is the body type a NOTIFY will have: the most welcome one, our first
// without wishes.
func accepted(m *wire.Message, types []string) (string, bool) {
	best, most := types[0], 0
	for _, t := range types {
		q, given := m.Accepts(t)
		if !given {
			return best, true
		}
		if q > most {
			best, most = t, q
		}
	}
	return best, most > 0
}

// grant is how long a subscription or publication may live: what was asked for,
// shortened to an hour; 0 ends it. Under a minute is too brief.
func grant(m *wire.Message) (time.Duration, *denial) {
	asked, ok := m.Expires()
	switch {
	case !ok || asked > event.MaxExpires:
		return event.MaxExpires, nil
	case asked > 0 && asked < event.MinExpires:
		least := strconv.Itoa(int(event.MinExpires / time.Second))
		return 0, &denial{423, "Interval Too Brief", "expires", []wire.Field{{Name: "Min-Expires", Value: least}}}
	}
	return asked, nil
}

// resource is what the Request-URI names for a, or reports false for what can
// name nobody. A name of another client is one that nobody has (T2).
func (s *Server) resource(m *wire.Message, a Account) (event.Resource, bool) {
	uri := m.TargetURI()
	name, err := dialplan.CleanDialled(uri.User)
	if err != nil || name == "" {
		return event.Resource{}, false
	}
	r := event.Resource{Name: strings.Clone(name), URI: addressOf(m.RequestURI())}
	if x, ok := s.named(a, name, uri.Host); ok {
		r.Extension = x.Extension
	}
	return r, true
}

// named is the extension of a's client that name at host means. The domain of
// another client means nobody; any other host is taken for our own, as for a
// call.
func (s *Server) named(a Account, name, host string) (Account, bool) {
	if !strings.EqualFold(host, a.Domain) && strings.EqualFold(s.directory.Realm("", host), host) {
		return Account{}, false
	}
	return s.directory.Number(a.Client, name)
}

// addressOf is a URI without parameters and headers.
func addressOf(uri string) string {
	host := strings.IndexByte(uri, '@') + 1
	if i := strings.IndexAny(uri[host:], ";?"); i >= 0 {
		uri = uri[:host+i]
	}
	return strings.Clone(uri)
}

func (sub *subscription) key() legKey { return legKey{sub.dialog.callID, sub.dialog.localTag} }

// granted begins a new term.
func (sub *subscription) granted(d time.Duration) {
	sub.rec.Granted = int(d / time.Second)
	sub.rec.Expires = sub.w.now.Add(d)
}

// accept answers a SUBSCRIBE.
func (sub *subscription) accept(tx *serverTx, m *wire.Message, d time.Duration) {
	tx.respond(200, sub.w.responded(m, tx.flow, 200, "OK", sub.dialog.localTag, sub.rec.User, nil,
		wire.Field{Name: "Expires", Value: strconv.Itoa(int(d / time.Second))}, sub.w.server.noEvent()))
}

// keep stores the subscription and tells then on its worker when that is durable
// (D1).
func (sub *subscription) keep(then func(error)) {
	sub.rec.RemoteSeq = sub.dialog.remoteSeq
	sub.rec.Reserved = sub.dialog.localSeq + event.Reserve
	limit := sub.rec.Reserved
	done := func(err error) {
		sub.w.do(func() {
			if err == nil {
				sub.durable = max(sub.durable, limit)
			}
			then(err)
		})
	}
	if st := sub.w.server.events.cfg.Subscriptions; st != nil {
		sub.stored = true
		st.Put(sub.rec, done)
		return
	}
	done(nil)
}

// subscribeCame handles a SUBSCRIBE inside the dialog: a refresh, or with Expires 0
// the end.
func (sub *subscription) subscribeCame(m *wire.Message, f flow, key txKey) {
	w := sub.w
	if !sub.begun || sub.pace.Ending() || m.FromTag() != sub.dialog.remoteTag || !sub.isFor(m) {
		w.server.metrics.refused("no_dialog")
		w.reply(m, f, 481, "Subscription Does Not Exist")
		return
	}
	if f.id() != sub.dialog.flow.id() && !w.mayTake(sub, m, f) {
		return
	}
	seq, _ := m.CSeq()
	if int64(seq) <= sub.dialog.remoteSeq {
		w.server.metrics.refused("cseq")
		w.answer(m, f, 500, "CSeq Out Of Order")
		return
	}
	sub.dialog.remoteSeq = int64(seq)
	granted, no := grant(m)
	if no != nil {
		w.refuse(m, f, no)
		return
	}
	sub.move(f)
	if uri := contactURI(m); uri != "" {
		sub.dialog.target = strings.Clone(uri)
		sub.rec.Target = sub.dialog.target
	}
	tx := w.newServerTx(key, false, f)
	m.Keep()
	if granted == 0 {
		sub.unstore(func(err error) { sub.unsubscribed(tx, m, err) })
		return
	}
	sub.granted(granted)
	sub.keep(func(err error) { sub.refreshed(tx, m, granted, err) })
}

// isFor reports whether a SUBSCRIBE means this subscription.
func (sub *subscription) isFor(m *wire.Message) bool {
	ev, ok := m.Event()
	return ok && ev.Package == sub.rec.Package && ev.ID == sub.rec.EventID
}

// mayTake lets a subscription continue over another flow only for whoever holds
// the phone's credentials (S10).
func (w *worker) mayTake(sub *subscription, m *wire.Message, f flow) bool {
	account, _, ok := w.authenticated(m, f)
	if ok && account.Extension != sub.rec.Watcher.Extension {
		w.server.metrics.refused("foreign_dialog")
		w.answer(m, f, 403, "Forbidden")
		return false
	}
	return ok
}

// move lets the subscription speak over f from now on, and through the
// registration that came over it.
func (sub *subscription) move(f flow) {
	if sub.tx != nil && f.id() != sub.dialog.flow.id() {
		sub.tx.end() // nobody will answer there
		sub.tx, sub.seen = nil, nil
		sub.pace.Moved()
	}
	w := sub.w
	sub.dialog.flow = f
	sub.rec.Flow = locationFlow(f)
	sub.rec.Binding = w.server.bindingBehind(sub.rec.Watcher.Extension, f, w.now)
	w.server.events.watchers.move(sub, phoneOf(sub.rec.Binding, f))
}

func (sub *subscription) refreshed(tx *serverTx, m *wire.Message, granted time.Duration, err error) {
	if err != nil {
		sub.w.failed(tx, m)
		return
	}
	sub.accept(tx, m, granted)
	if sub.gone || sub.pace.Ending() {
		return
	}
	sub.w.after(&sub.expiry, granted, sub.expired)
	sub.pace.Ask()
	sub.pump()
}

func (sub *subscription) unsubscribed(tx *serverTx, m *wire.Message, err error) {
	if err != nil {
		sub.w.failed(tx, m)
		return
	}
	sub.accept(tx, m, 0)
	sub.end(endTimeout)
}
