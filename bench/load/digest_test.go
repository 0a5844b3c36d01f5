package load

import (
	"bytes"
	"strings"
	"testing"
)

// TestResponse: the vectors of RFC 2617 3.5, RFC 7616 3.9.1 (its MD5 line) and
// one of RFC 2069's kind, without qop, worked out from the formula of RFC 2617
// 3.2.2.1.
func TestResponse(t *testing.T) {
	for _, c := range []struct{ name, challenge, user, password, method, uri, cnonce, want string }{
		{
			"RFC 2617 3.5",
			`Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
			"Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b", "6629fae49393a05397450978507c4ef1",
		},
		{
			"RFC 7616 3.9.1",
			`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
			"Mufasa", "Circle of Life", "GET", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "8ca523f5e9506fed4657c9700eebdbec",
		},
		{
			"without qop",
			`digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"`,
			"Mufasa", "Circle Of Life", "GET", "/dir/index.html", "", "670fd8c2df070c60b045671b8b24ff02",
		},
	} {
		ch, ok := parseChallenge([]byte(c.challenge))
		if !ok {
			t.Errorf("%s: the challenge is not understood", c.name)
			continue
		}
		a1 := sum([]byte(c.user), ch.realm, []byte(c.password))
		got := ch.response(a1, []byte(c.method), []byte(c.uri), []byte(c.cnonce))
		if string(got[:]) != c.want {
			t.Errorf("%s: %s, want %s", c.name, got[:], c.want)
		}
	}
}

func TestChosen(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []string
		nonce  string // empty: none can be answered
	}{
		{"the first", []string{`Digest realm="r", nonce="a"`, `Digest realm="r", nonce="b"`}, "a"},
		{"not SHA-256", []string{`Digest realm="r", nonce="a", algorithm=SHA-256`, `Digest realm="r",nonce="b",algorithm="md5"`}, "b"},
		{"escaped quote", []string{`Digest realm="a\"b, nonce=x", nonce="c"`}, "c"},
		{"no nonce", []string{`Digest realm="r"`}, ""},
		{"no closing quote", []string{`Digest realm="r", nonce="a`}, ""},
		{"basic", []string{`Basic realm="r"`}, ""},
		{"nothing", nil, ""},
	} {
		var values [][]byte
		for _, v := range c.values {
			values = append(values, []byte(v))
		}
		got, ok := chosen(values)
		if ok != (c.nonce != "") || ok && string(got.nonce) != c.nonce {
			t.Errorf("%s: nonce %q, %v", c.name, got.nonce, ok)
		}
	}
}

func TestCredentials(t *testing.T) {
	ch, _ := parseChallenge([]byte(`Digest realm="r", nonce="n", opaque="o", qop="auth"`))
	got := string(ch.credentials(nil, "Authorization", []byte("101"), hexSum{}, []byte("REGISTER"), []byte("sip:r"), []byte("c")))
	for _, want := range []string{
		`Authorization: Digest username="101", realm="r", nonce="n", uri="sip:r", response="`,
		`, opaque="o"`, `, qop=auth, nc=00000001, cnonce="c"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if !strings.HasSuffix(got, "\r\n") || strings.Count(got, "\r\n") != 1 {
		t.Errorf("%q is not one line", got)
	}
}

// FuzzChallenge: what is understood points into the input and has both parts.
func FuzzChallenge(f *testing.F) {
	for _, s := range []string{`Digest realm="r", nonce="n"`, `Digest realm=r,nonce=n,qop="auth,auth-int"`, `Digest a="\"`, `Digest =`, `Digest ,,`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, ok := parseChallenge(b)
		if ok && (c.nonce == nil || c.realm == nil || !bytes.Contains(b, c.nonce) || !bytes.Contains(b, c.realm)) {
			t.Errorf("%q gives %+v", b, c)
		}
	})
}
