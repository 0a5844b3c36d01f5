//go:build !linux || !(amd64 || arm64)

package media

import (
	"errors"
	"net/netip"
)

// rawAddr is what epoll sends to; the portable engine needs nothing prepared.
type rawAddr struct{}

func (*rawAddr) set(netip.AddrPort) {}

// hasEpoll says which engine is the default.
const hasEpoll = false

func startEpoll(*loop, bool) error { return errors.ErrUnsupported }

func openRaw(netip.AddrPort) (socket, error) { return nil, errors.ErrUnsupported }
