package sip_test

import (
	"errors"
	"iter"
	"time"

	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/event"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/sip/pager"
	"github.com/cordpair/cordpair/store"
)

// keepIn lets an edge keep everything in db.
func keepIn(c *sip.Config, db *store.DB) {
	c.Location.Store = location.NewStore(db.Live())
	c.Events.Subscriptions = event.NewStore(db.Live())
	c.Events.Publications = event.NewPublicationStore(db.Live())
	c.Messages.Store = pager.NewStore(db.Records())
}

// slowSubscriptions is an event.Store that takes its time, or fails.
type slowSubscriptions struct {
	delay time.Duration
	fail  bool
}

func (*slowSubscriptions) Records() iter.Seq2[event.Record, error] {
	return func(func(event.Record, error) bool) {}
}

func (s *slowSubscriptions) Put(_ event.Record, done func(error)) {
	var err error
	if s.fail {
		err = errors.New("the disk is full")
	}
	time.AfterFunc(s.delay, func() { done(err) })
}

func (*slowSubscriptions) Delete(_ string, done func(error)) {
	if done != nil {
		done(nil)
	}
}
