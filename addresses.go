package cordpair

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// mediaAddresses are where media is received: those of the configuration, else
// those the SIP listeners are bound to, else every address of the machine.
func (s *Switch) mediaAddresses() ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, a := range s.cfg.RTP.Addresses {
		addrs = append(addrs, netip.MustParseAddr(a)) // Validate has seen it
	}
	if len(addrs) > 0 {
		return addrs, nil
	}
	for _, l := range s.cfg.Listen.SIP {
		bound, _ := netip.ParseAddrPort(l.Addr) // Validate has seen it
		if !bound.Addr().IsUnspecified() {
			addrs = append(addrs, bound.Addr())
			continue
		}
		all, err := interfaceAddresses(bound.Addr().Is4())
		if err != nil {
			return nil, fmt.Errorf("rtp.addresses: %w", err)
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
		if own.Port() == a.Port() && (own.Addr() == a.Addr() || own.Addr().IsUnspecified()) {
			return true
		}
	}
	for _, text := range s.web.addrs {
		if own, err := netip.ParseAddrPort(text); err == nil && own == a {
			return true
		}
	}
	return false
}
