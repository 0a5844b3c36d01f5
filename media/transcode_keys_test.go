package media

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/cordpair/cordpair/media/mediatest"
)

// press sends a telephone event of five packets and three ends, 100 ms long.
func (x *talkative) press(r *rig, e *ear, code byte) {
	p, start := x.p, x.p.ts+160
	event := func(end byte, duration int) {
		p.seq++
		p.send(x.s, rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 101, SequenceNumber: p.seq, Timestamp: start, SSRC: p.ssrc,
			Marker: duration == 160}, Payload: []byte{code, end | 10, byte(duration >> 8), byte(duration)}})
	}
	for i := 1; i <= 5; i++ {
		x.next(false)
		event(0, 160*i)
		r.advance(20 * time.Millisecond)
		e.hear()
	}
	for range 3 {
		event(0x80, 960)
	}
	x.next(false)
	r.advance(20 * time.Millisecond)
	e.hear()
}

// TestEventsThroughTranscoding: digits arrive in order between the speech, under one
// timestamp each, and speech pauses for them.
func TestEventsThroughTranscoding(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb, a, _ := wide(t, r)
		e := &ear{p: pb}
		x := talks(t, pa, a, format(t, "PCMA"), 8000, 20, mediatest.Tone(400, 8000, 20*time.Second, -12))
		speech := func(n int) {
			for range n {
				x.next(true)
				r.advance(20 * time.Millisecond)
				e.hear()
			}
		}
		speech(40)
		x.press(r, e, 5)
		speech(20)
		x.press(r, e, 7)
		speech(40)
		r.advance(200 * time.Millisecond)
		got := e.hear()
		at := orderly(t, got)
		// Twenty frames of speech and a key lie between the keys' beginnings.
		if len(at) != 2 {
			t.Fatalf("%d keys", len(at))
		}
		if d := int(at[1] - at[0]); d < 24*160 || d > 28*160 {
			t.Errorf("the keys are %d ticks apart", d)
		}
		if n := len(listen(t, got, format(t, "G722"), 8000)); n < 99*160 || n > 125*160 {
			t.Errorf("%d frames of speech", n/160)
		}
	})
}

// orderly checks what a phone got of speech and of keys of eight packets each, and
// gives the timestamps of the keys.
func orderly(t *testing.T, got []rtp.Packet) (at []uint32) {
	t.Helper()
	counts := map[uint32]int{}
	for i, p := range got {
		if i > 0 && p.SequenceNumber != got[i-1].SequenceNumber+1 {
			t.Fatalf("packet %d: number %d after %d", i, p.SequenceNumber, got[i-1].SequenceNumber)
		}
		if i > 0 {
			if d := int32(p.Timestamp - got[i-1].Timestamp); d < 0 || d > 8000/5 {
				t.Errorf("packet %d: timestamp moved by %d", i, d)
			}
		}
		if p.PayloadType != 101 {
			continue
		}
		if counts[p.Timestamp]++; counts[p.Timestamp] == 1 {
			at = append(at, p.Timestamp)
		}
		if d := binary.BigEndian.Uint16(p.Payload[2:]); d == 0 || d > 960 {
			t.Errorf("duration %d", d)
		}
	}
	for _, ts := range at {
		if counts[ts] != 8 {
			t.Errorf("%d packets of a key", counts[ts])
		}
	}
	return at
}
