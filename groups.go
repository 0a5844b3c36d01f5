package cordpair

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/cordpair/cordpair/api"
	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

// Groups implements api.Configuration.
func (c configuration) Groups(client int64) []dialplan.Group {
	v, ok := c.s.tenants.view(client)
	if !ok {
		return nil
	}
	list := v.Groups()
	slices.SortFunc(list, func(a, b dialplan.Group) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// AddGroup implements api.Configuration.
func (c configuration) AddGroup(ctx context.Context, g dialplan.Group) (added dialplan.Group, err error) {
	err = c.s.change(ctx, g.ClientID, func(e *edit) (err error) {
		added = g
		if added.ID, err = e.tx.NextID(store.Groups); err != nil {
			return err
		}
		return e.putGroup(nil, added)
	})
	return added, err
}

func (e *edit) putGroup(before any, g dialplan.Group) (err error) {
	if e.view, err = e.view.WithGroup(g); err != nil {
		return err
	}
	if err := e.s.tables.groups.In(e.tx).Put(store.Int(g.ID), g); err != nil {
		return err
	}
	return e.note("extension_group", g.ID, before, g)
}

// ChangeGroup implements api.Configuration.
func (c configuration) ChangeGroup(ctx context.Context, client, id int64, change func(*dialplan.Group) error) (changed dialplan.Group, err error) {
	err = c.s.change(ctx, client, func(e *edit) error {
		before, ok := e.view.Group(id)
		if !ok {
			return fmt.Errorf("group %d: %w", id, store.ErrNotFound)
		}
		changed = before
		if err := change(&changed); err != nil {
			return err
		}
		if err := fixed(kept{"id", changed.ID == id}, kept{"client_id", changed.ClientID == client}); err != nil {
			return err
		}
		return e.putGroup(before, changed)
	})
	return changed, err
}

// DeleteGroup implements api.Configuration.
func (c configuration) DeleteGroup(ctx context.Context, client, id int64) error {
	return c.s.change(ctx, client, func(e *edit) error {
		before, ok := e.view.Group(id)
		if !ok {
			return fmt.Errorf("group %d: %w", id, store.ErrNotFound)
		}
		without, err := e.view.WithoutGroup(id)
		if err != nil {
			return fmt.Errorf("group %d %w: %w", id, api.ErrInUse, err)
		}
		e.view = without
		e.then(func() { c.s.forgetUsers(ctx, auth.Scope{ClientID: client, GroupID: id}) })
		if err := c.s.tables.groups.In(e.tx).Delete(store.Int(id)); err != nil {
			return err
		}
		return e.note("extension_group", id, before, nil)
	})
}
