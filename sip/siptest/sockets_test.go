package siptest

import (
	"context"
	"net/netip"
	"testing"
	"time"
)

// TestSockets has two phones talk over the machine's own loopback.
func TestSockets(t *testing.T) {
	for _, row := range []struct{ transport, ip string }{{"udp", "127.0.0.1"}, {"tcp", "127.0.0.1"}, {"udp", "::1"}, {"tcp", "::1"}} {
		t.Run(row.transport+" "+row.ip, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			phone := func(user string) *Phone {
				p, err := NewPhone(Config{User: user, Transport: row.transport, Local: netip.AddrPortFrom(netip.MustParseAddr(row.ip), 0)})
				if err != nil {
					t.Skip("no such address here: ", err)
				}
				t.Cleanup(func() { must(t, p.Close()) })
				return p
			}
			out, in := talking(t, ctx, phone("101"), phone("102"))
			must(t, out.SayTone(440))
			must(t, in.HearsTone(ctx, 440))
			must(t, out.Press(ctx, "5"))
			must(t, in.WaitDigits(ctx, "5"))
			must(t, in.Hangup(ctx))
			_, err := out.WaitEnded(ctx)
			must(t, err)
		})
	}
}
