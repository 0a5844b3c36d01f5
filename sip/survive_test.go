package sip_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/event"
	"github.com/cordpair/cordpair/sip/metricstest"
	"github.com/cordpair/cordpair/sip/siptest"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

const restoredWithin = 30 * time.Second

// durable keeps everything of an edge in a store.
func durable(db *store.DB) func(*sip.Config) {
	return func(c *sip.Config) { keepIn(c, db) }
}

// restored checks that subscriptions to the lamp of 102 go on after a restart: full
// state with the reserved numbers, spread over half a minute.
func (e *edge) restored(subs []*siptest.Subscription) {
	e.t.Helper()
	begin := time.Now()
	time.Sleep(15 * time.Second)
	early := 0
	for _, s := range subs {
		if len(s.Notified()) > 1 {
			early++
		}
	}
	if early < 5 || early > 35 {
		e.t.Errorf("%d of %d after half the time", early, len(subs))
	}
	time.Sleep(time.Until(begin.Add(restoredWithin + time.Second)))
	for _, s := range subs {
		list := s.Notified()
		m := list[len(list)-1]
		e.has(m, "v1000 is 9")
		if len(list) != 2 || !strings.HasPrefix(m.Header("CSeq"), "1001 ") {
			e.t.Errorf("%d NOTIFYs, CSeq %s", len(list), m.Header("CSeq"))
		}
	}
}

// TestSubscriptionsSurvive (D1, rows 4 and 18): after a restart, by whatever
// death, subscriptions go on in their dialogs, with higher CSeq and version and
// full state, spread over half a minute. Closing writes nothing of them, so that
// a stop is as good as a kill.
func TestSubscriptionsSurvive(t *testing.T) {
	l := &lamps{on: map[int64]int{}}
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		with := []func(*sip.Config){durable(db), func(c *sip.Config) { c.Events.Packages = []event.Package{l} }}
		e := &edge{t: t, ctx: t.Context(), net: siptest.NewNet(t), dir: newDirectory(), log: &logBuffer{}, met: metricstest.New()}
		stop := e.start(with...)
		a, c := e.phone("101"), e.phone("103", siptest.TCP)
		const many = 40
		var subs []*siptest.Subscription
		for id := range many {
			s, err := a.Subscribe(e.ctx, fmt.Sprintf("lamp;id=%d", id), "102", time.Hour)
			e.must(err)
			subs = append(subs, s)
		}
		stream, err := c.Subscribe(e.ctx, "lamp", "102", time.Hour)
		e.must(err)
		gone, err := a.Subscribe(e.ctx, "lamp;id=gone", "102", time.Hour)
		e.must(err)
		e.must(gone.Refresh(e.ctx, 0))
		time.Sleep(10 * time.Second)
		for _, s := range append(subs, stream, gone) {
			s.Notified()
		}
		stop()
		l.on[2] = 9
		time.Sleep(time.Minute)

		e.met = metricstest.New()
		stop = e.start(with...)
		defer stop()
		e.restored(subs)
		if n := len(stream.Notified()); n != 1 {
			t.Errorf("%d NOTIFYs over a connection that is gone", n)
		}
		e.must(c.Register(e.ctx)) // over a new one
		e.has(e.notify(stream, "active"), "v1000 is 9")
		e.quiet(gone)
		e.must(subs[0].Refresh(e.ctx, time.Hour))
		e.has(e.notify(subs[0], "active;expires=3600"), "v1001 is 9")
		if n := e.srv.Subscriptions(); n != many+1 {
			t.Errorf("%d subscriptions", n)
		}
		for _, s := range append(subs, stream) {
			if a.Stats().Unexpected+c.Stats().Unexpected != 0 {
				t.Fatalf("a phone did not expect what came: %s", s.CallID())
			}
		}
	})
}

// TestSubscribeIsDurableBeforeItsAnswer (D1): no 200 and no NOTIFY before the
// store has said so; a store that fails is no subscription.
func TestSubscribeIsDurableBeforeItsAnswer(t *testing.T) {
	st := &slowSubscriptions{delay: ms(700)}
	inLamps(t, func(e *edge, l *lamps) {
		u := e.rawUDP("10.0.9.1:5060")
		r := u.signed(request{method: "SUBSCRIBE", uri: "sip:102@" + domain, head: []string{"Event: lamp"}})
		u.send(u.text(r))
		wait(ms(600))
		l.set(e, 2, 1)
		u.send(u.text(r)) // repeated while it waits
		u.expect()
		wait(ms(100))
		u.expect(200, 0)
		st.fail = true
		u.send(u.text(u.signed(request{method: "SUBSCRIBE", uri: "sip:103@" + domain, head: []string{"Event: lamp"}})))
		wait(time.Second)
		if list := u.heard(); !slices.Contains(statuses(list), 500) || e.srv.Subscriptions() != 1 {
			t.Errorf("%v; %d subscriptions", starts(list), e.srv.Subscriptions())
		}
		u.send(u.text(u.signed(request{method: "SUBSCRIBE", uri: "sip:102@" + domain, head: []string{"Event: lamp"}})))
		wait(time.Second)
		if list := u.heard(); !slices.Contains(statuses(list), 500) || e.srv.Subscriptions() != 1 {
			t.Errorf("one that was to replace it: %v; %d subscriptions", starts(list), e.srv.Subscriptions())
		}
	}, func(c *sip.Config) { c.Events.Subscriptions = st })
}
