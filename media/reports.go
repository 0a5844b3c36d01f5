package media

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// Every stream is an RTP session of two, the party and us, so the reports of one
// party never reach another, as with any mixer (RFC 3550 section 7.3): what
// is said to each is what we saw of it and sent to it.

// reportEvery is the least interval between two reports; half of it passes before the
// first (RFC 3550 section 6.2). Two members at 8 kbit/s or more stay within their 5 %
// of the bandwidth with it: 100 octets each in 5 s are 0.3 kbit/s.
const reportEvery = 5e9 // ns

// reportTime is the time until the next report: spread over half to one and a half of
// the interval, and shortened for what reconsideration would add (RFC 3550 section
// 6.3.1), so that the reports of many calls do not come at once.
func reportTime(first bool) int64 {
	every := reportEvery
	if first {
		every /= 2
	}
	return int64(every * (0.5 + rand.Float64()) / 1.21828)
}

// reports is what a stream's reports need to be remembered. It belongs to the loop.
type reports struct {
	due        int64   // of the next one; 0 before there are terms
	prev, next *stream // in the slot
	listed     bool    // in the agenda
	slot       uint8
	begun      bool   // one was sent
	lost       uint32 // what the party missed, by its last report

	// What was so when the last report went out.
	sent               [2]uint32 // packets, and at the one before
	epoch              uint64    // of the party's numbering
	expected, received uint32

	// The party's last sender report.
	senderSSRC, senderMid uint32
	senderAt              int64

	stamps [2]uint32 // middle of the NTP time of our last sender reports, latest first
}

// lossReport is the part of a report block that an interval determines.
type lossReport struct {
	fraction uint8 // lost of 256
	lost     int32 // of the numbering, fewer than none after duplicates
}

// interval sums up what arrived since the last report; ok is false when nothing did,
// and there is nothing to say then (RFC 3550 section 6.4).
func (r *reports) interval(in *receiver) (b lossReport, ok bool) {
	if in.epoch != r.epoch {
		r.epoch, r.expected, r.received = in.epoch, 0, 0
	}
	if in.epoch == 0 || in.received == r.received {
		return b, false
	}
	all := in.expected()
	expected, received := all-r.expected, in.received-r.received
	r.expected, r.received = all, in.received
	if expected > received && int32(expected) > 0 {
		b.fraction = uint8(min(uint64(expected-received)<<8/uint64(expected), 255))
	}
	const most = 1<<23 - 1
	b.lost = int32(min(max(int64(all)-int64(in.received), -most), most))
	return b, true
}

// noteSender remembers a sender report, to tell when it came.
func (r *reports) noteSender(b []byte, now int64) {
	r.senderSSRC, r.senderMid, r.senderAt = reporter(b), binary.BigEndian.Uint32(b[10:]), now
}

// heardSender is LSR and DLSR of a source, 0 without a report of it.
func (r *reports) heardSender(ssrc uint32, now int64) (last, since uint32) {
	if r.senderAt == 0 || r.senderSSRC != ssrc {
		return 0, 0
	}
	return r.senderMid, shortTime(now - r.senderAt)
}

// stamp remembers the time of a sender report of ours.
func (r *reports) stamp(mid uint32) { r.stamps = [2]uint32{mid, r.stamps[0]} }

// maxTrip is the longest round trip that is believed, in s.
const maxTrip = 10

// noteBlock takes what the party says of our stream.
func (s *stream) noteBlock(block []byte) {
	r, c := &s.reports, &s.counters
	lost := binary.BigEndian.Uint32(block[4:]) & 0xffffff
	if lost >= 1<<23 {
		lost = 0 // duplicates have made it less than none
	}
	total := c.farLost.get() + uint64(lost)
	if lost+maxMisorder >= r.lost {
		total -= uint64(r.lost)
	} // else it counts anew
	r.lost = lost
	c.farLost.set(total)
	if clock := s.terms.Codec.Clock; clock > 0 {
		jitter := min(binary.BigEndian.Uint32(block[12:]), uint32(clock)) // a second at most
		c.farJitter.set(uint64(jitter<<4)<<32 | uint64(clock))
	}
	// Only a report of ours that we remember tells a time.
	last, since := binary.BigEndian.Uint32(block[16:]), binary.BigEndian.Uint32(block[20:])
	if last == 0 || last != r.stamps[0] && last != r.stamps[1] {
		return
	}
	trip := int32(uint32(ntpTime(s.engine.wall, s.loop.now)>>16) - last - since)
	if trip > maxTrip<<16 {
		return // its delay is not what it says
	}
	c.roundTrip.set(uint64(max(trip, 1)) * 1e9 >> 16) // its clock may be coarser than the trip is long
}

// ntpTime is a moment of the engine's clock as NTP has it: seconds since 1900 and 32
// bits of their fraction. wall is when that clock was 0.
func ntpTime(wall time.Time, now int64) uint64 {
	const from1900to1970 = 2208988800
	t := wall.Add(time.Duration(now))
	return uint64(t.Unix()+from1900to1970)<<32 | uint64(t.Nanosecond())<<32/1e9
}

// shortTime is a duration in 1/65536 s, as reports have it.
func shortTime(d int64) uint32 { return uint32(uint64(d)/1e9<<16 | uint64(d)%1e9<<16/1e9) }

// report sends a report that is due and fixes the time of the next.
func (s *stream) report(now int64) {
	s.sendReport(false)
	s.reports.due = now + reportTime(false)
	s.loop.agenda.add(s, now)
}

// farewell sends the last report, with a BYE, if there was anything before it.
func (s *stream) farewell() {
	if s.terms != nil && (s.reports.begun || s.counters.sent.get() > 0) {
		s.sendReport(true)
	}
}

// The agenda's slots: they reach further than the longest interval.
const (
	slotTime    = 1 << 27 // ns
	agendaSlots = 64
)

// agenda tells a loop which stream reports next: one clock for all streams of a loop,
// a ring of short lists, so that neither a new report nor a stream that ends costs a
// look at the others.
type agenda struct {
	slots [agendaSlots]*stream
	turn  int64 // the slot that is looked at next; slots count from the clock's zero
	n     int
	at    int64 // when; 0 while nothing is due
}

// add enters a stream at the time it has. It waits for the end of the slot.
func (a *agenda) add(s *stream, now int64) {
	if a.n == 0 {
		a.turn = now / slotTime
	}
	slot := min(max(s.reports.due/slotTime+1, a.turn), a.turn+agendaSlots-1)
	r := &s.reports
	r.listed, r.slot = true, uint8(slot%agendaSlots)
	r.prev, r.next = nil, a.slots[r.slot]
	if r.next != nil {
		r.next.reports.prev = s
	}
	a.slots[r.slot] = s
	a.n++
	a.at = earlier(a.at, slot*slotTime)
}

// drop takes a stream out, if it is in.
func (a *agenda) drop(s *stream) {
	r := &s.reports
	if !r.listed {
		return
	}
	if r.prev != nil {
		r.prev.reports.next = r.next
	} else {
		a.slots[r.slot] = r.next
	}
	if r.next != nil {
		r.next.reports.prev = r.prev
	}
	r.listed, r.prev, r.next = false, nil, nil
	if a.n--; a.n == 0 {
		a.at = 0
	}
}

// run lets every stream report that is due, and finds out who is next.
func (a *agenda) run(now int64) {
	for ; a.n > 0 && a.turn <= now/slotTime; a.turn++ {
		for s := a.slots[a.turn%agendaSlots]; s != nil; s = a.slots[a.turn%agendaSlots] {
			a.drop(s)
			if s.reports.due > now {
				a.add(s, now) // the clock has leapt, and this one has reported since
				continue
			}
			s.report(now)
		}
	}
	a.at = 0
	for i := int64(0); a.n > 0 && a.at == 0; i++ {
		if a.slots[(a.turn+i)%agendaSlots] != nil {
			a.at = (a.turn + i) * slotTime
		}
	}
}
