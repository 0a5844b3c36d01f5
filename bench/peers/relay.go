//go:build linux

package peers

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"

	"github.com/cordpair/cordpair/bench/load"
)

// BuildRelay compiles the C relay; ErrNotInstalled without gcc.
func BuildRelay(source, program string) error {
	if err := installed("gcc"); err != nil {
		return err
	}
	text, err := exec.Command("gcc", "-O2", "-Wall", "-Wextra", "-o", program, source).CombinedOutput()
	if err != nil {
		return fmt.Errorf("gcc: %w\n%s", err, text)
	}
	return nil
}

// Relay starts the C relay at Setting.Program.
func Relay(s Setting) (*Peer, error) {
	p, err := start(s, s.Program, strconv.Itoa(s.Calls))
	if err != nil {
		return nil, err
	}
	for {
		line, err := p.line()
		if err != nil {
			return nil, p.failed(err)
		}
		if line == "ready" {
			return p, nil
		}
		var f [2]uint16
		if _, err := fmt.Sscan(line, &f[0], &f[1]); err != nil {
			return nil, p.failed(fmt.Errorf("%q: %w", line, err))
		}
		p.Flows = append(p.Flows, f)
	}
}

// RTPEngine starts rtpengine in user space.
func RTPEngine(ctx context.Context, s Setting) (*Peer, error) {
	if err := installed("rtpengine"); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	ng := fmt.Sprintf("127.0.0.1:%d", port)
	p, err := start(s, "rtpengine", "--foreground", "--config-file=none", "--table=-1", "--interface=127.0.0.1", "--listen-ng="+ng,
		"--port-min=10000", "--port-max=31999", "--num-threads=1", "--log-level=2", "--log-stderr", "--delete-delay=0",
		"--no-redis-required")
	if err != nil {
		return nil, err
	}
	p.NG = ng
	if err := p.await(ctx, func() error { return load.Ping(ng) }); err != nil {
		return nil, p.failed(err)
	}
	return p, nil
}
