package digest

import (
	"errors"
	"strings"
	"testing"
)

const (
	md5hex = "0123456789abcdef0123456789abcdef"
	whole  = `Digest username="101", realm="example.com", nonce="abc", uri="sip:example.com", response="` + md5hex + `"`
	qopped = whole + `, algorithm=MD5, qop=auth, nc=00000001, cnonce="x"`
)

func TestParse(t *testing.T) {
	without := func(param string) string {
		head, tail, _ := strings.Cut(qopped, param+"=")
		_, tail, ok := strings.Cut(tail, ", ")
		if !ok {
			return strings.TrimSuffix(head, ", ")
		}
		return head + tail
	}
	with := func(old, new string) string { return strings.Replace(qopped, old, new, 1) }
	tests := []struct {
		name, value string
		want        error
	}{
		{"RFC 2069", whole, nil},
		{"qop", qopped, nil},
		{"scheme in another case", strings.Replace(qopped, "Digest", "dIgEsT", 1), nil},
		{"names in another case", with("username", "UserName"), nil},
		{"quoted tokens", with("algorithm=MD5, qop=auth", `algorithm="md5", qop="auth"`), nil},
		{"spaces around = and ,", with(`", realm=`, "\" \t,\t realm = "), nil},
		{"upper-case hex", with(md5hex, strings.ToUpper(md5hex)), nil},
		{"unknown parameter", qopped + `, auth-param="x,y=z"`, nil},
		{"opaque", qopped + `, opaque=""`, nil},
		{"userhash false", qopped + `, userhash=false`, nil},
		{"escapes", with(`"101"`, `"1\"0\\1"`), nil},
		{"cnonce without qop", whole + `, cnonce="x"`, nil},
		{"SHA-256", strings.Replace(with("MD5", "SHA-256"), md5hex, md5hex+md5hex, 1), nil},

		{"RFC 4475 regaut01", "NoOneKnowsThisScheme opaque-data=here", ErrScheme},
		{"basic", "Basic dXNlcjpwYXNz", ErrScheme},
		{"scheme alone, foreign", "Negotiate", ErrScheme},

		{"auth-int", with("qop=auth", "qop=auth-int"), ErrUnsupported},
		{"MD5-sess", with("MD5", "MD5-sess"), ErrUnsupported},
		{"SHA-512-256", strings.Replace(with("MD5", "SHA-512-256"), md5hex, md5hex+md5hex, 1), ErrUnsupported},
		{"userhash", qopped + ", userhash=true", ErrUnsupported},
		{"encoded name", with(`username="101"`, "username*=UTF-8''101"), ErrUnsupported},

		{"a wish for a nonce", `Digest username="101", realm="example.com", nonce="", uri="sip:example.com", response=""`, ErrUnsupported},

		{"empty", "", ErrMalformed},
		{"no parameters", "Digest", ErrMalformed},
		{"no scheme", `="x"`, ErrMalformed},
		{"scheme glued", strings.Replace(qopped, "Digest ", "Digest,", 1), ErrMalformed},
		{"no username", without("username"), ErrMalformed},
		{"no realm", without("realm"), ErrMalformed},
		{"no nonce", without("nonce"), ErrMalformed},
		{"no uri", without("uri"), ErrMalformed},
		{"no response", without("response"), ErrMalformed},
		{"qop without cnonce", without("cnonce"), ErrMalformed},
		{"qop without nc", without("nc"), ErrMalformed},
		{"empty nonce", with(`nonce="abc"`, `nonce=""`), ErrMalformed},
		{"empty uri", with(`"sip:example.com"`, `""`), ErrMalformed},
		{"repeated", qopped + `, Realm="x"`, ErrMalformed},
		{"both user names", qopped + `, username*=UTF-8''101`, ErrMalformed},
		{"nc zero", with("nc=00000001", "nc=00000000"), ErrMalformed},
		{"nc short", with("nc=00000001", "nc=1"), ErrMalformed},
		{"nc no hex", with("nc=00000001", "nc=0000000g"), ErrMalformed},
		{"response short", with(md5hex, md5hex[1:]), ErrMalformed},
		{"response no hex", with(md5hex, "z"+md5hex[1:]), ErrMalformed},
		{"SHA-256 with a short response", with("MD5", "SHA-256"), ErrMalformed},
		{"auth-int and mutilated", with("qop=auth", "qop=auth-int") + ", x", ErrMalformed},
		{"quote not closed", `Digest username="101, realm=x`, ErrMalformed},
		{"quote ends in escape", `Digest username="101\`, ErrMalformed},
		{"escape at the very end", `Digest username="101\"`, ErrMalformed},
		{"no comma", strings.Replace(qopped, `", realm`, `" realm`, 1), ErrMalformed},
		{"comma at the end", qopped + ",", ErrMalformed},
		{"two commas", strings.Replace(qopped, ", ", ",, ", 1), ErrMalformed},
		{"no value", qopped + ", x", ErrMalformed},
		{"empty value", qopped + ", x=", ErrMalformed},
		{"uri not quoted", with(`"sip:example.com"`, "sip:example.com"), ErrMalformed},
		{"NUL", with("101", "1\x0001"), ErrMalformed},
		{"line break", with("101", "1\r\n01"), ErrMalformed},
		{"not UTF-8", with("101", "1\xff01"), ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Parse(tt.value)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("Parse(%q) = %v, want %v", tt.value, err, tt.want)
			}
			if err != nil && c != (Credentials{}) {
				t.Errorf("credentials together with an error: %+v", c)
			}
		})
	}
}

func TestParseUnquotes(t *testing.T) {
	c, err := Parse(strings.Replace(qopped, `"101"`, `"1\"0\\1"`, 1))
	if err != nil || c.Username != `1"0\1` {
		t.Errorf("Username = %q, %v", c.Username, err)
	}
}

func TestParseChallenge(t *testing.T) {
	tests := []struct {
		name, value string
		want        error
		check       func(Challenge) bool
	}{
		{"ours", `Digest realm="a\"b", nonce="n", algorithm=SHA-256, qop="auth", stale=TRUE`, nil,
			func(c Challenge) bool { return c.Realm == `a"b` && c.QOP && c.Stale && c.Algorithm == SHA256 }},
		{"old", `Digest realm="a", nonce="n"`, nil, func(c Challenge) bool { return !c.QOP && !c.Stale }},
		{"list", `Digest realm="a", nonce="n", qop="auth-int , auth"`, nil, func(c Challenge) bool { return c.QOP }},
		{"empty qop", `Digest realm="a", nonce="n", qop=""`, nil, func(c Challenge) bool { return !c.QOP }},
		{"auth-int only", `Digest realm="a", nonce="n", qop="auth-int"`, ErrUnsupported, nil},
		{"algorithm", `Digest realm="a", nonce="n", algorithm=AKAv1-MD5`, ErrUnsupported, nil},
		{"no realm", `Digest nonce="n"`, ErrMalformed, nil},
		{"no nonce", `Digest realm="n"`, ErrMalformed, nil},
		{"cut", `Digest realm="n", nonce="x`, ErrMalformed, nil},
		{"basic", `Basic realm="n"`, ErrScheme, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseChallenge(tt.value)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if tt.check != nil && !tt.check(c) {
				t.Errorf("parsed %+v", c)
			}
		})
	}
}

// FuzzParse asserts that what Parse accepts is complete, and that credentials
// rendered from what was read are read the same again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{whole, qopped, "NoOneKnowsThisScheme opaque-data=here", `Digest username="a\"b`,
		strings.Replace(qopped, `"101"`, `"1\"0\\1"`, 1), "Digest", qopped + ",", qopped + `, x = "\x"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		c, err := Parse(value)
		if err != nil {
			if !errors.Is(err, ErrScheme) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrMalformed) {
				t.Fatalf("error without a class: %v", err)
			}
			return
		}
		if len(c.response) != 2*c.Algorithm.size() || c.nonce == "" || c.uri == "" || c.QOP && c.count == 0 {
			t.Fatalf("incomplete: %+v", c)
		}
		b := quote([]byte("Digest username="), c.Username)
		b = quote(append(b, ", realm="...), c.Realm)
		b = append(b, `, nonce="`+c.nonce+`", uri="`+c.uri+`", response=`+c.response+", algorithm="+c.Algorithm.String()...)
		if c.QOP {
			b = append(b, `, qop=auth, nc=`+c.nc+`, cnonce="`+c.cnonce+`"`...)
		} else {
			c.nc, c.cnonce, c.count = "", "", 0 // without qop they mean nothing
		}
		again, err := Parse(string(b))
		tab := strings.Contains(c.Username+c.Realm, "\t") // rendered as a space
		if !tab && (err != nil || again != c) {
			t.Fatalf("%q: %+v, again %+v, %v", b, c, again, err)
		}
	})
}

func FuzzParseChallenge(f *testing.F) {
	f.Add(`Digest realm="a", nonce="n", qop="auth,auth-int", opaque="o", algorithm=MD5, stale=false`)
	f.Add(`Digest realm="a\"b", nonce="n\\"`)
	f.Fuzz(func(t *testing.T, value string) {
		c, err := ParseChallenge(value)
		if err != nil || c.nonce == "" {
			return
		}
		got := c.Respond(Answer{User: "101", Password: "p", Method: "REGISTER", URI: "sip:h", NC: 1, CNonce: "c"})
		back, err := Parse(got)
		if err != nil || back.Realm != c.Realm || back.nonce != c.nonce {
			t.Fatalf("%q -> %q: %+v, %v", value, got, back, err)
		}
	})
}
