package api

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip/location"
)

// TestDescribeBinding: a phone whose connection is lost is said to be away, and
// one that has gone to be nothing but where it was.
func TestDescribeBinding(t *testing.T) {
	now := time.Now()
	b := location.Binding{ID: "r1", Contact: "sip:101@192.0.2.7;transport=tcp", Expires: now.Add(time.Minute), Suspended: true}
	for _, c := range []struct {
		registered, lost, away bool
		expires                int
	}{{true, true, true, 60}, {true, false, false, 60}, {false, true, false, 0}} {
		b.Suspended = c.lost
		if r := describeBinding(&b, c.registered, now); r.Away != c.away || r.Expires != c.expires {
			t.Errorf("%+v: %+v", c, r)
		}
	}
}
