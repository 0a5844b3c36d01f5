//go:build system

package system

import (
	"context"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip/siptest"
)

// siptestPhone is a phone of the demo's nth user over real sockets.
func (d *demo) siptestPhone(t *testing.T, n int) *siptest.Phone {
	t.Helper()
	x := d.Extensions[n]
	p, err := siptest.NewPhone(siptest.Config{
		User: x.User, Password: x.Password, Domain: d.SIP.Domain, Switch: netip.MustParseAddrPort(d.SIP.UDP),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// TestSubscriptionSurvivesKill: after kill -9 a phone that watches hears of the next
// change in the same dialog, with numbers that go on, and may refresh there.
func TestSubscriptionSurvivesKill(t *testing.T) {
	d := startDemo(t, 2)
	phone := d.siptestPhone(t, 0)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v\n%s", err, phone.Transcript())
		}
	}
	must(phone.Register(t.Context()))
	sub, err := phone.Subscribe(t.Context(), "reg", d.Extensions[0].User, 10*time.Minute)
	must(err)
	first := version(t, sub)

	d.signal(t, syscall.SIGKILL)
	d.wait(t, patience)
	d.begin(t)
	if n := d.metrics(t)["cordpair_sip_subscriptions"]; n != 1 {
		t.Errorf("%v subscriptions after the kill", n)
	}
	other := d.siptestPhone(t, 0) // a second phone of the same user
	must(other.Register(t.Context()))
	second := version(t, sub)
	if second <= first {
		t.Errorf("version %d after %d", second, first)
	}
	must(sub.Refresh(t.Context(), 10*time.Minute))
	if third := version(t, sub); third <= second {
		t.Errorf("version %d after %d", third, second)
	}
	if n := phone.Stats().Unexpected; n != 0 {
		t.Errorf("%d messages the phone could not expect\n%s", n, phone.Transcript())
	}
	d.stop(t)
}

var versionOf = regexp.MustCompile(`version="(\d+)"`)

// version is that of the document in the next NOTIFY.
func version(t *testing.T, sub *siptest.Subscription) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m, err := sub.Notify(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if s := m.Header("Subscription-State"); !strings.HasPrefix(s, "active") {
		t.Fatalf("Subscription-State %q", s)
	}
	found := versionOf.FindSubmatch(m.Body)
	if found == nil {
		t.Fatalf("no version in %s", m.Body)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
