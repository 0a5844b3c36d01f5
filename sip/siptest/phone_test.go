package siptest

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// medium is a way two phones reach each other.
type medium struct {
	name    string
	options []Option
	weather Impairment
	// slow marks what needs the patience of retransmission.
	slow bool
}

var media = []medium{
	{name: "udp"},
	{name: "udp6", options: []Option{IPv6}},
	{name: "tcp", options: []Option{TCP}},
	{name: "tcp6", options: []Option{TCP, IPv6}},
	{name: "udp, late and twice", weather: Impairment{Duplicate: 0.3, Reorder: 0.1, Delay: 40 * time.Millisecond, Jitter: 20 * time.Millisecond}},
	{name: "udp, 20 % lost", weather: Impairment{Loss: 0.2}, slow: true},
}

// peers makes two phones without a switch between them.
func peers(n *Net, m medium) (alice, bob *Phone) {
	n.Impair(m.weather)
	direct := func(c *Config) { c.Switch = netip.AddrPort{} }
	options := append([]Option{direct}, m.options...)
	return n.Phone("101", "", "", options...), n.Phone("102", "", "", options...)
}

// bubble runs f for every medium in a synctest bubble; whatever f leaves behind
// fails the test.
func bubble(t *testing.T, f func(t *testing.T, ctx context.Context, alice, bob *Phone, m medium)) {
	for _, m := range media {
		t.Run(m.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
				defer cancel()
				alice, bob := peers(NewNet(t), m)
				f(t, ctx, alice, bob, m)
			})
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// talking brings a call about.
func talking(t *testing.T, ctx context.Context, alice, bob *Phone) (out, in *Call) {
	t.Helper()
	out, err := alice.Call(ctx, bob.URI())
	must(t, err)
	in, err = bob.Incoming(ctx)
	must(t, err)
	must(t, in.Ring())
	must(t, in.Answer())
	must(t, out.WaitAnswered(ctx))
	must(t, in.WaitAnswered(ctx))
	return out, in
}

func TestCallFromBeginningToEnd(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context, alice, bob *Phone, m medium) {
		out, err := alice.Call(ctx, bob.URI())
		must(t, err)
		in, err := bob.Incoming(ctx)
		must(t, err)
		must(t, in.Ring())
		if !m.slow {
			must(t, out.WaitRinging(ctx)) // a lost 180 is not repeated
		}
		must(t, in.Answer())
		must(t, out.WaitAnswered(ctx))
		must(t, in.WaitAnswered(ctx))

		must(t, out.SayTone(440))
		must(t, in.SayTone(1000))
		if !m.slow {
			must(t, in.HearsTone(ctx, 440))
			must(t, out.HearsTone(ctx, 1000))
		}
		time.Sleep(2 * time.Second)
		out.Quiet()
		in.Quiet()
		time.Sleep(time.Hour)
		must(t, in.Hangup(ctx))
		end, err := out.WaitEnded(ctx)
		must(t, err)
		if !end.Remote || end.Code != 0 || end.Message.Method != "BYE" {
			t.Errorf("end is %+v", end)
		}
		if own, err := in.WaitEnded(ctx); err != nil || own.Remote {
			t.Errorf("own end is %+v, %v", own, err)
		}
		if got := in.RTP(); m.weather == (Impairment{}) && got.Lost+got.Late != 0 || got.RTCPReceived < 500 {
			t.Errorf("media of bob: %+v", got)
		}
		if s := alice.Stats(); s.Unreadable != 0 || s.Unexpected != 0 {
			t.Errorf("alice: %+v\n%s", s, alice.Transcript())
		}
		if s := bob.Stats(); s.Unreadable != 0 || s.Unexpected != 0 {
			t.Errorf("bob: %+v\n%s", s, bob.Transcript())
		}
		if s := alice.Stats(); m.weather == (Impairment{}) && s.Retransmitted+s.Repeated != 0 {
			t.Errorf("retransmissions on a perfect network: %+v\n%s", s, alice.Transcript())
		}
	})
}

func TestHoldAndResume(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context, alice, bob *Phone, m medium) {
		out, in := talking(t, ctx, alice, bob)
		must(t, out.SayTone(440))
		must(t, in.SayTone(700))
		for _, holder := range []*Call{out, in} {
			held := in
			if holder == in {
				held = out
			}
			must(t, holder.Hold(ctx))
			must(t, held.WaitHeld(ctx, true))
			time.Sleep(time.Second) // what was on its way arrives
			must(t, holder.HearsSilence(ctx, time.Second))
			must(t, held.HearsSilence(ctx, time.Second))
			must(t, holder.Resume(ctx))
			must(t, held.WaitHeld(ctx, false))
		}
		if !m.slow {
			must(t, in.HearsTone(ctx, 440))
			must(t, out.HearsTone(ctx, 700))
		}
		must(t, out.Hangup(ctx))
		_, err := in.WaitEnded(ctx)
		must(t, err)
	})
}

func TestReject(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context, alice, bob *Phone, m medium) {
		out, err := alice.Call(ctx, bob.URI())
		must(t, err)
		in, err := bob.Incoming(ctx)
		must(t, err)
		must(t, in.Reject(486))
		end, err := out.WaitEnded(ctx)
		must(t, err)
		if end.Code != 486 || !end.Remote {
			t.Errorf("end is %+v", end)
		}
		if err := out.WaitAnswered(ctx); !errors.Is(err, ErrCallOver) || !strings.Contains(err.Error(), "486 Busy Here") {
			t.Errorf("waiting for an answer gives %v", err)
		}
		time.Sleep(time.Minute)
		if m.weather == (Impairment{}) && bob.Stats().Retransmitted != 0 {
			t.Errorf("the refusal was not acknowledged:\n%s", bob.Transcript())
		}
	})
}

func TestCancel(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context, alice, bob *Phone, _ medium) {
		out, err := alice.Call(ctx, bob.URI())
		must(t, err)
		in, err := bob.Incoming(ctx)
		must(t, err)
		must(t, in.Ring())
		must(t, out.Cancel(ctx))
		end, err := in.WaitEnded(ctx)
		must(t, err)
		if end.Code != 487 || !end.Remote || end.Message.Method != "CANCEL" {
			t.Errorf("bob's end is %+v", end)
		}
		if end, err := out.WaitEnded(ctx); err != nil || end.Code != 487 {
			t.Errorf("alice's end is %+v, %v", end, err)
		}
		if err := in.Answer(); !errors.Is(err, ErrCallOver) {
			t.Errorf("answering a cancelled call gives %v", err)
		}
	})
}
