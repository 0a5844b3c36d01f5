//go:build system

package system

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// stage is a demo with the three phones of flows: a port each, and a list that names
// itself, with its password, and the other two.
type stage struct {
	*demo
	ports [3]int
	users [3]string
	files int
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{demo: startDemo(t, 3)}
	for i := range s.ports {
		s.ports[i] = s.sippPort(t)
		x, others := s.Extensions[i], [3][2]int{{1, 2}, {0, 2}, {0, 1}}[i]
		s.users[i] = s.file(t, fmt.Sprintf("SEQUENTIAL\n%s;[authentication username=%s password=%s];%s;%s\n",
			x.User, x.User, x.Password, s.Extensions[others[0]].User, s.Extensions[others[1]].User))
	}
	for i := 1; i < len(s.ports); i++ {
		s.register(t, s.ports[i], s.users[i], time.Hour)
	}
	return s
}

// file keeps a text under the next name.
func (s *stage) file(t *testing.T, text string) string {
	t.Helper()
	s.files++
	name := s.path(fmt.Sprintf("flow-%d", s.files))
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// register has a user of a list registered at a port, or no longer.
func (s *stage) register(t *testing.T, port int, user string, expires time.Duration) {
	t.Helper()
	line := fmt.Sprintf("> REGISTER sip:DOMAIN|Expires: %d / < 401 / > REGISTER sip:DOMAIN|[field1]|Expires: %[1]d / < 200", int(expires/time.Second))
	s.play(t, "register", line, port, user, 1).clean(t, 1, patience)
}

func (s *stage) play(t *testing.T, name, lines string, port int, user string, calls int) *sipp {
	t.Helper()
	return s.sipp(t, port, "-sf", s.file(t, render(name, s.SIP.Domain, lines)), "-inf", user,
		"-cid_str", "%u-%p", "-m", fmt.Sprint(calls), "-r", "20")
}

// tries is how often a flow may be played in which nothing but the time was wrong. A
// repetition that is ours comes every time; one for want of a processor does not.
const tries = 3

// run plays a flow so many times, and wants it without a failure, a repetition or a
// surprise at every end.
func (s *stage) run(t *testing.T, f flow, calls int, bound time.Duration) {
	t.Helper()
	users := s.users
	if f.both {
		users[2] = users[1]
		s.register(t, s.ports[2], users[2], time.Hour)
		defer s.register(t, s.ports[2], users[2], 0)
	}
	for n := 1; s.late(t, f, users, calls, bound, n == tries); n++ {
		t.Logf("sent again in try %d; once more", n)
	}
}

// late plays a flow once and reports whether that should be tried again, which the last
// time it should not.
func (s *stage) late(t *testing.T, f flow, users [3]string, calls int, bound time.Duration, last bool) bool {
	t.Helper()
	var playing []*sipp
	for i, lines := range slices.Backward([]string{f.a, f.b, f.c}) { // A comes last
		if lines == "" {
			continue
		}
		p := s.play(t, f.name, lines, s.ports[i], users[i], calls)
		playing = append(playing, p)
		until(t, patience, "SIPp", func() bool { return udpBound(t, s.ports[i]) || !p.running() })
	}
	again := false
	for _, p := range playing {
		r, code := p.outcome(t, bound)
		if !last && p.late(r, calls) {
			again = true
			continue
		}
		p.judge(t, r, code, calls)
	}
	return again
}

// TestFlows: each flow of one phone, of two and of three.
func TestFlows(t *testing.T) {
	need(t, "sipp")
	s := newStage(t)
	for _, list := range [][]flow{alone, between, moves} {
		for _, f := range list {
			t.Run(f.name, func(t *testing.T) { s.run(t, f, 4, 20*time.Second) })
		}
	}
	for _, name := range []string{"cordpair_calls", "cordpair_sip_legs", "cordpair_media_ports_used"} {
		s.awaitMetric(t, name, 0)
	}
	s.stop(t)
}

// TestSlowFlows plays those of one phone beside each other.
func TestSlowFlows(t *testing.T) {
	need(t, "sipp")
	t.Parallel()
	s := newStage(t)
	var playing []*sipp
	for _, f := range slow {
		playing = append(playing, s.play(t, f.name, f.a, s.sippPort(t), s.users[0], 2))
	}
	for _, p := range playing {
		p.clean(t, 2, 2*time.Minute)
	}
	s.stop(t)
}
