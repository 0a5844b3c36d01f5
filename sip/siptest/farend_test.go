package siptest

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// farEnd is a scripted far end at the switch's address: script sees every
// request and response and returns what goes back.
type farEnd struct {
	conn PacketConn
	mu   sync.Mutex
	seen []*Message
}

func newFarEnd(t *testing.T, n *Net, script func(m *Message) []*Message) *farEnd {
	t.Helper()
	conn, err := n.ListenPacket(n.Switch)
	must(t, err)
	f := &farEnd{conn: conn}
	go func() { // ends when the network is closed
		buf := make([]byte, 65536)
		for {
			size, from, err := conn.ReadFromUDPAddrPort(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			m, err := parse(buf[:size])
			if err != nil {
				continue
			}
			f.mu.Lock()
			f.seen = append(f.seen, m)
			f.mu.Unlock()
			for _, out := range script(m) {
				_, _ = conn.WriteToUDPAddrPort([]byte(out.String()), from)
			}
		}
	}()
	return f
}

func (f *farEnd) send(t *testing.T, to netip.AddrPort, m *Message) {
	t.Helper()
	_, err := f.conn.WriteToUDPAddrPort([]byte(m.String()), to)
	must(t, err)
}

// of returns the requests of a method, in order.
func (f *farEnd) of(method string) []*Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*Message
	for _, m := range f.seen {
		if m.Method == method {
			out = append(out, m)
		}
	}
	return out
}

// reply answers a request; headers are name, value …
func reply(m *Message, code int, tag string, headers ...string) *Message {
	res := &Message{Code: code, Reason: phrase(code)}
	to := m.Header("To")
	if tag != "" && m.toTag() == "" {
		to += ";tag=" + tag
	}
	res.add("Via", m.Header("Via"), "From", m.Header("From"), "To", to, "Call-ID", m.callID(), "CSeq", m.Header("CSeq"))
	res.add(headers...)
	return res
}

// withSDP gives a message a session description with an address nobody has.
func withSDP(m *Message) *Message {
	m.body("application/sdp", writeSDP(netip.MustParseAddrPort("10.0.0.1:40000"), 1, 1, []Codec{PCMU}, 101, sendrecv, []string{"audio"}, 0))
	return m
}
