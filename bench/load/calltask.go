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
	pace pace
	next int
	talk time.Duration
}

func newCallTask(e *engine, p Phase) (task, error) {
	if len(e.phones) < 2 || p.Rate < 1 {
		return nil, fmt.Errorf("%d calls/s of %d phones", p.Rate, len(e.phones))
	}
	most := int(float64(p.Rate) * p.Time.Seconds())
	return &callTask{engine: e, talk: p.Talk, pace: pace{rate: p.Rate, most: most}}, nil
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
}

func (t *callTask) measuring(now time.Time) bool { return !t.over(now) }
func (t *callTask) over(time.Time) bool          { return t.pace.over() && t.live == 0 }

func (t *callTask) end() {
	for _, c := range t.calls {
		t.endCall(c, "not over in time")
	}
}
