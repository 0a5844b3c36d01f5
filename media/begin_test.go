package media

import "testing"

// TestBeginsUnpredictable (A12): SSRC, first timestamp, first sequence number, CNAME and
// session id have no bit that stays, and none that follows from the stream before.
func TestBeginsUnpredictable(t *testing.T) {
	const streams = 512
	type start [24]byte
	at := func() (b start) {
		var s stream
		id := s.begin(nil, Events{}, &pair{})
		for i := range 4 {
			b[i], b[4+i], b[8+i] = byte(s.out.ssrc>>(8*i)), byte(s.out.ts>>(8*i)), byte(id>>(8*i))
		}
		b[12], b[13] = byte(s.out.seq), byte(s.out.seq>>8)
		copy(b[14:], s.cname[:])
		return b
	}
	const (
		topOfID  = 8*12 - 1 // the session id has 31 bits
		topOfSeq = 8*14 - 1 // and the first sequence number 15
	)
	var set, flipped [24 * 8]int
	before := at()
	for range streams {
		now := at()
		for i := range set {
			bit := now[i/8] >> (i % 8) & 1
			set[i] += int(bit)
			flipped[i] += int(bit ^ before[i/8]>>(i%8)&1)
		}
		before = now
	}
	for i := range set {
		// Half of them, 9 standard deviations more or less.
		fair := func(n int) bool { return n > streams/2-100 && n < streams/2+100 }
		if i != topOfID && i != topOfSeq && (!fair(set[i]) || !fair(flipped[i])) {
			t.Errorf("bit %d is set in %d of %d, and another than before in %d", i, set[i], streams, flipped[i])
		}
	}
}
