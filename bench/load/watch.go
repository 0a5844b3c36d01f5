//go:build linux

package load

import (
	"fmt"
	"time"

	"github.com/cordpair/cordpair/bench/gauge"
)

// watch reads the costs of a phase and looks after the loop itself.
type watch struct {
	pids    []int
	poller  *poller
	running bool
	begun   time.Time
	last    time.Time     // of the previous turn
	late    time.Duration // spent in turns that came late
	latest  time.Duration

	cpu, own, busy     time.Duration // readings at the start
	drops, targetDrops int64
	wakeups            int64
}

// turn notes when a turn of the loop began.
func (w *watch) turn(now time.Time) {
	if w.running {
		if gap := now.Sub(w.last); gap > LateBy {
			w.late += gap
			w.latest = max(w.latest, gap)
		}
	}
	w.last = now
}

// ready reads before anything is begun what takes long to read: of a process with
// thousands of sockets some 50 ms, after which what is due by then would be sent at once.
func (w *watch) ready() { w.drops, w.targetDrops = w.poller.drops(), gauge.Drops(w.pids) }

func (w *watch) start(now time.Time) {
	w.running = true
	w.busy, w.own = gauge.Busy(), ownCPU()
	w.wakeups, w.cpu = gauge.Wakeups(w.pids), gauge.CPU(w.pids)
	w.begun = now
	w.last = time.Now()
}

// stop adds what was used since start to the result; a second stop does nothing.
func (w *watch) stop(now time.Time, r *Result) {
	if !w.running {
		return
	}
	w.running = false
	cpu, wakeups := gauge.CPU(w.pids), gauge.Wakeups(w.pids)
	own, busy := ownCPU()-w.own, gauge.Busy()-w.busy
	r.CPU, r.Wakeups, r.Took = cpu-w.cpu, wakeups-w.wakeups, now.Sub(w.begun)
	r.RSSAfter, r.PSSAfter = gauge.Memory(w.pids)
	r.Loop.Drops, r.Loop.TargetDrops = w.poller.drops()-w.drops, gauge.Drops(w.pids)-w.targetDrops
	took := r.Took.Seconds()
	r.Loop.Share = own.Seconds() / took
	r.Loop.Others = max(0, (busy-own-r.CPU).Seconds()/took)
	r.Loop.Late, r.Loop.Latest = w.late.Seconds()/took, w.latest
}

// doubt writes down why the figures may be wrong.
func (r *Result) doubt() {
	add := func(format string, args ...any) { r.Doubts = append(r.Doubts, fmt.Sprintf(format, args...)) }
	if r.Loop.Share > mostShare {
		add("the load used %.0f %% of its core", 100*r.Loop.Share)
	}
	if r.Loop.Late > mostLate {
		add("the load came late for %.1f %% of the time, %v at worst", 100*r.Loop.Late, r.Loop.Latest.Round(time.Millisecond))
	}
	if r.Loop.Drops > 0 {
		add("%d datagrams lost at the load's sockets", r.Loop.Drops)
	}
	if r.Loop.Skipped > 0 {
		add("%d not begun: every phone was busy, or the loop too late", r.Loop.Skipped)
	}
	if !r.reached() && !r.Patient {
		add("%.0f/s reached of %d/s", r.speed(), r.Rate)
	}
}

// clean tells that the target kept up: everything was done at the rate asked for,
// and nobody had to send anything twice.
func (r *Result) clean() bool {
	return r.Done > 0 && r.Failed+r.Refused+r.Resent+r.Repeated == 0 && r.reached()
}

// speed is how many operations came to an end in a second.
func (r *Result) speed() float64 { return float64(r.Done+r.Failed+r.Refused) / r.Took.Seconds() }

// reached tells whether they came as fast as they were to begin.
func (r *Result) reached() bool {
	return r.Rate == 0 || r.Took == 0 || r.speed() >= leastRate*float64(r.Rate)*r.share()
}

// share is the part of Took in which operations were begun: the rest is the
// time of the last of them.
func (r *Result) share() float64 {
	return max(0, 1-(r.Talk+ringTime+resendAfter/2).Seconds()/r.Took.Seconds())
}
