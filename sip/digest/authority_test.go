package digest

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const (
	realm    = "demo.cordpair.test"
	password = "correct horse"
)

var (
	home  = netip.MustParseAddr("192.0.2.1")
	other = netip.MustParseAddr("192.0.2.2")
)

// phone answers a challenge as a phone does, unless told to deviate.
type phone struct {
	user, password, method, uri string
	nc                          uint32
}

func (p phone) answer(t *testing.T, challenge string) Credentials {
	t.Helper()
	ch, err := ParseChallenge(challenge)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(ch.Respond(Answer{User: p.user, Password: p.password, Method: p.method, URI: p.uri, NC: p.nc, CNonce: "cn"}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	good   = phone{"101", password, "REGISTER", "sip:" + realm, 1}
	secret = NewSecret("101", realm, password)
	want   = Request{Method: "REGISTER", Host: realm, Realm: realm, Source: home}
)

func TestVerify(t *testing.T) {
	now := time.Now()
	tests := []struct {
		name   string
		phone  func(*phone)
		secret func(*Secret)
		req    func(*Request)
		forge  func(*Credentials)
		want   Verdict
	}{
		{name: "right", want: Verdict{OK, ReasonNone}},
		{name: "upper-case response", forge: func(c *Credentials) { c.response = strings.ToUpper(c.response) }, want: Verdict{OK, ReasonNone}},
		{name: "wrong password", phone: func(p *phone) { p.password = "guess" }, want: Verdict{Bad, ReasonDigest}},
		{name: "unknown user", secret: func(s *Secret) { *s = Secret{} }, want: Verdict{Bad, ReasonDigest}},
		{name: "another user's secret", secret: func(s *Secret) { *s = NewSecret("102", realm, password) }, want: Verdict{Bad, ReasonDigest}},
		{name: "method not covered", req: func(r *Request) { r.Method = "INVITE" }, want: Verdict{Bad, ReasonDigest}},
		{name: "uri changed on the way", forge: func(c *Credentials) { c.uri = "sip:x" }, want: Verdict{Bad, ReasonDigest}},
		{name: "count changed on the way", forge: func(c *Credentials) { c.nc = "00000002" }, want: Verdict{Bad, ReasonDigest}},
		{name: "realm", req: func(r *Request) { r.Realm = "other" }, want: Verdict{Bad, ReasonRealm}},
		{name: "policy", req: func(r *Request) { r.Policy = PolicySHA256 }, want: Verdict{Bad, ReasonAlgorithm}},
		{name: "from another address", req: func(r *Request) { r.Source = other }, want: Verdict{Stale, ReasonNonce}},
		{name: "from the mapped address", req: func(r *Request) { r.Source = netip.MustParseAddr("::ffff:192.0.2.1") }, want: Verdict{OK, ReasonNone}},
		{name: "for another host", req: func(r *Request) { r.Host = "example.net" }, want: Verdict{Foreign, ReasonURI}},
		{name: "for the server", req: func(r *Request) { r.User, r.Host, r.Server = "102", "example.net", realm }, want: Verdict{OK, ReasonNone}},
		{name: "for a user", req: func(r *Request) { r.User = "102" }, want: Verdict{Foreign, ReasonURI}},
		{name: "wrong password for another host", phone: func(p *phone) { p.password = "x" },
			req: func(r *Request) { r.Host = "example.net" }, want: Verdict{Bad, ReasonDigest}},
		{name: "wrong password from another address", phone: func(p *phone) { p.password = "x" },
			req: func(r *Request) { r.Source = other }, want: Verdict{Bad, ReasonDigest}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := New(Config{})
			p, s, r := good, secret, want
			if tt.phone != nil {
				tt.phone(&p)
			}
			c := p.answer(t, a.Challenge(realm, PolicyMD5, home, false, now)[0])
			for _, change := range []func(){
				func() {
					if tt.secret != nil {
						tt.secret(&s)
					}
				},
				func() {
					if tt.req != nil {
						tt.req(&r)
					}
				},
				func() {
					if tt.forge != nil {
						tt.forge(&c)
					}
				},
			} {
				change()
			}
			if got := a.Verify(&c, s, r, now); got != tt.want {
				t.Errorf("Verify = %v %q, want %v %q", got.Outcome, got.Reason, tt.want.Outcome, tt.want.Reason)
			}
			if tt.want.Outcome != OK && a.used.len() != 0 {
				t.Error("a refused request left something behind")
			}
		})
	}
}

func TestChallengePolicies(t *testing.T) {
	tests := []struct {
		policy Policy
		want   []Algorithm
	}{
		{"", []Algorithm{MD5}},
		{PolicyMD5, []Algorithm{MD5}},
		{PolicySHA256, []Algorithm{SHA256}},
		{PolicyBoth, []Algorithm{SHA256, MD5}},
	}
	for _, tt := range tests {
		t.Run("policy "+string(tt.policy), func(t *testing.T) {
			a, now := New(Config{}), time.Now()
			for _, stale := range []bool{false, true} {
				values := a.Challenge(realm, tt.policy, home, stale, now)
				if len(values) != len(tt.want) {
					t.Fatalf("%d headers: %q", len(values), values)
				}
				for i, v := range values {
					ch, err := ParseChallenge(v)
					if err != nil || ch.Algorithm != tt.want[i] || !ch.QOP || ch.Stale != stale || ch.Realm != realm {
						t.Errorf("header %d %q: %+v, %v", i, v, ch, err)
					}
				}
			}
			for i, v := range a.Challenge(realm, tt.policy, home, false, now) {
				p, r := good, want
				r.Policy, p.nc = tt.policy, uint32(i+1)
				c := p.answer(t, v)
				if got := a.Verify(&c, secret, r, now); got.Outcome != OK {
					t.Errorf("%q: %v %s", v, got.Outcome, got.Reason)
				}
			}
		})
	}
}

func TestRealmIsQuoted(t *testing.T) {
	v := New(Config{}).Challenge("a\"b\\c\r\nd", PolicyMD5, home, false, time.Now())[0]
	ch, err := ParseChallenge(v)
	if err != nil || ch.Realm != `a"b\c  d` || strings.ContainsAny(v, "\r\n") {
		t.Errorf("%q: %q, %v", v, ch.Realm, err)
	}
}

// A phone without qop (RFC 2069) can use a nonce once.
func TestWithoutQOP(t *testing.T) {
	a, now := New(Config{}), time.Now()
	old := strings.Replace(a.Challenge(realm, PolicyMD5, home, false, now)[0], `, qop="auth"`, "", 1)
	for i, want1 := range []Outcome{OK, Stale, Stale} {
		c := good.answer(t, old)
		if c.QOP {
			t.Fatal("qop was used")
		}
		if got := a.Verify(&c, secret, want, now); got.Outcome != want1 {
			t.Errorf("use %d: %v %s", i+1, got.Outcome, got.Reason)
		}
	}
}

func TestNonceCounts(t *testing.T) {
	tests := []struct {
		name   string
		counts []uint32
		fresh  []bool
	}{
		{"rising", []uint32{1, 2, 3}, []bool{true, true, true}},
		{"replay", []uint32{1, 1, 2, 2, 1}, []bool{true, false, true, false, false}},
		{"overtaking", []uint32{1, 3, 2, 2}, []bool{true, true, true, false}},
		{"begins late", []uint32{7, 6, 7}, []bool{true, true, false}},
		{"edge of the window", []uint32{100, 37, 36, 37}, []bool{true, true, false, false}},
		{"jump", []uint32{1, 65, 1, 2, 66, 2}, []bool{true, true, false, true, true, false}},
		{"far jump", []uint32{1, 1 << 31, 1, 0xffffffff, 1 << 31, 0xffffffff}, []bool{true, true, false, true, false, false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, now := New(Config{}), time.Now()
			ch := a.Challenge(realm, PolicyMD5, home, false, now)[0]
			for i, n := range tt.counts {
				p := good
				p.nc = n
				c := p.answer(t, ch)
				got := a.Verify(&c, secret, want, now)
				if (got.Outcome == OK) != tt.fresh[i] {
					t.Errorf("use %d, nc %d: %v %s", i, n, got.Outcome, got.Reason)
				}
				if !tt.fresh[i] && got != (Verdict{Stale, ReasonReplay}) {
					t.Errorf("use %d, nc %d: %v %s", i, n, got.Outcome, got.Reason)
				}
			}
		})
	}
}

func TestNonceLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := New(Config{})
		ch := a.Challenge(realm, PolicyMD5, home, false, time.Now())[0]
		use := func(nc uint32) Verdict {
			p := good
			p.nc = nc
			c := p.answer(t, ch)
			return a.Verify(&c, secret, want, time.Now())
		}
		time.Sleep(60 * time.Second)
		if got := use(1); got.Outcome != OK {
			t.Errorf("after 60 s: %v %s", got.Outcome, got.Reason)
		}
		time.Sleep(time.Millisecond)
		if got := use(2); got != (Verdict{Stale, ReasonExpired}) {
			t.Errorf("after more than 60 s: %v %s", got.Outcome, got.Reason)
		}
	})
}

// A nonce of another process is stale when the password is right and a plain
// failure when it is not.
func TestNonceOfAnotherProcess(t *testing.T) {
	now := time.Now()
	ch := New(Config{}).Challenge(realm, PolicyMD5, home, false, now)[0]
	a := New(Config{})
	c := good.answer(t, ch)
	if got := a.Verify(&c, secret, want, now); got != (Verdict{Stale, ReasonNonce}) {
		t.Errorf("right password: %v %s", got.Outcome, got.Reason)
	}
	if got := a.Verify(&c, NewSecret("101", realm, "x"), want, now); got.Outcome != Bad {
		t.Errorf("wrong password: %v %s", got.Outcome, got.Reason)
	}
}

// Every flipped character of a nonce must be noticed.
func TestForgedNonce(t *testing.T) {
	a, now := New(Config{}), time.Now()
	c := good.answer(t, a.Challenge(realm, PolicyMD5, home, false, now)[0])
	if len(c.nonce) != nonceText {
		t.Fatalf("nonce of %d characters", len(c.nonce))
	}
	for i := range len(c.nonce) {
		flip := byte('A')
		if c.nonce[i] == flip {
			flip = 'B'
		}
		if _, ok := a.mint.open(c.nonce[:i]+string(flip)+c.nonce[i+1:], realm, home); ok {
			t.Errorf("character %d can be changed", i)
		}
	}
	for _, n := range []string{"", "x", c.nonce + "A", c.nonce[:len(c.nonce)-1], strings.Repeat("=", nonceText)} {
		if _, ok := a.mint.open(n, realm, home); ok {
			t.Errorf("%q accepted", n)
		}
	}
	if _, ok := a.mint.open(c.nonce, realm+"x", home); ok {
		t.Error("accepted for another realm")
	}
	if _, ok := a.mint.open(c.nonce, realm, home); !ok {
		t.Error("not accepted untouched")
	}
}

// However many nonces are used, memory is bounded and no count is accepted twice.
func TestUsedIsBounded(t *testing.T) {
	const limit = 160
	u := newUsed(60_000, limit)
	type use struct {
		n  issued
		at int64
	}
	var taken []use
	for i := range 5000 {
		n := issued{at: int64(i), id: uint64(i) * 0x9e3779b97f4a7c15}
		if !u.take(n, 1) {
			t.Fatalf("a fresh nonce was refused at %d", i)
		}
		taken = append(taken, use{n, int64(i)})
		if got := u.len(); got > limit {
			t.Fatalf("%d remembered", got)
		}
	}
	for _, x := range taken {
		if u.take(x.n, 1) {
			t.Fatalf("nonce of %d was accepted twice", x.at)
		}
	}
}

func TestUsedIsSwept(t *testing.T) {
	u := newUsed(60_000, 1000)
	for i := range 100 {
		u.take(issued{at: 5000, id: uint64(i)}, 1)
	}
	u.sweep(65_000)
	if got := u.len(); got != 100 {
		t.Errorf("%d left while they live", got)
	}
	u.sweep(70_000)
	if got := u.len(); got != 0 {
		t.Errorf("%d left after their life", got)
	}
	for i := range usedShards {
		for j := range u.shards[i].slots {
			if u.shards[i].slots[j].seen != nil {
				t.Fatal("a map is kept")
			}
		}
	}
}

// One count used from many goroutines succeeds once.
func TestVerifyConcurrently(t *testing.T) {
	a, now := New(Config{}), time.Now()
	ch := a.Challenge(realm, PolicyMD5, home, false, now)[0]
	var ok atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for nc := uint32(1); nc <= 20; nc++ {
				p := good
				p.nc = nc
				c := p.answer(t, ch)
				if a.Verify(&c, secret, want, now).Outcome == OK {
					ok.Add(1)
				}
				a.Challenge(realm, PolicyBoth, home, true, now)
			}
		})
	}
	wg.Wait()
	if got := ok.Load(); got != 20 {
		t.Errorf("%d successes for 20 counts", got)
	}
}

func TestSameTarget(t *testing.T) {
	tests := []struct {
		uri, user, host string
		want            bool
	}{
		{"sip:example.com", "", "example.com", true},
		{"sip:EXAMPLE.com:5060;transport=tcp", "", "example.com", true},
		{"sips:102@example.com?x=y", "102", "example.com", true},
		{"sip:102:pw@example.com", "102", "example.com", true},
		{"sip:%31%302@example.com", "102", "example.com", true},
		{"sip:*43@example.com", "%2A43", "example.com", true},
		{"sip:a;b=c@example.com", "a;b=c", "example.com", true},
		{"sip:[2001:DB8::1]:5060", "", "[2001:db8:0::1]", true},
		{"sip:[2001:db8::1]", "", "2001:db8::1", true},
		{"sip:102@example.com", "103", "example.com", false},
		{"sip:102@example.com", "10", "example.com", false},
		{"sip:10@example.com", "102", "example.com", false},
		{"sip:Bob@example.com", "bob", "example.com", false},
		{"sip:102@example.com", "102", "example.com.evil", false},
		{"sip:192.0.2.1", "", "192.0.2.11", false},
		{"example.com", "", "example.com", false},
		{"tel:102", "", "102", false},
		{"", "", "", false},
		{"sip:%", "%", "", false},
		{"sip:%4@h", "%4", "h", true},
	}
	for _, tt := range tests {
		if got := sameTarget(tt.uri, tt.user, tt.host); got != tt.want {
			t.Errorf("sameTarget(%q, %q, %q) = %v", tt.uri, tt.user, tt.host, got)
		}
	}
}

func TestSecretIsHidden(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, secret); strings.Contains(got, secret.HA1MD5) {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}
