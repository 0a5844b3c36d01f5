//go:build !linux || !(amd64 || arm64)

package media

import (
	"errors"
	"net"
)

func (r *rig) drained(*loop) bool { return true }

// receiveNow is for engines with epoll.
func receiveNow(*net.UDPConn, []byte) (int, error) { return 0, errors.ErrUnsupported }
