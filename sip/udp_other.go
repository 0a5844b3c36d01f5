//go:build !linux || !(amd64 || arm64)

package sip

import "net"

func fast(c *net.UDPConn) PacketConn { return c }
