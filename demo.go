package cordpair

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/store"
)

// The demo client.
const (
	demoDomain = "demo.cordpair.test"
	// demoFirst and demoFirstLong are the first extensions of a small demo and
	// of one whose extensions do not fit into three digits.
	demoFirst     = 101
	demoFirstLong = 1001
	demoShortMost = 899
	demoLongMost  = 8999
	demoMost      = 1000000
)

// Demo is what `cordpair demo` tells its user (spec/shapes.md).
type Demo struct {
	Ready    bool    `json:"ready"`
	SIP      DemoSIP `json:"sip"`
	HTTP     string  `json:"http,omitempty"`
	API      string  `json:"api,omitempty"`
	Explorer string  `json:"explorer,omitempty"`
	Metrics  string  `json:"metrics,omitempty"`
	// Token is an access token of the demo's user, good for an hour; App gets
	// another one at /oauth/token.
	Token      string            `json:"token"`
	App        DemoApp           `json:"app"`
	ClientID   int64             `json:"client_id"`
	DataDir    string            `json:"data_dir"`
	Extensions []DemoExtension   `json:"extensions"`
	Numbers    map[string]string `json:"numbers"`
}

// DemoSIP is where phones register.
type DemoSIP struct {
	UDP    string `json:"udp,omitempty"`
	TCP    string `json:"tcp,omitempty"`
	Domain string `json:"domain"`
	Realm  string `json:"realm"`
}

// DemoApp is an application that may do everything to the demo client.
type DemoApp struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
}

// DemoExtension is a phone's account.
type DemoExtension struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	FullName string `json:"full_name"`
	User     string `json:"user"`
	Password string `json:"password"`
	Type     string `json:"type"`
	// Domain of its client, where that is not DemoSIP.Domain.
	Domain string `json:"domain,omitempty"`
}

// EnsureDemo makes the demo client with n phones and generated passwords in an
// empty store, or finds again what an earlier demo made; phones are added up to
// n. n is 1 to 1,000,000; more than 899 need four digits, which is decided when the
// client is made, and more than 8999 further clients with domains of their own. The
// audit log does not hear of the phones. It ends early with ctx, whose cause it returns;
// what it has made until then is found again.
func (s *Switch) EnsureDemo(ctx context.Context, n int) (Demo, error) {
	if n < 1 || n > demoMost {
		return Demo{}, fmt.Errorf("%d extensions: a demo has 1 to %d", n, demoMost)
	}
	client, err := s.demoClient(demoDomain, n)
	if err != nil {
		return Demo{}, err
	}
	have, err := s.demoPhones(ctx, client, min(n, demoLongMost))
	if err != nil {
		return Demo{}, err
	}
	d := s.describe(client)
	d.Extensions = demoExtensions("", have)
	err = s.demoBeyond(ctx, &d, n-demoLongMost)
	if err == nil {
		err = s.demoPasswords(ctx, d.Extensions)
	}
	if err != nil {
		return d, err
	}
	d.App, d.Token, err = s.demoAccess(ctx, client.ID)
	return d, err
}

// demoBeyond adds n phones of further clients.
func (s *Switch) demoBeyond(ctx context.Context, d *Demo, n int) error {
	for i := 2; n > 0; i, n = i+1, n-demoLongMost {
		client, err := s.demoClient(strconv.Itoa(i)+"."+demoDomain, demoLongMost)
		if err != nil {
			return err
		}
		have, err := s.demoPhones(ctx, client, min(n, demoLongMost))
		if err != nil {
			return err
		}
		d.Extensions = append(d.Extensions, demoExtensions(client.Domain, have)...)
	}
	return nil
}

// demoPhones makes or finds n phones of a client.
func (s *Switch) demoPhones(ctx context.Context, client Client, n int) ([]Extension, error) {
	have, err := s.Extensions(client.ID)
	if err != nil {
		return nil, err
	}
	if client.ExtensionLen < 4 && n > demoShortMost {
		return nil, fmt.Errorf("%d extensions: the demo in %s has three digits, %d at most; begin a new data folder",
			n, s.cfg.DataDir, demoShortMost)
	}
	var missing []NewPhone
	for i := len(have); i < n; i++ {
		number := strconv.Itoa(demoNumber(client, i))
		missing = append(missing, NewPhone{Number: number, Label: "Phone " + number})
	}
	if len(missing) > 0 {
		added, err := s.addPhones(ctx, client.ID, missing, true)
		if err != nil {
			return nil, err
		}
		have = append(have, added...)
	}
	return have, nil
}

// demoLogin is the demo's user.
const demoLogin = "demo"

// demoAccess makes the user and the application of the demo, or finds them and
// gives the application another secret: the old one is not known any more.
func (s *Switch) demoAccess(ctx context.Context, client int64) (app DemoApp, token string, err error) {
	user, err := s.demoUser(ctx, client)
	if err != nil {
		return app, "", err
	}
	apps, err := s.auth.Apps(user.ID)
	if err != nil {
		return app, "", err
	}
	var secret store.Secret
	if len(apps) > 0 {
		app.ClientID = apps[0].ClientID
		secret, err = s.auth.NewSecret(ctx, app.ClientID)
	} else {
		x := auth.DefaultApp()
		x.UserID, x.Name, x.Type, x.Access = user.ID, "Demo", auth.AppTrusted, auth.AppAll
		x, secret, err = s.auth.AddApp(ctx, x)
		app.ClientID = x.ClientID
	}
	if err != nil {
		return app, "", err
	}
	app.ClientSecret = secret.Reveal()
	grant, err := s.auth.Exchange(ctx, auth.GrantRequest{
		GrantType: "client_credentials", ClientID: app.ClientID, ClientSecret: app.ClientSecret,
	})
	return app, grant.AccessToken, err
}

func (s *Switch) demoUser(ctx context.Context, client int64) (auth.User, error) {
	users, err := s.auth.Users(auth.Scope{ClientID: client}, auth.UserFilter{Login: []string{demoLogin}})
	if err != nil {
		return auth.User{}, err
	}
	if len(users) > 0 {
		return users[0], nil
	}
	u := auth.DefaultUser()
	u.Level, u.ClientID, u.Login, u.Name = auth.LevelClient, &client, demoLogin, "Demo"
	u.Password = store.Secret(GeneratePassword())
	return s.auth.AddUser(ctx, u)
}

func (s *Switch) demoClient(domain string, n int) (Client, error) {
	clients, err := s.Clients()
	if err != nil {
		return Client{}, err
	}
	for _, c := range clients {
		if c.Domain == domain {
			return c, nil
		}
	}
	// Nobody can be reached outside, and 112 and 911 are phones of a large demo.
	c := Client{Name: "Demo", Domain: domain, EmergencyNumbers: []string{}}
	if n > demoShortMost {
		c.ExtensionLen = 4
	}
	return s.AddClient(c)
}

func demoNumber(c Client, i int) int {
	if c.ExtensionLen == 4 {
		return demoFirstLong + i
	}
	return demoFirst + i
}

func (s *Switch) describe(c Client) Demo {
	d := Demo{
		Ready: true, ClientID: c.ID, DataDir: s.cfg.DataDir,
		SIP:      DemoSIP{Domain: c.Domain, Realm: c.Domain},
		HTTP:     webURL(s.web.addrs["http"], ""),
		API:      webURL(s.web.addrs["http"], "/api/ver1.0"),
		Explorer: webURL(s.web.addrs["http"], "/api/ver1.0/client_api_explorer/"),
		Metrics:  webURL(s.web.addrs["metrics"], "/metrics"),
		Numbers:  map[string]string{"echo": "*43", "music": "*44", "whoami": "*45"},
	}
	for i, addr := range s.edge.Addrs() {
		switch s.cfg.Listen.SIP[i].Transport {
		case "udp":
			d.SIP.UDP = reachable(addr).String()
		case "tcp":
			d.SIP.TCP = reachable(addr).String()
		}
	}
	return d
}

func demoExtensions(domain string, extensions []Extension) []DemoExtension {
	list := make([]DemoExtension, 0, len(extensions))
	for _, x := range extensions {
		list = append(list, DemoExtension{
			ID: x.ID, Name: x.Number(), FullName: x.Name, User: x.Number(), Type: string(x.Type), Domain: domain,
		})
	}
	return list
}

// demoPasswords fills in the passwords, all in one reading: a transaction for each of
// many phones would take longer than to make them.
func (s *Switch) demoPasswords(ctx context.Context, extensions []DemoExtension) error {
	at := make(map[int64]int, len(extensions))
	for i, x := range extensions {
		at[x.ID] = i
	}
	return s.tables.secrets.Each(store.Range{}, func(row store.Row[phoneSecret]) error {
		id, _, err := row.Key.CutInt()
		if i, ours := at[id]; ours {
			extensions[i].Password = row.Value.Password.Reveal()
		}
		return errors.Join(err, context.Cause(ctx))
	})
}

// reachable is an address a program on this machine can use.
func reachable(a netip.AddrPort) netip.AddrPort {
	switch {
	case !a.Addr().IsUnspecified():
		return a
	case a.Addr().Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), a.Port())
}

func webURL(addr, path string) string {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return "" // the listener is off
	}
	return "http://" + reachable(at).String() + path
}
