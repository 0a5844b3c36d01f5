//go:build linux && (amd64 || arm64)

package media

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// drained tells whether no datagram waits in the sockets of a loop; it runs on
// that loop.
func (r *rig) drained(l *loop) bool {
	for _, s := range l.streams {
		for _, x := range [2]socket{s.pair.rtp, s.pair.rtcp} {
			if n, err := unix.IoctlGetInt(x.(*rawSocket).fd, unix.SIOCINQ); err != nil || n > 0 {
				return false
			}
		}
	}
	return true
}

// receiveNow reads without waiting, whatever the deadline.
func receiveNow(c *net.UDPConn, buf []byte) (n int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	failed := raw.Control(func(fd uintptr) {
		n, _, err = unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
	})
	return n, errors.Join(failed, err)
}
