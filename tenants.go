package cordpair

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/history"
	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/digest"
)

// tenants is the configuration as calls and registrations see it: one compiled
// View per client and what the edge needs of each account. Readers take one
// atomic load; writers are serialised. It meets sip.Directory.
type tenants struct {
	write sync.Mutex
	now   atomic.Pointer[tenancy]
	// accounts are looked up by extension id; they change one at a time.
	accounts sync.Map // int64 -> account
	// owners are the clients of extensions, by extension id.
	owners sync.Map // int64 -> int64
}

// tenancy is one immutable picture of all clients.
type tenancy struct {
	views    map[int64]*dialplan.View
	domains  map[string]int64
	prefixes map[string]int64
	// emergency numbers of any client
	emergency map[string]bool
	// versions number the last change of each client.
	versions map[int64]uint64
	// first is the oldest client: its realm is what strangers are asked for.
	first int64
}

// account is what the view of a client does not hold: how an extension
// authenticates, under its bare and under its full name.
type account struct {
	bare, full digest.Secret
	policy     digest.Policy
}

func newTenants() *tenants {
	t := &tenants{}
	t.now.Store(&tenancy{views: map[int64]*dialplan.View{}, versions: map[int64]uint64{}})
	return t
}

// replace publishes a view as that of its client.
func (t *tenants) replace(version uint64, v *dialplan.View) {
	id := v.Client().ID
	t.alter(func(n *tenancy) { n.views[id], n.versions[id] = v, version })
}

// remove forgets a client.
func (t *tenants) remove(id int64) {
	t.alter(func(n *tenancy) {
		delete(n.views, id)
		delete(n.versions, id)
	})
}

// alter publishes a changed copy of the picture.
func (t *tenants) alter(f func(*tenancy)) {
	t.write.Lock()
	defer t.write.Unlock()
	now := t.now.Load()
	next := &tenancy{
		views: maps.Clone(now.views), versions: maps.Clone(now.versions),
		domains: now.domains, prefixes: now.prefixes, emergency: now.emergency, first: now.first,
	}
	f(next)
	if !sameClients(now.views, next.views) {
		next.name()
	}
	t.now.Store(next)
}

// sameClients tells whether the clients are those of before, and their emergency
// numbers: an extension that changed has changed no name of a client, which are
// fixed.
func sameClients(was, is map[int64]*dialplan.View) bool {
	if len(was) != len(is) {
		return false
	}
	for id := range is {
		if was[id] == nil {
			return false
		}
		if was[id] != is[id] && !slices.Equal(was[id].Client().EmergencyNumbers, is[id].Client().EmergencyNumbers) {
			return false
		}
	}
	return true
}

// name enters the clients under their domains and prefixes, and the numbers that
// are emergency numbers somewhere.
func (n *tenancy) name() {
	n.domains, n.prefixes, n.first = map[string]int64{}, map[string]int64{}, 0
	n.emergency = map[string]bool{}
	for id, v := range n.views {
		c := v.Client()
		n.domains[strings.ToLower(c.Domain)] = id
		n.prefixes[c.Prefix] = id
		for _, number := range c.EmergencyNumbers {
			n.emergency[number] = true
		}
		if n.first == 0 || id < n.first {
			n.first = id
		}
	}
}

// clients lists all clients by id.
func (t *tenants) clients() []dialplan.Client {
	views := t.now.Load().views
	list := make([]dialplan.Client, 0, len(views))
	for _, id := range slices.Sorted(maps.Keys(views)) {
		list = append(list, views[id].Client())
	}
	return list
}

func (t *tenants) version(client int64) uint64 { return t.now.Load().versions[client] }

// viewOf is the view that holds an extension.
func (t *tenants) viewOf(extension int64) (*dialplan.View, bool) {
	owner, ok := t.owners.Load(extension)
	if !ok {
		return nil, false
	}
	return t.view(owner.(int64))
}

// clash says what of a new client another one has already: two with one domain
// or prefix would answer for each other's phones.
func (n *tenancy) clash(c dialplan.Client) error {
	var taken dialplan.FieldErrors
	if _, ok := n.prefixes[c.Prefix]; ok {
		taken = append(taken, dialplan.FieldError{Field: "prefix", Message: "is taken"})
	}
	if _, ok := n.domains[strings.ToLower(c.Domain)]; ok {
		taken = append(taken, dialplan.FieldError{Field: "domain", Message: "is taken"})
	}
	for _, v := range n.views {
		if d := v.Client().DomainPrefix; d != "" && d == c.DomainPrefix {
			taken = append(taken, dialplan.FieldError{Field: "domain_prefix", Message: "is taken"})
		}
	}
	if taken == nil {
		return nil
	}
	return taken
}

// freePrefix is the first prefix from n on that no client has.
func (n *tenancy) freePrefix(from int64) string {
	for ; ; from++ { // ends: there are fewer clients than numbers
		if p := fmt.Sprintf("%04d", from); n.prefixes[p] == 0 {
			return p
		}
	}
}

func (t *tenants) view(client int64) (*dialplan.View, bool) {
	v, ok := t.now.Load().views[client]
	return v, ok
}

// owner finds the client that user at domain belongs to (design section 3).
func (n *tenancy) owner(user, domain string) (*dialplan.View, bool) {
	if id, ok := n.domains[strings.ToLower(domain)]; ok {
		return n.views[id], true
	}
	if prefix, _, found := strings.Cut(user, "*"); found {
		if id, ok := n.prefixes[prefix]; ok {
			return n.views[id], true
		}
	}
	if len(n.views) == 1 {
		return n.views[n.first], true
	}
	return nil, false
}

// Realm implements sip.Directory.
func (t *tenants) Realm(user, domain string) string {
	n := t.now.Load()
	if v, ok := n.owner(user, domain); ok {
		return v.ClientRow().Domain
	}
	if v, ok := n.views[n.first]; ok {
		return v.ClientRow().Domain
	}
	return "cordpair.invalid"
}

// Emergency implements sip.Directory.
func (t *tenants) Emergency(number []byte) bool { return t.now.Load().emergency[string(number)] }

// EmergencyIn implements sip.Directory.
func (t *tenants) EmergencyIn(client int64, number string) bool {
	v, ok := t.view(client)
	return ok && slices.Contains(v.ClientRow().EmergencyNumbers, number)
}

// Account implements sip.Directory.
func (t *tenants) Account(user, domain string) (sip.Account, bool) {
	v, ok := t.now.Load().owner(user, domain)
	if !ok {
		return sip.Account{}, false
	}
	return t.account(v, v.LookupRow(user), user)
}

// Number implements sip.Directory.
func (t *tenants) Number(client int64, dialled string) (sip.Account, bool) {
	v, ok := t.view(client)
	if !ok {
		return sip.Account{}, false
	}
	return t.account(v, v.LookupRow(dialled), "")
}

// Extension implements sip.Directory.
func (t *tenants) Extension(id int64) (sip.Account, bool) {
	v, ok := t.viewOf(id)
	if !ok {
		return sip.Account{}, false
	}
	return t.account(v, v.ExtensionRow(id), "")
}

// account is a phone that may be used now, as the edge wants it: not one without a
// row. user is the name its digest was made with, if there is one.
func (t *tenants) account(v *dialplan.View, row *dialplan.Row, user string) (sip.Account, bool) {
	if row == nil {
		return sip.Account{}, false
	}
	client, x := v.ClientRow(), &row.Extension
	if client.Status != dialplan.StatusActive || x.Status != dialplan.StatusActive || x.Type != dialplan.TypePhone {
		return sip.Account{}, false
	}
	stored, ok := t.accounts.Load(x.ID)
	if !ok {
		return sip.Account{}, false
	}
	a := stored.(account)
	party := v.PartyOf(row)
	secret := a.bare
	if strings.Contains(user, "*") {
		secret = a.full
	}
	return sip.Account{
		Client: client.ID, Extension: x.ID, Number: party.Number, FullName: x.Name,
		Name: party.Name, Domain: client.Domain, Secret: secret, Policy: a.policy,
	}, true
}

// recordedAs is what a call record remembers of an extension.
func (t *tenants) recordedAs(client, id int64) history.Extension {
	v, ok := t.view(client)
	if !ok {
		return history.Extension{}
	}
	row := v.ExtensionRow(id)
	if row == nil {
		return history.Extension{}
	}
	return history.Extension{Name: row.Extension.Name + "@" + v.ClientRow().Domain, Type: string(row.Extension.Type)}
}

// plan makes the planner of a new call, over the configuration of this moment.
func (t *tenants) plan(inv call.Invite) call.Planner {
	v, ok := t.view(inv.Client)
	if !ok {
		return dialplan.Refused(call.CauseForbidden, "the client has ended")
	}
	return dialplan.Plan(v, dialplan.Facts{Invite: inv})
}
