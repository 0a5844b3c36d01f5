package sip

import (
	"time"

	"github.com/cordpair/cordpair/sip/event"
	"github.com/cordpair/cordpair/sip/wire"
)

// ending is why a subscription ends: a reason of RFC 6665 section 4.1.3 where the
// phone is told, otherwise a word for the metric.
type ending string

const (
	endTimeout     ending = "timeout"     // it ran out, or the phone said so
	endDeactivated ending = "deactivated" // its registration ended: subscribe anew
	endRejected    ending = "rejected"    // no longer allowed
	endNoResource  ending = "noresource"  // what it watched was deleted
	endRefused     ending = "refused"     // a NOTIFY was answered with an end
	endUnanswered  ending = "unanswered"  // two NOTIFYs were not answered
	endUnreachable ending = "unreachable" // its connection is gone
	endReplaced    ending = "replaced"    // the phone made a newer one
	endStore       ending = "store"       // it could not be stored
)

// changed wants the watcher told.
func (sub *subscription) changed() {
	sub.pace.Change()
	sub.pump()
}

// expired: nobody refreshed in time.
func (sub *subscription) expired() { sub.end(endTimeout) }

// phoneGone: the registration the phone speaks through has ended. A phone that
// lives on subscribes anew.
func (sub *subscription) phoneGone() {
	if _, ok := sub.w.server.directory.Extension(sub.rec.Watcher.Extension); !ok {
		sub.end(endRejected)
		return
	}
	sub.end(endDeactivated)
}

// end takes the subscription out and tells the phone, after the answer to the
// NOTIFY that may be on its way.
func (sub *subscription) end(why ending) {
	if sub.gone || sub.pace.Ending() {
		return
	}
	sub.reason = why
	sub.pace.End()
	sub.w.wheel.stop(&sub.expiry)
	sub.w.server.events.watchers.drop(sub)
	sub.unstore(nil)
	sub.pump()
}

// unstore removes the subscription from the store and tells done, if there is
// one, on its worker when that is durable.
func (sub *subscription) unstore(done func(error)) {
	answer := func(err error) {
		if done != nil {
			sub.w.do(func() { done(err) })
		}
	}
	if !sub.stored {
		answer(nil)
		return
	}
	sub.stored = false
	sub.w.server.events.cfg.Subscriptions.Delete(sub.rec.ID, answer)
}

// remove forgets the subscription without a word; a refresh gets 481 from now on.
func (sub *subscription) remove(why ending) {
	if sub.gone {
		return
	}
	sub.gone = true
	if !sub.pace.Ending() {
		sub.reason = why
	}
	w := sub.w
	w.server.metrics.subscriptionEnded(sub.reason)
	w.wheel.stop(&sub.expiry)
	w.wheel.stop(&sub.wake)
	w.server.events.watchers.drop(sub)
	sub.unstore(nil)
	if w.subs[sub.key()] == sub {
		delete(w.subs, sub.key())
	}
}

// pump sends a NOTIFY if one is due.
func (sub *subscription) pump() {
	if sub.gone || !sub.begun {
		return
	}
	switch act, wait := sub.pace.Next(sub.w.now); act {
	case event.Wait:
		sub.w.after(&sub.wake, wait, sub.pump)
	case event.Send:
		sub.notify()
	}
}

// notify sends the state as it is now.
func (sub *subscription) notify() {
	w := sub.w
	if f := w.server.flowBehind(sub.rec.Watcher.Extension, sub.rec.Binding, w.now); f != nil {
		sub.dialog.flow = f
	}
	if sub.dialog.flow.closed() {
		// Its registration wakes a subscription when the phone is back.
		if sub.rec.Binding == "" || sub.pace.Ending() {
			sub.remove(endUnreachable)
		}
		return
	}
	if sub.dialog.localSeq >= sub.durable && !sub.pace.Ending() {
		sub.reserve()
		return
	}
	doc, ok := sub.document()
	if !ok {
		sub.pace.Skip()
		return
	}
	sub.send(doc)
}

// send sends a NOTIFY with a document.
func (sub *subscription) send(doc event.Document) {
	w := sub.w
	r := sub.dialog.request(methodNotify)
	f := sub.dialog.flow
	r.contact = "<" + sipURI(sub.rec.User, f.local(), f.transport()) + ">"
	r.fields = []wire.Field{
		{Name: "Event", Value: wire.Event{Package: sub.rec.Package, ID: sub.rec.EventID}.String()},
		{Name: "Subscription-State", Value: sub.state()},
		{Name: "Allow-Events", Value: w.server.events.allow},
	}
	if len(doc.Body) > 0 {
		r.bodyType, r.body = sub.rec.Type, doc.Body
	}
	sub.told = doc.Seen
	sub.pace.Sent(w.now)
	w.server.metrics.notifications.Inc()
	if sub.pace.Ending() { // whatever the phone says to that, it is over
		w.tell(&r, f)
		sub.remove(sub.reason)
		return
	}
	sub.tx = w.send(&r, f, sub.answered, sub.lost)
}

// document is the state for this watcher, or reports false if there is nothing
// new to say. The rights are those of this moment.
func (sub *subscription) document() (event.Document, bool) {
	w, rec := sub.w, &sub.rec
	access := sub.pack.Access(rec.Watcher, rec.Of)
	if access == event.Refused && !sub.pace.Ending() {
		sub.reason = endRejected
		sub.pace.End()
	}
	if sub.pace.Ending() && sub.reason != endTimeout {
		return event.Document{}, true
	}
	full := sub.pace.Asked() || sub.pace.Ending() || sub.seen == nil
	q := event.Query{
		Watcher: rec.Watcher, Resource: rec.Of, Access: access, Type: rec.Type, Version: sub.dialog.localSeq, Full: full,
		Published: w.server.events.publications.Of(rec.Of.Extension, rec.Package, w.now), Now: w.now,
	}
	if !full {
		q.Seen = sub.seen
	}
	return sub.pack.Document(q)
}

// state is the Subscription-State of the next NOTIFY.
func (sub *subscription) state() string {
	if sub.pace.Ending() {
		return wire.SubscriptionState{
			State: wire.SubscriptionTerminated, Reason: string(sub.reason), Expires: -1, RetryAfter: -1,
		}.String()
	}
	left := max(sub.rec.Expires.Sub(sub.w.now), time.Second)
	return wire.SubscriptionState{State: wire.SubscriptionActive, Expires: left, RetryAfter: -1}.String()
}

// answered handles a response to a NOTIFY.
func (sub *subscription) answered(res *wire.Message) {
	if res.Status() < 200 || sub.gone {
		return
	}
	sub.tx, sub.seen = nil, nil
	if res.Status() < 300 {
		sub.seen = sub.told
	}
	sub.told = nil
	if sub.pace.Answered(res.Status()) {
		sub.remove(endRefused)
		return
	}
	sub.pump()
}

// lost: nobody answered a NOTIFY in time, or its connection broke.
func (sub *subscription) lost() {
	if sub.gone {
		return
	}
	sub.tx, sub.seen, sub.told = nil, nil, nil
	if sub.dialog.flow.closed() { // that is not the phone's silence
		sub.pace.Moved()
	} else if sub.pace.Lost() {
		sub.remove(endUnanswered)
		return
	}
	sub.pump()
}

// reserve stores the next numbers before one of them is used.
func (sub *subscription) reserve() {
	if sub.reserving {
		return
	}
	sub.reserving = true
	sub.keep(func(err error) {
		sub.reserving = false
		if sub.gone {
			return
		}
		if err != nil {
			sub.w.after(&sub.wake, event.Gap, sub.pump)
			return
		}
		sub.pump()
	})
}

// flowBehind is the flow that a registration has now, nil if it has none that
// can be used: the phone may have come back over a new connection or through
// another NAT mapping (L5).
func (s *Server) flowBehind(extension int64, binding string, now time.Time) flow {
	if binding == "" {
		return nil
	}
	at, ok := s.location.FlowOf(extension, binding, now)
	if !ok {
		return nil
	}
	if f := s.flowOf(at); f != nil && !f.closed() {
		return f
	}
	return nil
}
