//go:build linux

package load

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cordpair/cordpair/bench/gauge"
)

const (
	// floodParts are how many parts the time has, without and with the flood in
	// turn; each begins with one in floodRest of its time that is not measured.
	floodParts = 10
	floodRest  = 8
	// floodBurst is the most that is made up for after a late turn of the loop.
	floodBurst = 500
)

// flooder is the address that floods: not that of the phones.
var flooder = [4]byte{127, 0, 0, 2}

// floodTask makes calls, and INVITEs of a source that listens to no answer.
type floodTask struct {
	*callTask
	phase Phase
	from  *socket
	pace  pace // of the part that is on
	part  int
	parts [floodParts]gauge.Hist
	sent  int
}

func newFloodTask(e *engine, p Phase) (task, error) {
	calls, err := newCallTask(e, p)
	if err != nil {
		return nil, err
	}
	return &floodTask{callTask: calls.(*callTask), phase: p, part: -1}, nil
}

func (t *floodTask) begin(now time.Time) error {
	port, err := portOf(t.spec.Target)
	if err != nil {
		return err
	}
	if t.from, err = openSocketAt(flooder, 0); err != nil {
		return err
	}
	if err := t.from.connect(port); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return t.callTask.begin(now)
}

func (t *floodTask) tick(now time.Time) {
	t.callTask.tick(now)
	since, each := now.Sub(t.callTask.pace.start), t.phase.Time/floodParts
	part := int(since / each)
	if since < 0 || part >= floodParts {
		t.hist = &gauge.Hist{} // of no part
		return
	}
	if part != t.part {
		t.part, t.hist = part, &gauge.Hist{}
		t.pace = pace{start: now, rate: t.phase.Flood, most: t.phase.Flood, burst: floodBurst}
		t.pace.most = int(each.Seconds() * float64(t.phase.Flood))
	}
	if since-each*time.Duration(part) > each/floodRest {
		t.hist = &t.parts[part]
	}
	if part%2 == 1 {
		t.flood(t.pace.due(now))
	}
}

// flood sends n INVITEs, no two of them the same.
func (t *floodTask) flood(n int) {
	p := t.phones[0]
	for range n {
		t.sent++
		t.vals[fUser], t.vals[fTo], t.vals[fDomain], t.vals[fLocal], t.vals[fTag] = p.user, p.user, p.domain, t.from.local, p.tag
		t.vals[fCallID] = fmt.Appendf(t.vals[fCallID][:0:0], "f%d-%s@bench", t.sent, t.run)
		t.vals[fCSeq], t.vals[fAuth] = []byte("1"), nil
		t.vals[fBranch] = t.vals[fCallID][:len(t.vals[fCallID])-len("@bench")]
		t.vals[fBody] = t.sdp(nil)
		t.vals[fLength] = strconv.AppendInt(nil, int64(len(t.vals[fBody])), 10)
		t.out = inviteText.render(t.out[:0], &t.vals)
		t.from.send(t.out)
	}
}

func (t *floodTask) end() {
	t.callTask.end()
	t.from.close()
	t.hist = &gauge.Hist{}
	var quiet, flooded []time.Duration
	var ratios []float64
	for i := 0; i < floodParts; i += 2 {
		a, b := t.parts[i].Quantile(0.99), t.parts[i+1].Quantile(0.99)
		quiet, flooded, ratios = append(quiet, a), append(flooded, b), append(ratios, float64(b)/float64(max(a, 1)))
	}
	t.res.Loop.Skipped += t.pace.skipped
	t.res.Flooding = &Flooding{Quiet: middle(quiet), Flooded: middle(flooded), Ratio: middle(ratios), Sent: t.sent}
}

// middle is the median.
func middle[T cmp.Ordered](list []T) T {
	slices.Sort(list)
	return list[len(list)/2]
}
