//go:build system

package system

import (
	"encoding/binary"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/g711"
)

// tap hears the RTP that reaches a phone: what it plays, whatever it records.
type tap struct {
	fd        int
	low, high int
	done      chan struct{}

	mu      sync.Mutex
	samples []int16
}

// The parts of Linux's packet(7) and of IPv4, UDP and RTP that tap reads.
const (
	etherIPv4  = 0x0800
	packetHost = 0 // received, not sent
	protoUDP   = 17
	udpHeader  = 8
	rtpHeader  = 12
)

// newTap listens on the loopback interface for the ports of a phone; nil where
// this user may not.
func newTap(t *testing.T, low, high int) *tap {
	t.Helper()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	protocol := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, etherIPv4))
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, int(protocol))
	if err != nil {
		return nil
	}
	p := &tap{fd: fd, low: low, high: high, done: make(chan struct{})}
	wake := syscall.Timeval{Usec: 100_000}
	for _, err := range []error{
		syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: protocol, Ifindex: lo.Index}),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &wake),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan struct{})
	go func() { // until done is closed
		defer close(ended)
		p.read()
	}()
	t.Cleanup(func() {
		close(p.done)
		<-ended
		_ = syscall.Close(fd)
	})
	return p
}

func (p *tap) read() {
	b := make([]byte, 2048)
	for {
		select {
		case <-p.done:
			return
		default:
		}
		n, from, err := syscall.Recvfrom(p.fd, b, 0)
		if err != nil {
			continue // the time-out, after which done is looked at
		}
		if l, ok := from.(*syscall.SockaddrLinklayer); ok && l.Pkttype == packetHost {
			p.take(b[:n])
		}
	}
}

// take decodes one IPv4 packet.
func (p *tap) take(b []byte) {
	if len(b) < 20 || b[9] != protoUDP {
		return
	}
	b = b[4*int(b[0]&15):]
	if len(b) < udpHeader+rtpHeader {
		return
	}
	port := int(binary.BigEndian.Uint16(b[2:]))
	b = b[udpHeader:]
	kind := b[1] & 0x7f
	if port < p.low || port > p.high || port%2 == 1 || b[0]>>6 != 2 {
		return
	}
	payload := b[rtpHeader:]
	samples := make([]int16, len(payload))
	switch kind {
	case 0:
		g711.DecodePCMU(samples, payload)
	case 8:
		g711.DecodePCMA(samples, payload)
	default:
		return
	}
	p.mu.Lock()
	p.samples = append(p.samples, samples...)
	p.mu.Unlock()
}

// next waits for a second and a half of sound from now on.
func (p *tap) next(t *testing.T) []int16 {
	t.Helper()
	p.mu.Lock()
	from := len(p.samples)
	p.mu.Unlock()
	var heard []int16
	until(t, patience, "sound at the phone", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		heard = p.samples[from:]
		return len(heard) >= 12000
	})
	return heard
}

// quiet tells whether nothing arrives for the given time.
func (p *tap) quiet(d time.Duration) bool {
	p.mu.Lock()
	before := len(p.samples)
	p.mu.Unlock()
	time.Sleep(d)
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.samples) == before
}
