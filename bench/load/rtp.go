//go:build linux

package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// The RTP load: G.711 in 20 ms packets.
const (
	packetsPerSecond = 50
	packetSize       = 172
	samples          = 160
	// In the payload: magic, window, time of sending.
	payloadAt = 12
	magic     = 0x62656e63
	// rtpPorts begin here; every other one is taken, its neighbour is for RTCP.
	rtpPorts = 33000
	mostPort = 60000
)

// flow is one phone's RTP in one call: what it sends, and its socket for what it
// gets.
type flow struct {
	sock, control *socket
	number        int
	packet        [packetSize]byte
	sequence      uint16
	timestamp     uint32
	connected     bool
	far           uint16 // the port it sends to
	text          *template
	payloadType   byte
	opaque        bool // what arrives is not what was sent
	secret        secret
}

// openFlow opens an even port and the next for a phone. It begins to look for
// them at port and returns where to go on.
func (e *engine) openFlow(port uint16) (*flow, uint16, error) {
	for ; port < mostPort; port += 2 {
		s, err := openSocket(port)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return nil, port, err
		}
		c, err := openSocket(port + 1)
		if errors.Is(err, syscall.EADDRINUSE) {
			s.close()
			continue
		}
		if err != nil {
			s.close()
			return nil, port, err
		}
		f := &flow{sock: s, control: c, number: len(e.flows) + 1, text: &sdpText}
		s.flow, s.got = f.number, e.onRTP
		f.packet[0] = 0x80
		binary.BigEndian.PutUint32(f.packet[8:], 0x10000000+uint32(f.number))
		for i := payloadAt; i < packetSize; i++ {
			f.packet[i] = 0xff // silence
		}
		e.flows = append(e.flows, f)
		return f, port + 2, e.poller.add(s)
	}
	return nil, port, fmt.Errorf("no free port below %d", mostPort)
}

// connect says where a flow goes.
func (e *engine) connect(f *flow, port uint16) {
	f.far = port
	f.connected = port != 0 && f.sock.connect(port) == nil
}

// send sends the next packet of a flow.
func (e *engine) send(f *flow) {
	p := f.packet[:]
	f.sequence++
	f.timestamp += samples
	binary.BigEndian.PutUint16(p[2:], f.sequence)
	binary.BigEndian.PutUint32(p[4:], f.timestamp)
	p[1] = f.payloadType
	if f.opaque {
		noise(p[payloadAt:], f.timestamp)
	} else {
		binary.BigEndian.PutUint32(p[payloadAt:], magic)
		p[payloadAt+4] = e.window
		binary.BigEndian.PutUint64(p[payloadAt+5:], uint64(time.Now().UnixNano()))
	}
	f.sock.send(f.secret.seal(p))
	if e.window == measuredWindow {
		e.res.Sent++
	}
}

// onRTP counts a packet that came through.
func (e *engine) onRTP(s *socket, b []byte, at time.Time) {
	if len(b) == packetSize && binary.BigEndian.Uint32(b[payloadAt:]) == attackMagic {
		e.res.Leaks[group(s.flow)].In++
		return
	}
	f := e.flows[s.flow-1]
	b = f.secret.open(b)
	if f.opaque {
		if len(b) == packetSize && b[1]&0x7f == f.payloadType && e.window == measuredWindow {
			e.res.Received++ // as much is under way when the window begins as when it ends
		}
		return
	}
	if len(b) != packetSize || binary.BigEndian.Uint32(b[payloadAt:]) != magic || b[payloadAt+4] != measuredWindow {
		return
	}
	e.res.Received++
	e.hist.Add(at.Sub(time.Unix(0, int64(binary.BigEndian.Uint64(b[payloadAt+5:])))))
}

// closeFlows ends all RTP.
func (e *engine) closeFlows() {
	for _, f := range e.flows {
		e.poller.remove(f.sock)
		f.control.close()
	}
	e.flows = nil
}
