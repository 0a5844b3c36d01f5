package cordpair

import (
	"context"
	"fmt"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/features/feed"
	"github.com/cordpair/cordpair/features/reglog"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/store"
)

// registrations meets api.Registrations over the bindings of the edge.
type registrations struct{ s *Switch }

// Registrations implements api.Registrations.
func (r registrations) Registrations(extension int64) ([]location.Binding, bool) {
	return r.s.edge.Bindings().Registrations(extension, time.Now())
}

// Unregister implements api.Registrations.
func (r registrations) Unregister(ctx context.Context, extension int64, id string) error {
	stored := make(chan error, 1)
	if !r.s.edge.Bindings().Remove(extension, id, time.Now(), func(err error) { stored <- err }) {
		return fmt.Errorf("registration %s of extension %d: %w", id, extension, store.ErrNotFound)
	}
	select {
	case err := <-stored:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// registered passes on what happens to a binding: to the event stream and, for
// clients who want it, to the log. It is called by the edge and never waits.
func (s *Switch) registered(ev location.Event) {
	var added bool
	switch ev.Kind {
	case location.Added, location.Resumed:
		added = true
	case location.Removed, location.Expired, location.Suspended:
	default:
		return
	}
	v, ok := s.tenants.viewOf(ev.Binding.Extension)
	if !ok {
		return
	}
	row, ok := v.Extension(ev.Binding.Extension)
	if !ok {
		return
	}
	x, client := row.Extension, v.Client()
	s.tellRegistration(client.ID, x, added, &ev)
	if ev.Kind == location.Suspended || ev.Kind == location.Resumed {
		return // still registered: the phone may come back
	}
	s.reglog.Note(reglog.Change{
		Client: client.ID, Extension: x.ID, Group: groupOf(x), Name: x.Number(), Type: x.Type,
		Wanted: client.RegStatusLog, Added: added, Left: ev.Left, At: ev.At,
	})
}

// tellRegistration puts it into the event stream.
func (s *Switch) tellRegistration(client int64, x dialplan.Extension, added bool, ev *location.Event) {
	b := &ev.Binding
	tell := s.feed.Unregistered
	if added {
		tell = s.feed.Registered
	}
	tell(client, feed.Registration{
		Extension: x.ID, Number: x.Number(), ID: b.ID, Contact: b.Contact, Address: "sip:" + b.Source.String(),
		Device: b.UserAgent, Left: ev.Left, Reason: string(ev.Reason), At: ev.At,
	})
}

// groupOf is the group of an extension, 0 without one.
func groupOf(x dialplan.Extension) int64 {
	if x.GroupID == nil {
		return 0
	}
	return *x.GroupID
}
