package cordpair

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/api"
	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features"
	"github.com/cordpair/cordpair/features/audit"
	"github.com/cordpair/cordpair/features/feed"
	"github.com/cordpair/cordpair/features/history"
	"github.com/cordpair/cordpair/features/reglog"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/media/codec/worker"
	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/event"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/sip/pager"
	"github.com/cordpair/cordpair/store"
)

// Switch is one softswitch.
type Switch struct {
	cfg     Config
	log     *slog.Logger
	node    string
	db      *store.DB
	tables  *tables
	tenants *tenants
	writes  chan struct{} // holds one while the configuration changes
	media   *media.Engine
	opus    *worker.Worker // nil: Opus passes through
	edge    *sip.Server
	bus     *call.Bus
	calls   *call.Registry
	history *history.History
	// recording are those who follow what happens; they end after the calls.
	recording     sync.WaitGroup
	stopRecording context.CancelFunc
	web           *web
	api           *api.Server
	auth          *auth.Authority
	audit         *audit.Log
	feed          *feed.Feed
	reglog        *reglog.Log
	metrics       registry
	probe         readiness
	level         slog.LevelVar
	current       atomic.Pointer[Config] // what Reload may change of cfg

	running atomic.Bool // since Run began, for good
	ready   atomic.Bool // while new calls are taken
	life    sync.Mutex  // held by start, which closing waits for
	closing atomic.Bool
	gone    chan struct{} // closed when Close begins
	done    chan struct{} // closed when it has ended
	closed  error         // what it ended with
}

// Open opens the data folder and the sockets. Nothing is answered before Run.
func Open(cfg Config) (*Switch, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Switch{
		cfg: cfg, log: cfg.Logger, node: "local", tenants: newTenants(), bus: call.NewBus(), writes: make(chan struct{}, 1),
		stopRecording: func() {}, gone: make(chan struct{}), done: make(chan struct{}),
	}
	s.current.Store(&cfg)
	level, _ := cfg.Log.level() // Validate has seen it
	if s.level.Set(level); s.log == nil {
		s.log = cfg.Log.logger(&s.level)
	}
	if host, err := os.Hostname(); err == nil {
		s.node = host
	}
	for _, step := range []func() error{s.openStore, s.openIdentity, s.openAPI, s.openWeb, s.openMedia, s.openEdge} {
		if err := step(); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	s.calls = call.NewRegistry(call.Config{
		Node: s.node, Dialer: s.edge, Mixer: mixer{s.log}, Effects: features.New(),
		Plan: s.tenants.plan, Bus: s.bus, MaxCalls: cfg.MaxCalls, Emergency: s.tenants.EmergencyIn, Logger: s.log,
	})
	return s, nil
}

func (s *Switch) openStore() error {
	db, err := store.Open(store.Config{
		Dir: s.cfg.DataDir, InMemory: s.cfg.InMemory, SecretKeyFile: s.cfg.SecretKey, Logger: s.log,
	})
	if err != nil {
		return err
	}
	s.db = db
	s.tables = openTables(db.Config())
	if err := s.load(); err != nil {
		return err
	}
	s.history = history.New(db, s.bus, history.Options{
		Extension: s.tenants.recordedAs, Messages: func(id call.LegID) []call.Message { return s.edge.Messages(id) }, GiveWay: s.giveWay, Logger: s.log,
	})
	s.reglog = reglog.New(db, reglog.Options{Logger: s.log})
	s.feed, err = feed.New(db, s.bus, feed.Options{GiveWay: s.giveWay})
	return err
}

// giveWay is for long work in the background: calls do not wait for the end of it.
func (s *Switch) giveWay() {
	if s.ready.Load() {
		s.edge.GiveWay()
	}
}

// openAPI builds the HTTP API over everything that is open by now, and over what
// will be.
func (s *Switch) openAPI() error {
	s.metrics = s.newMetrics()
	s.api = api.New(api.Config{
		Tokens: s.auth, Configuration: s.configuration(), Registrations: registrations{s}, Calls: live{s}, Captures: &captures{s: s},
		History: s.history, RegLog: s.reglog, Feed: s.feed, Audit: s.audit, Identity: s.auth, Explain: s.Explain,
		Version: Version(), Origins: s.cfg.API.Origins, RateLimit: s.cfg.API.RequestsPerHour, Logger: s.log,
	})
	return nil
}

func (s *Switch) openMedia() error {
	addrs, err := s.cfg.mediaAddresses()
	if err != nil {
		return err
	}
	low, high, _ := s.cfg.RTP.ports() // Validate has seen it
	cfg := media.Config{Addresses: addrs, PortMin: low, PortMax: high, MaxPairs: mediaPairs(), Forbidden: s.ownSocket, Logger: s.log,
		Encryption: encryptions[s.cfg.RTP.Encryption], Dedicated: runtime.GOMAXPROCS(0) > runtime.NumCPU()}
	if n := s.cfg.Network; n != nil {
		cfg.Listen = func(a netip.AddrPort) (media.PacketConn, error) { return packetConn[media.PacketConn](n, a) }
	}
	s.openOpus()
	cfg.Opus = s.opus
	s.media, err = media.Open(cfg)
	return err
}

func (s *Switch) openEdge() error {
	cfg := sip.Config{
		Node: s.node, Directory: s.tenants, Media: s.media, Registry: s.metrics, Logger: s.log,
		Location: location.Config{Node: s.node, Store: location.NewStore(s.db.Live()), Events: s.registered, Logger: s.log},
		Events:   sip.EventConfig{Subscriptions: event.NewStore(s.db.Live()), Publications: event.NewPublicationStore(s.db.Live())},
		Messages: pager.Config{Store: pager.NewStore(s.db.Records())},
	}
	for _, l := range s.cfg.Listen.SIP {
		addr, _ := netip.ParseAddrPort(l.Addr) // Validate has seen it
		advertise, _ := netip.ParseAddrPort(l.Advertise)
		cfg.Listeners = append(cfg.Listeners, sip.Listener{Name: l.name(), Transport: l.Transport, Addr: addr, Advertise: advertise})
	}
	if n := s.cfg.Network; n != nil {
		cfg.ListenPacket = func(a netip.AddrPort) (sip.PacketConn, error) { return packetConn[sip.PacketConn](n, a) }
		cfg.Listen = n.Listen
	}
	edge, err := sip.Listen(cfg)
	s.edge = edge
	return err
}

// Network is where sockets come from when it is not the machine.
type Network interface {
	// ListenUDP opens a datagram socket; it must offer the AddrPort methods of
	// *net.UDPConn.
	ListenUDP(netip.AddrPort) (net.PacketConn, error)
	Listen(netip.AddrPort) (net.Listener, error)
}

var errNotUDP = errors.New("socket lacks the AddrPort methods of *net.UDPConn")

func packetConn[T any](n Network, a netip.AddrPort) (T, error) {
	var none T
	c, err := n.ListenUDP(a)
	if err != nil {
		return none, err
	}
	conn, ok := c.(T)
	if !ok {
		return none, errors.Join(errNotUDP, c.Close())
	}
	return conn, nil
}

// ErrRunning says that Run was called a second time.
var ErrRunning = errors.New("the switch runs already or has run")

// Run answers phones until ctx ends, then refuses new calls, lets running ones
// go on for Config.DrainTime, ends the rest and closes the switch. It runs once.
func (s *Switch) Run(ctx context.Context) error {
	return s.RunThen(ctx, func() error { return nil })
}

// RunThen is Run that calls ready once phones are answered; an error of ready
// ends it.
func (s *Switch) RunThen(ctx context.Context, ready func() error) error {
	if !s.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	err := s.start()
	if err == nil {
		err = ready()
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	select {
	case <-ctx.Done():
		s.drain()
	case <-s.gone:
	}
	return s.Close()
}

// start opens the records after listening has begun to be possible (L2), closes
// what a crash left open, and lets the edge read.
func (s *Switch) start() error {
	s.life.Lock()
	defer s.life.Unlock()
	select {
	case <-s.gone:
		return fmt.Errorf("switch: %w", store.ErrClosed)
	default:
	}
	if err := s.db.OpenRecords(); err != nil {
		return err
	}
	cut, err := s.history.Recover(context.Background()) // short: no more than the calls of one moment
	if err != nil {
		return fmt.Errorf("call records: %w", err)
	}
	if cut > 0 {
		s.log.Warn("calls cut off by the last stop have their records now", "calls", cut)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stopRecording = stop
	s.recording.Go(func() { s.record(ctx) }) // each ends with close
	s.recording.Go(func() { s.feed.Run(ctx) })
	s.recording.Go(func() { s.reglog.Run(ctx) })
	s.web.start()
	s.edge.Start(admission{s.calls, s.history, s.tenants.EmergencyIn})
	s.ready.Store(true)
	return nil
}

// record writes what happens to calls until ctx ends and everything published
// by then is durable.
func (s *Switch) record(ctx context.Context) {
	if err := s.history.Run(ctx); err != nil {
		s.log.Error("call records are no longer written", "err", err)
	}
}

// sayGoodbye is how long the BYEs of calls that are ended may take.
const sayGoodbye = 2 * time.Second

// drain ends the calls as L1 asks: no new ones, time for those that run, a BYE
// for the rest.
func (s *Switch) drain() {
	s.ready.Store(false)
	if s.calls.Len() > 0 {
		s.log.Info("stopping: waiting for running calls", "calls", s.calls.Len(), "drain_time", s.now().DrainTime)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.now().DrainTime)
	defer cancel()
	if s.calls.Drain(ctx) != nil {
		s.calls.Close()
	}
	s.awaitGoodbyes()
}

// awaitGoodbyes gives the far ends a moment to answer our BYEs, also those of
// calls that ended by themselves: a BYE that was lost has to be sent again.
func (s *Switch) awaitGoodbyes() {
	end := time.NewTimer(sayGoodbye)
	defer end.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for s.edge.Legs() > 0 {
		select {
		case <-look.C:
		case <-end.C:
			return
		}
	}
}

// Close hangs up the calls that Run has not ended, which takes two seconds at
// most, and closes the data folder. It may be called more than once, and instead
// of Run; a Run under way returns.
func (s *Switch) Close() error {
	if s.closing.CompareAndSwap(false, true) {
		s.life.Lock() // a start under way ends first, a later one sees gone
		close(s.gone)
		s.life.Unlock()
		s.closed = s.close()
		close(s.done)
	}
	<-s.done
	return s.closed
}

// close ends everything in the order in which it depends on each other: calls,
// which say goodbye through the edge; the edge; the records of the calls; media;
// the store last.
func (s *Switch) close() error {
	var errs []error
	s.ready.Store(false)
	if s.calls != nil {
		running := s.calls.Len()
		s.calls.Close()
		if running > 0 {
			s.awaitGoodbyes() // a leg is gone for its call before its BYE is sent
		}
	}
	if s.edge != nil {
		errs = append(errs, s.edge.Close())
	}
	s.stopRecording()
	s.recording.Wait()
	if s.web != nil {
		errs = append(errs, s.web.close())
	}
	if s.media != nil {
		errs = append(errs, s.media.Close())
	}
	if s.opus != nil {
		s.opus.Close()
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// mixer joins the media of two legs of this node.
type mixer struct{ log *slog.Logger }

// Join implements call.Mixer. Parties that do not understand each other are
// joined all the same: the phone's next offer may change that.
func (m mixer) Join(a, b call.Media) {
	if err := media.Join(a.(*media.Session), b.(*media.Session)); err != nil {
		m.log.Warn("two parties cannot hear each other", "err", err)
	}
}
