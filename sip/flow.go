package sip

import (
	"errors"
	"net/netip"
	"sync/atomic"
)

// Transport names, as they stand in a Via.
const (
	transportUDP = "UDP"
	transportTCP = "TCP"
)

var errFlowClosed = errors.New("sip: flow is closed")

// flow is the way back to one far end: a listener and a remote address over UDP,
// a connection over a stream (RFC 5626). Requests to a phone and answers to it
// go over the flow it used, never to an address found in a header.
type flow interface {
	// id names the flow for as long as it can exist. UDP flows with the same
	// addresses are the same flow.
	id() string
	transport() string
	reliable() bool
	// local is the address to announce to this far end in Via, Contact and SDP.
	local() netip.AddrPort
	// host is that address without its port, as it stands in a URI.
	host() string
	// advertised is the configured address in place of own; invalid without one.
	advertised() netip.Addr
	// own is the address of this machine that the far end's packets come to; it
	// differs from local behind NAT.
	own() netip.Addr
	remote() netip.AddrPort
	// send queues or writes b; it never waits.
	send(b []byte) error
	closed() bool
}

// udpFlow is a value: nothing is kept per remote address.
type udpFlow struct {
	l *udpListener
	// to is where packets go; from is where the request came from. They differ
	// only for a far end that does not speak rport (RFC 3581, S11).
	to netip.AddrPort
}

func (f udpFlow) id() string             { return "udp:" + f.l.name + ":" + f.to.String() }
func (f udpFlow) transport() string      { return transportUDP }
func (f udpFlow) reliable() bool         { return false }
func (f udpFlow) local() netip.AddrPort  { return f.l.announced(f.to.Addr()) }
func (f udpFlow) host() string           { return f.l.host(f.to.Addr()) }
func (f udpFlow) advertised() netip.Addr { return f.l.advertised }
func (f udpFlow) own() netip.Addr        { return f.l.own(f.l.addr, f.to.Addr()) }
func (f udpFlow) remote() netip.AddrPort { return f.to }
func (f udpFlow) closed() bool           { return f.l.closed.Load() }

func (f udpFlow) send(b []byte) error {
	f.l.server.taps.sent(f, b)
	_, err := f.l.conn.WriteToUDPAddrPort(b, f.to)
	if err != nil {
		f.l.server.metrics.sendErrors.Inc()
	}
	return err
}

// sameFlow tells whether two flows are the same: UDP flows are values.
func sameFlow(a, b flow) bool { return a == b }

// flowSeq numbers stream flows, so that an address used again is another flow.
type flowSeq struct{ n atomic.Uint64 }

func (s *flowSeq) next() uint64 { return s.n.Add(1) }
