package location

import (
	"fmt"
	"net/netip"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// realistic is the REGISTER of a desk phone.
func realistic(extension int64, cseq uint32) Request {
	return Request{
		Extension: extension,
		CallID:    fmt.Sprintf("%020d-4f1c2a9b7d3e@192.168.10.52", extension),
		CSeq:      cseq,
		Contacts: []Contact{{
			URI:      fmt.Sprintf("sip:%d@192.168.10.52:5062;transport=udp", extension),
			Expires:  NoExpires,
			Q:        1000,
			Instance: fmt.Sprintf("<urn:uuid:f81d4fae-7dec-11d0-a765-%012d>", extension),
		}},
		Expires:   hour,
		Flow:      Flow{Transport: "UDP", Listener: "lan", Remote: src},
		Source:    netip.AddrPortFrom(src.Addr(), uint16(extension)),
		UserAgent: fmt.Sprintf("%s %d", "Deskphone T46 28.72.14.5", extension),
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("not what is shipped")
	}
	b := open(t, Config{Store: newShelf(), Events: func(Event) {}})
	r := realistic(1, 1)
	now := time.Now()
	buf := make([]Binding, 0, 4)
	check := func(name string, most float64, f func()) {
		if got := testing.AllocsPerRun(200, f); got > most {
			t.Errorf("%s allocates %v times, at most %v", name, got, most)
		}
	}
	r.Room = make([]Binding, 0, 4)
	check("a refresh", 0, func() {
		r.CSeq++
		if _, err := b.Update(r, now, nil); err != nil {
			t.Fatal(err)
		}
	})
	check("Lookup", 0, func() { buf = b.Lookup(1, now, buf[:0]) })
	check("Behind and FlowOf", 0, func() {
		id := b.Behind(1, r.Flow, now)
		if flow, ok := b.FlowOf(1, id, now); !ok || flow != r.Flow {
			t.Fatalf("%q is behind %v, %v", id, flow, ok)
		}
	})
}

// A registered phone must fit into 1.2 kB, strings and indexes included.
func TestMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("not what is shipped")
	}
	const phones, most = 20_000, 1200
	for _, transport := range []string{"UDP", "TCP"} {
		b := open(t, Config{})
		before := heap()
		for i := range int64(phones) {
			r := realistic(i+1, 1)
			if r.Flow.Transport = transport; transport == "TCP" {
				r.Flow.Conn = uint64(i + 1)
			}
			if _, err := b.Update(r, time.Now(), nil); err != nil {
				t.Fatal(err)
			}
		}
		each := (heap() - before) / phones
		t.Logf("%d bytes per phone over %s", each, transport)
		if each > most {
			t.Errorf("%d bytes per phone over %s, at most %d", each, transport, most)
		}
		runtime.KeepAlive(b)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkUpdate(b *testing.B) {
	const phones = 10_000
	requests := make([]Request, phones)
	for i := range requests {
		requests[i] = realistic(int64(i+1), 0)
	}
	run := func(name string, prepare func(*Request)) {
		b.Run(name, func(b *testing.B) {
			l := open(b, Config{Store: newShelf(), Events: func(Event) {}})
			now := time.Now()
			for i := range requests {
				requests[i].CSeq, requests[i].Expires = 1, hour
				if _, err := l.Update(requests[i], now, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				r := &requests[i%phones]
				r.CSeq++
				prepare(r)
				if _, err := l.Update(*r, now, func(error) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("refresh", func(*Request) {})
	run("add or remove", func(r *Request) { r.Expires = hour - r.Expires })
}

// BenchmarkPopulation refreshes phones of ever more: those that are refreshed are
// as many, and too many for the caches, so only the population differs.
func BenchmarkPopulation(b *testing.B) {
	const refreshed = 100_000
	for _, phones := range []int{refreshed, 1_000_000} {
		b.Run(strconv.Itoa(phones), func(b *testing.B) {
			l := open(b, Config{})
			now := time.Now()
			requests := make([]Request, 0, refreshed)
			for i := range phones {
				r := realistic(int64(i+1), 1)
				if _, err := l.Update(r, now, nil); err != nil {
					b.Fatal(err)
				}
				if i%(phones/refreshed) == 0 {
					requests = append(requests, r)
				}
			}
			runtime.GC()
			b.ResetTimer()
			for i := range b.N {
				r := &requests[i%refreshed]
				r.CSeq++
				if _, err := l.Update(*r, now, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	l := open(b, Config{})
	for i := range int64(10_000) {
		if _, err := l.Update(realistic(i+1, 1), time.Now(), nil); err != nil {
			b.Fatal(err)
		}
	}
	now := time.Now()
	buf := make([]Binding, 0, 4)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		buf = l.Lookup(int64(i%10_000)+1, now, buf[:0])
	}
}

// BenchmarkScale: what a refresh and a look-up cost beside so many phones. They are
// made for a sample that is as large each time, so that the caches see the same.
func BenchmarkScale(b *testing.B) {
	const sample = 1000
	for _, phones := range []int{1000, 100_000, 1_000_000} {
		l := open(b, Config{Store: newShelf(), Events: func(Event) {}})
		now := time.Now()
		var requests []Request
		for i := range phones {
			r := realistic(int64(i+1), 1)
			if _, err := l.Update(r, now, nil); err != nil {
				b.Fatal(err)
			}
			if i%(phones/sample) == 0 {
				requests = append(requests, r)
			}
		}
		runtime.GC() // what it would do during the figures otherwise
		room := make([]Binding, 0, 4)
		b.Run(fmt.Sprintf("refresh/%d", phones), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := &requests[i%sample]
				r.CSeq++
				r.Room = room
				if _, err := l.Update(*r, now, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("lookup/%d", phones), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				room = l.Lookup(requests[i%sample].Extension, now, room[:0])
			}
		})
	}
}
