package media

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/media/secure"
	"github.com/cordpair/cordpair/media/sounds"
)

// Engine owns the media ports and the loops that move packets. Its methods may
// be called from any goroutine.
type Engine struct {
	cfg        Config
	log        *slog.Logger
	sounds     *sounds.Library
	pools      []*pool // one per media address
	broadcasts map[netip.Addr]bool
	loops      []*loop
	clock      func() int64  // ns since the engine opened, monotonic
	wall       time.Time     // when clock was 0, for our RTCP
	epoch      atomic.Uint64 // last number given to a source
	readers    sync.WaitGroup
	identity   *secure.Identity // what we show in DTLS
	handshakes atomic.Int32     // that go on

	// mu guards the wiring: who hears whom, and which loop serves whom. Packets
	// never take it.
	mu       sync.Mutex
	sessions []*Session // in no order
	closed   bool
	ended    EngineStats // sums of the sessions that are over
	live     sync.WaitGroup
}

// EngineStats are the counters of an engine.
type EngineStats struct {
	// PortsFree and PortsUsed count port pairs; their sum is the pool.
	PortsFree, PortsUsed int
	// Sessions are those not closed yet.
	Sessions int
	// Packets count RTP of running and ended sessions; PacketsDropped those that
	// were malformed, from a stranger or over a limit.
	PacketsReceived, PacketsSent, PacketsDropped uint64
	// PacketsForged had to be encrypted and were not under the party's key, or had been
	// heard before (M3).
	PacketsForged uint64
	// Panics count packets whose handling failed. Each was dropped.
	Panics uint64
}

// Open starts an engine. Its ports are opened when used, and closed when nobody
// wanted them for half a minute.
func Open(cfg Config) (*Engine, error) {
	opened := time.Now()
	// Time zero means "never" in many places, so the clock starts later.
	clock := func() int64 { return int64(time.Since(opened)) + 1e9 }
	loops := 1
	if hasEpoll && !cfg.Portable && cfg.Listen == nil {
		loops = max(1, runtime.NumCPU()/2)
	}
	return open(cfg, clock, loops)
}

// open is Open with a clock and a number of loops.
func open(cfg Config, clock func() int64, loops int) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	e := &Engine{cfg: cfg, log: cfg.Logger, sounds: cfg.Sounds, clock: clock, wall: time.Now().Add(-time.Duration(clock()))}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.sounds == nil {
		e.sounds = sounds.New()
	}
	var err error
	if e.identity, err = secure.NewIdentity(); err != nil {
		return nil, err
	}
	epoll := hasEpoll && !cfg.Portable && cfg.Listen == nil
	bind := openRaw
	if !epoll {
		listen := cfg.Listen
		if listen == nil {
			listen = listenUDP
		}
		bind = func(a netip.AddrPort) (socket, error) { return openConn(listen, a, &e.readers) }
	}
	if cfg.Listen == nil {
		e.broadcasts = localBroadcasts()
	}
	lo, hi := cfg.ports()
	var limit *budget
	if cfg.MaxPairs > 0 {
		limit = &budget{most: int64(cfg.MaxPairs)}
	}
	for _, a := range cfg.Addresses {
		e.pools = append(e.pools, newPool(a.Unmap().WithZone(""), lo, hi, limit, clock, bind))
	}
	for range loops {
		l := &loop{clock: clock, log: e.log}
		if !epoll {
			startPortable(l)
		} else if err := startEpoll(l, cfg.Dedicated); err != nil {
			e.stopLoops()
			return nil, err
		}
		e.loops = append(e.loops, l)
	}
	return e, nil
}

// localBroadcasts are the broadcast addresses of our networks. Not knowing them
// is harmless: the kernel does not send there without being asked to.
func localBroadcasts() map[netip.Addr]bool {
	out := map[netip.Addr]bool{}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return out
	}
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil || n.IP.IsLoopback() {
			continue
		}
		ones, bits := n.Mask.Size()
		if bits-ones < 2 {
			continue // no broadcast address in so small a network
		}
		ip := binary.BigEndian.Uint32(n.IP.To4()) | 1<<(32-ones) - 1
		out[netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, ip)))] = true
	}
	return out
}

// Close ends all sessions, stops the loops and closes all ports. Playbacks end
// with ErrClosed.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	open := slices.Clone(e.sessions)
	e.mu.Unlock()
	for _, s := range open {
		s.Close()
	}
	for _, l := range e.loops {
		l.post(func() {}) // wakes it for what was posted for later
	}
	e.live.Wait()
	e.stopLoops()
	for _, p := range e.pools {
		p.close()
	}
	e.readers.Wait()
	return nil
}

// stopLoops ends all loops.
func (e *Engine) stopLoops() {
	for _, l := range e.loops {
		l.stop()
	}
}

// Stats counts what the engine holds and has done.
func (e *Engine) Stats() EngineStats {
	e.mu.Lock()
	st := e.ended
	st.Sessions = len(e.sessions)
	for _, s := range e.sessions {
		st.add(s.stream.counters.stats())
		for _, ln := range s.lines() {
			st.add(ln.counters.stats())
		}
	}
	e.mu.Unlock()
	for _, p := range e.pools {
		free, used := p.count()
		st.PortsFree += free
		st.PortsUsed += used
	}
	for _, l := range e.loops {
		st.Panics += l.panics.Load()
	}
	return st
}

// add sums a session's packets.
func (st *EngineStats) add(s Stats) {
	st.PacketsReceived += s.PacketsReceived
	st.PacketsSent += s.PacketsSent
	st.PacketsDropped += s.Dropped
	st.PacketsForged += s.Forged
}

// NewSession takes a port pair for one leg; ErrNoPorts when there is none,
// ErrClosed after Close.
func (e *Engine) NewSession(cfg SessionConfig) (*Session, error) {
	pool := e.pool(cfg.Local.Unmap().WithZone(""))
	pair, err := pool.take(e.clock(), cfg.Urgent)
	if err != nil {
		return nil, err
	}
	s := newSession(e, cfg, pool, pair)
	s.born = e.nextEpoch()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		pool.put(pair, e.clock())
		return nil, ErrClosed
	}
	when := later // a packet wakes the loop
	if s.loop = pair.home; s.loop == nil {
		s.loop, when = e.idlest(), soon
	}
	s.loop.load.Add(1)
	s.place = len(e.sessions)
	e.sessions = append(e.sessions, s)
	e.live.Add(1)
	s.loop.note(errand{do: (*Session).enter, s: s}, when)
	return s, nil
}

// forget takes a session out of the list. The caller holds mu.
func (e *Engine) forget(s *Session) {
	last := len(e.sessions) - 1
	e.sessions[s.place] = e.sessions[last]
	e.sessions[s.place].place = s.place
	e.sessions[last] = nil
	e.sessions = e.sessions[:last]
}

// pool is that of the address, else one of its family, else the first.
func (e *Engine) pool(local netip.Addr) *pool {
	family := e.pools[0]
	for i := len(e.pools) - 1; i >= 0; i-- {
		switch p := e.pools[i]; {
		case p.addr == local:
			return p
		case local.IsValid() && p.addr.Is4() == local.Is4():
			family = p
		}
	}
	return family
}

// idlest is the loop with the fewest sessions.
func (e *Engine) idlest() *loop {
	best := e.loops[0]
	for _, l := range e.loops[1:] {
		if l.load.Load() < best.load.Load() {
			best = l
		}
	}
	return best
}

// crowded tells whether a loop has clearly more sessions than another: the pairs
// that become free there shall be served elsewhere next time.
func (e *Engine) crowded(l *loop) bool {
	fair := e.idlest().load.Load()
	return l.load.Load() > fair+fair/8+8
}

// forbidden tells whether media must never be sent to an address (M5).
func (e *Engine) forbidden(to netip.AddrPort) bool {
	a := to.Addr()
	if to.Port() < 1024 || a.IsMulticast() || a.IsUnspecified() || e.broadcasts[a] ||
		a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return true
	}
	for _, p := range e.pools {
		if p.owns(to) {
			return true
		}
	}
	return e.cfg.Forbidden != nil && e.cfg.Forbidden(to)
}

// speaksOpus tells whether Opus is encoded now: while the worker is away new terms
// let it pass through.
func (e *Engine) speaksOpus() bool { return e.cfg.Opus != nil && e.cfg.Opus.Up() }

// nextEpoch numbers a source: no two have the same.
func (e *Engine) nextEpoch() uint64 { return e.epoch.Add(1) }

// forbiddenTarget names the address in the error.
func forbiddenTarget(a netip.AddrPort) error { return fmt.Errorf("%w %s", ErrForbiddenTarget, a) }
