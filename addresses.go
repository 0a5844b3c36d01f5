package cordpair

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// mediaAddresses are where media is received: those of the configuration, else
// those the SIP listeners are bound to, else every address of the machine.
func (c Config) mediaAddresses() ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, text := range c.RTP.Addresses {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("rtp.addresses: %w", err)
		}
		addrs = append(addrs, a)
	}
	if len(addrs) > 0 {
		return addrs, nil
	}
	for _, l := range c.Listen.SIP {
		bound, err := netip.ParseAddrPort(l.Addr)
		if err != nil {
			return nil, fmt.Errorf("listen.sip: %w", err)
		}
		if !bound.Addr().IsUnspecified() {
			addrs = append(addrs, bound.Addr())
			continue
		}
		all, err := interfaceAddresses(bound.Addr().Is4())
		if err != nil {
			return nil, fmt.Errorf("addresses of the machine: %w", err)
		}
		addrs = append(addrs, all...)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs), nil
}

// interfaceAddresses are the unicast addresses of the machine; link-local ones
// need a zone that SDP cannot carry.
func interfaceAddresses(only4 bool) ([]netip.Addr, error) {
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, n := range nets {
		p, err := netip.ParsePrefix(n.String())
		if err != nil {
			continue
		}
		a := p.Addr().Unmap()
		if a.IsLinkLocalUnicast() || only4 && !a.Is4() {
			continue
		}
		addrs = append(addrs, a)
	}
	return addrs, nil
}

// ownSocket tells our own SIP and HTTP sockets, to which no media may go (M5).
func (s *Switch) ownSocket(a netip.AddrPort) bool {
	for _, own := range s.edge.Addrs() {
		if covers(own, a) {
			return true
		}
	}
	return slices.ContainsFunc(s.web.bound, func(own netip.AddrPort) bool { return covers(own, a) })
}

// covers tells whether what is sent to a may come in at a socket bound to own.
func covers(own, a netip.AddrPort) bool {
	return own.Port() == a.Port() && (own.Addr() == a.Addr() || own.Addr().IsUnspecified())
}
