package siptest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestRegister(t *testing.T) {
	rows := []struct {
		name, challenge string
		want            []string // parts of the second request's Authorization
		requests        int      // for two registrations
	}{
		{"md5 with qop", `Digest realm="demo.test", nonce="n1", qop="auth", algorithm=MD5`, []string{`username="101"`, `realm="demo.test"`, `uri="sip:demo.test"`, "qop=auth", "nc=00000001", "algorithm=MD5"}, 3},
		{"old style", `Digest realm="demo.test", nonce="n1"`, []string{`nonce="n1"`, `response="`}, 3},
		{"sha-256 with opaque", `Digest realm="demo.test", nonce="n1", qop="auth,auth-int", algorithm=SHA-256, opaque="x,y"`, []string{"algorithm=SHA-256", `opaque="x,y"`}, 3},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := NewNet(t)
				f := newFarEnd(t, n, func(m *Message) []*Message {
					if m.Header("Authorization") == "" {
						return []*Message{reply(m, 401, "r", "WWW-Authenticate", row.challenge)}
					}
					return []*Message{reply(m, 200, "r", "Contact", m.Header("Contact")+";expires=3600")}
				})
				p := n.Phone("101", "secret", "demo.test")
				must(t, p.Register(t.Context()))
				must(t, p.Unregister(t.Context()))
				got := f.of("REGISTER")
				if len(got) != row.requests {
					t.Fatalf("%d requests\n%s", len(got), p.Transcript())
				}
				for _, part := range row.want {
					if !strings.Contains(got[1].Header("Authorization"), part) {
						t.Errorf("%q lacks %q", got[1].Header("Authorization"), part)
					}
				}
				if got[0].callID() != got[2].callID() || got[2].Header("Expires") != "0" || got[2].Header("CSeq") != "3 REGISTER" {
					t.Errorf("the last request is\n%s", got[2])
				}
				if p.LastResponse().Code != 200 {
					t.Errorf("last response is %s", p.LastResponse().startLine())
				}
			})
		})
	}
}

func TestDigestVectors(t *testing.T) {
	c := &challenge{realm: "testrealm@host.com", nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", auth: true}
	if got := c.answer("Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b"); !strings.Contains(got, `response="6629fae49393a05397450978507c4ef1"`) {
		t.Errorf("MD5: %s", got)
	}
	c = &challenge{realm: "http-auth@example.org", nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", auth: true, algorithm: "SHA-256"}
	if got := c.answer("Mufasa", "Circle of Life", "GET", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"); !strings.Contains(got, `response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"`) {
		t.Errorf("SHA-256: %s", got)
	}
}

func TestWrongPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNet(t)
		f := newFarEnd(t, n, func(m *Message) []*Message {
			return []*Message{reply(m, 401, "r", "WWW-Authenticate", `Digest realm="d", nonce="n"`)}
		})
		p := n.Phone("101", "wrong", "demo.test")
		if err := p.Register(t.Context()); !errors.Is(err, ErrRefusedWith) || !strings.Contains(err.Error(), "401") {
			t.Errorf("registering gives %v", err)
		}
		if got := len(f.of("REGISTER")); got != 2 {
			t.Errorf("%d requests", got)
		}
	})
}

func TestChallengedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNet(t)
		f := newFarEnd(t, n, func(m *Message) []*Message {
			switch {
			case m.Method == "INVITE" && m.Header("Proxy-Authorization") == "":
				return []*Message{reply(m, 407, "x", "Proxy-Authenticate", `Digest realm="d", nonce="n", qop="auth"`)}
			case m.Method == "INVITE":
				return []*Message{reply(m, 100, ""), withSDP(reply(m, 200, "y", "Contact", "<sip:sw@10.0.0.1:5060>", "Record-Route", "<sip:far;lr>, <sip:10.0.0.1:5060;lr>"))}
			case m.Method == "BYE":
				return []*Message{reply(m, 200, "")}
			}
			return nil
		})
		p := n.Phone("101", "secret", "demo.test")
		c, err := p.Call(t.Context(), "*43#")
		must(t, err)
		must(t, c.WaitAnswered(t.Context()))
		must(t, c.Hangup(t.Context()))
		invites, acks := f.of("INVITE"), f.of("ACK")
		if len(invites) != 2 || len(acks) != 2 {
			t.Fatal(p.Transcript())
		}
		if invites[1].Header("CSeq") != "2 INVITE" || invites[0].fromTag() != invites[1].fromTag() || invites[0].URI != "sip:*43%23@demo.test" {
			t.Errorf("second INVITE:\n%s", invites[1])
		}
		if acks[0].branch() != invites[0].branch() || acks[0].toTag() != "x" {
			t.Errorf("ACK to the 407:\n%s", acks[0])
		}
		if a := acks[1]; a.branch() == invites[1].branch() || a.Header("Proxy-Authorization") == "" || a.URI != "sip:sw@10.0.0.1:5060" || !slices.Equal(a.Values("Route"), []string{"<sip:10.0.0.1:5060;lr>", "<sip:far;lr>"}) || a.Header("CSeq") != "2 ACK" {
			t.Errorf("ACK to the 200:\n%s", a)
		}
	})
}

func TestStaleNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNet(t)
		f := newFarEnd(t, n, func(m *Message) []*Message {
			seq, _ := m.cseq()
			switch {
			case m.Method != "INVITE":
				return nil
			case seq < 3:
				return []*Message{reply(m, 401, "x", "WWW-Authenticate", `Digest realm="d", stale=true, nonce="`+m.Header("CSeq")+`"`)}
			}
			return []*Message{reply(m, 486, "x"), reply(m, 486, "x")}
		})
		p := n.Phone("101", "secret", "demo.test")
		c, err := p.Call(t.Context(), "102")
		must(t, err)
		end, err := c.WaitEnded(t.Context())
		must(t, err)
		synctest.Wait()
		if got := f.of("INVITE"); end.Code != 486 || len(got) != 3 || !strings.Contains(got[2].Header("Authorization"), `nonce="2 INVITE"`) {
			t.Errorf("end %+v\n%s", end, p.Transcript())
		}
		if got := f.of("ACK"); len(got) != 4 || p.Stats().Repeated != 1 || p.Stats().Retransmitted != 1 {
			t.Errorf("every final response is acknowledged, repeated ones too\n%s", p.Transcript())
		}
	})
}
