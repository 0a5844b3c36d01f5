//go:build system

package system

import (
	"strings"
	"syscall"
	"testing"
)

// TestMessage: a text message for a phone that is away outlives kill -9 of the
// switch and reaches the phone when it registers, once; an answer goes straight
// to a phone that is there.
func TestMessage(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			need(t, "linphonec")
			t.Parallel()
			d := startDemo(t, 2)
			a := startLinphone(t, d, "101", transport)
			a.chat(t, d, "102", "the cake is ready")
			d.awaitMetric(t, "cordpair_sip_text_messages_waiting", 1)
			d.signal(t, syscall.SIGKILL)
			d.wait(t, patience)

			d.begin(t)
			d.awaitMetric(t, "cordpair_sip_text_messages_waiting", 1)
			a.quit(t) // over TCP it would be long in coming back
			a = startLinphone(t, d, "101", transport)
			b := startLinphone(t, d, "102", transport)
			b.await(t, "the cake is ready")
			b.chat(t, d, "101", "on my way")
			a.await(t, "on my way")
			// By now receipts have gone both ways, too.
			d.awaitMetric(t, "cordpair_sip_text_messages_waiting", 0)
			if n := strings.Count(b.out.String(), "the cake is ready"); n != 1 {
				t.Errorf("the stored message was delivered %d times", n)
			}
			a.quit(t)
			b.quit(t)
			d.stop(t)
		})
	}
}
