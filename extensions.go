package cordpair

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordpair/cordpair/api"
	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/audit"
	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/store"
)

// Extension is an internal number of a client.
type Extension = dialplan.Extension

// Phone is the configuration of an extension of type phone.
type Phone = dialplan.Phone

// Extensions lists the extensions of a client by id.
func (s *Switch) Extensions(client int64) ([]Extension, error) {
	rows := s.configuration().Extensions(client)
	list := make([]Extension, len(rows))
	for i, r := range rows {
		list[i] = r.Extension
	}
	return list, nil
}

// Password reveals the SIP password of an extension. Only the demo shows it.
func (s *Switch) Password(extension int64) (string, error) {
	secret, err := s.tables.secrets.Get(store.Int(extension))
	return secret.Password.Reveal(), err
}

// NewPhone is what AddPhones needs to know of one phone.
type NewPhone struct {
	Number string // within the client: "101"
	Label  string // shown to those it calls
	// Password of SIP; empty: one is generated.
	Password string
}

// AddPhone stores an extension of type phone. The next call sees it.
func (s *Switch) AddPhone(client int64, p NewPhone) (Extension, error) {
	list, err := s.AddPhones(client, []NewPhone{p})
	if err != nil {
		return Extension{}, err
	}
	return list[0], nil
}

// phonesAtOnce is how many phones fit into one transaction of the store.
const phonesAtOnce = 500

// AddPhones stores many phones, 500 in a transaction: after an error those
// before the failing 500 are there, and returned.
func (s *Switch) AddPhones(client int64, phones []NewPhone) ([]Extension, error) {
	return s.addPhones(context.Background(), client, phones, false)
}

// addPhones is AddPhones until ctx ends; what is quiet is not in the audit log.
func (s *Switch) addPhones(ctx context.Context, client int64, phones []NewPhone, quiet bool) ([]Extension, error) {
	var added []Extension
	for part := range slices.Chunk(phones, phonesAtOnce) {
		if err := context.Cause(ctx); err != nil {
			return added, err
		}
		var list []Extension
		err := s.change(ctx, client, func(e *edit) error {
			e.quiet, list = quiet, nil
			for _, p := range part {
				row, err := e.addExtension(p.row(client))
				if err != nil {
					return fmt.Errorf("extension %s: %w", p.Number, err)
				}
				list = append(list, row.Extension)
			}
			return nil
		})
		if err != nil {
			return added, err
		}
		added = append(added, list...)
	}
	return added, nil
}

func (p NewPhone) row(client int64) api.NewExtension {
	x := dialplan.DefaultExtension()
	x.ClientID, x.Type, x.Name, x.Label = client, dialplan.TypePhone, p.Number, p.Label
	return api.NewExtension{Extension: x, Phone: dialplan.DefaultPhone(), Password: p.Password}
}

// Extensions implements api.Configuration.
func (c configuration) Extensions(client int64) []dialplan.Row {
	v, ok := c.s.tenants.view(client)
	if !ok {
		return nil
	}
	rows := slices.AppendSeq(make([]dialplan.Row, 0, v.Len()), v.Extensions())
	slices.SortFunc(rows, func(a, b dialplan.Row) int { return cmp.Compare(a.Extension.ID, b.Extension.ID) })
	return rows
}

// Extension implements api.Configuration.
func (c configuration) Extension(id int64) (dialplan.Row, bool) {
	v, ok := c.s.tenants.viewOf(id)
	if !ok {
		return dialplan.Row{}, false
	}
	return v.Extension(id)
}

// FindExtension implements api.Configuration.
func (c configuration) FindExtension(client int64, name string) (dialplan.Row, bool) {
	v, ok := c.s.tenants.view(client)
	if !ok {
		return dialplan.Row{}, false
	}
	return v.Lookup(name)
}

// AddExtension implements api.Configuration.
func (c configuration) AddExtension(ctx context.Context, x api.NewExtension) (row dialplan.Row, err error) {
	err = c.s.change(ctx, x.Extension.ClientID, func(e *edit) error {
		row, err = e.addExtension(x)
		return err
	})
	return row, err
}

func (e *edit) addExtension(n api.NewExtension) (dialplan.Row, error) {
	client := e.view.Client()
	x := n.Extension
	if !strings.Contains(x.Name, "*") {
		x.Name = client.Prefix + "*" + x.Name
	}
	var err error
	if x.ID, err = e.tx.NextID(store.Extensions); err != nil {
		return dialplan.Row{}, err
	}
	x.CreateDate = dialplan.StampOf(time.Now())
	row := dialplan.Row{Extension: x, Phone: n.Phone}
	if x.Type == dialplan.TypePhone {
		if err := e.putSecret(client, x, n.Password); err != nil {
			return row, err
		}
	}
	if err := e.putExtension(nil, row); err != nil {
		return row, err
	}
	row, _ = e.view.Extension(x.ID) // with what the view fills in
	return row, nil
}

// putSecret stores how a phone authenticates; an empty password is made up.
func (e *edit) putSecret(client dialplan.Client, x dialplan.Extension, password string) error {
	if password == "" {
		password = generatePassword(x.Number())
	}
	if err := digest.CheckPassword(password, x.Number()); err != nil {
		return fmt.Errorf("%w: %w", err, dialplan.FieldErrors{{Field: "password", Message: err.Error()}})
	}
	secret := phoneSecret{Password: store.Secret(password)}
	e.then(func() { e.s.tenants.accounts.Store(x.ID, newAccount(client, x, secret)) })
	return e.s.tables.secrets.In(e.tx).Put(store.Int(x.ID), secret)
}

// putExtension stores a row and brings it into the view.
func (e *edit) putExtension(before *dialplan.Row, row dialplan.Row) (err error) {
	x := row.Extension
	if e.view, err = e.view.WithExtension(row); err != nil {
		return err
	}
	key := store.Int(x.ID)
	if err := e.s.tables.extensions.In(e.tx).Put(key, x); err != nil {
		return err
	}
	e.then(func() { e.s.tenants.owners.Store(x.ID, x.ClientID) })
	if before == nil {
		err = e.note("extension", x.ID, nil, x)
	} else {
		err = e.note("extension", x.ID, before.Extension, x)
	}
	if err != nil || x.Type != dialplan.TypePhone {
		return err
	}
	if before != nil && before.Phone != row.Phone {
		err = e.note("phone", x.ID, before.Phone, row.Phone)
	}
	return errors.Join(err, e.s.tables.phones.In(e.tx).Put(key, row.Phone))
}

// generatePassword makes a password that the rules for passwords let pass: one
// in some thousands holds the extension's own number by chance.
func generatePassword(number string) string {
	for {
		if p := digest.GeneratePassword(); digest.CheckPassword(p, number) == nil {
			return p
		}
	}
}

// changeOf runs f over the client of an extension and its row.
func (c configuration) changeOf(ctx context.Context, id int64, f func(*edit, dialplan.Row) error) error {
	v, ok := c.s.tenants.viewOf(id)
	if !ok {
		return fmt.Errorf("extension %d: %w", id, store.ErrNotFound)
	}
	return c.s.change(ctx, v.Client().ID, func(e *edit) error {
		row, ok := e.view.Extension(id)
		if !ok {
			return fmt.Errorf("extension %d: %w", id, store.ErrNotFound)
		}
		return f(e, row)
	})
}

// ChangeExtension implements api.Configuration.
func (c configuration) ChangeExtension(ctx context.Context, id int64, change func(*dialplan.Row) error) (dialplan.Row, error) {
	var changed dialplan.Row
	err := c.changeOf(ctx, id, func(e *edit, before dialplan.Row) error {
		changed = before
		changed.Extension = before.Extension.Clone()
		if err := change(&changed); err != nil {
			return err
		}
		was, is := &before.Extension, &changed.Extension
		err := fixed(
			kept{"id", was.ID == is.ID}, kept{"client_id", was.ClientID == is.ClientID}, kept{"type", was.Type == is.Type},
			kept{"name", was.Name == is.Name}, kept{"create_date", was.CreateDate == is.CreateDate},
		)
		if err != nil {
			return err
		}
		if before.Extension.Status == dialplan.StatusActive && changed.Extension.Status == dialplan.StatusBlocked {
			e.then(func() { c.s.expel(id) })
		}
		if err := e.putExtension(&before, changed); err != nil {
			return err
		}
		changed, _ = e.view.Extension(id) // with what the view fills in
		return nil
	})
	return changed, err
}

// ChangePhone implements api.Configuration.
func (c configuration) ChangePhone(ctx context.Context, id int64, change func(*dialplan.Phone) error, password string) (dialplan.Row, error) {
	var changed dialplan.Row
	err := c.changeOf(ctx, id, func(e *edit, before dialplan.Row) error {
		changed = before
		if err := change(&changed.Phone); err != nil {
			return err
		}
		if err := e.putExtension(&before, changed); err != nil || password == "" {
			return err
		}
		if err := e.putSecret(e.view.Client(), changed.Extension, password); err != nil {
			return err
		}
		e.what = audited{"phone", id}
		return c.s.audit.Append(ctx, e.tx, audit.Write{
			Client: e.client, What: "phone", ID: strconv.FormatInt(id, 10),
			Before: before.Phone, After: before.Phone, Secrets: []string{"password"},
		})
	})
	return changed, err
}

// DeleteExtension implements api.Configuration.
func (c configuration) DeleteExtension(ctx context.Context, id int64) error {
	return c.changeOf(ctx, id, func(e *edit, row dialplan.Row) error {
		e.view = e.view.WithoutExtension(id)
		e.then(func() {
			c.s.tenants.accounts.Delete(id)
			c.s.tenants.owners.Delete(id)
			c.s.expel(id)
			c.s.edge.Forget(id)
			c.s.edge.Bindings().Forget(id, time.Now(), nil)
			c.s.forgetUsers(ctx, auth.Scope{ClientID: e.client, ExtensionID: id})
		})
		key, t := store.Int(id), c.s.tables
		return errors.Join(t.extensions.In(e.tx).Delete(key), t.phones.In(e.tx).Delete(key),
			t.secrets.In(e.tx).Delete(key), e.note("extension", id, row.Extension, nil))
	})
}

// expel ends the calls, registrations and subscriptions of an extension that was blocked or
// deleted (F9).
func (s *Switch) expel(id int64) {
	s.calls.EndWhere(func(i *call.Info) bool {
		return slices.ContainsFunc(i.Legs, func(l call.LegInfo) bool { return l.Party.Extension == id })
	}, call.CauseForbidden)
	s.edge.Expel(id)
	s.edge.Bindings().Remove(id, "", time.Now(), nil)
}
