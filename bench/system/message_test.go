//go:build system

package system

import (
	"strings"
	"syscall"
	"testing"
)

// TestMessage: a text message for a phone that is away outlives kill -9 of the
// switch and reaches the phone when it registers, once.
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
			a.quit(t) // and stays away: linphonec dies of receipts for what it does not know any more
			b := startLinphone(t, d, "102", transport)
			b.await(t, "the cake is ready")
			b.quit(t)
			if n := strings.Count(b.out.String(), "the cake is ready"); n != 1 {
				t.Errorf("the stored message was delivered %d times", n)
			}
			d.stop(t)
		})
	}
}
