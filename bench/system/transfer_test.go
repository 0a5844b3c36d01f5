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

// TestAttendedTransfer: a real phone puts one call on hold, asks somebody in a
// second, and joins the two, by REFER with Replaces.
func TestAttendedTransfer(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			need(t, "baresip", "linphonec")
			t.Parallel()
			d := startDemo(t, 3)
			a := startLinphone(t, d, "101", transport)
			b, c := startBaresip(t, d, "102", transport), startBaresip(t, d, "103", transport)
			own := newTap(t, portsOf(a), lastOf(a))
			ears := [2]*tap{newTap(t, portsOf(b), lastOf(b)), newTap(t, portsOf(c), lastOf(c))}
			a.call(t, "102")
			a.talking(t)
			b.talking(t)
			a.hold(t)
			a.call(t, "103")
			a.talking(t)
			c.talking(t)
			hear(t, d, "of who asks", [2]*tap{own, ears[1]}, a, c)
			a.command(t, "transfer 1 --to-call 2")
			a.idle(t)
			a.idle(t)
			if ears[0] != nil { // on the change baresip begins its tone anew
				ears[0].next(t)
			}
			hear(t, d, "after the transfer", ears, b, c)
			b.hangup(t)
			c.idle(t)
			d.awaitMetric(t, "cordpair_calls", 0)
			d.awaitMetric(t, "cordpair_media_ports_used", 0)
			a.quit(t)
			b.quit(t)
			c.quit(t)
			d.stop(t)
		})
	}
}

// TestTransferInVain: the target is not there; the two who talked talk on.
func TestTransferInVain(t *testing.T) {
	need(t, "baresip", "linphonec")
	d := startDemo(t, 3)
	a, b := startLinphone(t, d, "101", "udp"), startBaresip(t, d, "102", "udp")
	ears := [2]*tap{newTap(t, portsOf(a), lastOf(a)), newTap(t, portsOf(b), lastOf(b))}
	b.call(t, "101")
	a.talking(t)
	b.talking(t)
	a.command(t, "transfer 103")
	d.awaitMetric(t, "cordpair_calls_started_total", 2)
	d.awaitMetric(t, "cordpair_calls", 1)
	hear(t, d, "after the transfer in vain", ears, a, b)
	b.hangup(t)
	a.idle(t)
	d.awaitMetric(t, "cordpair_calls", 0)
	a.quit(t)
	b.quit(t)
	d.stop(t)
}

// domain is that of a phone's address.
func (d *demo) domain(t *testing.T, b *baresip) string {
	address := find(t, b.folder+"/accounts", `sip:[^@]+@([^;>]+)`)[1]
	host, _, _ := strings.Cut(address, ";")
	return host
}
