package sip

import (
	"fmt"
	"slices"
	"testing"
)

// TestLegMoves walks every pair of state and operation.
func TestLegMoves(t *testing.T) {
	possible := []string{
		"trying accept answered", "trying confirm up", "trying finish ending",
		"answered confirm up", "answered finish ending",
		"up finish ending",
		"ending remove gone",
	}
	for s := range legStates {
		for o := range legOps {
			move := func() (to string) {
				defer func() {
					if recover() != nil {
						to = "impossible"
					}
				}()
				l := &leg{state: s}
				l.move(o)
				return l.state.String()
			}
			to := move()
			want := slices.ContainsFunc(possible, func(p string) bool { return p == fmt.Sprint(s, " ", o, " ", to) })
			if want == (to == "impossible") {
				t.Errorf("%s %s: %s", s, o, to)
			}
		}
	}
}

// TestEveryStateEnds: from each state a leg can get to gone.
func TestEveryStateEnds(t *testing.T) {
	for s := range legStates {
		for steps := 0; s != legGone; steps++ {
			next := max(legMoves[s][opFinish], legMoves[s][opRemove])
			if next == legTrying || steps > int(legStates) {
				t.Fatalf("no way out of %s", s)
			}
			s = next
		}
	}
}
