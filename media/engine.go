package media

import "errors"

// Engine owns the media ports and the workers that move packets.
type Engine struct{ cfg Config }

// EngineStats are the counters of an engine.
type EngineStats struct {
	// PortsFree and PortsUsed count port pairs; their sum is the pool.
	PortsFree, PortsUsed int
	// PacketsReceived and PacketsSent count RTP and RTCP of ended and running
	// sessions; PacketsDropped those that were malformed or from a stranger.
	PacketsReceived, PacketsSent, PacketsDropped uint64
}

// Open starts an engine.
func Open(cfg Config) (*Engine, error) { return &Engine{cfg: cfg}, nil }

// Close ends all sessions and closes all ports.
func (e *Engine) Close() error { return nil }

// Stats counts what the engine holds and has done.
func (e *Engine) Stats() EngineStats { return EngineStats{} }

// NewSession takes a port pair for one leg; ErrNoPorts when there is none.
func (e *Engine) NewSession(SessionConfig) (*Session, error) {
	return nil, errors.ErrUnsupported
}
