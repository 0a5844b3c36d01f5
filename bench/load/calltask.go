//go:build linux

package load

import (
	"fmt"
	"time"
)

// callTask makes calls at a rate between pairs of phones: the first half calls
// the second half.
type callTask struct {
	*engine
	pace   pace
	phones []*phone
	next   int
	talk   time.Duration
	first  int // of its calls
}

func newCallTask(e *engine, p Phase) (task, error) {
	phones := e.phones[e.held:]
	if len(phones) < 2 || p.Rate < 1 {
		return nil, fmt.Errorf("%d calls/s of %d phones", p.Rate, len(phones))
	}
	most := int(float64(p.Rate) * p.Time.Seconds())
	return &callTask{engine: e, phones: phones, talk: p.Talk, first: len(e.calls), pace: pace{rate: p.Rate, most: most}}, nil
}

func (t *callTask) begin(now time.Time) error {
	t.pace.start = now.Add(10 * time.Millisecond)
	return nil
}

func (t *callTask) tick(now time.Time) {
	half := len(t.phones) / 2
	for range t.pace.due(now) {
		from, to := t.phones[t.next%half], t.phones[half+t.next%half]
		t.next++
		if from.call != nil || to.call != nil {
			t.res.Loop.Skipped++
			continue
		}
		t.invite(t.dial(from, to, t.talk), nil)
	}
	if !t.pace.over() {
		t.res.InTime = t.res.Done
	}
}

func (t *callTask) measuring(now time.Time) bool { return !t.over(now) }
func (t *callTask) over(time.Time) bool          { return t.pace.over() && t.live == 0 }

func (t *callTask) end() {
	for _, c := range t.calls[t.first:] {
		t.endCall(c, "not over in time")
	}
}

// holdTask has calls up and leaves them so.
type holdTask struct{ *callTask }

func newHoldTask(e *engine, p Phase) (task, error) {
	if p.Count < 1 || 2*p.Count > len(e.phones)-e.held || p.Rate < 1 {
		return nil, fmt.Errorf("%d calls at %d/s of %d phones", p.Count, p.Rate, len(e.phones)-e.held)
	}
	t := &callTask{engine: e, phones: e.phones[e.held : e.held+2*p.Count], first: len(e.calls), pace: pace{rate: p.Rate, most: p.Count}}
	e.held += 2 * p.Count
	return &holdTask{t}, nil
}

func (t *holdTask) measuring(now time.Time) bool { return !t.over(now) }

// over is when the last call talks or has failed.
func (t *holdTask) over(time.Time) bool {
	if !t.pace.over() {
		return false
	}
	t.res.Done = 0
	for _, c := range t.calls[t.first:] {
		switch {
		case c.caught == talking && c.answering == talking:
			t.res.Done++
		case c.caught != over:
			return false
		}
	}
	return true
}

func (t *holdTask) end() {}
