package cordpair_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/siptest"
	"github.com/cordpair/cordpair/store"
)

// TestOpenFailsHalfWay: whatever Open stumbles over, what it had opened by then
// is free again.
func TestOpenFailsHalfWay(t *testing.T) {
	blockUDP := func(n *siptest.Net) (interface{ Close() error }, error) { return n.ListenUDP(n.Switch) }
	blockTCP := func(n *siptest.Net) (interface{ Close() error }, error) { return n.Listen(n.Switch) }
	for name, block := range map[string]func(*siptest.Net) (interface{ Close() error }, error){
		"udp port": blockUDP, "tcp port": blockTCP,
	} {
		t.Run(name, func(t *testing.T) {
			net := siptest.NewNet(t)
			taken, err := block(net)
			if err != nil {
				t.Fatal(err)
			}
			cfg := cordpair.InMemory(net, net.Switch)
			cfg.InMemory, cfg.DataDir = false, t.TempDir()
			if _, err := cordpair.Open(cfg); !errors.Is(err, siptest.ErrAddrInUse) || !strings.Contains(err.Error(), "sip listener") {
				t.Fatalf("opened on a taken port: %v", err)
			}
			if err := taken.Close(); err != nil {
				t.Fatal(err)
			}
			sw, err := cordpair.Open(cfg) // folder and ports are free
			if err != nil {
				t.Fatal(err)
			}
			if err := sw.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenOnTheMachine(t *testing.T) {
	cfg := cordpair.DefaultConfig()
	cfg.DataDir, cfg.Log.Level = t.TempDir(), "error"
	cfg.Listen = cordpair.Listen{
		SIP:  []cordpair.SIPListener{{Transport: "udp", Addr: "127.0.0.1:0"}},
		HTTP: "127.0.0.1:0", Metrics: "127.0.0.1:0",
	}
	first, err := cordpair.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cordpair.Open(cfg); !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), cfg.DataDir) {
		t.Errorf("a second switch over one folder: %v", err)
	}
	d, err := first.EnsureDemo(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	other := cfg
	other.DataDir = t.TempDir()
	other.Listen.Metrics = netip.MustParseAddrPort(strings.TrimSuffix(strings.TrimPrefix(d.Metrics, "http://"), "/metrics")).String()
	if _, err := cordpair.Open(other); err == nil || !strings.Contains(err.Error(), "listen.metrics") {
		t.Errorf("a second switch at one address: %v", err)
	}
	other.Listen.Metrics, other.SecretKey = "", filepath.Join(t.TempDir(), "no", "such", "folder", "key")
	if _, err := cordpair.Open(other); err == nil {
		t.Error("opened with a key file that cannot be made")
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
}

func TestRunsOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		if err := w.sw.Run(w.ctx); !errors.Is(err, cordpair.ErrRunning) {
			t.Errorf("second Run: %v", err)
		}
		w.phone("101") // the first one goes on
		w.stop()
		<-w.ended
		if err := w.sw.Run(w.ctx); !errors.Is(err, cordpair.ErrRunning) {
			t.Errorf("Run after Run: %v", err)
		}
		if err := w.sw.Close(); err != nil {
			t.Errorf("Close after Run: %v", err)
		}
	})
}

func TestCloseInsteadOfRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := siptest.NewNet(t)
		sw, err := cordpair.Open(cordpair.InMemory(net, net.Switch))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := sw.CallRecords(cordpair.CallQuery{Client: 1}); !errors.Is(err, cordpair.ErrNotRunning) {
			t.Errorf("records before Run: %v", err)
		}
		if _, err := sw.CallRecord("X"); !errors.Is(err, cordpair.ErrNotRunning) {
			t.Errorf("record before Run: %v", err)
		}
		for range 2 {
			if err := sw.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := sw.Run(t.Context()); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Run after Close: %v", err)
		}
	})
}

// TestCloseEndsRun: Close from elsewhere hangs up at once, and Run returns.
func TestCloseEndsRun(t *testing.T) {
	inWorld(t, func(w *world) {
		_, in := w.talk(w.phone("101"), w.phone("102"))
		w.must(w.sw.Close())
		<-w.ended
		if end, err := in.WaitEnded(w.ctx); err != nil || !end.Remote {
			t.Errorf("the phone saw %v, %v; want a BYE", end, err)
		}
	}, func(cfg *cordpair.Config) { cfg.DrainTime = time.Hour })
}

func TestReadyFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := siptest.NewNet(t)
		sw, err := cordpair.Open(cordpair.InMemory(net, net.Switch))
		if err != nil {
			t.Fatal(err)
		}
		broken := errors.New("standard output is gone")
		if err := sw.RunThen(t.Context(), func() error { return broken }); !errors.Is(err, broken) {
			t.Errorf("RunThen: %v", err)
		}
		c, err := net.ListenUDP(net.Switch) // it has closed its sockets
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	})
}

// isReady asks as a load balancer does.
func (w *world) isReady() bool {
	rec := httptest.NewRecorder()
	w.sw.ServeReady(rec, httptest.NewRequest("GET", "/readyz", nil))
	return rec.Code == 200
}

// TestStopWithARunningCall is L1: new calls are refused, the running one goes on
// until the drain time is over, then both phones get a BYE that says why, and
// the record is there after the next start.
func TestStopWithARunningCall(t *testing.T) {
	dir := t.TempDir()
	inWorld(t, func(w *world) {
		caller, callee, third := w.phone("101"), w.phone("102"), w.phone("103")
		out, in := w.talk(caller, callee)
		if !w.isReady() {
			t.Error("not ready while it runs")
		}
		w.stop()
		begin := time.Now()
		synctest.Wait()
		if w.isReady() {
			t.Error("ready although it stops")
		}
		refused, err := w.call(third, "101").WaitEnded(w.ctx)
		w.must(err)
		if refused.Code != 503 || refused.Message.Header("Retry-After") == "" {
			t.Errorf("a new call got %v, Retry-After %q", refused, refused.Message.Header("Retry-After"))
		}
		w.must(third.Register(w.ctx)) // registrations go on until the end
		time.Sleep(20 * time.Second)
		w.hearEachOther(out, in)
		for _, c := range []*siptest.Call{out, in} {
			end, err := c.WaitEnded(w.ctx)
			w.must(err)
			if !end.Remote || !strings.Contains(end.Reason, "cause=41") {
				t.Errorf("a phone saw %v with Reason %q", end, end.Reason)
			}
		}
		<-w.ended
		if took := time.Since(begin); took < time.Minute || took > time.Minute+time.Second {
			t.Errorf("stopped after %v, want the drain time of a minute", took)
		}
	}, onDisk(dir, time.Minute))
	inWorld(t, func(w *world) {
		r := w.lastRecord()
		if r.Cause != call.CauseShutdown || r.Disposition != "internal_cancel" || r.Duration < 59 || r.Duration > 61 {
			t.Errorf("record: %s %s %d s", r.Cause, r.Disposition, r.Duration)
		}
	}, onDisk(dir, 0))
}

// onDisk keeps a world's data in a folder.
func onDisk(dir string, drain time.Duration) func(*cordpair.Config) {
	return func(cfg *cordpair.Config) { cfg.InMemory, cfg.DataDir, cfg.DrainTime = false, dir, drain }
}

// TestStopWaitsNoLongerThanItsCalls: the drain time is the most it takes.
func TestStopWaitsNoLongerThanItsCalls(t *testing.T) {
	inWorld(t, func(w *world) {
		out, _ := w.talk(w.phone("101"), w.phone("102"))
		w.stop()
		time.Sleep(10 * time.Second)
		begin := time.Now()
		w.must(out.Hangup(w.ctx))
		<-w.ended
		if took := time.Since(begin); took > time.Second {
			t.Errorf("went on for %v after the last call", took)
		}
	}, func(cfg *cordpair.Config) { cfg.DrainTime = time.Hour })
}

// TestStopRepeatsLostGoodbyes: the BYE of a call that ended just before the stop
// is sent again until it is answered, for two seconds at most.
func TestStopRepeatsLostGoodbyes(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, callee := w.phone("101"), w.phone("102")
		out, _ := w.talk(caller, callee)
		callee.Misbehave(siptest.IgnoreBYE)
		w.must(out.Hangup(w.ctx))
		begin := time.Now()
		w.stop()
		<-w.ended
		if took := time.Since(begin); took < 2*time.Second || took > 3*time.Second {
			t.Errorf("stopped after %v, want 2 s", took)
		}
		byes := 0
		for _, r := range callee.Messages() {
			if r.Message != nil && r.Message.Method == "BYE" {
				byes++
			}
		}
		if byes < 3 {
			t.Errorf("%d BYEs in 2 s, want those of 0, 0.5 and 1.5 s", byes)
		}
	})
}

// TestStopBeforeRun: a switch told to stop while it starts stops without an error.
func TestStopBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := siptest.NewNet(t)
		sw, err := cordpair.Open(cordpair.InMemory(net, net.Switch))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := sw.Run(ctx); err != nil {
			t.Error(err)
		}
	})
}
