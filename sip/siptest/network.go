package siptest

import (
	"context"
	"net"
	"net/netip"
)

// PacketConn is a UDP socket. *net.UDPConn is one, and so are the sockets of a
// Net.
type PacketConn interface {
	net.PacketConn
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
}

// Network is where a Phone finds its sockets: a *Net, or Sockets.
type Network interface {
	// ListenPacket opens a UDP socket; port 0 picks a free one.
	ListenPacket(addr netip.AddrPort) (PacketConn, error)
	// Listen opens a TCP listener; port 0 picks a free one.
	Listen(addr netip.AddrPort) (net.Listener, error)
	// Dial opens a TCP connection. An invalid local address and a local port 0
	// leave the choice to the network.
	Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error)
}

// Sockets is the machine's own network.
var Sockets Network = sockets{}

type sockets struct{}

func (sockets) ListenPacket(addr netip.AddrPort) (PacketConn, error) {
	return net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
}

func (sockets) Listen(addr netip.AddrPort) (net.Listener, error) {
	return net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
}

func (sockets) Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	if local.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(local)
	}
	return d.DialContext(ctx, "tcp", remote.String())
}
