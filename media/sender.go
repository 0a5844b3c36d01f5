package media

// sender is the one RTP stream a party receives from us: one SSRC for the life
// of the session, sequence numbers and timestamps that go on whatever the source
// is. It belongs to the loop.
type sender struct {
	ssrc uint32
	seq  uint16 // last sent
	ts   uint32 // highest sent
	tsAt int64  // when
	at   int64  // when anything was sent last

	turn   uint64 // of the relay that fed it last
	epoch  uint64 // of the source that is mapped; 0 for none
	seqOff uint16 // ours minus the source's
	tsOff  uint32
	floor  uint16 // source numbers below are from before the switch
}

// place maps a source's packet onto the stream. first is set for the first one
// of a source, which gets the marker bit: a talk spurt begins (RFC 3551 section
// 4.1). ok is false for a packet that is older than the switch to its source.
// clock is the timestamp rate in Hz.
func (o *sender) place(epoch uint64, seq uint16, ts uint32, now int64, clock int) (outSeq uint16, outTS uint32, first, ok bool) {
	if epoch != o.epoch {
		first = true
		o.epoch, o.floor = epoch, seq
		o.seqOff = o.seq + 1 - seq
		o.tsOff = o.ts + o.gap(now, clock) - ts
	}
	if int16(seq-o.floor) < 0 {
		return 0, 0, false, false
	}
	if seq-o.floor > maxMisorder {
		o.floor = seq - maxMisorder
	}
	outSeq, outTS = seq+o.seqOff, ts+o.tsOff
	if first || int16(outSeq-o.seq) > 0 {
		o.seq = outSeq
	}
	if first || int32(outTS-o.ts) > 0 {
		o.ts, o.tsAt = outTS, now
	}
	o.at = now
	return outSeq, outTS, first, true
}

// gap is the time since the last packet in timestamp units, at least a frame of
// 20 ms, so that the receiver's clock and ours agree across a switch.
func (o *sender) gap(now int64, clock int) uint32 {
	passed := now - o.at
	if o.at == 0 || passed < frameTime {
		passed = frameTime
	}
	return uint32(passed/1e9*int64(clock) + passed%1e9*int64(clock)/1e9)
}

// hear begins a spurt when a source has its turn again: what it sent meanwhile
// went elsewhere and is not missing in our numbers.
func (o *sender) hear(turn uint64) {
	if turn != o.turn {
		o.turn = turn
		o.interrupt()
	}
}

// interrupt makes the next packet, of whatever source, the first of a spurt.
func (o *sender) interrupt() { o.epoch = 0 }

// clockAt is the timestamp that goes with a moment, at clock Hz.
func (o *sender) clockAt(now int64, clock int) uint32 {
	passed := now - o.tsAt
	return o.ts + uint32(passed/1e9*int64(clock)+passed%1e9*int64(clock)/1e9)
}
