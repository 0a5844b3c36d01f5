//go:build linux

package load

import (
	"encoding/binary"
	"time"
)

// AttackBegins are the moments an attack begins at, against the first packet of the
// call: before it, with it, and when a relay may have stopped or not yet stopped to
// learn where its phones are.
var AttackBegins = [...]time.Duration{-time.Second, 0, time.Second, 4 * time.Second, 6 * time.Second, 8 * time.Second}

// attackerHost is where attackers send from: neither the phones' address nor that of
// their SIP.
var attackerHost = [4]byte{127, 0, 0, 66}

const attackMagic = 0x6576696c

// Leak is what an attack that begins at a moment achieved.
type Leak struct {
	// Sent packets came from the attackers, In of them to a phone; Out went to an
	// attacker.
	Sent int `json:"sent"`
	In   int `json:"in"`
	Out  int `json:"out"`
}

// attacker sends to one port of a call under the numbers of the phone that is served
// there, as if it could listen, and as often as the phone.
type attacker struct {
	sock   *socket
	victim *flow
	group  int // in AttackBegins
	packet [packetSize]byte
}

// attacks are the attackers of a phase.
type attacks struct {
	*engine
	all  []*attacker
	pace []pace // by group
}

// newAttacks has an attacker for each flow, and as many of each beginning. first is
// when the phones begin to send.
func newAttacks(e *engine, first, until time.Time) (*attacks, error) {
	t := &attacks{engine: e}
	e.res.Leaks = make([]Leak, len(AttackBegins))
	for i, f := range e.flows {
		s, err := openSocketAt(attackerHost, 0)
		if err != nil {
			return nil, err
		}
		a := &attacker{sock: s, victim: f, group: group(f.number)}
		s.flow, s.got = i+1, func(*socket, []byte, time.Time) { e.res.Leaks[a.group].Out++ }
		if err := s.connect(f.far); err != nil {
			return nil, err
		}
		if err := e.poller.add(s); err != nil {
			return nil, err
		}
		t.all = append(t.all, a)
	}
	for _, begins := range AttackBegins {
		start := first.Add(begins)
		most := int(until.Sub(start).Seconds() * packetsPerSecond)
		t.pace = append(t.pace, pace{start: start, rate: packetsPerSecond, most: most, burst: 2})
	}
	return t, nil
}

// group is that of a call by the number of one of its flows.
func group(flow int) int { return (flow - 1) / 2 % len(AttackBegins) }

// tick sends what is due.
func (t *attacks) tick(now time.Time) {
	for g := range t.pace {
		for range t.pace[g].due(now) {
			for _, a := range t.all {
				if a.group == g {
					a.send()
					t.res.Leaks[g].Sent++
				}
			}
		}
	}
}

// send sends one packet with the victim's next numbers.
func (a *attacker) send() {
	a.packet = a.victim.packet
	binary.BigEndian.PutUint16(a.packet[2:], a.victim.sequence+1)
	binary.BigEndian.PutUint32(a.packet[4:], a.victim.timestamp+samples)
	binary.BigEndian.PutUint32(a.packet[payloadAt:], attackMagic)
	a.sock.send(a.packet[:])
}

// end closes what the attackers have.
func (t *attacks) end() {
	for _, a := range t.all {
		t.poller.remove(a.sock)
	}
}
