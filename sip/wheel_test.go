package sip

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// wheelModel is what a wheel must do, told by a sorted list: every armed timer
// fires at the first tick at or after its time, those of one tick in any order.
type wheelModel struct {
	t     *testing.T
	rng   *rand.Rand
	w     *wheel
	start time.Time
	now   time.Time
	armed map[int]time.Time
	fired []int
	timer [40]timer
}

func (m *wheelModel) set(i int, d time.Duration) {
	m.armed[i] = m.now.Add(d)
	m.w.set(&m.timer[i], m.now, d, wakeFunc(func() { m.fire(i) }))
}

func (m *wheelModel) fire(i int) {
	due, ok := m.armed[i]
	if !ok {
		m.t.Errorf("timer %d fired and was not armed", i)
	}
	if m.now.Before(due) {
		m.t.Errorf("timer %d fired %v early", i, due.Sub(m.now))
	}
	delete(m.armed, i)
	m.fired = append(m.fired, i)
	switch j := m.rng.IntN(len(m.timer)); m.rng.IntN(4) {
	case 0: // what fires may set itself again
		m.set(i, time.Duration(m.rng.IntN(2000))*time.Millisecond)
	case 1: // and stop any other
		m.w.stop(&m.timer[j])
		delete(m.armed, j)
	}
}

// overdue are the timers that should have fired by now: those due a tick ago.
func (m *wheelModel) overdue() []int {
	var late []int
	for i, due := range m.armed {
		if !m.now.Before(due.Add(2 * wheelTick)) {
			late = append(late, i)
		}
	}
	slices.Sort(late)
	return late
}

func TestWheelAgainstSortedList(t *testing.T) {
	for seed := range uint64(30) {
		start := time.Now()
		m := &wheelModel{
			t: t, rng: rand.New(rand.NewPCG(seed, 1)), w: newWheel(start), start: start, now: start, armed: map[int]time.Time{},
		}
		for range 400 {
			i := m.rng.IntN(len(m.timer))
			switch m.rng.IntN(5) {
			case 0:
				m.w.stop(&m.timer[i])
				delete(m.armed, i)
			case 1, 2: // up to three turns of the wheel away
				m.set(i, time.Duration(m.rng.IntN(120_000))*time.Millisecond)
			default:
				m.now = m.now.Add(time.Duration(m.rng.IntN(3000)) * time.Millisecond)
				if d, ok := m.w.next(m.now); ok && m.rng.IntN(2) == 0 {
					m.now = m.now.Add(d)
				}
				m.w.advance(m.now)
			}
			if late := m.overdue(); late != nil {
				t.Fatalf("seed %d: timers %v did not fire", seed, late)
			}
			if len(m.armed) != m.w.count {
				t.Fatalf("seed %d: %d armed, the wheel counts %d", seed, len(m.armed), m.w.count)
			}
		}
		if len(m.fired) == 0 {
			t.Fatalf("seed %d: nothing fired", seed)
		}
	}
}

// TestWheelSleepsUntilDue: whoever sleeps as next says wakes exactly at a
// timer that lies on a tick.
func TestWheelSleepsUntilDue(t *testing.T) {
	start := time.Now()
	w := newWheel(start)
	for _, d := range []time.Duration{timerT1, timerT2, timerLong, 3 * time.Minute} {
		now := w.start.Add(time.Duration(w.tick) * wheelTick)
		begin, fired := now, false
		var tm timer
		w.set(&tm, now, d, wakeFunc(func() { fired = true }))
		for !fired {
			wait, ok := w.next(now)
			if !ok {
				t.Fatal("nothing is armed")
			}
			now = now.Add(wait)
			w.advance(now)
		}
		if took := now.Sub(begin); took != d {
			t.Errorf("%v fired after %v", d, took)
		}
	}
}

// TestWheelSurvivesPanic: what was due together with a timer that panics fires
// with the next turn.
func TestWheelSurvivesPanic(t *testing.T) {
	start := time.Now()
	w := newWheel(start)
	fired := 0
	var timers [3]timer
	for i := range timers {
		w.set(&timers[i], start, timerT1, wakeFunc(func() {
			fired++
			if i == 1 {
				panic("timer")
			}
		}))
	}
	advance := func() {
		defer func() { _ = recover() }()
		w.advance(start.Add(timerT1))
	}
	advance()
	if d, ok := w.next(start.Add(timerT1)); !ok || d != 0 {
		t.Fatalf("the rest fires in %v, %v", d, ok)
	}
	advance()
	if fired != 3 || w.count != 0 {
		t.Errorf("%d fired, %d left", fired, w.count)
	}
}
