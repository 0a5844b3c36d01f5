package sip

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func keptKey(i int) txKey { return txKey{uint64(i), 7} }

// TestKept: what was added is found with its text and flow until its 32 s are over,
// and then everything is gone, the memory too.
func TestKept(t *testing.T) {
	l := &udpListener{}
	s := &Server{udp: []*udpListener{l}}
	rapid.Check(t, func(rt *rapid.T) {
		start := time.Now()
		now := start
		k := newKept(start)
		type want struct {
			text  []byte
			to    netip.AddrPort
			until time.Time
		}
		model := map[txKey]want{}
		check := func() {
			for key, w := range model {
				r, text := k.find(key)
				if r == nil || !bytes.Equal(text, w.text) || k.flow(s, &r.flow) != flow(udpFlow{l: l, to: w.to}) {
					rt.Fatalf("%v: found %v %d bytes", key, r, len(text))
				}
			}
			if k.len() != len(model) {
				rt.Fatalf("%d kept, want %d", k.len(), len(model))
			}
		}
		steps := rapid.IntRange(1, 400).Draw(rt, "steps")
		for i := range steps {
			switch rapid.IntRange(0, 9).Draw(rt, "do") {
			case 0:
				now = now.Add(time.Duration(rapid.IntRange(0, 40_000).Draw(rt, "ms")) * time.Millisecond)
			case 1:
				k.expire(now, func(r *finished) {
					if w := model[r.key]; w.until.After(now) {
						rt.Fatalf("%v went %v early", r.key, w.until.Sub(now))
					}
					delete(model, r.key)
				})
				for key, w := range model {
					if !w.until.After(now) {
						rt.Fatalf("%v is still there", key)
					}
				}
			default:
				to := netip.MustParseAddrPort([]string{"10.0.0.1:5060", "[2001:db8::1]:1", "[fe80::1%eth0]:9"}[i%3])
				text := bytes.Repeat([]byte{byte(i)}, rapid.IntRange(0, 3*shelfText/2).Draw(rt, "size"))
				key := keptKey(i)
				k.add(finished{key: key, flow: k.ref(udpFlow{l: l, to: to})}, text, now)
				model[key] = want{text, to, now.Add(timerLong)}
			}
			check()
		}
		k.expire(now.Add(timerLong), func(*finished) {})
		if k.len() != 0 || len(k.shelves) != 0 || k.spares != nil {
			rt.Fatalf("%d kept on %d shelves in the end", k.len(), len(k.shelves))
		}
	})
}

// TestKeptIsBounded: beyond its cap a worker forgets the oldest (O5).
func TestKeptIsBounded(t *testing.T) {
	now := time.Now()
	k := newKept(now)
	for i := range keptMost + 10 {
		k.add(finished{key: keptKey(i)}, nil, now)
	}
	k.expire(now, func(*finished) {})
	first, _ := k.find(keptKey(9))
	last, _ := k.find(keptKey(10))
	if k.len() != keptMost || first != nil || last == nil {
		t.Errorf("%d kept, the first beyond the cap %v, the next %v", k.len(), first != nil, last != nil)
	}
}

// TestHeardIsBounded (O5): so are the client transactions that are over, without a
// wait for their timer.
func TestHeardIsBounded(t *testing.T) {
	now := time.Now()
	w := &worker{now: now, wheel: newWheel(now), kept: newKept(now), heard: newHeard(now)}
	f := udpFlow{l: &udpListener{}}
	for i := range keptMost + 10 {
		w.hears(keptKey(i), f)
	}
	if n := w.heard.others.len(); n > keptMost {
		t.Errorf("%d are kept", n)
	}
}
