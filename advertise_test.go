package cordpair_test

import (
	"strings"
	"testing"

	"github.com/cordpair/cordpair"
)

// TestAdvertisedAddress: behind NAT a phone is told the outside address in
// Contact and SDP, while packets still come to the inside one.
func TestAdvertisedAddress(t *testing.T) {
	advertise := func(cfg *cordpair.Config) { cfg.Listen.SIP[0].Advertise = "192.0.2.7:5999" }
	inWorld(t, func(w *world) {
		c := w.call(w.phone("101"), "*43")
		w.must(c.WaitAnswered(w.ctx))
		res := c.LastResponse()
		if got := res.Header("Contact"); !strings.Contains(got, "@192.0.2.7:5999") {
			t.Errorf("Contact: %s", got)
		}
		if !strings.Contains(string(res.Body), "c=IN IP4 192.0.2.7\r\n") {
			t.Errorf("SDP:\n%s", res.Body)
		}
	}, advertise)
}
