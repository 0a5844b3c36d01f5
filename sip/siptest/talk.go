package siptest

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// errNoPair is what a phone says when it finds no two neighbouring ports.
var errNoPair = errors.New("siptest: no pair of ports for RTP and RTCP")

// defaultEvent is the payload type the phone offers for telephone-event.
const defaultEvent = 101

// talk is the media of one call: a pair of sockets, what is said and what is
// heard. Its own lock guards it; it may be taken while the phone's is held, not
// the other way round.
type talk struct {
	codecs    []Codec
	local     netip.AddrPort
	rtp, rtcp PacketConn
	wake      func() // tells the phone that something changed
	running   sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	session   uint64
	version   int
	dir       string // ours
	offered   string // direction of the offer under way
	theirs    string // theirs
	remote    description
	connected bool
	codec     Codec
	event     int // payload type of telephone-event in our last description

	out      sender
	hearing  listening
	digits   strings.Builder
	silenced bool // no RTCP
	reports  *time.Timer
	stats    RTPStats
	cname    string
}

// newTalk opens the sockets of a talk, on an even port and the odd one above it
// (RFC 3550 section 11).
func (p *Phone) newTalk() (*talk, error) {
	t := &talk{codecs: p.cfg.Codecs, session: uint64(random32()), dir: sendrecv, theirs: sendrecv, event: defaultEvent, cname: token()}
	t.wake = func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.wake()
	}
	p.mu.Lock()
	t.silenced = p.bad&NoRTCP != 0
	p.mu.Unlock()
	t.out = sender{ssrc: random32(), seq: uint16(random32()), base: random32(), epoch: time.Now()}
	var err error
	if t.rtp, t.rtcp, err = pair(p.network, p.addr.Addr()); err != nil {
		return nil, err
	}
	t.local = addrPort(t.rtp.LocalAddr())
	t.running.Add(2)
	go t.readRTP()  // ends when the socket is closed
	go t.readRTCP() // ends when the socket is closed
	return t, nil
}

func pair(n Network, ip netip.Addr) (even, odd PacketConn, err error) {
	for range 50 {
		first, err := n.ListenPacket(netip.AddrPortFrom(ip, 0))
		if err != nil {
			return nil, nil, err
		}
		port := addrPort(first.LocalAddr()).Port()
		second, err := n.ListenPacket(netip.AddrPortFrom(ip, port^1))
		if err != nil {
			_ = first.Close() // the neighbour is taken; another pair then
			continue
		}
		if port%2 == 0 {
			return first, second, nil
		}
		return second, first, nil
	}
	return nil, nil, errNoPair
}

// close ends the talk; wait waits for its goroutines.
func (t *talk) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	t.out.stop()
	if t.reports != nil {
		t.reports.Stop()
	}
	t.hearing.end()
	_ = t.rtp.Close() // the readers' end is what counts
	_ = t.rtcp.Close()
}

func (t *talk) wait() { t.running.Wait() }

// offer describes our side with the given direction, which holds as soon as it
// is answered.
func (t *talk) offer(direction string) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.version++
	t.offered = direction
	t.event = defaultEvent
	return writeSDP(t.local, t.session, t.version, t.codecs, t.event, direction, []string{"audio"}, 0)
}

// answered takes the far end's answer to our offer.
func (t *talk) answered(body []byte) error {
	d, err := readSDP(body)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	shared := common(d.codecs, t.codecs)
	if len(shared) == 0 {
		return fmt.Errorf("%w: answer has %v", ErrNoCommonCodec, d.medias)
	}
	t.dir = t.offered
	t.agreed(d, shared[0])
	return nil
}

// accept takes an offer and describes our answer.
func (t *talk) accept(body []byte) ([]byte, error) {
	d, err := readSDP(body)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	shared := common(d.codecs, t.codecs)
	if len(shared) == 0 {
		return nil, fmt.Errorf("%w: offer has %v", ErrNoCommonCodec, d.medias)
	}
	t.version++
	t.event = d.event
	t.agreed(d, shared[0])
	direction := answerDirection(d.direction, t.dir == sendonly)
	return writeSDP(t.local, t.session, t.version, shared, t.event, direction, d.medias, d.audio), nil
}

func (t *talk) agreed(d description, codec Codec) {
	t.remote, t.theirs, t.codec = d, d.direction, codec
	if !t.connected && !t.closed {
		t.connected = true
		t.reports = time.AfterFunc(reportEvery, t.report)
	}
}

// isHeld is true when the far end does not want to hear us.
func (t *talk) isHeld() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.theirs == sendonly || t.theirs == inactive
}

func (t *talk) direction() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dir
}

// maySend is true when both sides want our voice. t.mu is held.
func (t *talk) maySend() bool {
	return t.connected && !t.closed && t.dir == sendrecv && (t.theirs == sendrecv || t.theirs == recvonly)
}

// digit notes a digit received.
func (t *talk) digit(d string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.digits.WriteString(d)
}

// RTPStats counts the packets of one call.
type RTPStats struct {
	Sent, Received         uint64 // RTP packets
	Lost                   uint64 // gaps in the received sequence numbers, filled later or not
	Late                   uint64 // received behind a later one, or twice
	RTCPSent, RTCPReceived uint64
	PayloadType            uint8  // of the latest packet received
	SSRC                   uint32 // of the latest packet received
	Sources                int    // how many SSRCs were received one after the other
}
