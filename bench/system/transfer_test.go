//go:build system

package system

import (
	"strings"
	"testing"
)

// TestTransfer: a real phone transfers its peer blindly, by REFER: from then on the
// other two hear each other, and the transferor is told and let go.
func TestTransfer(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			need(t, "baresip")
			d := startDemo(t, 4)
			a, b, c := startBaresip(t, d, "101", transport), startBaresip(t, d, "102", transport), startBaresip(t, d, "103", transport)
			ears := [2]*tap{newTap(t, portsOf(b), lastOf(b)), newTap(t, portsOf(c), lastOf(c))}
			a.call(t, "102")
			a.talking(t)
			b.talking(t)
			a.command(t, "transfer", "sip:103@"+d.domain(t, a))
			c.talking(t)
			a.idle(t)
			hear(t, d, "after the transfer", ears, b, c)
			c.hangup(t)
			b.idle(t)
			for _, name := range []string{"cordpair_calls", "cordpair_sip_legs", "cordpair_media_ports_used"} {
				d.awaitMetric(t, name, 0)
			}
			a.quit(t)
			b.quit(t)
			c.quit(t)
		})
	}
}

// TestTransferRefused: the target does not exist, which the phone is told. This one
// hangs up then; the call would go on.
func TestTransferRefused(t *testing.T) {
	need(t, "baresip")
	d := startDemo(t, 4)
	a, b := startBaresip(t, d, "101", "udp"), startBaresip(t, d, "102", "udp")
	a.call(t, "102")
	a.talking(t)
	b.talking(t)
	a.command(t, "transfer", "sip:199@"+d.domain(t, a))
	a.event(t, "TRANSFER_FAILED")
	a.says(t, "404 Not Found")
	b.idle(t)
	d.awaitMetric(t, "cordpair_calls", 0)
	a.quit(t)
	b.quit(t)
}

// domain is that of a phone's address.
func (d *demo) domain(t *testing.T, b *baresip) string {
	address := find(t, b.folder+"/accounts", `sip:[^@]+@([^;>]+)`)[1]
	host, _, _ := strings.Cut(address, ";")
	return host
}
