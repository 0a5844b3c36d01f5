//go:build linux

package peers

import (
	"strings"
	"testing"
)

func TestKamailioConfig(t *testing.T) {
	text, err := kamailioConfig{Addr: "127.0.0.1:5099", Domain: "a.test", Phones: 12, First: 10001}.render()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"listen=udp:127.0.0.1:5099\n", `alias="a.test"`, "$var(i) < 12)", "= 10001 + $var(i)"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("lacks %q", want)
		}
	}
}

func TestDescribe(t *testing.T) {
	var p Peer
	err := p.Describe([]byte(`{"ready":true,"sip":{"udp":"127.0.0.1:5060","domain":"a.test"},"extensions":[{"user":"101","password":"x"}]}`))
	if err != nil || p.Addr != "127.0.0.1:5060" || p.Domain != "a.test" || len(p.Phones) != 1 || p.Phones[0].Password != "x" {
		t.Errorf("%s, %s, %v, %v", p.Addr, p.Domain, p.Phones, err)
	}
	for _, line := range []string{"", "{}", "Cordpair is up."} {
		if new(Peer).Describe([]byte(line)) == nil {
			t.Errorf("%q describes a demo", line)
		}
	}
}
