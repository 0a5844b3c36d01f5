package cordpair

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/store"
)

// Client is a tenant of the switch.
type Client = dialplan.Client

// Extension is an internal number of a client.
type Extension = dialplan.Extension

// Phone is the configuration of an extension of type phone.
type Phone = dialplan.Phone

// ErrNoClient says that there is no client with this id.
var ErrNoClient = errors.New("no such client")

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
}

func openTables(sp *store.Space) *tables {
	return &tables{
		space:      sp,
		clients:    store.NewTable[dialplan.Client](sp, store.Clients, 1),
		extensions: store.NewTable[dialplan.Extension](sp, store.Extensions, 1),
		phones:     store.NewTable[dialplan.Phone](sp, store.Phones, 1),
		secrets:    store.NewTable[phoneSecret](sp, store.PhoneSecret, 1),
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
	for _, x := range t.extensions {
		if err := s.loadExtension(rows, t, x); err != nil {
			return err
		}
	}
	views := make([]*dialplan.View, 0, len(rows))
	for _, r := range rows {
		v, err := dialplan.Compile(*r)
		if err != nil {
			return err
		}
		views = append(views, v)
	}
	s.tenants.replace(views...)
	return nil
}

// stored is everything the tables hold, by id.
type stored struct {
	clients    map[int64]dialplan.Client
	extensions map[int64]dialplan.Extension
	phones     map[int64]dialplan.Phone
	secrets    map[int64]phoneSecret
}

// read scans the tables side by side: a start with 100,000 phones has seconds.
func (t *tables) read() (stored, error) {
	var s stored
	var errs [4]error
	var scans sync.WaitGroup
	scans.Go(func() { s.clients, errs[0] = byID(t.clients) }) // each ends with its table
	scans.Go(func() { s.extensions, errs[1] = byID(t.extensions) })
	scans.Go(func() { s.phones, errs[2] = byID(t.phones) })
	scans.Go(func() { s.secrets, errs[3] = byID(t.secrets) })
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

// all reads a whole table in the order of its keys.
func all[T any](t *store.Table[T]) ([]T, error) {
	var rows []T
	err := t.Each(store.Range{}, func(r store.Row[T]) error {
		rows = append(rows, r.Value)
		return nil
	})
	return rows, err
}

func (s *Switch) loadExtension(rows map[int64]*dialplan.Rows, t stored, x dialplan.Extension) error {
	r, ok := rows[x.ClientID]
	if !ok {
		return fmt.Errorf("extension %d: %w %d", x.ID, ErrNoClient, x.ClientID)
	}
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
		client: c.ID, policy: s.Policy,
		bare: digest.NewSecret(x.Number(), c.Domain, password),
		full: digest.NewSecret(x.Name, c.Domain, password),
	}
}

// Clients lists the clients by id.
func (s *Switch) Clients() ([]Client, error) { return all(s.tables.clients) }

// AddClient stores a new client and returns it with its id. What is left empty
// in c gets its default; the prefix is made from the id. An empty list of
// emergency numbers that is not nil stays empty. Errors wrap dialplan.ErrInvalid
// and name the field.
func (s *Switch) AddClient(c Client) (Client, error) {
	s.writes.Lock()
	defer s.writes.Unlock()
	c = withClientDefaults(c)
	var added Client
	var view *dialplan.View
	err := s.tables.space.Update(func(tx *store.Tx) error {
		id, err := tx.NextID(store.Clients)
		if err != nil {
			return err
		}
		added = c
		added.ID = id
		others := s.tenants.now.Load()
		if added.Prefix == "" {
			added.Prefix = others.freePrefix(id)
		}
		if err := others.clash(added); err != nil {
			return fmt.Errorf("client %d: %w", id, err)
		}
		if view, err = dialplan.Compile(dialplan.Rows{Client: added, Demo: s.cfg.Demo}); err != nil {
			return err
		}
		return s.tables.clients.In(tx).Put(store.Int(id), added)
	})
	if err != nil {
		return Client{}, err
	}
	s.tenants.replace(view)
	return added, nil
}

func withClientDefaults(c Client) Client {
	d := dialplan.DefaultClient()
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

// Extensions lists the extensions of a client by id.
func (s *Switch) Extensions(client int64) ([]Extension, error) {
	list, err := all(s.tables.extensions)
	return slices.DeleteFunc(list, func(x Extension) bool { return x.ClientID != client }), err
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
	s.writes.Lock()
	defer s.writes.Unlock()
	var added []Extension
	for part := range slices.Chunk(phones, phonesAtOnce) {
		list, err := s.addPhones(client, part)
		if err != nil {
			return added, err
		}
		added = append(added, list...)
	}
	return added, nil
}

func (s *Switch) addPhones(client int64, phones []NewPhone) ([]Extension, error) {
	view, ok := s.tenants.view(client)
	if !ok {
		return nil, fmt.Errorf("%w %d", ErrNoClient, client)
	}
	b := batch{client: view.Client()}
	err := s.tables.space.Update(func(tx *store.Tx) error {
		b.view, b.added, b.accounts = view, nil, nil
		for _, p := range phones {
			if err := b.add(s.tables, tx, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, x := range b.added {
		s.tenants.accounts.Store(x.ID, b.accounts[i])
	}
	s.tenants.replace(b.view)
	return b.added, nil
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

// batch collects what AddPhones has to publish once it is stored.
type batch struct {
	client   dialplan.Client
	view     *dialplan.View
	added    []Extension
	accounts []account
}

func (b *batch) add(t *tables, tx *store.Tx, p NewPhone) error {
	if p.Password == "" {
		p.Password = generatePassword(p.Number)
	}
	if err := digest.CheckPassword(p.Password, p.Number); err != nil {
		return fmt.Errorf("extension %s: %w", p.Number, err)
	}
	id, err := tx.NextID(store.Extensions)
	if err != nil {
		return err
	}
	x := dialplan.DefaultExtension()
	x.ID, x.ClientID, x.Type = id, b.client.ID, dialplan.TypePhone
	x.Name, x.Label = b.client.Prefix+"*"+p.Number, p.Label
	row := dialplan.Row{Extension: x, Phone: dialplan.DefaultPhone()}
	if b.view, err = b.view.WithExtension(row); err != nil {
		return err
	}
	secret := phoneSecret{Password: store.Secret(p.Password)}
	b.added = append(b.added, x)
	b.accounts = append(b.accounts, newAccount(b.client, x, secret))
	key := store.Int(id)
	return errors.Join(t.extensions.In(tx).Put(key, x), t.phones.In(tx).Put(key, row.Phone), t.secrets.In(tx).Put(key, secret))
}
