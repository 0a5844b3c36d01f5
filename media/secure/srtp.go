package secure

import (
	"encoding/binary"
	"fmt"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4/replaydetector"
)

const (
	// window is how many packets may overtake one, and how far back a replay is
	// recognised. RFC 3711 wants 64 at least; a second at 50 a second passes.
	window = 128
	// maxSources bounds the sources one key is used for, which each cost memory for
	// as long as the key: a phone has one and gets a new one with some re-offers.
	maxSources = 32
	// Overhead is how much longer a packet may become when it is protected: the
	// longest tag, and the index of SRTCP.
	Overhead = 16 + 4
	// longest is more than a datagram anybody sends us, in bytes.
	longest = 2048
)

// Opener checks and decrypts what one party sends under one key.
type Opener struct {
	key     Key
	ctx     *srtp.Context
	header  rtp.Header // of the packet at hand; kept for its slices
	sources []source
	reports []uint32 // sources of RTCP
	seen    bool     // the packet at hand was seen before
}

// source is one SSRC of the party.
type source struct {
	ssrc uint32
	// carried is the rollover counter it had under the previous key, as long as
	// nothing under this one was heard; see Continue.
	carried uint32
	heard   bool
}

// NewOpener makes the context for a party's key. It fails with ErrKey.
func NewOpener(k Key) (*Opener, error) {
	o := &Opener{key: k}
	ctx, err := newContext(k, srtp.SRTPReplayDetectorFactory(o.detector(maxIndex)), srtp.SRTCPReplayDetectorFactory(o.detector(maxReport)))
	if err != nil {
		return nil, err
	}
	o.ctx = ctx
	return o, nil
}

// The highest packet indices: 48 bits of SRTP, 31 of SRTCP (RFC 3711 section 9.2).
const (
	maxIndex  = 1<<48 - 1
	maxReport = 1<<31 - 1
)

// detector makes the replay windows of the sources.
func (o *Opener) detector(highest uint64) func() replaydetector.ReplayDetector {
	return func() replaydetector.ReplayDetector {
		d := replaydetector.New(window, highest)
		return detector{d, d.(replaydetector.CheckAccepter), &o.seen}
	}
}

// detector is a replay window that notes its refusals: the context's error tells
// them badly from a forged packet.
type detector struct {
	replaydetector.ReplayDetector
	in   replaydetector.CheckAccepter
	seen *bool
}

// CheckSeq implements replaydetector.CheckAccepter.
func (d detector) CheckSeq(n uint64) replaydetector.Token {
	t := d.in.CheckSeq(n)
	*d.seen = !t.Passed()
	return t
}

// Accept implements replaydetector.CheckAccepter.
func (d detector) Accept(t replaydetector.Token) bool { return d.in.Accept(t) }

func newContext(k Key, options ...srtp.ContextOption) (*srtp.Context, error) {
	if k.IsZero() {
		return nil, ErrKey
	}
	if len(k.mki) > 0 {
		options = append(options, srtp.MasterKeyIndicator(k.mki))
	}
	ctx, err := srtp.CreateContext(k.master, k.salt, k.suite.in().profile, options...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return ctx, nil
}

// Key is what the opener opens with.
func (o *Opener) Key() Key { return o.key }

// Continue makes o the successor of another opener of the same party, whose
// sources go on under the new key. RFC 3711 section 3.3.1 wants their rollover
// counters to go on too, and many phones begin again with zero: the first packet
// under the new key tells which.
func (o *Opener) Continue(before *Opener) {
	for _, s := range before.sources {
		if roc, ok := before.ctx.ROC(s.ssrc); ok && roc > 0 && len(o.sources) < maxSources {
			o.sources = append(o.sources, source{ssrc: s.ssrc, carried: roc})
		}
	}
}

// RTP checks and decrypts an SRTP packet in place and gives the RTP packet. It
// fails with ErrTag, ErrReplay or ErrSources; b is spoilt then.
func (o *Opener) RTP(b []byte) ([]byte, error) {
	if len(b) < 12 {
		return nil, ErrTag
	}
	s, err := o.source(binary.BigEndian.Uint32(b[8:]))
	if err != nil {
		return nil, err
	}
	if s != nil && !s.heard {
		return o.resume(s, b)
	}
	out, err := o.ctx.DecryptRTP(b[:0], b, &o.header)
	if err != nil {
		return nil, o.verdict()
	}
	if s == nil {
		o.sources = append(o.sources, source{ssrc: o.header.SSRC, heard: true})
	}
	return out, nil
}

// source finds a known SSRC; nil for a new one.
func (o *Opener) source(ssrc uint32) (*source, error) {
	for i := range o.sources {
		if o.sources[i].ssrc == ssrc {
			return &o.sources[i], nil
		}
	}
	if len(o.sources) >= maxSources {
		return nil, ErrSources
	}
	return nil, nil
}

// resume opens the first packet of a source that was known under the previous key.
// A failed attempt spoils the packet, so the first is made with a copy.
func (o *Opener) resume(s *source, b []byte) ([]byte, error) {
	var room [longest]byte
	if len(b) > len(room) {
		return nil, ErrTag
	}
	again := room[:copy(room[:], b)]
	o.ctx.SetROC(s.ssrc, s.carried)
	out, err := o.ctx.DecryptRTP(b[:0], b, &o.header)
	if err != nil {
		o.ctx.SetROC(s.ssrc, 0)
		b = b[:copy(b[:cap(b)], again)]
		if out, err = o.ctx.DecryptRTP(b[:0], b, &o.header); err != nil {
			return nil, o.verdict()
		}
	}
	s.heard = true
	return out, nil
}

// RTCP checks and decrypts an SRTCP packet in place and gives the compound. Errors
// are those of RTP.
func (o *Opener) RTCP(b []byte) ([]byte, error) {
	if len(b) < 8 {
		return nil, ErrTag
	}
	ssrc, known := binary.BigEndian.Uint32(b[4:]), false
	for _, r := range o.reports {
		known = known || r == ssrc
	}
	if !known && len(o.reports) >= maxSources {
		return nil, ErrSources
	}
	out, err := o.ctx.DecryptRTCP(b[:0], b, nil)
	if err != nil {
		return nil, o.verdict()
	}
	if !known {
		o.reports = append(o.reports, ssrc)
	}
	return out, nil
}

// verdict tells a repeated packet from a forged one, after the context refused it.
func (o *Opener) verdict() error {
	if o.seen {
		o.seen = false
		return ErrReplay
	}
	return ErrTag
}

// Sealer protects what one party is sent under one key.
type Sealer struct {
	key    Key
	ctx    *srtp.Context
	header rtp.Header
}

// NewSealer makes the context for a key of ours. It fails with ErrKey.
func NewSealer(k Key) (*Sealer, error) {
	ctx, err := newContext(k)
	if err != nil {
		return nil, err
	}
	return &Sealer{key: k, ctx: ctx}, nil
}

// Key is what the sealer seals with.
func (s *Sealer) Key() Key { return s.key }

// Continue makes s the successor of another sealer of the same stream: the
// rollover counter of ssrc goes on under the new key (RFC 3711 section 3.3.1).
func (s *Sealer) Continue(before *Sealer, ssrc uint32) {
	if roc, ok := before.ctx.ROC(ssrc); ok && roc > 0 {
		s.ctx.SetROC(ssrc, roc)
	}
}

// RTP protects the RTP packet b, writing to dst, which must not overlap with b and
// should have room for Overhead more.
func (s *Sealer) RTP(dst, b []byte) ([]byte, error) {
	out, err := s.ctx.EncryptRTP(dst[:0], b, &s.header)
	if err != nil {
		return nil, fmt.Errorf("protect: %w", err)
	}
	return out, nil
}

// RTCP protects the compound b, like RTP.
func (s *Sealer) RTCP(dst, b []byte) ([]byte, error) {
	out, err := s.ctx.EncryptRTCP(dst[:0], b, nil)
	if err != nil {
		return nil, fmt.Errorf("protect: %w", err)
	}
	return out, nil
}
