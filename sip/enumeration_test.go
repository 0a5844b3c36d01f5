package sip_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip/digest"
)

// guesser has a request refused for a wrong password or an unknown user.
type guesser struct {
	t testing.TB
	p *pipe
	u *rawUA
}

// guess returns a request of a user with credentials that fit nothing, for the answer
// the edge gave to the one without.
func (g guesser) guess(method, user string) string {
	r := request{method: method, user: user, uri: "sip:102@" + domain, to: "<sip:" + user + "@" + domain + ">"}
	g.u.fill(&r)
	challenge := g.p.ask(g.u.text(r), "SIP/2.0 4")
	header, answer := "Proxy-Authenticate: ", "Proxy-Authorization: "
	if method == "REGISTER" {
		header, answer = "WWW-Authenticate: ", "Authorization: "
	}
	_, value, _ := strings.Cut(challenge, header)
	value, _, _ = strings.Cut(value, "\r\n")
	c, err := digest.ParseChallenge(value)
	if err != nil {
		g.t.Fatalf("%v in %q", err, challenge)
	}
	r.head = []string{answer + c.Respond(digest.Answer{
		User: user, Password: "guess", Method: method, URI: r.uri, NC: 1, CNonce: digest.NewCNonce(),
	})}
	r.branch, r.cseq = fresh("z9hG4bKraw"), 2
	return g.u.text(r)
}

// TestNoEnumerationByWork (A3): to refuse one who does not exist takes the work that a
// wrong password takes. What time it takes is BenchmarkNoEnumeration's.
func TestNoEnumerationByWork(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations are counted without the race detector")
	}
	for _, method := range []string{"REGISTER", "INVITE", "MESSAGE"} {
		piped(t, func(p *pipe, u *rawUA) {
			g := guesser{t, p, u}
			work := map[string]float64{}
			for _, user := range []string{"101", "999"} {
				text := g.guess(method, user) // nothing is used up by it
				work[user] = testing.AllocsPerRun(500, func() { p.ask(text, "SIP/2.0 4") })
			}
			if work["101"] != work["999"] {
				t.Errorf("%s: %v allocations, for a stranger %v", method, work["101"], work["999"])
			}
		})
	}
}

// BenchmarkNoEnumeration reports by how much the medians of two refusals differ: A3
// allows a millisecond, over 1,000 tries.
func BenchmarkNoEnumeration(b *testing.B) {
	for _, method := range []string{"REGISTER", "INVITE"} {
		b.Run(method, func(b *testing.B) {
			piped(b, func(p *pipe, u *rawUA) {
				g := guesser{b, p, u}
				users := []string{"101", "999"}
				took := map[string][]time.Duration{}
				for b.Loop() {
					for _, user := range users {
						text := g.guess(method, user)
						begin := time.Now()
						p.ask(text, "SIP/2.0 4")
						took[user] = append(took[user], time.Since(begin))
					}
				}
				median := func(user string) float64 {
					slices.Sort(took[user])
					return float64(took[user][len(took[user])/2].Nanoseconds())
				}
				b.ReportMetric(median("101"), "ns/known")
				b.ReportMetric(median("999"), "ns/unknown")
			})
		})
	}
}
