package media

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/cordpair/cordpair/media/codec/worker"
	"github.com/cordpair/cordpair/media/sdp"
	"github.com/cordpair/cordpair/media/sounds"
)

// The errors of this package. ErrNotAcceptable becomes 488 and ErrBadSDP 400 at
// the SIP edge, ErrNoPorts 503.
var (
	// ErrNoPorts says that no media port pair is free, or none has rested long
	// enough (M6).
	ErrNoPorts = errors.New("no free media port")
	// ErrNotAcceptable says that the description shares no audio with us.
	ErrNotAcceptable = errors.New("media not acceptable")
	// ErrNoAudio, with ErrNotAcceptable, says that no m= line is audio we can carry.
	ErrNoAudio = sdp.ErrNoMedia
	// ErrNoProtection, with ErrNotAcceptable, says that audio is encrypted in no way
	// both sides know, or is not where it has to be.
	ErrNoProtection = sdp.ErrNoProtection
	// ErrForbiddenTarget is the ErrNotAcceptable of a description that asks us
	// to send where we must not (M5).
	ErrForbiddenTarget = fmt.Errorf("%w: forbidden media address", ErrNotAcceptable)
	// ErrNoCommonCodec is the ErrNotAcceptable of two joined parties that speak
	// different codecs of which one is not ours.
	ErrNoCommonCodec = fmt.Errorf("%w: no common codec", ErrNotAcceptable)
	// ErrUndecided says that the joined party has to take another codec before the
	// offer can be answered; see Session.Answer.
	ErrUndecided = errors.New("the answer waits for the joined party")
	// ErrNoCodec ends a playback to a party whose codec we cannot encode.
	ErrNoCodec = fmt.Errorf("%w: no codec of ours is negotiated", ErrNotAcceptable)
	// ErrBroken ends a playback whose handling failed.
	ErrBroken = errors.New("media handling failed")
	// ErrNoSound ends a playback of a sound that does not exist or is empty.
	ErrNoSound = errors.New("no such sound")
	// ErrBadSDP says that the description cannot be read.
	ErrBadSDP = errors.New("malformed session description")
	// ErrOrder says that an answer was asked for or given without an offer.
	ErrOrder = errors.New("offer and answer out of order")
	// ErrClosed says that the session or the engine has ended.
	ErrClosed = errors.New("media closed")
	// ErrReplaced ends a playback that another source replaced.
	ErrReplaced = errors.New("replaced by another source")
)

// PacketConn is what the portable engine needs of a UDP socket; *net.UDPConn and
// in-memory networks have it.
type PacketConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	SetReadDeadline(t time.Time) error
	Close() error
}

// Config says where the engine's media ports are.
type Config struct {
	// Addresses are the local addresses media is received on and announced
	// with, at least one; an unspecified address cannot be announced and is
	// refused.
	Addresses []netip.Addr
	// PortMin and PortMax bound the ports, both included; 0 means 16384 and
	// 32767. A pair is an even port for RTP and the next one for RTCP.
	PortMin, PortMax int
	// MaxPairs is how many pairs may be open at once, in use or kept for the next
	// call; 0 sets no limit. Each is two descriptors.
	MaxPairs int
	// Forbidden reports our own SIP and API addresses, to which no media may be
	// sent (M5). May be nil.
	Forbidden func(netip.AddrPort) bool
	// Encryption is what the legs may and must do about SRTP, unless theirs says
	// otherwise.
	Encryption Encryption
	// Listen opens a media socket; nil opens real ones. Setting it implies
	// Portable.
	Listen func(netip.AddrPort) (PacketConn, error)
	// Dedicated gives every loop a P of the Go scheduler to itself: one for every two
	// cores, at least one, by which GOMAXPROCS has to be larger than there are cores.
	// Packets then wait for no other goroutine, and gather for some 0.2 ms while there
	// are many. The portable engine ignores it.
	Dedicated bool
	// Portable forces the goroutine engine where the epoll one could run.
	Portable bool
	// Opus encodes Opus, and belongs to the caller; nil leaves that format to pass
	// through.
	Opus *worker.Worker
	// Sounds are what Play plays; nil means the built-in ones.
	Sounds *sounds.Library
	// Logger may be nil.
	Logger *slog.Logger
}

// The default port range (M6).
const (
	defaultPortMin = 16384
	defaultPortMax = 32767
)

// Validate refuses what no engine can be opened with.
func (c *Config) Validate() error {
	if len(c.Addresses) == 0 {
		return errors.New("media: no address")
	}
	for _, a := range c.Addresses {
		if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() {
			return fmt.Errorf("media: address %s cannot be announced", a)
		}
	}
	lo, hi := c.ports()
	if lo < 1024 || hi > 65535 || (lo+1)&^1+1 > hi {
		return fmt.Errorf("media: port range %d-%d holds no pair of ports", lo, hi)
	}
	return nil
}

// ports is the range with its defaults.
func (c *Config) ports() (lo, hi int) {
	lo, hi = c.PortMin, c.PortMax
	if lo == 0 {
		lo = defaultPortMin
	}
	if hi == 0 {
		hi = defaultPortMax
	}
	return lo, hi
}

// SessionConfig describes one leg.
type SessionConfig struct {
	// Local is the local address of the socket the SIP of the leg came on. It
	// chooses the media address: the same one if it is ours, else one of its
	// family, else the first.
	Local netip.Addr
	// Announce replaces the media address in what the party is told, for a
	// switch behind NAT whose ports are forwarded unchanged. May be invalid.
	Announce netip.Addr
	// SIPSource is where the leg's SIP comes from; media from there is accepted
	// besides that of the signalled address (M1). May be invalid.
	SIPSource netip.Addr
	// Urgent sessions, those of calls to an emergency number, may have the last
	// pairs, which others are refused: one of 16, at most 16.
	Urgent bool
	// Encryption is what the leg may and must do about SRTP.
	Encryption Encryption
	// Browser says that the leg is one: what we offer it is DTLS-SRTP with ICE. What
	// it offers is answered as it wants, whatever Browser says.
	Browser bool
	Events  Events
}

// Events are what a session reports. They are called by media workers and must
// return at once. Any may be nil.
type Events struct {
	// Digit reports a key the party pressed (RFC 4733), one of 0-9 * # A-D,
	// once per press, when it begins.
	Digit func(digit byte)
	// Silent reports 60 s without RTP and RTCP while not on hold, and every
	// further 60 s (M8).
	Silent func()
	// Unmet reports that the party and the one it is joined to settled on codecs
	// neither of us can turn into the other, and that it is this one who should
	// get a new offer: nothing is heard until then, see Session.Unmet. To a party whose
	// answer was ErrUndecided it reports that it is to be asked for again.
	Unmet func()
	// Found reports what is wrong with the party's audio, each kind once, from
	// Session.Answered on.
	Found func(Finding)
	// Broken reports that what the party sends cannot be heard any more, because
	// handling it failed (M10). Once.
	Broken func()
}

// Change is what a remote description changed.
type Change struct {
	// Held is set when the party stopped listening to us (hold), Resumed when
	// it began to again.
	Held, Resumed bool
}
