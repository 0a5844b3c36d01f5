package event

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// far is one phone as a Pace sees it, told by the simplest rules there are.
type far struct {
	t   *rapid.T
	p   Pace
	now time.Time

	state, told int // what is, and what the last NOTIFY said
	out         bool
	sent        time.Time
	everSent    bool
	asked       bool // a SUBSCRIBE waits for its NOTIFY
	silent      int  // NOTIFYs in a row that nobody answered
	ending      bool
	over        bool
}

// pump does what the pace wants, and checks that it may.
func (f *far) pump() {
	for !f.over {
		act, wait := f.p.Next(f.now)
		switch act {
		case Rest:
			if !f.out && (f.asked || f.state != f.told || f.ending) {
				f.t.Fatal("at rest, although the phone does not know")
			}
			return
		case Wait:
			if wait <= 0 || wait > Gap || f.asked || f.ending || f.state == f.told {
				f.t.Fatalf("wait %v: asked %v, ending %v", wait, f.asked, f.ending)
			}
			return
		case Send:
			f.send()
		}
	}
}

func (f *far) send() {
	switch {
	case f.out:
		f.t.Fatal("two NOTIFYs at a time")
	case !f.asked && !f.ending && f.silent == 0 && f.everSent && f.now.Sub(f.sent) < Gap:
		f.t.Fatalf("nobody asked, and %v after the last", f.now.Sub(f.sent))
	}
	f.p.Sent(f.now)
	f.out, f.told, f.sent, f.everSent, f.asked = true, f.state, f.now, true, false
	f.over = f.ending
}

func (f *far) answered(forget, should bool) {
	if f.out = false; forget != should {
		f.t.Fatalf("forget %v, want %v", forget, should)
	}
	f.over = forget
}

// TestPaceModel (X4) plays what may happen to one subscription against those
// rules.
func TestPaceModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &far{t: t, now: time.Unix(1, 0)}
		actions := map[string]func(*rapid.T){
			"change": func(*rapid.T) { f.state++; f.p.Change() },
			"ask":    func(*rapid.T) { f.asked = true; f.p.Ask() },
			"time": func(t *rapid.T) {
				f.now = f.now.Add(time.Duration(rapid.IntRange(1, 1500).Draw(t, "ms")) * time.Millisecond)
			},
			"end": func(*rapid.T) { f.ending = true; f.p.End() },
			"answer": func(t *rapid.T) {
				if status := rapid.SampledFrom([]int{200, 202, 401, 404, 481, 489, 500, 503}).Draw(t, "status"); f.out {
					if status < 300 {
						f.silent = 0
					}
					f.answered(f.p.Answered(status), status == 404 || status == 481 || status == 489)
				}
			},
			"lost": func(t *rapid.T) {
				if f.out {
					f.silent++
					f.asked = f.asked || f.silent < 2 // the state once more
					if rapid.Bool().Draw(t, "by an answer") {
						f.answered(f.p.Answered(408), f.silent == 2)
					} else {
						f.answered(f.p.Lost(), f.silent == 2)
					}
				}
			},
			"moved": func(*rapid.T) {
				if f.out {
					f.out, f.asked = false, true
				}
				f.p.Moved()
			},
		}
		names := []string{"change", "change", "ask", "time", "time", "answer", "answer", "answer", "lost", "moved", "end"}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			actions[rapid.SampledFrom(names).Draw(t, "action")](t)
			if f.over {
				return
			}
			f.pump()
		}
		// Left in peace, the phone knows the last state.
		for i := 0; i < 5 && !f.over; i++ {
			if f.out {
				f.answered(f.p.Answered(200), false)
			}
			f.now = f.now.Add(Gap)
			f.pump()
		}
		if !f.over && (f.told != f.state && f.everSent || f.asked) {
			t.Fatalf("the phone knows %d, it is %d", f.told, f.state)
		}
	})
}

// TestPaceFirstChange: nothing was sent yet, so nothing has to be waited for.
func TestPaceFirstChange(t *testing.T) {
	var p Pace
	now := time.Unix(1, 0)
	if act, _ := p.Next(now); act != Rest {
		t.Fatal(act)
	}
	p.ChangeAfter(now.Add(20 * time.Second))
	if act, wait := p.Next(now); act != Wait || wait != 20*time.Second {
		t.Errorf("%v, %v", act, wait)
	}
	p.Ask() // somebody asks: it need not wait
	if act, _ := p.Next(now); act != Send {
		t.Error(act)
	}
}
