package digest

import (
	"strings"
	"testing"
)

// The worked examples of RFC 7616 section 3.9.1, RFC 2617 section 3.5 and
// RFC 2069 section 2.4 (its response as the errata correct it).
func TestExamplesOfTheRFCs(t *testing.T) {
	const mufasa7616 = `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=%, ` +
		`nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
	const mufasa2617 = `Digest realm="testrealm@host.com", qop="auth,auth-int", ` +
		`nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`
	tests := []struct {
		name, challenge, password, cnonce, want string
	}{
		{"7616 MD5", strings.ReplaceAll(mufasa7616, "%", "MD5"), "Circle of Life",
			"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "8ca523f5e9506fed4657c9700eebdbec"},
		{"7616 SHA-256", strings.ReplaceAll(mufasa7616, "%", "SHA-256"), "Circle of Life",
			"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
		{"2617", mufasa2617, "Circle Of Life", "0a4f113b", "6629fae49393a05397450978507c4ef1"},
		{"2069", strings.Replace(mufasa2617, `qop="auth,auth-int", `, "", 1), "CircleOfLife", "", "1949323746fe6a43ef61f9606e7febea"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ch, err := ParseChallenge(tt.challenge)
			if err != nil {
				t.Fatal(err)
			}
			got := ch.Respond(Answer{User: "Mufasa", Password: tt.password, Method: "GET",
				URI: "/dir/index.html", NC: 1, CNonce: tt.cnonce})
			if !strings.Contains(got, `response="`+tt.want+`"`) {
				t.Errorf("response %s not in %s", tt.want, got)
			}
			c, err := Parse(got)
			if err != nil {
				t.Fatal(err)
			}
			if c.Username != "Mufasa" || c.QOP != (tt.cnonce != "") || c.Algorithm != ch.Algorithm {
				t.Errorf("parsed back: %+v", c)
			}
		})
	}
}
