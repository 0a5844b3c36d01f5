package ice

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ours   = Credentials{"ourufrag", "ourpasswordourpasswordou"}
	here   = netip.MustParseAddrPort("192.0.2.7:4000")
	there  = netip.MustParseAddrPort("192.0.2.7:4002")
	secret = stun.NewShortTermIntegrity(ours.Pwd)
)

type flag stun.AttrType

func (f flag) AddTo(m *stun.Message) error { m.Add(stun.AttrType(f), nil); return nil }

func priority(n byte) stun.RawAttribute {
	return stun.RawAttribute{Type: stun.AttrPriority, Length: 4, Value: []byte{n, 0, 0, 0}}
}

// check builds a request of a far end called "them".
func check(t testing.TB, setters ...stun.Setter) []byte {
	t.Helper()
	all := append([]stun.Setter{stun.TransactionID, stun.BindingRequest}, setters...)
	m, err := stun.Build(all...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

var (
	name        = stun.NewUsername("ourufrag:them")
	controlling = stun.RawAttribute{Type: stun.AttrICEControlling, Length: 8, Value: make([]byte, 8)}
	controlled  = stun.RawAttribute{Type: stun.AttrICEControlled, Length: 8, Value: make([]byte, 8)}
	use         = flag(stun.AttrUseCandidate)
)

func TestAnswer(t *testing.T) {
	for _, c := range []struct {
		about   string
		setters []stun.Setter
		want    Verdict
		code    stun.ErrorCode // of the reply, -1 for none, 0 for success
	}{
		{"a check", []stun.Setter{name, priority(1), controlling, secret, stun.Fingerprint}, Checked, 0},
		{"a nomination", []stun.Setter{name, priority(1), controlling, use, secret, stun.Fingerprint}, Nominated, 0},
		{"without fingerprint", []stun.Setter{name, controlling, secret}, Checked, 0},
		{"the wrong role", []stun.Setter{name, controlled, use, secret, stun.Fingerprint}, Conflict, stun.CodeRoleConflict},
		{"what must be known", []stun.Setter{name, flag(0x7777), secret, stun.Fingerprint}, Refused, stun.CodeUnknownAttribute},
		{"what need not be", []stun.Setter{name, flag(0xc057), controlling, secret, stun.Fingerprint}, Checked, 0},
		{"without integrity", []stun.Setter{name, controlling, use, stun.Fingerprint}, Refused, -1},
		{"another password", []stun.Setter{name, use, stun.NewShortTermIntegrity("x"), stun.Fingerprint}, Refused, -1},
		{"another name", []stun.Setter{stun.NewUsername("theirs:them"), use, secret, stun.Fingerprint}, Refused, -1},
		{"another far end", []stun.Setter{stun.NewUsername("ourufrag:other"), use, secret, stun.Fingerprint}, Refused, -1},
		{"no colon", []stun.Setter{stun.NewUsername("ourufrag"), use, secret, stun.Fingerprint}, Refused, -1},
		{"no name", []stun.Setter{use, secret, stun.Fingerprint}, Refused, -1},
		{"a wrong fingerprint", []stun.Setter{name, use, secret, stun.RawAttribute{Type: stun.AttrFingerprint, Length: 4, Value: make([]byte, 4)}}, Refused, -1},
		{"a nomination behind the integrity", []stun.Setter{name, controlling, secret, use}, Checked, 0},
	} {
		a := NewAgent(ours, "them")
		reply, v := a.Answer(check(t, c.setters...), here, 1)
		if v != c.want || (reply == nil) != (c.code < 0) {
			t.Errorf("%s: verdict %d, reply %x", c.about, v, reply)
			continue
		}
		if a.Knows(here, 1) != (v >= Checked) || a.Chosen(1).IsValid() != (v == Nominated) {
			t.Errorf("%s: knows %t, sends to %s", c.about, a.Knows(here, 1), a.Chosen(1))
		}
		if reply == nil {
			continue
		}
		m := &stun.Message{Raw: bytes.Clone(reply)}
		if err := m.Decode(); err != nil {
			t.Fatalf("%s: %v", c.about, err)
		}
		if err := m.Check(secret, stun.Fingerprint); err != nil {
			t.Errorf("%s: %v", c.about, err)
		}
		var code stun.ErrorCodeAttribute
		if c.code != 0 && (code.GetFrom(m) != nil || code.Code != c.code) {
			t.Errorf("%s: %s", c.about, code)
		}
		var seen stun.XORMappedAddress
		if c.code == 0 && (seen.GetFrom(m) != nil || seen.Port != int(here.Port()) || seen.IP.String() != here.Addr().String()) {
			t.Errorf("%s: %s", c.about, seen)
		}
	}
}

// What is no request is not answered, least of all an answer.
func TestOtherMessages(t *testing.T) {
	a := NewAgent(ours, "them")
	for _, kind := range []stun.MessageType{stun.BindingSuccess, stun.BindingError, stun.NewType(stun.MethodBinding, stun.ClassIndication), stun.NewType(stun.MethodAllocate, stun.ClassRequest)} {
		if reply, v := a.Answer(check(t, kind, name, use, secret, stun.Fingerprint), here, 1); reply != nil || v != Refused {
			t.Errorf("%s: %d, %x", kind, v, reply)
		}
	}
}

// The best of several nominated paths counts; another one once it is silent.
func TestNominations(t *testing.T) {
	a := NewAgent(ours, "them")
	nominate := func(from netip.AddrPort, p byte, now int64) Verdict {
		_, v := a.Answer(check(t, name, priority(p), controlling, use, secret, stun.Fingerprint), from, now)
		return v
	}
	for i, step := range []struct {
		from netip.AddrPort
		p    byte
		at   int64
		to   netip.AddrPort
	}{
		{here, 5, 1e9, here}, {there, 4, 1e9, here}, {there, 6, 1e9, there}, {here, 5, 2e9, there}, {here, 5, 5e9, here}, {here, 5, 40e9, here},
	} {
		if v := nominate(step.from, step.p, step.at); (v == Nominated) != (step.from == step.to) || a.Chosen(step.at) != step.to {
			t.Errorf("step %d: verdict %d, sends to %s", i, v, a.Chosen(step.at))
		}
	}
	if a.Chosen(69e9) != here || a.Chosen(70e9).IsValid() || a.Knows(here, 70e9) {
		t.Error("consent does not end after 30 s")
	}
}

// Addresses are bounded, and the nominated one is not pushed out.
func TestPathsAreBounded(t *testing.T) {
	a := NewAgent(ours, "them")
	a.Answer(check(t, name, use, secret, stun.Fingerprint), here, 1)
	for port := range uint16(100) {
		a.Answer(check(t, name, secret, stun.Fingerprint), netip.AddrPortFrom(there.Addr(), 5000+port), 2)
	}
	if a.Chosen(3) != here {
		t.Error("the nominated path is forgotten")
	}
}

func TestCredentials(t *testing.T) {
	a, b := NewCredentials(), NewCredentials()
	if len(a.Ufrag) != 8 || len(a.Pwd) != 24 || a.Ufrag == b.Ufrag || a.Pwd == b.Pwd {
		t.Error(a, b)
	}
	if x := NewAgent(a, "x"); !x.Is(a, "x") || x.Is(a, "y") || x.Is(b, "x") {
		t.Error("a restart is not told from the same session")
	}
}

// A restart keeps the path until another is chosen, and takes no old check.
func TestRestart(t *testing.T) {
	a := NewAgent(ours, "them")
	old := check(t, name, use, secret, stun.Fingerprint)
	a.Answer(old, here, 1)
	b := a.Restart(Credentials{"newufrag", "newpasswordnewpasswordne"}, "them")
	if b.Chosen(2) != here || !b.Knows(here, 2) {
		t.Error("the path is lost")
	}
	if _, v := b.Answer(old, there, 2); v != Refused {
		t.Error("an old check counts")
	}
	fresh := check(t, stun.NewUsername("newufrag:them"), use, stun.NewShortTermIntegrity("newpasswordnewpasswordne"), stun.Fingerprint)
	if _, v := b.Answer(fresh, there, 2); v != Nominated || b.Chosen(2) != there {
		t.Errorf("verdict %d, sends to %s", v, b.Chosen(2))
	}
}

// FuzzAnswer: only who knows the password has any effect.
func FuzzAnswer(f *testing.F) {
	f.Add(check(f, name, priority(1), controlling, use, stun.NewShortTermIntegrity("guess"), stun.Fingerprint))
	f.Add(check(f, name, use))
	f.Add([]byte{0, 1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		a := NewAgent(Credentials{"ourufrag", NewCredentials().Pwd}, "them")
		if reply, v := a.Answer(b, here, 1); v != Refused || reply != nil || a.Knows(here, 1) || a.Chosen(1).IsValid() {
			t.Fatalf("%x has an effect: %d, %x", b, v, reply)
		}
	})
}
