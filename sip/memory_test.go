package sip_test

import (
	"net/netip"
	"runtime"
	"testing"

	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/wire"
)

// answeredCall has 101 call 102, both behind one pipe, answers it, and returns the
// caller's ACK.
func answeredCall(t testing.TB, p *pipe, u *rawUA) request {
	t.Helper()
	r := request{method: "INVITE", uri: "sip:102@" + domain, body: u.sdp(), head: phoneHeaders}
	u.fill(&r)
	r = signedBy(t, u, r, p.ask(u.text(r), "SIP/2.0 407"))
	invite := parsed(t, p.ask(u.text(r), "INVITE "))
	head := append([]string{"Contact: <sip:102@" + u.addr.String() + ">"}, phoneHeaders...)
	ok := parsed(t, p.ask(reply(invite, 200, fresh("far"), head, u.sdp()), "SIP/2.0 200"))
	ack := inDialog(r, ok, "ACK")
	p.in <- []byte(u.text(ack))
	return ack
}

// phoneHeaders are what a desk phone says besides.
var phoneHeaders = []string{
	"User-Agent: Example Phone 66.85.0.5", "Allow: INVITE, ACK, OPTIONS, CANCEL, BYE, UPDATE, PRACK, INFO, NOTIFY, MESSAGE, REFER",
	"Supported: timer, replaces, from-change", "Allow-Events: hold, talk, conference", "Accept: application/sdp",
}

func parsed(t testing.TB, text string) got {
	t.Helper()
	m, err := wire.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return got{Message: m, raw: text}
}

// TestCallMemory: an answered call takes at most 20 kB without what its packets
// need, both legs and everything that remembers it (the figure; we hold
// what we have won).
func TestCallMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("memory is counted without the race detector")
	}
	const many, most = 400, 18_500
	cfg := media.Config{Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, PortMin: 20000, PortMax: 29999}
	pipedOver(t, cfg, func(p *pipe, u *rawUA) {
		r := request{method: "REGISTER", user: "102", to: "<sip:102@" + domain + ">"}
		u.fill(&r)
		p.ask(u.text(signedBy(t, u, r, p.ask(u.text(r), "SIP/2.0 401"))), "SIP/2.0 200")
		answeredCall(t, p, u)
		before := heap()
		for range many {
			answeredCall(t, p, u)
		}
		each := (heap() - before) / many
		t.Logf("%d bytes for each", each)
		if each > most {
			t.Errorf("%d bytes for each, at most %d", each, most)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
