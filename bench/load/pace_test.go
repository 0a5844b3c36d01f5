package load

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// TestPaceInTime: a loop that turns every millisecond begins exactly what the
// rate says, evenly.
func TestPaceInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := pace{start: start.Add(10 * time.Millisecond), rate: 2000, most: 4000}
		most := 0
		for !p.over() {
			most = max(most, p.due(time.Now()))
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(start); took < 2*time.Second || took > 2020*time.Millisecond {
			t.Errorf("4000 at 2000/s took %v", took)
		}
		if most > 3 {
			t.Errorf("%d in one turn", most)
		}
	})
}

// TestPace: however late the turns come, nothing is lost, repeated or early, and
// with a burst what was left out is counted.
func TestPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Unix(1, 0)
		p := pace{
			start: start, rate: rapid.IntRange(1, 50000).Draw(t, "rate"), most: rapid.IntRange(0, 5000).Draw(t, "most"),
			burst: rapid.SampledFrom([]int{0, 1, 100}).Draw(t, "burst"),
		}
		sum := 0
		for at := -time.Second; !p.over(); {
			at += time.Duration(rapid.IntRange(1, 500).Draw(t, "ms")) * time.Millisecond
			n := p.due(start.Add(at))
			sum += n
			if p.burst > 0 && n > p.burst {
				t.Fatalf("%d at once, burst %d", n, p.burst)
			}
			if sum+p.skipped > 0 && (at < 0 || float64(sum+p.skipped-1) > at.Seconds()*float64(p.rate)) {
				t.Fatalf("%d begun after %v at %d/s", sum, at, p.rate)
			}
		}
		if sum+p.skipped != p.most || p.burst == 0 && p.skipped > 0 {
			t.Fatalf("%d begun and %d left out of %d", sum, p.skipped, p.most)
		}
	})
}

// TestQueue: everything comes out once, in order, not before its time.
func TestQueue(t *testing.T) {
	q := queue[int]{delay: time.Second}
	start := time.Unix(1, 0)
	out := 0
	for i := range 10000 {
		now := start.Add(time.Duration(i) * time.Millisecond)
		q.push(now, i)
		for got, ok := q.pop(now); ok; got, ok = q.pop(now) {
			if got != out || i-got < 1000 {
				t.Fatalf("%d came out at %d, want %d", got, i, out)
			}
			out++
		}
	}
	if out != 9000 {
		t.Errorf("%d came out", out)
	}
	if len(q.items) > 4096 {
		t.Errorf("holds %d for 1000", len(q.items))
	}
}
