package cordpair_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/siptest"
)

// toldToRetry waits for a refusal that says when to try again (O1).
func (w *world) toldToRetry(c *siptest.Call) {
	w.t.Helper()
	end, err := c.WaitEnded(w.ctx)
	w.must(err)
	if end.Code != 503 {
		w.t.Fatalf("ended with %v, want 503", end)
	}
	if n, err := strconv.Atoi(end.Message.Header("Retry-After")); err != nil || n < 5 || n > 30 {
		w.t.Errorf("Retry-After is %q, want 5 to 30", end.Message.Header("Retry-After"))
	}
}

func TestMostCalls(t *testing.T) {
	inWorld(t, func(w *world) {
		out, in := w.talk(w.phone("101"), w.phone("102"))
		third, fourth := w.phone("103"), w.phone("104")
		for range 3 {
			w.toldToRetry(w.call(third, "104"))
		}
		w.hearEachOther(out, in)
		w.must(in.Hangup(w.ctx))
		w.free()
		next, _ := w.talk(third, fourth)
		w.must(next.Hangup(w.ctx))
		w.free()
	}, func(cfg *cordpair.Config) { cfg.MaxCalls = 1 })
}

// TestMostCallsFollowsTheConfiguration: a limit that is lowered ends nobody, and one
// that is raised lets the next call in.
func TestMostCallsFollowsTheConfiguration(t *testing.T) {
	var was cordpair.Config
	inWorld(t, func(w *world) {
		out, in := w.talk(w.phone("101"), w.phone("102"))
		third, fourth := w.phone("103"), w.phone("104")
		other, _ := w.talk(third, fourth)
		w.must(other.Hangup(w.ctx))
		lower := was
		lower.MaxCalls = 1
		w.must(w.sw.Reload(lower))
		w.toldToRetry(w.call(third, "104"))
		w.hearEachOther(out, in)
		w.must(w.sw.Reload(was))
		other, _ = w.talk(third, fourth)
		w.must(other.Hangup(w.ctx))
		w.must(out.Hangup(w.ctx))
		w.free()
	}, func(cfg *cordpair.Config) { was = *cfg })
}

// TestNoMediaPort: a talk takes two pairs. With two pairs a second caller finds
// none; with three it does, but its callee does not (M6). Either way nothing is
// left behind.
func TestNoMediaPort(t *testing.T) {
	for pairs, recorded := range map[int]int{2: 1, 3: 2} {
		t.Run(fmt.Sprint(pairs), func(t *testing.T) {
			inWorld(t, func(w *world) {
				out, in := w.talk(w.phone("101"), w.phone("102"))
				third, fourth := w.phone("103"), w.phone("104")
				w.toldToRetry(w.call(third, "104"))
				w.hearEachOther(out, in)
				if n := w.sw.Stats().MediaPorts; n != 2 {
					t.Errorf("%d pairs in use during one talk", n)
				}
				w.must(out.Hangup(w.ctx))
				w.free()
				next, _ := w.talk(third, fourth)
				w.must(next.Hangup(w.ctx))
				w.free()
				list, _, err := w.sw.CallRecords(cordpair.CallQuery{Client: 1, OldestFirst: true})
				w.must(err)
				if len(list) != recorded+1 {
					t.Fatalf("%d records, want %d", len(list), recorded+1)
				}
				refused := slices.DeleteFunc(list, func(r cordpair.CallRecord) bool { return r.Cause != call.CauseOverload || r.Result != "failed" })
				if len(refused) != recorded-1 {
					t.Errorf("%d records of refused calls, want %d", len(refused), recorded-1)
				}
			}, func(cfg *cordpair.Config) { cfg.RTP.Ports = fmt.Sprintf("16384-%d", 16384+2*pairs-1) })
		})
	}
}

// TestEmergencyPassesLimits (F8): where calls and media ports have run out for
// others, a call to an emergency number is still taken. There is no way out of the
// switch yet, which is what its caller hears.
func TestEmergencyPassesLimits(t *testing.T) {
	for name, limit := range map[string]func(*cordpair.Config){
		"calls": func(cfg *cordpair.Config) { cfg.MaxCalls = 15 },
		"ports": func(cfg *cordpair.Config) { cfg.RTP.Ports = fmt.Sprintf("16384-%d", 16384+2*16-1) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				from, other := w.phone("101"), w.phone("102")
				var up []*siptest.Call
				for range 15 {
					c := w.call(from, "*43")
					w.must(c.WaitAnswered(w.ctx))
					up = append(up, c)
				}
				w.toldToRetry(w.call(other, "*43"))
				w.refused(w.call(other, "112"), 480)
				w.toldToRetry(w.call(other, "*43"))
				if rec := w.lastRecord(); rec.ToUsername != "112" || rec.Cause != call.CauseUnreachable {
					t.Errorf("recorded as a call to %s that ended with %s", rec.ToUsername, rec.Cause)
				}
				for _, c := range up {
					w.must(c.Hangup(w.ctx))
				}
				w.free()
			}, limit)
		})
	}
}
