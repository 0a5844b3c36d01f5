package location

import "testing"

func TestSameURI(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		// RFC 3261 section 19.1.4
		{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true},
		{"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
		{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
			"sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
			"sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
		{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},

		{"sip:a@h", "sips:a@h", false},
		{"sip:@h", "sip:h", false},
		{"sip:a:pw@h", "sip:a@h", false},
		{"sip:a@[2001:db8::1]:5060", "sip:a@[2001:DB8:0::1]:5060", true},
		{"sip:a@[2001:db8::1]:5060", "sip:a@[2001:db8::1]", false},
		{"sip:a@h;ob", "sip:a@h;ob", true},
		{"sip:a@h;rinstance=x", "sip:a@h;rinstance=y", false},
		{"sip:a@h;maddr=1", "sip:a@h", false},
		{"sip:a@h;ttl=1", "sip:a@h;ttl=2", false},
		{"tel:+123", "tel:+123", true},
		{"tel:+123", "tel:+1-23", false},
		{"", "sip:", false},
	}
	for _, tt := range tests {
		if got := sameURI(tt.a, tt.b); got != tt.want {
			t.Errorf("sameURI(%q, %q) = %v", tt.a, tt.b, got)
		}
		if got := sameURI(tt.b, tt.a); got != tt.want {
			t.Errorf("sameURI(%q, %q) = %v", tt.b, tt.a, got)
		}
	}
}

// FuzzSameURI asserts that the comparison is symmetric and that a URI equals
// itself with an undecided parameter more.
func FuzzSameURI(f *testing.F) {
	f.Add("sip:alice@h:5060;transport=tcp?a=b", "sip:%61lice@H:5060;Transport=TCP?A=b")
	f.Add("sip:[::1]", "sips:x;y;z")
	f.Fuzz(func(t *testing.T, a, b string) {
		if sameURI(a, b) != sameURI(b, a) {
			t.Errorf("%q and %q depend on the order", a, b)
		}
		u, ok := splitURI(a)
		// A parameter that contradicts itself makes a URI equal to its own text only.
		if ok && sameParams(u.params, u.params) && u.headers == "" && a[len(a)-1] != '?' {
			if _, has := param(u.params, "x-y"); !has && !sameURI(a, a+";x-y=1") {
				t.Errorf("%q differs with a parameter more", a)
			}
		}
	})
}
