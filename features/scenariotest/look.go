package scenariotest

import (
	"strings"

	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// legs are the legs of a number that have not ended: the one it called with, and
// those that were dialled.
func (st *stage) legs(who string) []*calltest.Leg {
	var live []*calltest.Leg
	if l := st.callers[who]; l != nil && !l.Gone() {
		live = append(live, l)
	}
	for _, l := range st.sw.Dialer.Legs() {
		if l.Party().Extension == st.ids[who] && !l.Gone() {
			live = append(live, l)
		}
	}
	return live
}

// talking is the leg that acts for a number: the one that hears something, else
// the first.
func (st *stage) talking(who string) *calltest.Leg {
	legs := st.legs(who)
	if len(legs) == 0 {
		st.t.Fatalf("%s is in no call", who)
	}
	for _, l := range legs {
		if l.Hears() != "" {
			return l
		}
	}
	return legs[0]
}

// present is "rings" for a number with a live leg, else "idle".
func (st *stage) present(who string) string {
	if len(st.legs(who)) > 0 {
		return "rings"
	}
	return "idle"
}

// hears is what a number hears, in the words of a scenario.
func (st *stage) hears(who string) string {
	if len(st.legs(who)) == 0 {
		return "nothing"
	}
	l := st.talking(who)
	heard := l.Hears()
	switch sounds, played := strings.CutPrefix(heard, "play "); {
	case played:
		return sounds
	case heard == "" && l.Told("ring") && !l.Told("answer"):
		return "ringing"
	case heard == "":
		return "nothing"
	}
	if sounds, looped := strings.CutPrefix(heard, "loop "); looped {
		return sounds
	}
	for number := range st.ids {
		for _, other := range st.legs(number) {
			if string(other.ID()) == heard {
				return number
			}
		}
	}
	return heard // echo
}

// told is cause if some leg that was dialled for the number was hung up with it,
// else what the legs were told.
func (st *stage) told(who, cause string) string {
	var all []string
	for _, l := range st.sw.Dialer.Legs() {
		if l.Party().Extension != st.ids[who] {
			continue
		}
		if l.Told("hangup " + cause) {
			return cause
		}
		all = append(all, l.Verbs()...)
	}
	return strings.Join(all, ", ")
}

// ended is the cause with which the latest call of a number ended.
func (st *stage) ended(who string) string {
	c, ok := st.calls[who]
	if !ok {
		return "no call"
	}
	ev, over := st.sw.Ended(c.ID())
	if !over {
		return "not yet"
	}
	return string(ev.Cause)
}
