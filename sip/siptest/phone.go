package siptest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

var (
	// ErrPhoneClosed is returned by what waits on a phone that is closed.
	ErrPhoneClosed = errors.New("siptest: phone is closed")
	// ErrTimeout is a request that got no final response in 32 s (RFC 3261
	// timers B and F).
	ErrTimeout = errors.New("siptest: no final response in 32 s")
	// ErrDisconnected is a TCP connection that broke while something waited
	// for it.
	ErrDisconnected = errors.New("siptest: connection lost")
	// ErrPatience is the end of a wait whose context has no deadline, after one
	// hour: under virtual time it would otherwise spin for ever.
	ErrPatience = errors.New("siptest: nothing happened for an hour")
	// ErrRefusedWith is wrapped by the error of a request that got a final
	// response other than 2xx; the text names it.
	ErrRefusedWith = errors.New("siptest: refused")
)

// Codec is an RTP payload type of RFC 3551.
type Codec uint8

// The codecs of a phone.
const (
	PCMU Codec = 0
	PCMA Codec = 8
)

// Misbehaviour is a set of ways a phone does not do what it should.
type Misbehaviour uint8

// Misbehaviours; join them with |.
const (
	NeverACK  Misbehaviour = 1 << iota // sends no ACK to a 2xx
	IgnoreBYE                          // gives no answer to a BYE
	IgnoreAll                          // gives no answer to any request
	NoRTCP                             // sends no RTCP report in calls that begin from now on
)

// Config describes a phone.
type Config struct {
	// User, Password and Domain are its account; the domain also completes
	// dialled numbers and stands in From and To.
	User, Password, Domain string
	// Switch receives its requests, whatever their URI says: an outbound proxy. Not
	// valid: requests go to the IP address in their URI.
	Switch netip.AddrPort
	// Transport is "udp" or "tcp"; "" means udp. Over TCP a phone with a Switch
	// takes calls only on connections it opened itself, as one behind a NAT; others are
	// closed and counted as unexpected.
	Transport string
	// Local is the address its sockets are bound to, the SIP port included;
	// port 0 picks one. Not valid: 127.0.0.1:0.
	Local netip.AddrPort
	// Reliable and Session are the extensions of the options Reliable and
	// SessionTimer; 0 means no session timer.
	Reliable bool
	Session  time.Duration
	// Network gives the sockets; nil means Sockets.
	Network Network
	// Codecs it offers and accepts, best first; nil means PCMU, PCMA.
	Codecs []Codec
	// Expires is what it asks for when it registers; 0 means 1 h.
	Expires time.Duration
	// History is how many messages it keeps for Transcript and Messages; 0
	// means 512.
	History int
}

// Option changes the Config of a phone that Net.Phone makes.
type Option func(*Config)

// TCP lets a phone speak SIP over TCP.
func TCP(c *Config) { c.Transport = "tcp" }

// IPv6 gives a phone an IPv6 address of its network, and the switch's IPv6
// address unless another option names a switch.
func IPv6(c *Config) { c.Local = netip.AddrPortFrom(netip.IPv6Unspecified(), 5060) }

// WithCodecs gives a phone these codecs, best first.
func WithCodecs(codecs ...Codec) Option { return func(c *Config) { c.Codecs = codecs } }

// Phone makes a phone with an address of its own on this network (10.0.1.1,
// 10.0.1.2 … or fd00::1:1 …, SIP port 5060) that sends its requests to n.Switch.
// It panics when the network is closed or an option asks for the impossible.
func (n *Net) Phone(user, password, domain string, options ...Option) *Phone {
	n.mu.Lock()
	index := len(n.phones) + 1
	n.phones = append(n.phones, nil) // the index is taken
	n.mu.Unlock()
	cfg := Config{User: user, Password: password, Domain: domain, Switch: n.Switch, Network: n}
	for _, o := range options {
		o(&cfg)
	}
	switch {
	case cfg.Local.IsValid() && cfg.Local.Addr() == netip.IPv6Unspecified():
		ip := netip.MustParseAddr("fd00::1:0").As16()
		ip[14], ip[15] = byte(index>>8), byte(index)
		cfg.Local = netip.AddrPortFrom(netip.AddrFrom16(ip), 5060)
		if cfg.Switch == n.Switch {
			cfg.Switch = n.Switch6
		}
	case !cfg.Local.IsValid():
		cfg.Local = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(1 + index>>8), byte(index)}), 5060)
	}
	p, err := NewPhone(cfg)
	if err != nil {
		panic(fmt.Errorf("phone %s: %w", user, err))
	}
	n.mu.Lock()
	n.phones[index-1] = p
	n.mu.Unlock()
	return p
}

// Phone is a SIP user agent (RFC 3261) driven by its methods. It answers by
// itself only what a phone must: 100 to an INVITE, ACK, 200 to CANCEL, BYE, OPTIONS,
// NOTIFY, MESSAGE and INFO, and re-INVITEs within a talk. It never refreshes a registration:
// Register again does.
type Phone struct {
	cfg     Config
	network Network
	addr    netip.AddrPort
	udp     PacketConn
	tcp     net.Listener
	readers sync.WaitGroup
	born    time.Time

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change
	closed  bool
	links   map[netip.AddrPort]*link // the one to use for each far end
	open    map[*link]struct{}
	clients map[txKey]*clientTx
	servers map[txKey]*serverTx
	calls   map[dialogKey]*Call
	subs    map[dialogKey]*Subscription
	texts   []*Message // MESSAGEs nobody took yet
	// textAnswer is the answer to a MESSAGE; 0 is none.
	textAnswer int
	offered    []*Call // incoming ones nobody took yet
	raws       []*exchange
	account    credentials
	regID      string
	regTag     string
	regSeq     uint32
	bad        Misbehaviour
	stats      Stats
	history    []Record
	last       *Message
}

// NewPhone opens the sockets of a phone. Close it at the end.
func NewPhone(cfg Config) (*Phone, error) {
	cfg.Transport = strings.ToLower(cfg.Transport)
	if cfg.Network == nil {
		cfg.Network = Sockets
	}
	if !cfg.Local.IsValid() {
		cfg.Local = netip.MustParseAddrPort("127.0.0.1:0")
	}
	if cfg.Codecs == nil {
		cfg.Codecs = []Codec{PCMU, PCMA}
	}
	if cfg.Expires == 0 {
		cfg.Expires = time.Hour
	}
	if cfg.History == 0 {
		cfg.History = 512
	}
	p := &Phone{
		cfg: cfg, network: cfg.Network, born: time.Now(),
		changed: make(chan struct{}),
		links:   map[netip.AddrPort]*link{},
		open:    map[*link]struct{}{},
		clients: map[txKey]*clientTx{},
		servers: map[txKey]*serverTx{},
		calls:   map[dialogKey]*Call{},
		subs:    map[dialogKey]*Subscription{}, textAnswer: 200,
		account: credentials{user: cfg.User, password: cfg.Password},
		regID:   token(), regTag: token(),
	}
	var err error
	switch cfg.Transport {
	case "", "udp":
		p.cfg.Transport = "udp"
		err = p.openUDP()
	case "tcp":
		err = p.openTCP()
	default:
		err = fmt.Errorf("transport %q: %w", cfg.Transport, errors.ErrUnsupported)
	}
	if err != nil {
		return nil, fmt.Errorf("siptest: phone %s: %w", cfg.User, err)
	}
	return p, nil
}

// Close ends the phone without a word on the wire: sockets, talks and timers go,
// and whatever waits on it fails with ErrPhoneClosed. It waits for the phone's
// goroutines.
func (p *Phone) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	for _, tx := range p.clients {
		tx.stop()
	}
	for _, tx := range p.servers {
		tx.stop()
	}
	talks := make([]*talk, 0, len(p.calls))
	for _, c := range p.calls {
		if c.talk != nil {
			talks = append(talks, c.talk)
		}
	}
	for l := range p.open {
		l.shut()
	}
	p.wake()
	p.mu.Unlock()
	if p.udp != nil {
		_ = p.udp.Close() // the reader's end is what counts
	}
	if p.tcp != nil {
		_ = p.tcp.Close()
	}
	for _, t := range talks {
		t.close()
	}
	p.readers.Wait()
	for _, t := range talks {
		t.wait()
	}
	return nil
}

// Calls are the calls that have not ended, as far as this phone knows.
func (p *Phone) Calls() []*Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []*Call
	for _, c := range p.calls {
		if c.state != ended {
			list = append(list, c)
		}
	}
	return list
}

// User is the account's user name.
func (p *Phone) User() string { return p.cfg.User }

// Addr is the phone's SIP address.
func (p *Phone) Addr() netip.AddrPort { return p.addr }

// URI is the phone's Contact, "sip:user@ip:port"; another phone without a switch can
// call it.
func (p *Phone) URI() string {
	uri := "sip:" + p.cfg.User + "@" + p.addr.String()
	if p.cfg.Transport == "tcp" {
		uri += ";transport=tcp"
	}
	return uri
}

// Misbehave replaces the phone's misbehaviours; 0 makes it behave.
func (p *Phone) Misbehave(m Misbehaviour) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bad = m
}

// Stats counts the SIP messages of a phone.
type Stats struct {
	Sent          uint64 // retransmissions included
	Received      uint64 // readable ones, retransmissions included
	Retransmitted uint64 // sent again by a timer, or in answer to a repeated message
	Repeated      uint64 // received again: requests and final responses
	Unexpected    uint64 // responses to nothing, requests outside any dialog or of an unknown method
	Unreadable    uint64 // datagrams and stream data that are not SIP
}

// Stats returns the counters.
func (p *Phone) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// LastResponse is the latest response received, of whatever transaction; nil
// before the first.
func (p *Phone) LastResponse() *Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// patience is how long a wait without a deadline lasts.
const patience = time.Hour

// wake tells everybody who waits to look again. p.mu is held.
func (p *Phone) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// await waits until done, which runs under p.mu, returns true or an error. The
// error names what was waited for and shows what happened instead.
func (p *Phone) await(ctx context.Context, what string, done func() (bool, error)) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, patience, ErrPatience)
		defer cancel()
	}
	for {
		p.mu.Lock()
		ok, err := done()
		if err == nil && !ok && p.closed {
			err = ErrPhoneClosed
		}
		changed := p.changed
		p.mu.Unlock()
		if err != nil {
			return p.failed(what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return p.failed(what, context.Cause(ctx))
		}
	}
}

func (p *Phone) failed(what string, err error) error {
	return fmt.Errorf("phone %s: %s: %w; it saw:\n%s", p.cfg.User, what, err, p.Transcript())
}
