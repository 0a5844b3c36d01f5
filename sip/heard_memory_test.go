//go:build !race

package sip

import (
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestHeardMemory: a finished client transaction takes at most 1 kB, all in: an
// INVITE with its ACK. Others take a quarter.
func TestHeardMemory(t *testing.T) {
	const many = 20_000
	f := udpFlow{l: &udpListener{addr: netip.MustParseAddrPort("10.0.0.1:5060")}, to: netip.MustParseAddrPort("10.0.9.1:5060")}
	ack := outRequest{
		method: methodAck, uri: "sip:102@10.0.9.1:5060;transport=udp", branch: newBranch(), callID: newCallID(), cseq: 1,
		from: `"Somebody" <sip:101@acme.example>;tag=` + newTag(), to: "<sip:102@acme.example>;tag=" + newTag(),
		routes: []string{strings.Repeat("x", 60)},
	}
	for name, c := range map[string]struct {
		most uint64
		add  func(w *worker, key txKey)
	}{
		"INVITE": {1000, func(w *worker, key txKey) { w.acknowledge(&ack, f, key, true, "0123456789abcdef") }},
		"others": {250, func(w *worker, key txKey) { w.hears(key, f) }},
	} {
		now := time.Now()
		w := &worker{now: now, wheel: newWheel(now), kept: newKept(now), heard: newHeard(now)}
		before := heapInUse()
		for i := range many {
			c.add(w, keptKey(i))
			w.out.list, w.out.room = w.out.list[:0], w.out.room[:0] // sent
		}
		each := (heapInUse() - before) / many
		t.Logf("%s: %d bytes for each", name, each)
		if each > c.most {
			t.Errorf("%s: %d bytes for each, at most %d", name, each, c.most)
		}
		runtime.KeepAlive(w)
	}
}
