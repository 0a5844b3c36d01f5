package siptest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRegister checks the digest against a registrar that computes it in its
// own words.
// TestDigestVectors are the examples of RFC 2617 section 3.5 and RFC 7616
// section 3.9.1.
// TestChallengedCall checks that an INVITE that is challenged is acknowledged,
// sent again with the next CSeq, and that the ACK to its 200 carries the credentials.
// TestStaleNonce checks that a nonce that has grown old is replaced.
func TestRepeatedResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNet(t)
		var last *Message
		f := newFarEnd(t, n, func(m *Message) []*Message {
			last = reply(m, 200, "x")
			return []*Message{last}
		})
		p := n.Phone("101", "secret", "demo.test")
		must(t, p.Register(t.Context()))
		time.Sleep(4 * time.Second)
		f.send(t, p.Addr(), last)
		synctest.Wait()
		if s := p.Stats(); s.Repeated != 1 || s.Unexpected != 0 {
			t.Errorf("after 4 s: %+v", s)
		}
		time.Sleep(2 * time.Second)
		f.send(t, p.Addr(), last)
		synctest.Wait()
		if s := p.Stats(); s.Repeated != 1 || s.Unexpected != 1 {
			t.Errorf("after timer K: %+v", s)
		}
	})
}

// TestOutOfOrder checks RFC 3261 section 12.2.2.
func TestOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNet(t)
		f := newFarEnd(t, n, func(m *Message) []*Message {
			if m.Method == "INVITE" {
				return []*Message{withSDP(reply(m, 200, "x", "Contact", "<sip:sw@10.0.0.1>"))}
			}
			return nil
		})
		p := n.Phone("101", "secret", "demo.test")
		c, err := p.Call(t.Context(), "102")
		must(t, err)
		must(t, c.WaitAnswered(t.Context()))
		for i, seq := range []string{"7", "6", "8"} {
			m := &Message{Method: "INFO", URI: p.URI()}
			m.add("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK"+seq, "From", "<sip:102@demo.test>;tag=x", "To", c.Invite().Header("From"),
				"Call-ID", c.ID(), "CSeq", seq+" INFO")
			m.body("application/dtmf", []byte{byte('1' + i)})
			f.send(t, p.Addr(), m)
			synctest.Wait()
		}
		var codes []int
		for _, m := range f.of("") {
			codes = append(codes, m.Code)
		}
		if !slices.Equal(codes, []int{200, 500, 200}) || c.Digits() != "13" {
			t.Errorf("answers %v, digits %q", codes, c.Digits())
		}
	})
}

// TestFork checks RFC 3261 section 13.2.2.4: a second dialog is acknowledged and
// ended at once.
func TestFork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNet(t)
		f := newFarEnd(t, n, func(m *Message) []*Message {
			switch m.Method {
			case "INVITE":
				return []*Message{
					withSDP(reply(m, 200, "first", "Contact", "<sip:a@10.0.0.1:5060>")),
					withSDP(reply(m, 200, "second", "Contact", "<sip:b@10.0.0.1:5060>")),
				}
			case "BYE":
				return []*Message{reply(m, 200, "")}
			}
			return nil
		})
		p := n.Phone("101", "secret", "demo.test")
		c, err := p.Call(t.Context(), "102")
		must(t, err)
		must(t, c.WaitAnswered(t.Context()))
		synctest.Wait()
		if acks := f.of("ACK"); len(acks) != 2 || acks[0].toTag() != "first" || acks[1].toTag() != "second" {
			t.Error(p.Transcript())
		}
		if byes := f.of("BYE"); len(byes) != 1 || byes[0].toTag() != "second" || byes[0].URI != "sip:b@10.0.0.1:5060" {
			t.Error(p.Transcript())
		}
		must(t, c.Hangup(t.Context()))
	})
}

// TestRequestsFromAfar sends a phone requests a call does not begin with.
func TestRequestsFromAfar(t *testing.T) {
	rows := []struct {
		method, to string
		headers    []string
		want       int
		unexpected uint64
	}{
		{"OPTIONS", "<sip:101@demo.test>", nil, 200, 0},
		{"NOTIFY", "<sip:101@demo.test>", []string{"Event", "message-summary"}, 200, 0},
		{"BYE", "<sip:101@demo.test>;tag=none", nil, 481, 1},
		{"CANCEL", "<sip:101@demo.test>", nil, 481, 1},
		{"REFER", "<sip:101@demo.test>", nil, 405, 1},
		{"INVITE", "<sip:101@demo.test>", []string{"Require", "100rel"}, 420, 1},
		{"INVITE", "<sip:101@demo.test>;tag=none", nil, 481, 1},
	}
	for _, row := range rows {
		t.Run(row.method+" "+row.to, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := NewNet(t)
				f := newFarEnd(t, n, func(*Message) []*Message { return nil })
				p := n.Phone("101", "secret", "demo.test")
				m := &Message{Method: row.method, URI: p.URI()}
				m.add("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa", "From", "<sip:x@10.0.0.1>;tag=f", "To", row.to, "Call-ID", "c", "CSeq", "1 "+row.method)
				m.add(row.headers...)
				f.send(t, p.Addr(), m)
				synctest.Wait()
				f.send(t, p.Addr(), m)
				synctest.Wait()
				got := f.of("")
				if len(got) != 2 || got[0].Code != row.want || got[0].String() != got[1].String() || got[0].toTag() == "" {
					t.Errorf("answers:\n%v", got)
				}
				if s := p.Stats(); s.Unexpected != row.unexpected || s.Repeated != 1 || s.Retransmitted != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestDelayedOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNet(t)
		var p *Phone
		f := newFarEnd(t, n, func(m *Message) []*Message {
			if m.Code != 200 || !strings.HasSuffix(m.Header("CSeq"), "INVITE") {
				return nil
			}
			ack := &Message{Method: "ACK", URI: p.URI()}
			ack.add("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKb", "From", m.Header("From"), "To", m.Header("To"), "Call-ID", "c", "CSeq", "1 ACK")
			return []*Message{withSDP(ack)}
		})
		p = n.Phone("101", "secret", "demo.test")
		m := &Message{Method: "INVITE", URI: p.URI()}
		m.add("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa", "From", "<sip:x@10.0.0.1>;tag=f", "To", "<sip:101@demo.test>", "Call-ID", "c", "CSeq", "1 INVITE", "Contact", "<sip:x@10.0.0.1>")
		f.send(t, p.Addr(), m)
		in, err := p.Incoming(t.Context())
		must(t, err)
		must(t, in.Answer())
		if err := in.SayTone(440); !errors.Is(err, ErrNoMedia) {
			t.Errorf("speaking before the answer gives %v", err)
		}
		must(t, in.WaitAnswered(t.Context()))
		must(t, in.SayTone(440))
		time.Sleep(time.Second)
		if got := in.RTP().Sent; got < 49 {
			t.Errorf("%d packets sent", got)
		}
	})
}

func TestExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNet(t)
		newFarEnd(t, n, func(m *Message) []*Message {
			return []*Message{reply(m, 100, ""), reply(m, 400, "z")}
		})
		p := n.Phone("101", "secret", "demo.test")
		raw := "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKq\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x>\r\nCall-ID: q\r\nCSeq: 1 OPTIONS\r\n\r\n"
		got, err := p.Exchange(t.Context(), []byte(raw))
		must(t, err)
		if len(got) != 2 || got[1].Code != 400 || p.Stats().Unexpected != 0 {
			t.Errorf("%v", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got, err := p.Exchange(ctx, []byte("nonsense")); !errors.Is(err, context.DeadlineExceeded) || len(got) != 0 {
			t.Errorf("%v, %v", got, err)
		}
		if !strings.Contains(p.Transcript(), `-> 10.0.0.1:5060 "nonsense"`) {
			t.Error(p.Transcript())
		}
	})
}

// TestGlare lets both sides of a call hold at the same moment.
func TestGlare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		n := NewNet(t)
		alice, bob := peers(n, medium{weather: Impairment{Delay: 50 * time.Millisecond}})
		out, in := talking(t, ctx, alice, bob)
		done := make(chan error)
		go func() { done <- out.Hold(ctx) }() // ends with the hold
		must(t, in.Hold(ctx))
		must(t, <-done)
		if !strings.Contains(alice.Transcript()+bob.Transcript(), "491") {
			t.Error("nobody answered 491")
		}
		must(t, out.Hangup(ctx))
	})
}

func TestDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		alice, bob := peers(NewNet(t), medium{options: []Option{TCP}})
		out, in := talking(t, ctx, alice, bob)
		alice.Disconnect()
		must(t, in.Hangup(ctx)) // over a new connection to alice's Contact
		_, err := out.WaitEnded(ctx)
		must(t, err)

		bob.Misbehave(IgnoreAll)
		failed := make(chan error)
		go func() { // ends with the connection
			_, err := alice.Options(ctx, bob.URI())
			failed <- err
		}()
		synctest.Wait()
		bob.Disconnect()
		if err := <-failed; !errors.Is(err, ErrDisconnected) {
			t.Errorf("%v", err)
		}
		bob.Misbehave(0)
		out, err = alice.Call(ctx, bob.URI())
		must(t, err)
		_, err = bob.Incoming(ctx)
		must(t, err)
		alice.Disconnect()
		if end, err := out.WaitEnded(ctx); err != nil || end.Code != 503 {
			t.Errorf("%+v, %v", end, err)
		}
	})
}

// TestTCPPhoneBehindNAT checks that a phone with a switch takes nothing on
// connections it did not open.
func TestTCPPhoneBehindNAT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNet(t)
		p := n.Phone("101", "secret", "demo.test", TCP)
		conn, err := n.Dial(t.Context(), n.Switch, p.Addr())
		must(t, err)
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("the connection stayed")
		}
		must(t, conn.Close())
		if p.Stats().Unexpected != 1 {
			t.Errorf("%+v", p.Stats())
		}
	})
}
