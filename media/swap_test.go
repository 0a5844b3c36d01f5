package media

import (
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/pion/rtp"
	"pgregory.net/rapid"
)

// heardBy is what a party was sent: packets that say which of the sources' they are.
type heardBy struct {
	wire
	all []rtp.Packet
}

func (h *heardBy) send(b []byte, to *target) {
	var x rtp.Packet
	if x.Unmarshal(append([]byte(nil), b...)) == nil && !isRTCP(b) {
		h.all = append(h.all, x)
	}
	h.wire.send(b, to)
}

// stage is some parties on one loop that the test drives, so that it decides between
// which two packets a sink is swapped.
type stage struct {
	loop     *loop
	sessions []*Session
	heard    []*heardBy
	speech   []speech
	// hears is whom each party is to hear, -1 for nobody; due is what it must have
	// heard by now, the parties and their packets' numbers.
	hears []int
	due   [][][2]byte
}

// speech is how far a party's stream is.
type speech struct {
	seq uint16
	ts  uint32
	n   byte
}

func partyAt(i int) netip.AddrPort { return netip.AddrPortFrom(here, uint16(6000+2*i)) }

func newStage(t *rapid.T, parties int) *stage {
	g := &stage{speech: make([]speech, parties), due: make([][][2]byte, parties)}
	g.loop = &loop{io: still{}, now: 1e9}
	g.loop.clock = func() int64 { return g.loop.now }
	e := &Engine{pools: []*pool{newPool(here, 30000, 30003, nil, nil, nil)}, clock: g.loop.clock, loops: []*loop{g.loop}}
	for i := range parties {
		h := &heardBy{}
		n := &Session{loop: g.loop, talk: negotiation{local: netip.AddrPortFrom(here, uint16(30000+2*i))}}
		n.stream.begin(e, Events{}, &pair{rtp: h, rtcp: &wire{}})
		if _, err := n.SetOffer(describe(partyAt(i), "0")); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Answer(); err != nil {
			t.Fatal(err)
		}
		if err := g.loop.add(&n.stream); err != nil {
			t.Fatal(err)
		}
		g.sessions, g.heard, g.hears = append(g.sessions, n), append(g.heard, h), append(g.hears, -1)
		g.speech[i] = speech{seq: 65500, ts: 1<<32 - 3200}
	}
	g.loop.runPosted()
	return g
}

// listens notes whom a party hears from now on; a party has one listener.
func (g *stage) listens(who, to int) {
	for i, x := range g.hears {
		if x == to && to >= 0 {
			g.hears[i] = -1
		}
	}
	g.hears[who] = to
}

// speak lets the next packet of a party arrive.
func (g *stage) speak(who int) {
	x := &g.speech[who]
	x.seq, x.ts, x.n = x.seq+1, x.ts+frameSamples, x.n+1
	b := make([]byte, rtpHeader+2)
	putHeader(b, 0, false, x.seq, x.ts, uint32(1000+who))
	b[rtpHeader], b[rtpHeader+1] = byte(who), x.n
	g.loop.now += frameTime
	g.loop.arrived(&g.sessions[who].stream, false, b, partyAt(who))
	for i, from := range g.hears {
		if from == who {
			g.due[i] = append(g.due[i], [2]byte{byte(who), x.n})
		}
	}
}

// check compares what everybody heard with what was due.
func (g *stage) check(t *rapid.T) {
	for i, h := range g.heard {
		var got [][2]byte
		for n, x := range h.all {
			got = append(got, [2]byte(x.Payload))
			if n == 0 {
				continue
			}
			last := h.all[n-1]
			if x.SSRC != last.SSRC || x.SequenceNumber != last.SequenceNumber+1 || int32(x.Timestamp-last.Timestamp) < frameSamples {
				t.Fatalf("party %d heard %v after %v", i, x.Header, last.Header)
			}
		}
		if !slices.Equal(got, g.due[i]) {
			t.Fatalf("party %d heard %v, due was %v", i, got, g.due[i])
		}
	}
}

// TestSwapsLoseNothing: whatever sinks are swapped between any two packets, each packet
// is heard exactly once, by whom was to hear the party when it came, and everybody
// hears one stream: an SSRC, numbers without a gap and a clock that only goes forward.
func TestSwapsLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const parties = 4
		g := newStage(t, parties)
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			a, b := rapid.IntRange(0, parties-1).Draw(t, "a"), rapid.IntRange(0, parties-1).Draw(t, "b")
			switch rapid.IntRange(0, 7).Draw(t, "what") {
			case 0:
				if a != b {
					if err := Join(g.sessions[a], g.sessions[b]); err != nil {
						t.Fatal(err)
					}
					g.listens(a, b)
					g.listens(b, a)
				}
			case 1:
				g.sessions[a].Echo()
				g.listens(a, a)
			case 2:
				g.sessions[a].Quiet()
				g.listens(a, -1)
			case 3:
				g.loop.runPosted()
			default:
				g.speak(a)
			}
		}
		g.check(t)
	})
}

// TestJoinsUnderTraffic: parties on several loops are joined to one another while all
// of them send. Whatever moves, a packet is heard once at most, by one party, and each
// hears one stream without a gap; afterwards everybody hears whom it is joined to.
func TestJoinsUnderTraffic(t *testing.T) {
	if !hasEpoll {
		t.Skip("one loop serves all here")
	}
	r := &rig{t: t}
	r.open(Config{Addresses: []netip.Addr{here}, PortMin: 24300, PortMax: 24399}, 3)
	defer r.close()
	const parties, packets = 6, 150
	phones, sessions := make([]*phone, parties), make([]*Session, parties)
	for i := range phones {
		phones[i] = r.phone("1:0")
		sessions[i] = r.session(phones[i], "0", Events{})
		phones[i].speak(sessions[i], 0) // who was not heard gets 100 packets a second
	}
	r.settle()
	var talking sync.WaitGroup
	for i, p := range phones {
		talking.Go(func() { // ends after its packets
			for n := range packets {
				p.speak(sessions[i], 0, byte(i), byte(n))
				runtime.Gosched()
			}
		})
	}
	for n := range 60 {
		a := n % parties
		b := (a + 1 + n%(parties-1)) % parties
		if err := Join(sessions[a], sessions[b]); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
	talking.Wait()
	heardOnce(t, phones)
	r.settle()
	for i := 0; i < parties; i += 2 {
		if err := Join(sessions[i], sessions[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	r.settle()
	for i, p := range phones {
		p.speak(sessions[i], 0)
	}
	for i, p := range phones {
		if n := len(p.heard()); n != 1 {
			t.Errorf("in the end %d heard %d packets", i, n)
		}
	}
}

// heardOnce wants every packet that says whose it is at one phone at most, in one stream.
func heardOnce(t *testing.T, phones []*phone) {
	t.Helper()
	taken := map[[2]byte]int{}
	for i, p := range phones {
		got := p.heard()
		continuous(t, got)
		for _, x := range got {
			if len(x.Payload) != 2 {
				continue
			}
			id := [2]byte(x.Payload)
			if by, ok := taken[id]; ok {
				t.Errorf("packet %v was heard by %d and %d", id, by, i)
			}
			taken[id] = i
		}
	}
}
