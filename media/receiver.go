package media

import "sync/atomic"

// How far sequence numbers and timestamps may jump before a packet is taken for
// a stray (RFC 3550 appendix A.1). Two strays in a row are a restarted sender.
const (
	maxDropout  = 3000
	maxMisorder = 100
	// stablePackets in rising order make an SSRC the one that holds (M2).
	stablePackets = 5
	// maxTimeJump and maxTimeBack bound a timestamp against the clock, in s.
	maxTimeJump = 10
	maxTimeBack = 1
)

// receiver follows one party's RTP: which SSRC counts, what is lost, how much
// it jitters (RFC 3550 sections 6.4.1 and A.8). It belongs to the loop.
type receiver struct {
	epoch uint64 // changes when the numbering begins anew; 0 before the first packet
	ssrc  uint32
	run   int // packets in rising order, up to stablePackets

	seq      uint16 // highest
	ts       uint32 // of the highest
	at       int64  // when the SSRC was heard last
	cycles   uint32 // of seq, in units of 1<<16
	base     uint32 // extended number the epoch began with
	received uint32 // in this epoch
	before   uint64 // lost in earlier epochs

	stray    bool   // the last packet of the SSRC was a stray
	straySeq uint16 // what would follow it

	rival    uint32 // another SSRC that began before ours was stable
	rivalSeq uint16
	rivalRun int

	transit  uint32
	jitter16 uint32 // 16 times the jitter in timestamp units
	timed    bool   // transit is set
}

// accept decides whether a packet from the admitted source is part of the
// party's stream (M2, M4). clock is the timestamp rate of its codec in Hz, 0 for
// telephone events, whose timestamps stand still. epochs numbers new beginnings.
func (r *receiver) accept(p *packet, now int64, clock int, epochs *atomic.Uint64) bool {
	switch {
	case r.epoch == 0:
		r.begin(p, now, epochs.Add(1))
	case p.ssrc != r.ssrc:
		if now-r.at < silence && !r.rivalWins(p) {
			return false
		}
		r.begin(p, now, epochs.Add(1))
	default:
		ours := r.follow(p, now, clock, epochs)
		r.at = now
		if !ours {
			return false
		}
	}
	r.received++
	if clock != 0 {
		r.measure(p, now, clock)
	}
	return true
}

// begin makes the packet the first of a numbering.
func (r *receiver) begin(p *packet, now int64, epoch uint64) {
	r.before += r.lostNow()
	if p.ssrc != r.ssrc {
		r.run, r.rivalRun = 0, 0
	}
	r.epoch, r.ssrc = epoch, p.ssrc
	r.seq, r.ts, r.at = p.seq, p.ts, now
	r.cycles, r.base, r.received = 0, uint32(p.seq), 0
	r.stray, r.timed = false, false
	if r.run == 0 {
		r.run = 1
	}
}

// rivalWins follows an SSRC that competes before ours is stable and tells
// whether it was the first to send five packets in order.
func (r *receiver) rivalWins(p *packet) bool {
	if r.run >= stablePackets {
		return false
	}
	if r.rivalRun > 0 && p.ssrc == r.rival && p.seq == r.rivalSeq+1 {
		r.rivalRun++
	} else {
		r.rivalRun = 1
	}
	r.rival, r.rivalSeq = p.ssrc, p.seq
	return r.rivalRun >= stablePackets
}

// follow places a packet of our SSRC into the numbering.
func (r *receiver) follow(p *packet, now int64, clock int, epochs *atomic.Uint64) bool {
	delta := p.seq - r.seq
	switch {
	case delta > maxDropout && delta < 1<<16-maxMisorder, delta != 0 && delta <= maxDropout && r.jumps(p, now, clock):
		if !r.stray || p.seq != r.straySeq {
			r.stray, r.straySeq = true, p.seq+1
			return false
		}
		r.begin(p, now, epochs.Add(1))
		return true
	case delta != 0 && delta <= maxDropout:
		if p.seq < r.seq {
			r.cycles += 1 << 16
		}
		r.seq = p.seq
		if clock != 0 {
			r.ts = p.ts
		}
		if r.run < stablePackets {
			r.run++
		}
	}
	r.stray = false
	return true
}

// jumps tells whether the timestamp cannot be that of the next packets. Silence
// suppression moves it on with the clock, so the pause is allowed for.
func (r *receiver) jumps(p *packet, now int64, clock int) bool {
	if clock == 0 {
		return false
	}
	d := int64(int32(p.ts - r.ts))
	return d < -int64(maxTimeBack*clock) || d > int64(maxTimeJump*clock)+r.pause(now)*int64(clock)/1e9
}

// pause is how long our SSRC had been quiet, at most a minute, in ns.
func (r *receiver) pause(now int64) int64 { return min(now-r.at, 60e9) }

// measure updates the interarrival jitter (RFC 3550 section A.8).
func (r *receiver) measure(p *packet, now int64, clock int) {
	// Whole seconds apart: the product of ns and a 90 kHz clock overflows.
	arrival := uint32(now/1e9*int64(clock) + now%1e9*int64(clock)/1e9)
	transit := arrival - p.ts
	if r.timed {
		d := int32(transit - r.transit)
		if d < 0 {
			d = -d
		}
		r.jitter16 += uint32(d) - (r.jitter16+8)>>4
	}
	r.transit, r.timed = transit, true
}

// lostNow counts the gaps of the present numbering.
func (r *receiver) lostNow() uint64 {
	if r.epoch == 0 {
		return 0
	}
	expected := r.expected()
	if expected <= r.received {
		return 0 // duplicates
	}
	return uint64(expected - r.received)
}

// expected is how many packets the present numbering has had.
func (r *receiver) expected() uint32 { return r.cycles + uint32(r.seq) - r.base + 1 }

// lost counts all gaps.
func (r *receiver) lost() uint64 { return r.before + r.lostNow() }

// reset lets a new SSRC in at once: the source moved or was signalled anew.
func (r *receiver) reset() { r.at, r.run = -silence, 0 }
