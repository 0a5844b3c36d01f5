package load

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// ngConn speaks rtpengine's control protocol: a cookie, then a bencoded
// dictionary, over UDP.
type ngConn struct {
	conn   net.Conn
	run    string // cookies are unique: rtpengine answers a known one from memory
	cookie int
	buf    [8192]byte
}

var errNG = errors.New("rtpengine")

func dialNG(addr string) (*ngConn, error) {
	if _, err := portOf(addr); err != nil {
		return nil, err
	}
	conn, err := net.Dial("udp", addr)
	if err != nil {
		return nil, err
	}
	return &ngConn{conn: conn, run: strconv.FormatUint(rand.Uint64(), 36)}, nil
}

func (n *ngConn) close() { _ = n.conn.Close() } // nothing is buffered

// call offers and answers one call: SDP of either phone in, the port that each
// other's phone is given out.
func (n *ngConn) call(id string, a, b []byte) (portForB, portForA uint16, err error) {
	offer := dictionary("call-id", id, "command", "offer", "from-tag", "a", "sdp", string(a))
	if portForB, err = n.ask(offer); err != nil {
		return 0, 0, err
	}
	answer := dictionary("call-id", id, "command", "answer", "from-tag", "a", "sdp", string(b), "to-tag", "b")
	portForA, err = n.ask(answer)
	return portForB, portForA, err
}

// ask sends one command and returns the port in the SDP that comes back.
func (n *ngConn) ask(command []byte) (uint16, error) {
	answer, err := n.roundTrip(command)
	if err != nil {
		return 0, err
	}
	port := mediaPort(bencoded(answer, "sdp"))
	if port == 0 {
		return 0, fmt.Errorf("%w: %q", errNG, answer)
	}
	return port, nil
}

func (n *ngConn) roundTrip(command []byte) ([]byte, error) {
	n.cookie++
	cookie := n.run + strconv.Itoa(n.cookie) + " "
	if _, err := n.conn.Write(append([]byte(cookie), command...)); err != nil {
		return nil, err
	}
	if err := n.conn.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return nil, err
	}
	size, err := n.conn.Read(n.buf[:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNG, err)
	}
	answer, ok := bytes.CutPrefix(n.buf[:size], []byte(cookie))
	if !ok {
		return nil, fmt.Errorf("%w: not the answer to %s", errNG, cookie)
	}
	return answer, nil
}

// Ping tells whether an rtpengine answers at addr.
func Ping(addr string) error {
	n, err := dialNG(addr)
	if err != nil {
		return err
	}
	defer n.close()
	answer, err := n.roundTrip(dictionary("command", "ping"))
	if err == nil && string(bencoded(answer, "result")) != "pong" {
		err = fmt.Errorf("%w: %q", errNG, answer)
	}
	return err
}

// dictionary bencodes keys and values, which are given in the order of the keys.
func dictionary(pairs ...string) []byte {
	b := []byte("d")
	for _, s := range pairs {
		b = strconv.AppendInt(b, int64(len(s)), 10)
		b = append(append(b, ':'), s...)
	}
	return append(b, 'e')
}

// bencoded finds the text under a key of a dictionary that holds only texts as
// far as the key; nil when there is none.
func bencoded(b []byte, key string) []byte {
	rest, ok := bytes.CutPrefix(b, []byte("d"))
	if !ok {
		return nil
	}
	for len(rest) > 0 {
		var name, value []byte
		if name, rest, ok = bencodedText(rest); !ok {
			return nil
		}
		if value, rest, ok = bencodedText(rest); !ok {
			return nil
		}
		if string(name) == key {
			return value
		}
	}
	return nil
}

func bencodedText(b []byte) (text, rest []byte, ok bool) {
	size, rest, ok := bytes.Cut(b, []byte(":"))
	n, err := strconv.Atoi(string(size))
	if !ok || err != nil || n < 0 || n > len(rest) {
		return nil, nil, false
	}
	return rest[:n], rest[n:], true
}

// portOf reads the port of a loopback address.
func portOf(addr string) (uint16, error) {
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		return 0, err
	}
	if !a.Addr().IsLoopback() || !a.Addr().Is4() {
		return 0, fmt.Errorf("%s is not on the IPv4 loopback", addr)
	}
	return a.Port(), nil
}
