package load

import "time"

// pace says how many operations are due: rate per second from start on, most in
// all. Every operation has its own moment, so a late turn of the loop makes up
// for what it missed.
type pace struct {
	start time.Time
	rate  int
	most  int
	begun int
	// burst, if not 0, is the most that is made up for at once; what is beyond is
	// left out and counted in skipped.
	burst   int
	skipped int
}

// due takes what is due at now and not begun yet.
func (p *pace) due(now time.Time) int {
	since := now.Sub(p.start)
	if since < 0 {
		return 0
	}
	n := min(int(since.Seconds()*float64(p.rate))+1, p.most) - p.begun
	if n <= 0 {
		return 0
	}
	p.begun += n
	if p.burst > 0 && n > p.burst {
		p.skipped += n - p.burst
		n = p.burst
	}
	return n
}

// over tells whether all were begun.
func (p *pace) over() bool { return p.begun >= p.most }

// queue holds things to do after one constant delay, so the first in is the
// first due.
type queue[T any] struct {
	delay time.Duration
	items []timed[T]
	head  int
}

type timed[T any] struct {
	at   time.Time
	what T
}

func (q *queue[T]) push(now time.Time, what T) {
	if q.head > len(q.items)/2 && q.head > 1024 {
		q.items = q.items[:copy(q.items, q.items[q.head:])]
		q.head = 0
	}
	q.items = append(q.items, timed[T]{now.Add(q.delay), what})
}

// pop takes the next thing that is due.
func (q *queue[T]) pop(now time.Time) (what T, ok bool) {
	if q.head == len(q.items) || q.items[q.head].at.After(now) {
		return what, false
	}
	what = q.items[q.head].what
	q.head++
	return what, true
}
