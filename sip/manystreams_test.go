package sip_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// TestTenThousandConnections (S8): as many connections as the node takes, from as many
// sources as that needs, cost each a bounded amount of memory, one more is closed,
// and the calls of others go on.
func TestTenThousandConnections(t *testing.T) {
	const perSource, sources = 50, 200
	memory := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		before := memory()
		for i := range sources {
			for j := range perSource {
				tcp := e.rawTCP(fmt.Sprintf("10.1.%d.1:%d", i, 1000+j))
				if j == 0 {
					tcp.send("INVITE") // half a message, and no more of it
				}
			}
		}
		synctest.Wait()
		if n := e.met.Value("cordpair_sip_connections"); n != sources*perSource {
			t.Errorf("%v connections", n)
		}
		if each := (int64(memory()) - int64(before)) / (sources * perSource); each > 16<<10 && !raceEnabled {
			t.Errorf("%d bytes for a connection and its far end", each)
		}
		over := e.rawTCP("10.2.0.1:1000")
		wait(time.Second)
		if list := over.heard(); len(list) != 1 || list[0].raw != "" {
			t.Errorf("one more got %v", list)
		}
		other := e.rawUDP("10.0.9.2:5060")
		other.send(other.text(request{method: "OPTIONS"}))
		other.expect(200)
		u.send(u.text(inDialog(r, ok, "BYE")))
		u.expect(200)
		wait(10 * time.Second) // none of them has said anything
		if n := e.met.Value("cordpair_sip_connections"); n != 0 {
			t.Errorf("%v connections are left", n)
		}
	})
}
