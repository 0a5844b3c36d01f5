package cordpair

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/store"
)

// phoneSecret is how a phone authenticates.
type phoneSecret struct {
	Password store.Secret  `json:"password"`
	Policy   digest.Policy `json:"policy,omitempty"`
}

// tables are the configuration as it is stored.
type tables struct {
	space      *store.Space
	clients    *store.Table[dialplan.Client]
	extensions *store.Table[dialplan.Extension]
	phones     *store.Table[dialplan.Phone]
	secrets    *store.Table[phoneSecret]
	groups     *store.Table[dialplan.Group]
	versions   *store.Table[uint64]
	probe      *store.Table[uint64]
}

func openTables(sp *store.Space) *tables {
	return &tables{
		space:      sp,
		clients:    store.NewTable[dialplan.Client](sp, store.Clients, 1),
		extensions: store.NewTable[dialplan.Extension](sp, store.Extensions, 1),
		phones:     store.NewTable[dialplan.Phone](sp, store.Phones, 1),
		secrets:    store.NewTable[phoneSecret](sp, store.PhoneSecret, 1),
		groups:     store.NewTable[dialplan.Group](sp, store.Groups, 1),
		versions:   store.NewTable[uint64](sp, store.Versions, 1),
		probe:      store.NewTable[uint64](sp, store.Probe, 1),
	}
}

// load compiles everything that is stored.
func (s *Switch) load() error {
	t, err := s.tables.read()
	if err != nil {
		return err
	}
	rows := map[int64]*dialplan.Rows{}
	for _, c := range t.clients {
		rows[c.ID] = &dialplan.Rows{Client: c, Demo: s.cfg.Demo}
	}
	for _, g := range t.groups {
		r, ok := rows[g.ClientID]
		if !ok {
			return fmt.Errorf("group %d: %w %d", g.ID, ErrNoClient, g.ClientID)
		}
		r.Groups = append(r.Groups, g)
	}
	for _, x := range t.extensions {
		if err := s.loadExtension(rows, t, x); err != nil {
			return err
		}
	}
	views := make(map[int64]*dialplan.View, len(rows))
	for id, r := range rows {
		if views[id], err = dialplan.Compile(*r); err != nil {
			return err
		}
	}
	s.tenants.alter(func(n *tenancy) { n.views, n.versions = views, t.versions })
	return nil
}

// stored is everything the tables hold, by id.
type stored struct {
	clients    map[int64]dialplan.Client
	extensions map[int64]dialplan.Extension
	phones     map[int64]dialplan.Phone
	secrets    map[int64]phoneSecret
	groups     map[int64]dialplan.Group
	versions   map[int64]uint64
}

// read scans the tables side by side: a start with 100,000 phones has seconds.
func (t *tables) read() (stored, error) {
	var s stored
	var errs [6]error
	var scans sync.WaitGroup
	scans.Go(func() { s.clients, errs[0] = byID(t.clients) }) // each ends with its table
	scans.Go(func() { s.extensions, errs[1] = byID(t.extensions) })
	scans.Go(func() { s.phones, errs[2] = byID(t.phones) })
	scans.Go(func() { s.secrets, errs[3] = byID(t.secrets) })
	scans.Go(func() { s.groups, errs[4] = byID(t.groups) })
	scans.Go(func() { s.versions, errs[5] = byID(t.versions) })
	scans.Wait()
	return s, errors.Join(errs[:]...)
}

// byID reads a whole table whose keys are ids.
func byID[T any](t *store.Table[T]) (map[int64]T, error) {
	rows := map[int64]T{}
	err := t.Each(store.Range{}, func(r store.Row[T]) error {
		id, _, err := r.Key.CutInt()
		rows[id] = r.Value
		return err
	})
	return rows, err
}

func (s *Switch) loadExtension(rows map[int64]*dialplan.Rows, t stored, x dialplan.Extension) error {
	r, ok := rows[x.ClientID]
	if !ok {
		return fmt.Errorf("extension %d: %w %d", x.ID, ErrNoClient, x.ClientID)
	}
	s.tenants.owners.Store(x.ID, x.ClientID)
	row := dialplan.Row{Extension: x, Phone: dialplan.DefaultPhone()}
	if x.Type == dialplan.TypePhone {
		phone, ok := t.phones[x.ID]
		if !ok {
			return fmt.Errorf("phone of extension %d: %w", x.ID, store.ErrNotFound)
		}
		secret, ok := t.secrets[x.ID]
		if !ok {
			return fmt.Errorf("secret of extension %d: %w", x.ID, store.ErrNotFound)
		}
		row.Phone = phone
		s.tenants.accounts.Store(x.ID, newAccount(r.Client, x, secret))
	}
	r.Extensions = append(r.Extensions, row)
	return nil
}

func newAccount(c dialplan.Client, x dialplan.Extension, s phoneSecret) account {
	password := s.Password.Reveal()
	return account{
		policy: s.Policy,
		bare:   digest.NewSecret(x.Number(), c.Domain, password),
		full:   digest.NewSecret(x.Name, c.Domain, password),
	}
}
