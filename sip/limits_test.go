package sip_test

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/sip"
)

// TestShortMemory (O5): from 80 % of the memory limit on new work is refused until
// there is room again; the calls there are go on.
func TestShortMemory(t *testing.T) {
	var used atomic.Uint64
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		for _, step := range []struct {
			used uint64
			want int
		}{{79, 407}, {80, 503}, {76, 503}, {74, 407}, {100, 503}, {math.MaxUint64, 503}} {
			used.Store(step.used * 100)
			if step.used == math.MaxUint64 {
				used.Store(step.used)
			}
			time.Sleep(2 * time.Second)
			u.send(u.text(request{method: "INVITE"}))
			u.expect(step.want)
		}
		u.send(u.text(request{method: "OPTIONS"}))
		u.expect(503)
		u.send(u.text(request{method: "REGISTER"}))
		u.expect(503)
		u.send(u.text(request{method: "REGISTER", head: []string{invented}}))
		u.expect(401)
		u.send(u.text(request{method: "INVITE", uri: "sip:112@" + domain}))
		u.expect(407)
		tcp := e.rawTCP("10.0.9.5:5060")
		tcp.send(tcp.text(request{method: "INVITE"}))
		tcp.expect(503)
		u.send(u.text(inDialog(r, ok, "BYE")))
		u.expect(200)
		if n := e.met.Value("cordpair_sip_memory_limit_bytes"); n != 10000 {
			t.Errorf("the limit is %v", n)
		}
		used.Store(0)
		time.Sleep(2 * time.Second)
		u.talk()
	}, func(c *sip.Config) {
		c.Memory = func() (uint64, uint64) { return used.Load(), 10000 }
	})
}

// TestRefusalsAreBounded (O1, S12): refusals may use a tenth of a core, and what
// is too short for one gets none.
func TestRefusalsAreBounded(t *testing.T) {
	now := time.Now()
	a := sip.NewAllowance(10, 10*time.Millisecond)
	spent := func(from time.Time, during time.Duration) (sum time.Duration) {
		for at := time.Duration(0); at < during; at += 50 * time.Microsecond {
			if a.Open(from.Add(at)) {
				a.Spend(5*time.Microsecond, 1)
				sum += 5 * time.Microsecond
			}
		}
		return sum
	}
	if got := spent(now, time.Second); got != ms(100) {
		t.Errorf("%v of a second at a tenth", got)
	}
	for range 40 { // two more at each chance
		a.Spend(time.Hour, 40)
	}
	if a.Open(now.Add(time.Second)) {
		t.Error("open after too much was spent")
	}
	if !a.Open(now.Add(2 * time.Second)) {
		t.Error("shut for good")
	}
}

// TestTransactionsOfOneSource: who never acknowledges a refusal does not keep others
// from calling.
func TestTransactionsOfOneSource(t *testing.T) {
	defer sip.SetTransactionsMost(sip.SetTransactionsMost(20))
	inEdge(t, func(e *edge) {
		u, other := e.rawUDP("10.0.9.1:5060"), e.rawUDP("10.0.9.2:5060")
		for range 10 {
			u.send(u.text(u.signed(request{method: "INVITE", uri: "sip:1234@" + domain})))
			u.heard()
		}
		u.send(u.text(request{method: "INVITE"}))
		u.expect(503)
		other.send(other.text(request{method: "INVITE"}))
		other.expect(407)
		time.Sleep(time.Minute)
		u.heard()
		u.send(u.text(request{method: "INVITE"}))
		u.expect(407)
	}, func(c *sip.Config) { c.Workers = 1 })
}

// TestManyTransactions (O5): with too many transactions that are not over new ones
// are refused, and each kind of what is kept has its gauge.
func TestManyTransactions(t *testing.T) {
	defer sip.SetTransactionsMost(sip.SetTransactionsMost(20))
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		for range 10 {
			u.talk() // the caller's transaction lasts until its ACK
		}
		both := []*rawUA{u, e.rawUDP("10.0.9.2:5060")} // one may have half
		for i := range 30 {
			u := both[i%2]
			u.send(u.text(u.signed(request{method: "INVITE", uri: "sip:1234@" + domain})))
			if u.heard(); e.met.Value("cordpair_sip_held", "server_transactions") >= 20 {
				break
			}
		}
		u.send(u.text(request{method: "INVITE"}))
		u.send(u.text(request{method: "INVITE"}))
		if last := u.heard(); last[len(last)-1].Status() != 503 {
			t.Errorf("got %v with %v transactions", starts(last), e.met.Value("cordpair_sip_held", "server_transactions"))
		}
		if n := e.met.Value("cordpair_sip_held", "legs"); n != 10 {
			t.Errorf("%v legs are held", n)
		}
		time.Sleep(time.Minute)
		other := both[1] // the first is being asked whether it is still there
		other.heard()
		other.send(other.text(request{method: "INVITE"}))
		other.expect(407)
	}, func(c *sip.Config) { c.Workers = 1 })
}

// TestStuckWorker (L9): a worker that is at one message for ten seconds is noted
// once, with what everybody is doing.
func TestStuckWorker(t *testing.T) {
	gate := &blocking{user: "103"}
	inEdge(t, func(e *edge) {
		gate.Directory, gate.release = e.dir, make(chan struct{}) // a channel of the bubble
		u := e.rawUDP("10.0.9.1:5060")
		u.send(u.text(request{method: "INVITE", user: "103"}))
		time.Sleep(9 * time.Second)
		if n := e.met.Value("cordpair_sip_stuck_workers_total"); n != 0 {
			t.Errorf("%v stuck after 9 s", n)
		}
		time.Sleep(time.Minute)
		if n := e.met.Value("cordpair_sip_stuck_workers_total"); n != 1 {
			t.Errorf("%v stuck after a minute", n)
		}
		close(gate.release)
		synctest.Wait()
		u.heard()
		if log := e.log.take(); !strings.Contains(log, "a SIP worker is stuck") || !strings.Contains(log, "(*blocking).Account") {
			t.Errorf("log: %s", log)
		}
	}, func(c *sip.Config) { gate.Directory, c.Directory, c.Workers = c.Directory, gate, 1 })
}

// TestFairTurns: in a lane, messages of one source keep their order, those of
// several take turns, and the bounds hold, whatever comes and goes.
func TestFairTurns(t *testing.T) {
	for _, sources := range []int{1, 2, 7} {
		q := sip.NewFair(100, 1<<20)
		now := time.Now()
		for i := range 200 {
			from := netip.MustParseAddrPort(fmt.Sprintf("10.0.0.%d:%d", 1+i%sources, 1+i%3))
			ok := q.Push(from, strconv.Itoa(i), now)
			if want := i < 100 && (sources > 1 || i < 50); ok != want {
				t.Fatalf("%d sources: %d is %v", sources, i, ok)
			}
		}
		for i := 0; q.Len() > 0; i++ {
			if got := q.Take(1); len(got) != 1 || got[0] != strconv.Itoa(i) {
				t.Fatalf("%d sources: %v, want %d", sources, got, i)
			}
		}
	}
}
