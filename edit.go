package cordpair

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/features/audit"
	"github.com/cordpair/cordpair/store"
)

// edit is one change of a client's configuration on its way: rows in a
// transaction, the view they make, and what follows once both are in force. The
// store may run it a second time, so it starts from nothing each time.
type edit struct {
	ctx    context.Context
	s      *Switch
	tx     *store.Tx
	client int64
	view   *dialplan.View // as it will be; nil once the client is deleted
	after  []func()       // once stored and seen by calls, in order
	was    uint64         // version before
	what   audited
	quiet  bool // the audit log does not hear of it: nobody asked for it
}

// audited is what of an edit its watchers are told.
type audited struct {
	what string
	id   int64
}

// change runs f over the configuration of a client. Whatever f leaves is in
// force, for calls too, when change returns; after an error nothing is.
func (s *Switch) change(ctx context.Context, client int64, f func(*edit) error) error {
	return s.apply(ctx, func(e *edit) error {
		view, ok := s.tenants.view(client)
		if !ok {
			return fmt.Errorf("%w %d: %w", ErrNoClient, client, store.ErrNotFound)
		}
		e.client, e.view = client, view
		return f(e)
	})
}

// apply is change for clients that are not there yet as well: f sets client and
// view.
func (s *Switch) apply(ctx context.Context, f func(*edit) error) error {
	select {
	case s.writes <- struct{}{}:
	case <-ctx.Done(): // nobody waits for it any more
		return context.Cause(ctx)
	}
	defer func() { <-s.writes }()
	var e edit
	err := s.tables.space.Update(func(tx *store.Tx) error {
		e = edit{ctx: ctx, s: s, tx: tx}
		if err := f(&e); err != nil {
			return err
		}
		return e.number()
	})
	if err != nil {
		return err
	}
	s.publish(&e)
	return nil
}

// number counts the change in the client's version.
func (e *edit) number() error {
	rows := e.s.tables.versions.In(e.tx)
	was, err := rows.Get(store.Int(e.client))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	e.was = was
	return rows.Put(store.Int(e.client), was+1)
}

// publish brings a stored change into force.
func (s *Switch) publish(e *edit) {
	if e.view == nil {
		s.tenants.remove(e.client)
	} else {
		s.tenants.replace(e.was+1, e.view)
	}
	for _, f := range e.after {
		f()
	}
	s.feed.Changed(e.client, e.what.what, e.what.id, e.was+1)
}

// note enters a change into the audit log, in the same transaction (L14). A nil
// before is a creation, a nil after a deletion.
func (e *edit) note(what string, id int64, before, after any) error {
	e.what = audited{what, id}
	if e.quiet {
		return nil
	}
	return e.s.audit.Append(e.ctx, e.tx, audit.Write{
		Client: e.client, What: what, ID: strconv.FormatInt(id, 10), Before: before, After: after,
	})
}

// then lets f run once the change is in force.
func (e *edit) then(f func()) { e.after = append(e.after, f) }

// kept says whether a field that stays as it was made is still the same.
type kept struct {
	field string
	same  bool
}

// fixed refuses changes of such fields: names, passwords and dialled numbers hang
// on them.
func fixed(fields ...kept) error {
	var errs dialplan.FieldErrors
	for _, f := range fields {
		if !f.same {
			errs = append(errs, dialplan.FieldError{Field: f.field, Message: "cannot be changed"})
		}
	}
	if errs == nil {
		return nil
	}
	return errs
}
