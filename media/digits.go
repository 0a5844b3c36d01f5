package media

import (
	"encoding/binary"
	"math"
)

// M7: what one party may press.
const (
	maxDigitsPerSecond = 20
	maxDigitLength     = 10 // s
)

// digitNames are the events that are keys (RFC 4733 section 3.2).
const digitNames = "0123456789*#ABCD"

// digits follows the telephone events of one party: packets of one event share
// their timestamp, the end comes three times, and an event longer than its
// duration field goes on under a new timestamp (RFC 4733 section 2.5). It
// belongs to the loop.
type digits struct {
	known bool
	code  byte
	ts    uint32 // of the present packet group
	start uint32 // of the event
	last  uint16 // duration in the newest packet of the group
	ended bool
	muted bool // the event came too soon after others
	rate  window
}

// restart forgets the last event: the timestamps to come have nothing to do with
// its own, so they could not be told from those of a late packet.
func (d *digits) restart() { d.known = false }

// rescale gives the duration in the units of another rate, at most what the
// field can say. The timestamp is that of the speech beside it and stays.
func rescale(payload []byte, from, to int) {
	if from == to || from == 0 || len(payload) < 4 {
		return
	}
	d := uint64(binary.BigEndian.Uint16(payload[2:])) * uint64(to) / uint64(from)
	binary.BigEndian.PutUint16(payload[2:], uint16(min(d, math.MaxUint16)))
}

// see takes one event packet. digit is the key that begins with it, 0 for none;
// pass tells whether it may be relayed. clock is the events' rate in Hz.
func (d *digits) see(ts uint32, payload []byte, now int64, clock int) (digit byte, pass bool) {
	if len(payload) < 4 {
		return 0, false
	}
	code, end := payload[0], payload[1]&0x80 != 0
	duration := binary.BigEndian.Uint16(payload[2:])
	switch {
	case d.known && ts == d.ts:
		if code != d.code {
			return 0, false
		}
	case d.known && int32(ts-d.ts) < 0:
		return 0, false // a late packet of an event that is over
	case d.known && !d.ended && code == d.code && ts == d.ts+uint32(d.last):
		d.ts, d.last = ts, 0 // the next segment of a long event
	default:
		d.known, d.code, d.ts, d.start, d.last, d.ended = true, code, ts, ts, 0, false
		d.muted = !d.rate.allow(now)
		if !d.muted && int(code) < len(digitNames) {
			digit = digitNames[code]
		}
	}
	d.last = max(d.last, duration)
	d.ended = d.ended || end
	long := ts-d.start+uint32(duration) > uint32(maxDigitLength*clock)
	return digit, !d.muted && !long
}
