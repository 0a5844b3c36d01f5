package sip_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/sip/metricstest"
	"github.com/cordpair/cordpair/sip/siptest"
)

const (
	domain   = "acme.example"
	password = "correct-horse-battery"
)

// edge is the SIP edge with real calls and media behind it, on a network in
// memory, inside a synctest bubble. Extensions 101 to 104 have ids 1 to 4.
type edge struct {
	t   *testing.T
	ctx context.Context
	net *siptest.Net
	dir *directory
	cfg sip.Config
	srv *sip.Server
	eng *media.Engine
	bus *call.Bus
	log *logBuffer
	met *metricstest.Registry

	registry *call.Registry
	mu       sync.Mutex
	events   []call.Event
}

// inEdge runs f in a bubble with a running edge and stops the edge after it. No
// test may cause a fault that is recovered, unless it takes it off the log.
func inEdge(t *testing.T, f func(e *edge), change ...func(*sip.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := &edge{t: t, ctx: t.Context(), net: siptest.NewNet(t), dir: newDirectory(), log: &logBuffer{}, met: metricstest.New()}
		stop := e.start(change...)
		defer func() {
			stop()
			if strings.Contains(e.log.String(), "panic") {
				t.Errorf("the edge logged:\n%s", e.log)
			}
		}()
		f(e)
	})
}

// start opens the edge; what it returns stops it again.
func (e *edge) start(change ...func(*sip.Config)) (stop func()) {
	e.t.Helper()
	var err error
	e.eng, err = media.Open(media.Config{
		Addresses: []netip.Addr{e.net.Switch.Addr(), e.net.Switch6.Addr()}, PortMin: 16384, PortMax: 16999,
		Listen: func(a netip.AddrPort) (media.PacketConn, error) { return e.net.ListenPacket(a) },
	})
	e.must(err)
	logger := slog.New(slog.NewTextHandler(e.log, nil))
	e.cfg = sip.Config{
		Node: "test", Directory: e.dir, Media: e.eng, Registry: e.met.Registerer(), Logger: logger, Workers: 2,
		Listeners: []sip.Listener{
			{Name: "udp", Transport: "udp", Addr: e.net.Switch}, {Name: "tcp", Transport: "tcp", Addr: e.net.Switch},
			{Name: "udp6", Transport: "udp", Addr: e.net.Switch6}, {Name: "tcp6", Transport: "tcp", Addr: e.net.Switch6},
		},
		ListenPacket: func(a netip.AddrPort) (sip.PacketConn, error) { return e.net.ListenPacket(a) },
		Listen:       func(a netip.AddrPort) (net.Listener, error) { return e.net.Listen(a) },
		Location:     location.Config{Node: "test", Logger: logger, Spread: -1},
	}
	for _, f := range change {
		f(&e.cfg)
	}
	e.srv, err = sip.Listen(e.cfg)
	e.must(err)
	e.bus = call.NewBus()
	e.registry = call.NewRegistry(call.Config{
		Node: "test", Dialer: e.srv, Mixer: mixer{}, Effects: features.New(), Bus: e.bus, Logger: logger,
		Plan: func(inv call.Invite) call.Planner {
			return dialplan.Plan(e.dir.view, dialplan.Facts{Invite: inv})
		},
	})
	sub := e.bus.Subscribe("test")
	var recording sync.WaitGroup
	recording.Go(func() { e.record(sub) }) // ends when the subscription closes
	e.srv.Start(e.registry)
	synctest.Wait()
	return func() {
		e.registry.Close()
		e.must(e.srv.Close())
		sub.Close()
		recording.Wait()
		e.must(e.eng.Close())
	}
}

func (e *edge) record(sub *call.Subscription) {
	for {
		ev, ok := sub.Next(context.Background())
		if !ok {
			return
		}
		e.mu.Lock()
		e.events = append(e.events, ev)
		e.mu.Unlock()
	}
}

// happened returns the events of a kind so far.
func (e *edge) happened(kind call.EventKind) []call.Event {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []call.Event
	for _, ev := range e.events {
		if ev.Kind == kind {
			list = append(list, ev)
		}
	}
	return list
}

func (e *edge) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// phone makes a registered phone.
func (e *edge) phone(number string, options ...siptest.Option) *siptest.Phone {
	e.t.Helper()
	p := e.net.Phone(number, password, domain, options...)
	e.must(p.Register(e.ctx))
	return p
}

// talk connects two phones.
func (e *edge) talk(from, to *siptest.Phone) (out, in *siptest.Call) {
	e.t.Helper()
	out, err := from.Call(e.ctx, to.User())
	e.must(err)
	in, err = to.Incoming(e.ctx)
	e.must(err)
	e.must(in.Answer())
	e.must(out.WaitAnswered(e.ctx))
	e.must(in.WaitAnswered(e.ctx))
	return out, in
}

// free checks that nothing of a call is left.
func (e *edge) free() {
	e.t.Helper()
	synctest.Wait()
	if legs, calls, sessions := e.srv.Legs(), e.registry.Len(), e.eng.Stats().Sessions; legs != 0 || calls != 0 || sessions != 0 {
		e.t.Errorf("%d legs, %d calls, %d media sessions are left", legs, calls, sessions)
	}
}

// directory is a client with four phones; it meets sip.Directory.
type directory struct {
	view *dialplan.View
	mu   sync.Mutex
	// accounts by number; a test may change or remove one.
	accounts map[string]sip.Account
	// panics on this user, to see what a fault of ours does.
	panics string
}

func newDirectory() *directory {
	c := dialplan.DefaultClient()
	c.ID, c.Name, c.Prefix, c.Domain = 1, "Acme", "0001", domain
	rows := dialplan.Rows{Client: c, Demo: true}
	d := &directory{accounts: map[string]sip.Account{}}
	for i, number := range []string{"101", "102", "103", "104"} {
		x := dialplan.DefaultExtension()
		x.ID, x.ClientID, x.Type, x.Name, x.Label = int64(i+1), 1, dialplan.TypePhone, "0001*"+number, "Phone "+number
		p := dialplan.DefaultPhone()
		if number == "104" {
			p.HangupTimeout = 300 // has time to find the phone
		}
		rows.Extensions = append(rows.Extensions, dialplan.Row{Extension: x, Phone: p})
		d.accounts[number] = sip.Account{
			Client: 1, Extension: x.ID, Number: number, FullName: x.Name, Name: x.Label, Domain: domain,
			Secret: digest.NewSecret(number, domain, password),
		}
	}
	view, err := dialplan.Compile(rows)
	if err != nil {
		panic(err)
	}
	d.view = view
	return d
}

func (d *directory) Emergency(number []byte) bool { return string(number) == "112" }

func (d *directory) EmergencyIn(_ int64, number string) bool { return number == "112" }

func (d *directory) Realm(string, string) string { return domain }

func (d *directory) Account(user, _ string) (sip.Account, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if user == d.panics && user != "" {
		panic("directory gone mad")
	}
	a, ok := d.accounts[user]
	return a, ok
}

func (d *directory) Number(client int64, dialled string) (sip.Account, bool) {
	a, ok := d.Account(dialled, domain)
	return a, ok && a.Client == client
}

func (d *directory) Extension(id int64) (sip.Account, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.accounts {
		if a.Extension == id {
			return a, true
		}
	}
	return sip.Account{}, false
}

// set changes an account.
func (d *directory) set(number string, f func(*sip.Account)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.accounts[number]
	f(&a)
	d.accounts[number] = a
}

type mixer struct{}

func (mixer) Join(a, b call.Media) { _ = media.Join(a.(*media.Session), b.(*media.Session)) }

// logBuffer keeps what was logged.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// take returns what was logged and forgets it.
func (l *logBuffer) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.b.String()
	l.b.Reset()
	return s
}

// ms is a duration in milliseconds.
func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }
