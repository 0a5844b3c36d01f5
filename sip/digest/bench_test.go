package digest

import (
	"fmt"
	"testing"
	"time"
)

func register(t testing.TB, a *Authority, p Policy, now time.Time) string {
	ch, err := ParseChallenge(a.Challenge(realm, p, home, false, now)[0])
	if err != nil {
		t.Fatal(err)
	}
	return ch.Respond(Answer{User: "101", Password: password, Method: "REGISTER", URI: "sip:" + realm, NC: 1, CNonce: NewCNonce()})
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("pools drop at random under the race detector")
	}
	a, now := New(Config{}), time.Now()
	header := register(t, a, PolicyMD5, now)
	nonce := issued{}
	check := func(name string, most float64, f func()) {
		if got := testing.AllocsPerRun(200, f); got > most {
			t.Errorf("%s allocates %v times, at most %v", name, got, most)
		}
	}
	check("Parse and Verify", 0, func() {
		c, err := Parse(header)
		if err != nil {
			t.Fatal(err)
		}
		a.Verify(&c, secret, want, now) // a replay from the second time on
	})
	check("an unknown user", 0, func() {
		c, _ := Parse(header)
		a.Verify(&c, Secret{}, want, now)
	})
	check("take", 1, func() { nonce.id += 16; a.used.take(nonce, 1) })
	check("Challenge", 3, func() { a.Challenge(realm, PolicyMD5, home, false, now) })
}

func BenchmarkVerify(b *testing.B) {
	for _, p := range []Policy{PolicyMD5, PolicySHA256} {
		b.Run(string(p), func(b *testing.B) {
			a, now := New(Config{}), time.Now()
			headers := make([]string, 1024)
			for i := range headers {
				headers[i] = register(b, a, p, now)
			}
			r := want
			r.Policy = p
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c, err := Parse(headers[i%len(headers)])
				if err != nil {
					b.Fatal(err)
				}
				a.Verify(&c, secret, r, now)
			}
		})
	}
}

func BenchmarkChallenge(b *testing.B) {
	a, now := New(Config{}), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		a.Challenge(realm, PolicyMD5, home, false, now)
	}
}

// A3: how long a known and an unknown user take.
func BenchmarkUnknownUser(b *testing.B) {
	a, now := New(Config{}), time.Now()
	c, err := Parse(register(b, a, PolicyMD5, now))
	if err != nil {
		b.Fatal(err)
	}
	wrong := NewSecret("101", realm, "wrong")
	for _, s := range []Secret{wrong, {}} {
		b.Run(fmt.Sprintf("known=%v", s != Secret{}), func(b *testing.B) {
			for b.Loop() {
				a.Verify(&c, s, want, now)
			}
		})
	}
}
