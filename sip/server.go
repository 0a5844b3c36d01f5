package sip

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/sip/pager"
	"github.com/cordpair/cordpair/sip/wire"
)

// Listener is one address to listen on.
type Listener struct {
	// Name stands in bindings, so it must not change while phones are
	// registered through it.
	Name string
	// Transport is "udp" or "tcp".
	Transport string
	Addr      netip.AddrPort
	// Advertise replaces the address in Via, Contact and SDP; zero for Addr.
	Advertise netip.AddrPort
}

// Config is what a Server is made of. All of it stays the caller's.
type Config struct {
	Node      string
	Listeners []Listener
	Directory Directory
	Media     *media.Engine
	// Location says how bindings are kept; the Server opens and closes them.
	Location location.Config
	// Events says which state may be subscribed to, Messages how text messages
	// wait for their target.
	Events   EventConfig
	Messages pager.Config
	// Registry gets the metrics; may be nil.
	Registry Registerer
	Logger   *slog.Logger
	// ListenPacket and Listen open sockets; nil for real ones.
	ListenPacket func(netip.AddrPort) (PacketConn, error)
	Listen       func(netip.AddrPort) (net.Listener, error)
	// Workers is how many goroutines handle messages; 0 means one per core.
	Workers int
	// Memory gives the bytes that are in use and how many there may be, 0 for
	// no limit; nil for those of the process. It is asked once a second.
	Memory func() (used, limit uint64)
}

// Server is the SIP edge.
type Server struct {
	cfg       Config
	directory Directory
	media     *media.Engine
	location  *location.Bindings
	calls     Calls
	log       *slog.Logger
	metrics   *metrics
	refusals  refusals
	refusing  refusing
	memory    memory
	faults    faults
	routes    routes
	rules     wire.Rules
	nonces    *digest.Authority
	tagKey    []byte
	rooms     sync.Pool // of *[]byte, for messages that wait
	tags      sync.Pool // of *keyed, for who is no worker

	workers   []*worker
	udp       []*udpListener
	tcp       []*streamListener
	streams   *streams
	listening []netip.AddrPort
	legs      atomic.Int64
	waiting   waiting
	ladders   ladders
	taps      taps
	events    events
	options   []wire.Field // of the 200 to an OPTIONS
	plainOK   []byte       // the same as lines

	stop   chan struct{}
	closed atomic.Bool
	wg     sync.WaitGroup
}

// Listen opens the sockets of cfg. Nothing is read before Start.
func Listen(cfg Config) (*Server, error) {
	s := &Server{
		cfg: cfg, directory: cfg.Directory, media: cfg.Media, nonces: digest.New(digest.Config{}),
		log: cfg.Logger, stop: make(chan struct{}),
		routes: routes{ask: routeTo},
	}
	s.rooms.New = func() any { return new([]byte) }
	s.tagKey = make([]byte, 32)
	rand.Read(s.tagKey) // never fails (crypto/rand)
	s.tags.New = func() any { return newKeyed(s.tagKey) }
	s.refusals.out = s.log
	s.refusing.share, s.refusing.most = refusingShare, refusingBurst
	if s.memory.read = cfg.Memory; s.memory.read == nil {
		s.memory.read = newMemoryReading()
	}
	s.streams = newStreams(s)
	s.rules = wire.Rules{
		Methods: knownMethods, Listening: s.isOurs, Extensions: supported,
		Bodies: map[string][]string{methodInvite: {typeSDP, "multipart/mixed", "multipart/alternative"}},
	}
	s.events.messages = pager.New(cfg.Messages)
	if err := s.openLocation(cfg.Location); err != nil {
		return nil, err
	}
	for range workerCount(cfg.Workers) {
		s.workers = append(s.workers, newWorker(s))
	}
	s.metrics = newMetrics(cfg.Registry, s)
	for _, l := range cfg.Listeners {
		if err := s.open(l); err != nil {
			s.closeSockets()
			return nil, errors.Join(err, s.location.Close())
		}
	}
	if err := s.openEvents(); err != nil {
		s.closeSockets()
		return nil, errors.Join(err, s.location.Close())
	}
	return s, nil
}

// openLocation loads the bindings; the edge hears of their changes first.
func (s *Server) openLocation(cfg location.Config) error {
	if cfg.MinExpires == 0 {
		cfg.MinExpires = minExpires
	}
	outside := cfg.Events
	cfg.Events = func(ev location.Event) {
		s.bindingChanged(ev)
		if outside != nil {
			outside(ev)
		}
	}
	b, err := location.Open(cfg)
	if err != nil {
		return fmt.Errorf("bindings: %w", err)
	}
	s.location = b
	return nil
}

func workerCount(n int) int {
	if n > 0 {
		return n
	}
	return min(runtime.GOMAXPROCS(0), runtime.NumCPU()) // what is more is for media
}

func (s *Server) open(l Listener) error {
	switch l.Transport {
	case "udp":
		return s.openUDP(l)
	case "tcp":
		return s.openTCP(l)
	}
	return fmt.Errorf("sip listener %q: unknown transport %q", l.Name, l.Transport)
}

func (s *Server) openUDP(l Listener) error {
	listen := s.cfg.ListenPacket
	if listen == nil {
		listen = listenUDP
	}
	conn, err := listen(l.Addr)
	if err != nil {
		return fmt.Errorf("sip listener %q: %w", l.Name, err)
	}
	u := &udpListener{server: s, name: l.Name, index: uint16(len(s.udp)), conn: conn, addr: addrPortOf(conn.LocalAddr()), buf: make([]byte, maxDatagram)}
	u.announcer = s.announce(l, u.addr)
	s.udp = append(s.udp, u)
	s.listening = append(s.listening, u.addr)
	return nil
}

func (s *Server) openTCP(l Listener) error {
	listen := s.cfg.Listen
	if listen == nil {
		listen = func(a netip.AddrPort) (net.Listener, error) { return net.Listen("tcp"+family(a), a.String()) }
	}
	ln, err := listen(l.Addr)
	if err != nil {
		return fmt.Errorf("sip listener %q: %w", l.Name, err)
	}
	t := &streamListener{server: s, name: l.Name, ln: ln, addr: addrPortOf(ln.Addr())}
	t.announcer = s.announce(l, t.addr)
	s.tcp = append(s.tcp, t)
	s.listening = append(s.listening, t.addr)
	return nil
}

func (s *Server) announce(l Listener, bound netip.AddrPort) announcer {
	fixed := bound
	if l.Advertise.IsValid() {
		fixed = l.Advertise
	}
	return announcer{fixed: fixed, text: hostText(fixed.Addr()), advertised: l.Advertise.Addr(), route: s.routes.to}
}

// Addrs are the addresses in use, in the order of Config.Listeners.
func (s *Server) Addrs() []netip.AddrPort { return s.listening }

// Start begins to read; new calls go to calls.
func (s *Server) Start(calls Calls) {
	s.calls = calls
	s.openMessages()
	for _, w := range s.workers {
		s.wg.Go(func() { w.run(s.stop) }) // ends with Close
	}
	s.wg.Go(s.watch) // ends with Close
	s.wg.Go(s.tend)  // ends with Close
	for _, l := range s.udp {
		s.wg.Go(l.read) // ends when the socket closes
	}
	for _, l := range s.tcp {
		s.wg.Go(l.accept) // ends when the listener closes
	}
}

// Close closes the sockets and ends the workers. Legs that are left report
// Gone; whoever wants goodbyes said ends the calls first.
// Closing twice does nothing.
func (s *Server) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.closeSockets()
	close(s.stop)
	s.wg.Wait()
	return s.location.Close()
}

// Bindings are the registrations of this node.
func (s *Server) Bindings() *location.Bindings { return s.location }

func (s *Server) closeSockets() {
	for _, l := range s.udp {
		l.close()
	}
	for _, l := range s.tcp {
		l.close()
	}
	s.streams.close()
}

// Legs is the number of INVITE dialogs that exist, those that only wait for
// their BYE to be answered included.
func (s *Server) Legs() int { return int(s.legs.Load()) }

func (s *Server) depth(l lane) int {
	n := 0
	for _, w := range s.workers {
		w.mu.Lock()
		n += w.queues[l].count
		w.mu.Unlock()
	}
	return n
}

// family makes 0.0.0.0 mean IPv4; Go would listen on IPv6 as well, where no
// media address waits. [::] means both.
func family(a netip.AddrPort) string {
	if a.Addr().Is4() {
		return "4"
	}
	return ""
}

// listenUDP opens a real socket with a large receive buffer; the kernel may
// grant less, which doctor reports.
func listenUDP(a netip.AddrPort) (PacketConn, error) {
	c, err := net.ListenUDP("udp"+family(a), net.UDPAddrFromAddrPort(a))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.SetReadBuffer(udpBuffer), c.SetWriteBuffer(udpBuffer)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return fast(c), nil
}

func mediaStats(s media.Stats) call.MediaStats {
	m := call.MediaStats{
		PacketsReceived: s.PacketsReceived, PacketsSent: s.PacketsSent,
		OctetsReceived: s.OctetsReceived, OctetsSent: s.OctetsSent,
		Lost: s.Lost, Dropped: s.Dropped, Forged: s.Forged, JitterMS: s.JitterMS, Codec: s.Codec, FirstAt: s.FirstAt,
		FarLost: s.FarLost, FarJitterMS: s.FarJitterMS, RoundTripMS: float64(s.RoundTrip) / 1e6,
	}
	if s.Signalled.IsValid() {
		m.Signalled = s.Signalled.String()
	}
	if s.Source.IsValid() {
		m.Source = s.Source.String()
	}
	return m
}
