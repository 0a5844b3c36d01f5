package sip_test

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// pressed are the digits the call has heard.
func (e *edge) pressed() string {
	s := ""
	for _, ev := range e.happened(call.EventDigit) {
		s += string(ev.Digit)
	}
	return s
}

// TestDigits (M7): by RFC 4733, by INFO in both forms, and by both at once.
func TestDigits(t *testing.T) {
	inEdge(t, func(e *edge) {
		c, err := e.phone("101").Call(e.ctx, "*43")
		e.must(err)
		e.must(c.WaitAnswered(e.ctx))
		e.must(c.Press(e.ctx, "11")) // two quick presses count twice
		e.must(c.PressInfo(e.ctx, "22"))
		e.must(c.Press(e.ctx, "3"))
		wait(3 * time.Second)
		if got := e.pressed(); got != "11223" && got != "1122"+"3" {
			t.Errorf("pressed %q", got)
		}
		for range 2 { // a phone that reports each press in both ways
			e.must(c.Press(e.ctx, "5"))
			e.must(c.PressInfo(e.ctx, "5"))
		}
		e.must(c.Press(e.ctx, "77")) // or the second report late
		e.must(c.PressInfo(e.ctx, "77"))
		if got := e.pressed(); got != "112235577" {
			t.Errorf("pressed %q", got)
		}
		e.must(c.Hangup(e.ctx))
	})
}

func TestInfoBodies(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		for i, tc := range []struct {
			contentType, body string
			code              int
		}{
			{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", 200},
			{"application/dtmf-relay", "signal = #\nDuration=160", 200},
			{"application/dtmf", "*", 200},
			{"application/dtmf-relay", "Duration=160", 200},
			{"application/dtmf-relay", "Signal=16\r\n", 200},
			{"text/plain", "5", 415},
			{"", "", 200},
		} {
			info := inDialog(r, ok, "INFO")
			info.cseq += i
			info.contentType, info.body = tc.contentType, tc.body
			u.send(u.text(info))
			if g := u.one(); g.Status() != tc.code {
				t.Errorf("%s %q: %d, want %d", tc.contentType, tc.body, g.Status(), tc.code)
			}
		}
		if got := e.pressed(); got != "5#*" {
			t.Errorf("pressed %q", got)
		}
	})
}

// TestDeadInTheMiddle: a phone that dies with a re-INVITE open gets one BYE.
func TestDeadInTheMiddle(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		r, ok := u.talk()
		wait(70 * time.Second) // it has been asked whether it is there
		again := inDialog(r, ok, "INVITE")
		again.body = u.sdp()
		u.send(u.text(again))
		wait(2 * time.Minute)
		byes := map[string]bool{}
		for _, g := range u.heard() {
			if g.IsRequest() && g.Method() == "BYE" {
				byes[g.Branch()] = true
			}
		}
		if len(byes) != 1 {
			t.Errorf("%d BYEs came", len(byes))
		}
		e.free()
	})
}

// TestSilentLeg (M8): a phone that sends nothing for 60 s is asked whether it is
// still there.
func TestSilentLeg(t *testing.T) {
	for name, tc := range map[string]struct {
		answer int // 0: none
		ends   time.Duration
	}{
		"there":       {200, 0},
		"no OPTIONS":  {405, 0},
		"challenges":  {401, 0},
		"forgotten":   {481, 60 * time.Second},
		"timed out":   {408, 60 * time.Second},
		"dead":        {0, 92 * time.Second},
		"at a gate":   {503, 0},
		"other error": {500, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				u := e.rawUDP("10.0.9.1:5060")
				u.talk()
				begin := time.Now()
				probes := 0
				for e.registry.Len() > 0 && time.Since(begin) < 5*time.Minute {
					for _, g := range u.heard() {
						if g.Method() == "OPTIONS" && g.IsRequest() {
							probes++
							if tc.answer != 0 {
								u.send(reply(g, tc.answer, "", nil, ""))
							}
						}
					}
					wait(time.Second)
				}
				took := time.Since(begin)
				if tc.ends == 0 {
					if took < 5*time.Minute || probes < 4 {
						t.Errorf("%d probes, ended after %v", probes, took)
					}
					return
				}
				if took < tc.ends || took > tc.ends+5*time.Second {
					t.Errorf("ended after %v, want %v", took, tc.ends)
				}
				if ended := e.happened(call.EventEnded); len(ended) != 1 || ended[0].Cause != call.CauseMediaTimeout {
					t.Errorf("ended %+v", ended)
				}
			})
		})
	}
}
