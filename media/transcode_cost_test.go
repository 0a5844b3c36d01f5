package media

import (
	"testing"

	"github.com/cordpair/cordpair/media/sounds"
)

// A transcoded packet costs no allocation, in either direction.
func TestTranscodingDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, way := range [][2]string{{"8", "9"}, {"9", "8"}} {
		step, out := transcoding(t, way[0], way[1])
		for range 500 {
			step()
		}
		sent := out.sent
		if n := testing.AllocsPerRun(1000, step); n != 0 {
			t.Errorf("%v: %v allocations a packet", way, n)
		}
		if out.sent-sent < 1000 {
			t.Errorf("only %d packets were sent", out.sent-sent)
		}
	}
}

// transcoding gives a function that handles a packet and a tick.
func transcoding(t testing.TB, from, to string) (step func(), out *wire) {
	l, a, b, src, out := benchPair(t, from, to)
	speech, _ := sounds.New().Lookup("your-number-is")
	f := coder(a.terms.Codec)
	e, err := f.NewEncoder(8000)
	if err != nil {
		t.Fatal(err)
	}
	var said [][]byte
	for at := 0; at+160 <= len(speech); at += 160 {
		payload := make([]byte, 160)
		e.Encode(payload, speech[at:at+160])
		said = append(said, payload)
	}
	header, i := [rtpHeader]byte(b), 0
	return func() {
		copy(b, header[:])
		next(b, l)
		header = [rtpHeader]byte(b)
		copy(b[rtpHeader:], said[i%len(said)])
		i++
		l.arrived(a, false, b, src)
		l.tick()
	}, out
}

// What a transcoded packet costs besides the system calls: one way.
func BenchmarkRecode(b *testing.B) {
	for _, way := range [][2]string{{"8", "9"}, {"9", "8"}} {
		b.Run(way[0]+" to "+way[1], func(b *testing.B) {
			step, out := transcoding(b, way[0], way[1])
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
			if out.sent < b.N*9/10 {
				b.Fatalf("%d of %d packets were sent", out.sent, b.N)
			}
		})
	}
}
