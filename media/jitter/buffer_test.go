package jitter

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

const ms = int64(1e6)

// arrival is a packet on its way.
type arrival struct {
	at int64
	p  Packet
}

// path is a party and the network between it and us.
type path struct {
	clock, frame int     // Hz, ms
	drift        float64 // of the party's clock: 1e-4 is 100 ppm fast
	delay        func(i int) int64
	lose, twice  func(i int) bool
	talks        func(i int) bool // nil: always
}

// send makes the arrivals of n frames in order of time.
func (w path) send(n int) []arrival {
	var out []arrival
	seq, first, talked := uint16(65500), uint32(math.MaxUint32-3000), false
	for i := range n {
		if w.talks != nil && !w.talks(i) {
			talked = false
			continue
		}
		ts := first + uint32(i*w.frame*w.clock/1000)
		p := Packet{Seq: seq, TS: ts, Marker: !talked, Payload: binary.BigEndian.AppendUint32(nil, uint32(i))}
		talked = true
		seq++
		if w.lose != nil && w.lose(i) {
			continue
		}
		at := int64(float64(int64(i)*int64(w.frame)*ms)*(1-w.drift)) + w.delay(i)
		out = append(out, arrival{at, p})
		if w.twice != nil && w.twice(i) {
			out = append(out, arrival{at + 3*ms, p})
		}
	}
	slices.SortStableFunc(out, func(a, b arrival) int { return int(a.at - b.at) })
	return out
}

// heard is what came out of a buffer.
type heard struct {
	played, lost, starved, silent int
	frames                        []int   // of what was played
	delays                        []int64 // from the party's mouth to our ear
	hurried                       int
	verdicts                      [TooLong + 1]int
	most                          int // packets held
}

// play runs a buffer over the arrivals, wanting 20 ms of sound every 20 ms. What is
// to be hurried is cut by a tenth of a frame.
func play(t interface{ Fatalf(string, ...any) }, w path, all []arrival, until int64) heard {
	b := New(w.clock)
	var h heard
	ticks, stock := w.frame*w.clock/1000, int64(0)
	for now := 7 * ms; now < until; now += 20 * ms {
		for len(all) > 0 && all[0].at <= now {
			h.verdicts[b.Put(all[0].at, all[0].p)]++
			all = all[1:]
			h.most = max(h.most, b.Held())
		}
		for stock < 20*ms {
			p, what := b.Next(now)
			if what != Play && what != Lost {
				if what == Starved {
					h.starved++
				} else {
					h.silent++
				}
				stock = 20 * ms
				break
			}
			stock += int64(w.frame) * ms
			if what == Lost {
				h.lost++
				continue
			}
			b.Advance(ticks)
			if p.Hurry {
				h.hurried++
				stock -= int64(w.frame) * ms / 10
			}
			i := int(binary.BigEndian.Uint32(p.Payload))
			h.played++
			h.frames = append(h.frames, i)
			h.delays = append(h.delays, now-int64(i)*int64(w.frame)*ms)
		}
		stock -= 20 * ms
		if d := b.Delay(); d < MinDelay || d > MaxDelay {
			t.Fatalf("delay of %d ms", d/ms)
		}
	}
	return h
}

func steady(delay int64) func(int) int64 { return func(int) int64 { return delay } }

func TestPaths(t *testing.T) {
	burst := func(i int) int64 { // everything stands still for 400 ms now and then
		if k := i % 250; k < 20 {
			return int64(20-k)*20*ms + 30*ms
		}
		return 30 * ms
	}
	for _, tt := range []struct {
		name    string
		path    path
		n       int
		lost    int   // packets not played, at most
		strange int   // times without sound in speech, at most
		delay   int64 // of most packets, at most
	}{
		{"even", path{clock: 8000, frame: 20, delay: steady(30 * ms)}, 1500, 0, 0, 95 * ms},
		{"10 ms", path{clock: 8000, frame: 10, delay: steady(30 * ms)}, 3000, 0, 0, 95 * ms},
		{"30 ms", path{clock: 8000, frame: 30, delay: steady(30 * ms)}, 1000, 0, 1, 105 * ms},
		{"60 ms at 48 kHz", path{clock: 48000, frame: 60, delay: steady(30 * ms)}, 500, 0, 1, 135 * ms},
		{"every tenth 50 ms late", path{clock: 8000, frame: 20, delay: func(i int) int64 {
			if i%10 == 9 {
				return 80 * ms
			}
			return 30 * ms
		}}, 1500, 2, 3, 140 * ms},
		{"swapped", path{clock: 8000, frame: 20, delay: func(i int) int64 {
			if i%7 == 3 {
				return 55 * ms
			}
			return 30 * ms
		}}, 1500, 2, 3, 120 * ms},
		{"one in 20 lost", path{clock: 8000, frame: 20, delay: steady(30 * ms), lose: func(i int) bool { return i%20 == 5 }}, 1500, 75, 0, 95 * ms},
		{"all twice", path{clock: 8000, frame: 20, delay: steady(30 * ms), twice: func(int) bool { return true }}, 1500, 0, 0, 95 * ms},
		{"fast clock", path{clock: 8000, frame: 20, drift: 3e-4, delay: steady(30 * ms)}, 6000, 0, 0, 110 * ms},
		{"slow clock", path{clock: 8000, frame: 20, drift: -3e-4, delay: steady(30 * ms)}, 6000, 0, 5, 150 * ms},
		{"bursts", path{clock: 8000, frame: 20, delay: burst}, 3000, 12 * 20, 12 * 25, 250 * ms},
		{"silence suppressed", path{clock: 8000, frame: 20, delay: steady(30 * ms), talks: func(i int) bool { return i%200 < 100 }}, 1600, 0, 8 * patient, 95 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := tt.path.send(tt.n)
			sent := len(all)
			if tt.path.twice != nil {
				sent /= 2
			}
			if tt.path.lose != nil {
				sent = tt.n
			}
			h := play(t, tt.path, all, int64(tt.n*tt.path.frame)*ms*11/10+ms*500)
			if missing := sent - h.played; missing > tt.lost {
				t.Errorf("%d packets were not played", missing)
			}
			// At the end of the stream the buffer starves, and rightly.
			if holes := h.starved - patient; holes > tt.strange {
				t.Errorf("starved %d times", holes)
			}
			if !slices.IsSorted(h.frames) {
				t.Error("out of order")
			}
			late := slices.Clone(h.delays)
			for i := range late {
				late[i] += int64(float64(h.frames[i]*tt.path.frame) * tt.path.drift * float64(ms))
			}
			slices.Sort(late)
			if d := late[len(late)*9/10]; d > tt.delay {
				t.Errorf("nine tenths are heard after up to %d ms", d/ms)
			}
		})
	}
}

// An advance in the delay is taken back, by hurrying.
func TestDelayFalls(t *testing.T) {
	w := path{clock: 8000, frame: 20, delay: func(i int) int64 {
		if i < 500 && i%10 == 9 {
			return 150 * ms
		}
		return 30 * ms
	}}
	h := play(t, w, w.send(3000), 60e9)
	if h.hurried == 0 {
		t.Error("nothing was hurried")
	}
	if d := h.delays[len(h.delays)-1]; d > 100*ms {
		t.Errorf("the last packet was heard after %d ms", d/ms)
	}
}

// Whatever the network does, packets come out in order, once, unchanged, and not
// too late; few are held.
func TestAnyNetwork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := 400
		w := path{
			clock: rapid.SampledFrom([]int{8000, 16000, 48000}).Draw(t, "clock"),
			frame: rapid.SampledFrom([]int{10, 20, 30, 40, 60}).Draw(t, "frame"),
			drift: rapid.Float64Range(-3e-4, 3e-4).Draw(t, "drift"),
		}
		spread := rapid.Int64Range(0, 300).Draw(t, "spread")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		delays, fate := make([]int64, n), make([]int, n)
		for i := range n {
			delays[i], fate[i] = random.Int64N(spread+1), random.IntN(10)
		}
		pause := rapid.IntRange(1, 100).Draw(t, "pause")
		w.delay = func(i int) int64 { return delays[i] * ms }
		w.lose = func(i int) bool { return fate[i] == 0 }
		w.twice = func(i int) bool { return fate[i] == 1 }
		w.talks = func(i int) bool { return i/pause%3 != 2 }
		all := w.send(n)
		h := play(t, w, all, int64(n*w.frame)*ms+2e9)
		for i := 1; i < len(h.frames); i++ {
			if h.frames[i] <= h.frames[i-1] {
				t.Fatalf("%d after %d", h.frames[i], h.frames[i-1])
			}
		}
		for i, d := range h.delays {
			ahead := int64(w.drift * float64(int64(h.frames[i]*w.frame)*ms))
			if d += ahead; d < delays[h.frames[i]]*ms {
				t.Fatalf("frame %d was played before it came", h.frames[i])
			}
			if d > (spread+400)*ms+int64(2*w.frame)*ms {
				t.Fatalf("frame %d was played after %d ms", h.frames[i], d/ms)
			}
		}
		if h.most > capacity {
			t.Fatalf("%d held", h.most)
		}
		kept := h.verdicts[Kept]
		if sum := kept + h.verdicts[Late] + h.verdicts[Duplicate]; sum != len(all) {
			t.Fatalf("%d of %d packets accounted for", sum, len(all))
		}
		if h.played > kept {
			t.Fatalf("%d played of %d kept", h.played, kept)
		}
	})
}

// Arbitrary packets at arbitrary times do no harm.
func TestAnyPackets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, now := New(8000), int64(0)
		for range rapid.IntRange(0, 300).Draw(t, "steps") {
			now += rapid.Int64Range(0, 50*ms).Draw(t, "time")
			p := Packet{
				Seq: rapid.Uint16().Draw(t, "seq"), TS: rapid.Uint32().Draw(t, "ts"),
				Marker: rapid.Bool().Draw(t, "marker"), Event: rapid.Bool().Draw(t, "event"),
				Payload: make([]byte, rapid.IntRange(0, 20).Draw(t, "length")),
			}
			b.Put(now, p)
			if _, what := b.Next(now); what == Play {
				b.Advance(rapid.IntRange(0, 960).Draw(t, "ticks"))
			}
			if b.Held() < 0 || b.Held() > capacity || len(b.spare) > capacity+1 {
				t.Fatalf("holds %d, %d spare", b.Held(), len(b.spare))
			}
		}
	})
}

// A party that stopped and went on with its numbers is heard soon.
func TestClockStoodStill(t *testing.T) {
	w := path{clock: 8000, frame: 20, delay: func(i int) int64 {
		if i >= 200 {
			return 10e9
		}
		return 30 * ms
	}}
	h := play(t, w, w.send(400), 30e9)
	if h.played < 398 {
		t.Errorf("played %d", h.played)
	}
}

func TestEventsInOrder(t *testing.T) {
	b := New(8000)
	now, ts := int64(0), uint32(0)
	var out []byte
	tick := func() {
		for {
			p, what := b.Next(now)
			if what != Play {
				break
			}
			out = append(out, p.Payload[0])
			if !p.Event {
				b.Advance(160)
				break
			}
		}
	}
	put := func(seq uint16, ts uint32, event bool, what byte) {
		b.Put(now, Packet{Seq: seq, TS: ts, Event: event, Payload: []byte{what}})
	}
	for i := range 30 {
		switch {
		case i < 10 || i >= 15:
			put(uint16(i+2*(i/15)), ts, false, 's')
		case i == 14:
			for k := range uint16(3) {
				put(14+k, 1600, true, 'E')
			}
		default:
			put(uint16(i), 1600, true, 'e')
		}
		ts += 160
		tick()
		now += 20 * ms
	}
	for range 10 {
		tick()
		now += 20 * ms
	}
	want := bytes.Repeat([]byte{'s'}, 10)
	want = append(append(want, "eeeeEEE"...), bytes.Repeat([]byte{'s'}, 15)...)
	if !bytes.Equal(out, want) {
		t.Errorf("played %s, want %s", out, want)
	}
}

func TestNoAllocation(t *testing.T) {
	b, now := New(8000), int64(0)
	p := Packet{Payload: make([]byte, 160)}
	step := func() {
		p.Seq++
		p.TS += 160
		b.Put(now, p)
		if _, what := b.Next(now); what == Play {
			b.Advance(160)
		}
		now += 20 * ms
	}
	for range 200 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

func BenchmarkBuffer(b *testing.B) {
	x, now := New(8000), int64(0)
	p := Packet{Payload: make([]byte, 160)}
	b.ReportAllocs()
	for b.Loop() {
		p.Seq++
		p.TS += 160
		x.Put(now, p)
		if _, what := x.Next(now); what == Play {
			x.Advance(160)
		}
		now += 20 * ms
	}
}

// A party may change between formats of two rates with every packet: that costs no
// memory, and what was held counts no more.
func TestRetime(t *testing.T) {
	b, seq, now, payload := New(8000), uint16(0), int64(0), []byte{1}
	step := func() {
		for _, clock := range []int{48000, 8000} {
			seq, now = seq+1, now+20*ms
			b.Retime(clock)
			if b.Put(now, Packet{Seq: seq, Payload: payload}); b.Held() != 1 {
				t.Fatalf("%d held", b.Held())
			}
		}
	}
	step()
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
