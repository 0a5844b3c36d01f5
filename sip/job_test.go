package sip

import (
	"testing"

	"github.com/cordpair/cordpair/dialplan/call"
)

// TestJobsAreBounded (O5): a leg whose verb found no room is hung up, once; what media
// report is dropped earlier, and an answer of the store never is.
func TestJobsAreBounded(t *testing.T) {
	w := &worker{wake: make(chan struct{}, 1)}
	first, last := new(leg), new(leg)
	first.w, last.w = w, w
	stored, heard := 0, 0
	for range jobsMost {
		first.Ring(false)
		w.offer(func() { heard++ })
	}
	last.Ring(false)
	last.Answer()
	if w.post(job{leg: new(leg), verb: verbPlace}) {
		t.Error("a leg was begun that would never be counted, but removed")
	}
	if !w.do(func() { stored++ }) {
		t.Fatal("ended")
	}
	jobs := w.takeJobs()
	var got []job
	for _, j := range jobs {
		switch {
		case j.f != nil:
			j.run()
		case j.leg == last || j.verb == verbHangup:
			got = append(got, j)
		}
	}
	if stored != 1 || heard != jobsMost/4 {
		t.Errorf("%d answers and %d reports", stored, heard)
	}
	overrun := map[*leg]int{}
	for _, j := range got {
		if j.verb == verbHangup && j.cause == call.CauseOverload {
			overrun[j.leg]++
		}
	}
	if len(got) != 2 || overrun[first] != 1 || overrun[last] != 1 {
		t.Errorf("got %v", got)
	}
	if rest := w.takeJobs(); len(rest) > 0 || cap(w.jobs) > jobsSpare {
		t.Errorf("%d jobs are left, and room for %d", len(rest), cap(w.jobs))
	}
}
