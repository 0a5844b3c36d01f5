package cordpair_test

import (
	"fmt"
	"strings"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/siptest"
)

// check asks everything that must hold at the end of a history.
func (s *sim) check() {
	if st := s.sw.Stats(); st.Calls != 0 || st.Legs != 0 || st.MediaPorts != 0 {
		s.problem("left when all is over: %+v", st)
	}
	for _, f := range s.umpire.Faults() {
		s.problem("wire: %s", f)
	}
	s.checkAnswers()
	s.checkLog()
	s.checkPhones()
	s.checkRecords()
	s.checkTexts()
	s.checkPublished()
	s.checkWatched()
}

// checkAnswers: what the switch has, it answers; a phone whose connection has
// gone cannot be told.
func (s *sim) checkAnswers() {
	gone := map[string]bool{}
	for _, h := range s.sets {
		gone[h.number] = h.gone
	}
	for _, m := range s.umpire.Unanswered() {
		switch {
		case !gone[userOf(m.Header("From"))]:
			s.problem("never answered: %s %s, %s", m.Method, m.URI, m.Header("CSeq"))
		case m.Method == "INVITE":
			s.doubtful[parties(m)]++
		}
	}
}

// checkLog: nothing recovered, nothing failed.
func (s *sim) checkLog() {
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, "panic") || strings.Contains(line, "level=ERROR") {
			s.problem("log: %.1000s", line)
		}
	}
}

// checkPhones: nobody believes in a call that is over.
func (s *sim) checkPhones() {
	for _, h := range s.sets {
		if h.gone {
			continue
		}
		for _, c := range h.phone.Calls() {
			if h.calls[c] == s.lives {
				s.problem("%s believes in a call, %s %s", h.number, c.Invite().Header("From"), c.Invite().Header("To"))
			}
		}
	}
}

// begun are the calls of this life of the switch by who called whom, as seen on
// the wire.
func (s *sim) begun() map[string]int {
	count := map[string]int{}
	for _, m := range s.umpire.Taken() {
		if m.Header("Replaces") == "" { // which may begin none, see place
			count[parties(m)]++
		}
	}
	return count
}

// parties of an INVITE, "101>102".
func parties(m *siptest.Message) string { return userOf(m.Header("From")) + ">" + userOf(m.URI) }

func userOf(address string) string {
	_, rest, _ := strings.Cut(address, "sip:")
	user, _, _ := strings.Cut(rest, "@")
	return user
}

// checkRecords: one record for each call, whole, whatever was lost, repeated or
// killed on the way (D1, S9). A transfer may place one call to its target, which has a
// record of its own (F4); who calls there is whoever then talks to it.
func (s *sim) checkRecords() {
	want := s.begun()
	for key, n := range s.owed {
		want[key] += n
	}
	list, _, err := s.sw.CallRecords(cordpair.CallQuery{Client: 1, Limit: 1000})
	s.must(err)
	got, legs := map[string]int{}, &ledger{started: map[call.LegID]int{}, ended: map[call.LegID]int{}}
	for _, brief := range list {
		r, err := s.sw.CallRecord(brief.CallUUID)
		s.must(err)
		got[r.FromUsername+">"+r.ToUsername]++
		s.checkRecord(r, legs)
	}
	s.checkLegs(legs)
	for key, n := range want {
		if got[key] < n {
			s.problem("%d records of calls %s, want %d", got[key], key, n)
		}
	}
	for key, n := range got {
		_, to, _ := strings.Cut(key, ">")
		if perhaps := s.doubtful[key] + s.asked[to]; n > want[key]+perhaps {
			s.problem("%d records of calls %s, want %d and perhaps %d", n, key, want[key], perhaps)
		}
	}
}

// checkRecord: the sequence of one call is in order and has one end.
func (s *sim) checkRecord(r cordpair.CallRecord, l *ledger) {
	what := fmt.Sprintf("record %s of %s>%s, %s", r.CallUUID, r.FromUsername, r.ToUsername, r.Cause)
	if r.Cause == "" || r.HangupTime.Time.IsZero() || r.HangupTime.Time.Before(r.InitTime.Time) {
		s.problem("%s: from %v to %v", what, r.InitTime, r.HangupTime)
	}
	broken := r.Cause == call.CauseRestart || r.Left > 0 // off where the switch did
	over, last := 0, -1
	for _, e := range r.Events {
		if e.Seq <= last && !broken {
			s.problem("%s: event %d after %d", what, e.Seq, last)
		}
		last = e.Seq
		switch e.Kind {
		case call.EventLegStarted:
			l.started[e.Leg]++
		case call.EventLegEnded:
			l.ended[e.Leg]++
		case call.EventEnded:
			over++
		}
	}
	l.broken = l.broken || broken
	if over != 1 {
		s.problem("%s: ended %d times", what, over)
	}
}

// ledger is what all records together say of legs: one may end in another call than
// it began in.
type ledger struct {
	started, ended map[call.LegID]int
	broken         bool
}

func (s *sim) checkLegs(l *ledger) {
	for leg, n := range l.started {
		if ended := l.ended[leg]; n != 1 || ended > 1 || ended == 0 && !l.broken {
			s.problem("leg %s began %d times and ended %d times", leg, n, ended)
		}
	}
	for leg := range l.ended {
		if l.started[leg] == 0 && !l.broken {
			s.problem("leg %s ended and never began", leg)
		}
	}
}
