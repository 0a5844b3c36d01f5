package secure

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"
	"github.com/pion/transport/v4/deadline"
)

const (
	// HandshakeTime bounds a handshake; a far end that takes longer is not there.
	HandshakeTime = 15 * time.Second
	// linger is how long the end of a handshake is repeated for a far end that has
	// missed it (RFC 6347 section 4.2.4).
	linger = 10 * time.Second
	// firstRepeat is when a flight is sent again first; it doubles from there.
	firstRepeat = 400 * time.Millisecond
	// maxWaiting bounds the datagrams a handshake has not read yet.
	maxWaiting = 16
)

// profiles are what DTLS may settle on, preferred first (RFC 5764, RFC 7714).
var profiles = []struct {
	id   dtls.SRTPProtectionProfile
	name string
}{
	{dtls.SRTP_AEAD_AES_128_GCM, "AEAD_AES_128_GCM"},
	{dtls.SRTP_AEAD_AES_256_GCM, "AEAD_AES_256_GCM"},
	{dtls.SRTP_AES128_CM_HMAC_SHA1_80, "AES_CM_128_HMAC_SHA1_80"},
	{dtls.SRTP_AES128_CM_HMAC_SHA1_32, "AES_CM_128_HMAC_SHA1_32"},
}

// Meeting is what a handshake needs.
type Meeting struct {
	Identity *Identity
	// Client: we begin (a=setup:active).
	Client bool
	// Fingerprints are what the far end's description says of its certificate.
	Fingerprints []Fingerprint
	// Send takes a datagram for the far end, which it must not keep.
	Send func([]byte)
	// Done is told once how it ended: the keys of either direction, or why there
	// are none: ErrFingerprint, or an error of the protocol or of time.
	Done func(ours, theirs Key, err error)
	// Over is called when nothing of the handshake runs any more. May be nil.
	Over func()
}

// Handshake is one DTLS association that is to give keys. It runs in a goroutine,
// which ends with Close, and otherwise within HandshakeTime and the time it is kept
// to repeat its last flight.
type Handshake struct {
	m     Meeting
	shim  *shim
	ended chan struct{}
	once  sync.Once
}

// Begin starts a handshake.
func Begin(m Meeting) *Handshake {
	h := &Handshake{m: m, shim: newShim(m.Send), ended: make(chan struct{})}
	go h.run() // ends with Close, or when its time is over
	return h
}

// Feed hands over a datagram from the far end, which is copied. It never waits: what
// is too much is lost, as on any network.
func (h *Handshake) Feed(b []byte) { h.shim.feed(b) }

// Close ends the handshake, or what is left of it, without a word to the far end:
// an alert would end its media.
func (h *Handshake) Close() {
	h.once.Do(func() {
		h.shim.mute()
		close(h.ended)
	})
}

// run shakes hands.
func (h *Handshake) run() {
	if h.m.Over != nil {
		defer h.m.Over()
	}
	ctx, cancel := context.WithTimeout(context.Background(), HandshakeTime)
	defer cancel()
	defer context.AfterFunc(ctx, h.shim.mute)()
	go func() { // ends with the handshake, which cancels ctx
		select {
		case <-h.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	conn, err := h.open()
	if err != nil {
		h.m.Done(Key{}, Key{}, err)
		return
	}
	defer conn.Close() //nolint:errcheck // muted by then: nothing can fail
	defer h.shim.mute()
	if err := conn.HandshakeContext(ctx); err != nil {
		h.m.Done(Key{}, Key{}, fmt.Errorf("dtls: %w", err))
		return
	}
	ours, theirs, err := h.keys(conn)
	h.m.Done(ours, theirs, err)
	if err != nil {
		return
	}
	late := time.NewTimer(linger)
	defer late.Stop()
	select {
	case <-h.ended:
	case <-late.C:
	}
}

// open prepares the association.
func (h *Handshake) open() (*dtls.Conn, error) {
	ids := make([]dtls.SRTPProtectionProfile, len(profiles))
	for i := range profiles {
		ids[i] = profiles[i].id
	}
	both := []dtls.Option{
		dtls.WithCertificates(h.m.Identity.certificate),
		dtls.WithSRTPProtectionProfiles(ids...),
		dtls.WithExtendedMasterSecret(dtls.RequestExtendedMasterSecret),
		dtls.WithFlightInterval(firstRepeat),
		dtls.WithInsecureSkipVerify(true), // the fingerprint is what counts
		dtls.WithVerifyPeerCertificate(h.verify),
		dtls.WithLoggerFactory(&logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}),
	}
	if h.m.Client {
		var options []dtls.ClientOption
		for _, o := range both {
			options = append(options, o)
		}
		return dtls.ClientWithOptions(h.shim, farEnd{}, options...)
	}
	options := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert)}
	for _, o := range both {
		options = append(options, o)
	}
	return dtls.ServerWithOptions(h.shim, farEnd{}, options...)
}

// verify is asked about the far end's certificate.
func (h *Handshake) verify(chain [][]byte, _ [][]*x509.Certificate) error {
	if len(chain) == 0 || !vouched(h.m.Fingerprints, chain[0]) {
		return ErrFingerprint
	}
	return nil
}

// keys are exported from a finished handshake (RFC 5764 section 4.2): the master
// keys of client and server, then their salts.
func (h *Handshake) keys(conn *dtls.Conn) (ours, theirs Key, err error) {
	id, ok := conn.SelectedSRTPProtectionProfile()
	state, up := conn.ConnectionState()
	var suite Suite
	for _, p := range profiles {
		if p.id == id {
			suite, _ = SuiteOf(p.name)
		}
	}
	if !ok || !up || suite.IsZero() {
		return Key{}, Key{}, fmt.Errorf("dtls: no profile for media: %w", ErrKey)
	}
	n, salt := suite.in().key, suite.in().salt
	b, err := state.ExportKeyingMaterial("EXTRACTOR-dtls_srtp", nil, 2*(n+salt))
	if err != nil {
		return Key{}, Key{}, fmt.Errorf("dtls: %w", err)
	}
	client := Key{suite: suite, master: b[:n], salt: b[2*n : 2*n+salt]}
	server := Key{suite: suite, master: b[n : 2*n], salt: b[2*n+salt:]}
	if h.m.Client {
		return client, server, nil
	}
	return server, client, nil
}

// farEnd is the address of the only far end a shim has.
type farEnd struct{}

func (farEnd) Network() string { return "media" }
func (farEnd) String() string  { return "far end" }

// shim is the net.PacketConn of a handshake: what its stream feeds it, and a
// function to send with.
type shim struct {
	send func([]byte)
	in   chan []byte
	due  *deadline.Deadline

	mu    sync.Mutex
	muted bool
	gone  chan struct{}
}

func newShim(send func([]byte)) *shim {
	return &shim{send: send, in: make(chan []byte, maxWaiting), due: deadline.New(), gone: make(chan struct{})}
}

func (s *shim) feed(b []byte) {
	select {
	case s.in <- append([]byte(nil), b...):
	default: // full
	}
}

// mute drops what is sent from now on.
func (s *shim) mute() {
	s.mu.Lock()
	s.muted = true
	s.mu.Unlock()
}

// ReadFrom implements net.PacketConn.
func (s *shim) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case x := <-s.in:
		return copy(b, x), farEnd{}, nil
	case <-s.gone:
		return 0, nil, net.ErrClosed
	case <-s.due.Done():
		return 0, nil, context.DeadlineExceeded
	}
}

// WriteTo implements net.PacketConn.
func (s *shim) WriteTo(b []byte, _ net.Addr) (int, error) {
	s.mu.Lock()
	muted := s.muted
	s.mu.Unlock()
	if !muted {
		s.send(b)
	}
	return len(b), nil
}

// Close implements net.PacketConn.
func (s *shim) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.gone:
	default:
		close(s.gone)
	}
	return nil
}

// LocalAddr implements net.PacketConn.
func (s *shim) LocalAddr() net.Addr { return farEnd{} }

// SetDeadline implements net.PacketConn.
func (s *shim) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (s *shim) SetReadDeadline(t time.Time) error {
	s.due.Set(t)
	return nil
}

// SetWriteDeadline implements net.PacketConn; writing never waits.
func (s *shim) SetWriteDeadline(time.Time) error { return nil }
