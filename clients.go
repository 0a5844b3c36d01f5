package cordpair

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cordpair/cordpair/api"
	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// Client is a tenant of the switch.
type Client = dialplan.Client

// ErrNoClient says that there is no client with this id.
var ErrNoClient = errors.New("no such client")

// Clients lists the clients by id.
func (s *Switch) Clients() ([]Client, error) { return s.configuration().Clients(), nil }

// AddClient stores a new client and returns it with its id. What is left empty
// in c gets its default; the prefix is made from the id. An empty list of
// emergency numbers that is not nil stays empty. Errors wrap dialplan.ErrInvalid
// and name the field.
func (s *Switch) AddClient(c Client) (Client, error) {
	return s.configuration().AddClient(context.Background(), c)
}

// configuration is what the API and the library change the configuration with.
func (s *Switch) configuration() configuration { return configuration{s} }

// configuration meets api.Configuration. Reading is a look at the views that
// calls use; each change is one edit.
type configuration struct{ s *Switch }

// Clients implements api.Configuration.
func (c configuration) Clients() []dialplan.Client { return c.s.tenants.clients() }

// Client implements api.Configuration.
func (c configuration) Client(id int64) (dialplan.Client, bool) {
	v, ok := c.s.tenants.view(id)
	if !ok {
		return dialplan.Client{}, false
	}
	return v.Client(), true
}

// Version implements api.Configuration.
func (c configuration) Version(client int64) uint64 { return c.s.tenants.version(client) }

// AddClient implements api.Configuration.
func (c configuration) AddClient(ctx context.Context, row dialplan.Client) (dialplan.Client, error) {
	row = withClientDefaults(row)
	row.CreateDate = dialplan.StampOf(time.Now())
	var added dialplan.Client
	err := c.s.apply(ctx, func(e *edit) (err error) {
		added = row
		if e.client, err = e.tx.NextID(store.Clients); err != nil {
			return err
		}
		added.ID = e.client
		others := c.s.tenants.now.Load()
		if added.Prefix == "" {
			added.Prefix = others.freePrefix(added.ID)
		}
		if err := others.clash(added); err != nil {
			return fmt.Errorf("client %d: %w", added.ID, err)
		}
		if e.view, err = dialplan.Compile(dialplan.Rows{Client: added, Demo: c.s.cfg.Demo}); err != nil {
			return err
		}
		added = e.view.Client() // with what the view fills in
		return e.putClient(nil, added)
	})
	return added, err
}

// putClient stores a client's row.
func (e *edit) putClient(before any, row dialplan.Client) error {
	if err := e.s.tables.clients.In(e.tx).Put(store.Int(row.ID), row); err != nil {
		return err
	}
	return e.note("client", row.ID, before, row)
}

func withClientDefaults(c Client) Client {
	d := dialplan.DefaultClient()
	if c.Type == "" {
		c.Type = d.Type
	}
	if c.Presence == "" {
		c.Presence = d.Presence
	}
	if c.ExtensionLen == 0 {
		c.ExtensionLen = d.ExtensionLen
	}
	if c.Status == "" {
		c.Status = d.Status
	}
	if c.Timezone == "" {
		c.Timezone = d.Timezone
	}
	if c.EmergencyNumbers == nil {
		c.EmergencyNumbers = d.EmergencyNumbers
	}
	return c
}

// ChangeClient implements api.Configuration.
func (c configuration) ChangeClient(ctx context.Context, id int64, change func(*dialplan.Client) error) (dialplan.Client, error) {
	var changed dialplan.Client
	err := c.s.change(ctx, id, func(e *edit) (err error) {
		before := e.view.Client()
		changed = before.Clone()
		if err := change(&changed); err != nil {
			return err
		}
		err = fixed(
			kept{"id", before.ID == changed.ID},
			kept{"prefix", before.Prefix == changed.Prefix},
			kept{"domain", strings.EqualFold(before.Domain, changed.Domain)},
			kept{"domain_prefix", before.DomainPrefix == changed.DomainPrefix},
			kept{"extension_len", before.ExtensionLen == changed.ExtensionLen},
			kept{"create_date", before.CreateDate == changed.CreateDate},
		)
		if err != nil {
			return err
		}
		if e.view, err = e.view.WithClient(changed); err != nil {
			return err
		}
		changed = e.view.Client() // with what the view fills in
		if before.Status == dialplan.StatusActive && changed.Status == dialplan.StatusBlocked {
			e.then(func() { c.s.expelClient(id) })
		}
		return e.putClient(before, changed)
	})
	return changed, err
}

// DeleteClient implements api.Configuration.
func (c configuration) DeleteClient(ctx context.Context, id int64) error {
	return c.s.change(ctx, id, func(e *edit) error {
		if n := e.view.Len(); n > 0 {
			return fmt.Errorf("client %d has %d extensions: it %w", id, n, api.ErrInUse)
		}
		before := e.view.Client()
		e.view = nil
		e.then(func() { c.s.forgetUsers(ctx, auth.Scope{ClientID: id}) })
		if err := c.s.tables.clients.In(e.tx).Delete(store.Int(id)); err != nil {
			return err
		}
		return e.note("client", id, before, nil)
	})
}

// expelClient ends calls and registrations of a client that was blocked (F9).
func (s *Switch) expelClient(id int64) {
	v, ok := s.tenants.view(id)
	if !ok {
		return
	}
	s.calls.EndWhere(func(i *call.Info) bool { return i.Client == id }, call.CauseForbidden)
	for row := range v.Extensions() {
		s.edge.Expel(row.Extension.ID)
		s.edge.Bindings().Remove(row.Extension.ID, "", time.Now(), nil)
	}
}
