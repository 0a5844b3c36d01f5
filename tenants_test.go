package cordpair

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/siptest"
)

// opened is a switch on a network in memory that does not run.
func opened(t *testing.T) *Switch {
	t.Helper()
	net := siptest.NewNet(t)
	sw, err := Open(InMemory(net, net.Switch))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sw.Close(); err != nil {
			t.Error(err)
		}
	})
	return sw
}

// withClients adds clients one.example, two.example … with phones 101 and 102
// each, extensions 1 and 2 of the first client, 3 and 4 of the second.
func withClients(t *testing.T, sw *Switch, n int) {
	t.Helper()
	for _, name := range []string{"one", "two", "three"}[:n] {
		c, err := sw.AddClient(Client{Name: name, Domain: name + ".example"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sw.AddPhones(c.ID, []NewPhone{{Number: "101"}, {Number: "102"}}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhoseUser are the rules of design section 3.
func TestWhoseUser(t *testing.T) {
	tests := []struct {
		user, domain string
		alone, two   int64 // extension with one client, with two; 0: none
	}{
		{"101", "one.example", 1, 1},
		{"101", "ONE.Example", 1, 1},
		{"0001*101", "one.example", 1, 1},
		{"101", "two.example", 1, 3}, // unknown while there is one client
		{"0001*101", "two.example", 1, 0},
		{"0002*101", "two.example", 0, 3},
		{"0002*101", "one.example", 0, 0}, // the domain decides
		{"101", "10.0.0.1", 1, 0},
		{"101", "[fd00::1]", 1, 0},
		{"101", "nobody.example", 1, 0},
		{"101", "", 1, 0},
		{"0001*102", "10.0.0.1", 2, 2},
		{"0002*102", "10.0.0.1", 0, 4},
		{"0002*102", "nobody.example", 0, 4},
		{"0003*102", "10.0.0.1", 0, 0},
		{"199", "one.example", 0, 0},
		{"", "one.example", 0, 0},
		{"*101", "one.example", 0, 0},
		{"0001*", "one.example", 0, 0},
		{"0001*101*101", "one.example", 0, 0},
	}
	for clients, want := range map[int]func(i int) int64{
		1: func(i int) int64 { return tests[i].alone },
		2: func(i int) int64 { return tests[i].two },
	} {
		sw := opened(t)
		withClients(t, sw, clients)
		for i, tt := range tests {
			a, ok := sw.tenants.Account(tt.user, tt.domain)
			if a.Extension != want(i) || ok != (want(i) != 0) {
				t.Errorf("%d clients: %q at %q is extension %d, want %d", clients, tt.user, tt.domain, a.Extension, want(i))
			}
		}
	}
}

// TestRealm: a stranger is asked for the realm of the oldest client, whether the
// name it tries exists or not (A3).
func TestRealm(t *testing.T) {
	sw := opened(t)
	if got := sw.tenants.Realm("101", "10.0.0.1"); got != "cordpair.invalid" {
		t.Errorf("without clients: %q", got)
	}
	withClients(t, sw, 2)
	for _, tt := range []struct{ user, domain, want string }{
		{"101", "two.example", "two.example"},
		{"nobody", "two.example", "two.example"},
		{"0002*101", "10.0.0.1", "two.example"},
		{"0002*nobody", "10.0.0.1", "two.example"},
		{"101", "10.0.0.1", "one.example"},
		{"nobody", "nobody.example", "one.example"},
	} {
		if got := sw.tenants.Realm(tt.user, tt.domain); got != tt.want {
			t.Errorf("realm of %q at %q is %q, want %q", tt.user, tt.domain, got, tt.want)
		}
	}
}

func TestAccountsOfTwoClients(t *testing.T) {
	sw := opened(t)
	withClients(t, sw, 2)
	one, _ := sw.tenants.Account("101", "one.example")
	two, _ := sw.tenants.Account("101", "two.example")
	if one.Number != two.Number || one.Client == two.Client || one.Secret == two.Secret ||
		one.FullName != "0001*101" || two.FullName != "0002*101" || two.Domain != "two.example" {
		t.Errorf("%+v\n%+v", one, two)
	}
	if full, _ := sw.tenants.Account("0001*101", "one.example"); full.Secret == one.Secret || full.Extension != one.Extension {
		t.Error("the digest of the full name is that of the bare one")
	}
	if byID, ok := sw.tenants.Extension(two.Extension); !ok || byID != two {
		t.Errorf("by id: %+v", byID)
	}
	if _, ok := sw.tenants.Extension(99); ok {
		t.Error("found an extension that is not there")
	}
}

// TestBlocked: a blocked client or extension is no account, and what it still
// has running may not call.
func TestBlocked(t *testing.T) {
	sw := opened(t)
	withClients(t, sw, 2)
	view, _ := sw.tenants.view(1)
	row, _ := view.Extension(2)
	row.Extension.Status = dialplan.StatusBlocked
	view, err := view.WithExtension(row)
	if err != nil {
		t.Fatal(err)
	}
	sw.tenants.replace(1, view)
	sees := func(what string, want ...bool) {
		t.Helper()
		var got []bool
		for i, domain := range []string{"one.example", "one.example", "two.example"} {
			_, byName := sw.tenants.Account([]string{"101", "102", "101"}[i], domain)
			_, byID := sw.tenants.Extension(int64(i + 1))
			if byName != byID {
				t.Errorf("%s: extension %d by name %v, by id %v", what, i+1, byName, byID)
			}
			got = append(got, byName)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: accounts %v, want %v", what, got, want)
		}
	}
	sees("102 of one blocked", true, false, true)
	client := view.Client()
	client.Status = dialplan.StatusBlocked
	if view, err = view.WithClient(client); err != nil {
		t.Fatal(err)
	}
	sw.tenants.replace(1, view)
	sees("one blocked", false, false, true)
	plan := sw.tenants.plan(call.Invite{Client: 1, From: call.Party{Extension: 1, Number: "101"}, Dialled: "102"})
	d := plan.Next(call.Situation{}, call.Outcome{Kind: call.OutcomeBegin})
	if len(d.Steps) != 1 || d.Steps[0].Name != dialplan.StepReject {
		t.Errorf("a blocked client's call: %+v", d.Steps)
	}
	if d := sw.tenants.plan(call.Invite{Client: 7}).Next(call.Situation{}, call.Outcome{}); d.Cause != call.CauseForbidden {
		t.Errorf("the call of no client: %+v", d)
	}
}

func TestClientsDoNotClash(t *testing.T) {
	sw := opened(t)
	add := func(c Client) (Client, error) {
		c.Name = "X"
		return sw.AddClient(c)
	}
	first, err := add(Client{Domain: "one.example", Prefix: "0002", DomainPrefix: "12345"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(first.EmergencyNumbers, []string{"112", "911"}) {
		t.Errorf("emergency numbers of a new client: %v", first.EmergencyNumbers)
	}
	for _, c := range []Client{
		{Domain: "one.example"},
		{Domain: "two.example", Prefix: "0002"},
		{Domain: "two.example", DomainPrefix: "12345"},
	} {
		var fields dialplan.FieldErrors
		if _, err := add(c); !errors.As(err, &fields) || len(fields) != 1 || !errors.Is(err, dialplan.ErrInvalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	second, err := add(Client{Domain: "two.example", EmergencyNumbers: []string{}})
	if err != nil || second.Prefix == first.Prefix || len(second.EmergencyNumbers) != 0 {
		t.Errorf("%+v, %v", second, err)
	}
	if list, err := sw.Clients(); err != nil || len(list) != 2 {
		t.Errorf("%d clients, %v", len(list), err)
	}
}

// TestClientsAtOnce: of many that want one domain one gets it, and readers never
// see half of a change.
func TestClientsAtOnce(t *testing.T) {
	sw := opened(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = sw.AddClient(Client{Name: "X", Domain: fmt.Sprintf("c%d.example", i/2)})
			_, _ = sw.tenants.Account("101", "c0.example")
		})
	}
	wg.Wait()
	bad := 0
	for _, err := range errs {
		if err != nil {
			bad++
		}
	}
	if n := len(sw.tenants.now.Load().views); bad != 4 || n != 4 {
		t.Errorf("%d refused and %d clients, want 4 and 4", bad, n)
	}
}
