package cordpair_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/sip/siptest"
)

// demoOver lets f use a switch over a data folder.
func demoOver(t *testing.T, dir string, f func(sw *cordpair.Switch)) {
	t.Helper()
	net := siptest.NewNet(t)
	cfg := cordpair.InMemory(net, net.Switch)
	cfg.InMemory, cfg.DataDir, cfg.Demo = false, dir, true
	sw, err := cordpair.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sw.Close(); err != nil {
			t.Error(err)
		}
	}()
	f(sw)
}

func ensure(t *testing.T, sw *cordpair.Switch, n int) cordpair.Demo {
	t.Helper()
	d, err := sw.EnsureDemo(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// renewed are the secrets that each start of the demo makes anew, because the
// switch keeps nothing it could show again.
var renewed = cmp.FilterPath(func(p cmp.Path) bool {
	name := p.Last().String()
	return name == ".Token" || name == ".ClientSecret"
}, cmp.Ignore())

// TestDemoIsFoundAgain: the same folder has the same phones and passwords; more
// are added, none is taken away.
func TestDemoIsFoundAgain(t *testing.T) {
	dir := t.TempDir()
	var first cordpair.Demo
	demoOver(t, dir, func(sw *cordpair.Switch) {
		first = ensure(t, sw, 4)
		if d := cmp.Diff(first, ensure(t, sw, 4), renewed); d != "" {
			t.Error(d)
		}
	})
	if len(first.Extensions) != 4 || first.Extensions[0].Name != "101" || first.Extensions[3].FullName != "0001*104" {
		t.Fatalf("%+v", first.Extensions)
	}
	passwords := map[string]bool{}
	for _, x := range first.Extensions {
		passwords[x.Password] = len(x.Password) >= 16
	}
	if len(passwords) != 4 {
		t.Error("two phones have one password")
	}
	demoOver(t, dir, func(sw *cordpair.Switch) {
		if d := cmp.Diff(first, ensure(t, sw, 4), renewed); d != "" {
			t.Errorf("after a restart: %s", d)
		}
		grown := ensure(t, sw, 20) // past 112, which is an emergency number elsewhere
		if d := cmp.Diff(first.Extensions, grown.Extensions[:4]); d != "" || len(grown.Extensions) != 20 || grown.Extensions[19].Name != "120" {
			t.Errorf("grown to %d: %s", len(grown.Extensions), d)
		}
		if d := cmp.Diff(grown, ensure(t, sw, 2), renewed); d != "" {
			t.Errorf("asked for fewer: %s", d)
		}
		if clients, err := sw.Clients(); len(clients) != 1 || err != nil {
			t.Errorf("%d clients, %v", len(clients), err)
		}
	})
}

// TestDemoEndsEarly: whoever stops a demo while it makes its phones does not wait for
// the rest, and finds again what was made.
func TestDemoEndsEarly(t *testing.T) {
	demoOver(t, t.TempDir(), func(sw *cordpair.Switch) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := sw.EnsureDemo(ctx, 2000); !errors.Is(err, context.Canceled) {
			t.Errorf("a demo that was stopped: %v", err)
		}
		clients, err := sw.Clients()
		if len(clients) != 1 || err != nil {
			t.Fatalf("%d clients, %v", len(clients), err)
		}
		if list, err := sw.Extensions(clients[0].ID); len(list) != 0 || err != nil {
			t.Errorf("it made %d phones, %v", len(list), err)
		}
		if d := ensure(t, sw, 2000); len(d.Extensions) != 2000 || d.Extensions[1999].Password == "" {
			t.Errorf("the next one has %d phones", len(d.Extensions))
		}
	})
}

func TestDemoSizes(t *testing.T) {
	demoOver(t, t.TempDir(), func(sw *cordpair.Switch) {
		for _, n := range []int{-1, 0, 1000001} {
			if _, err := sw.EnsureDemo(t.Context(), n); err == nil || !strings.Contains(err.Error(), "1 to 1000000") {
				t.Errorf("%d extensions: %v", n, err)
			}
		}
		if clients, err := sw.Clients(); len(clients) != 0 || err != nil {
			t.Errorf("a refused demo left %d clients, %v", len(clients), err)
		}
		d := ensure(t, sw, 900)
		if len(d.Extensions) != 900 || d.Extensions[0].Name != "1001" || d.Extensions[899].Name != "1900" {
			t.Errorf("a large demo goes from %s to %s", d.Extensions[0].Name, d.Extensions[len(d.Extensions)-1].Name)
		}
		d = ensure(t, sw, 9001)
		clients, err := sw.Clients()
		if len(clients) != 2 || err != nil || d.Extensions[8998].Name != "9999" || d.Extensions[8998].Domain != "" {
			t.Errorf("%d clients, %v; %+v", len(clients), err, d.Extensions[8998])
		}
		if x := d.Extensions[9000]; len(d.Extensions) != 9001 || x.Name != "1002" || x.Domain != "2.demo.cordpair.test" || x.Password == "" {
			t.Errorf("%d extensions, the last is %+v", len(d.Extensions), x)
		}
	})
	demoOver(t, t.TempDir(), func(sw *cordpair.Switch) {
		if d := ensure(t, sw, 899); d.Extensions[898].Name != "999" {
			t.Errorf("the last of three digits is %s", d.Extensions[898].Name)
		}
		if _, err := sw.EnsureDemo(t.Context(), 900); err == nil || !strings.Contains(err.Error(), "new data folder") {
			t.Errorf("one more than three digits hold: %v", err)
		}
		if d := ensure(t, sw, 1); len(d.Extensions) != 899 {
			t.Errorf("after the refusal there are %d", len(d.Extensions))
		}
	})
}

// TestDemoInJSON fixes the names of spec/shapes.md.
func TestDemoInJSON(t *testing.T) {
	cfg := cordpair.DefaultConfig()
	cfg.DataDir, cfg.Demo, cfg.Log.Level = t.TempDir(), true, "error"
	cfg.Listen = cordpair.Listen{
		SIP:  []cordpair.SIPListener{{Transport: "udp", Addr: "127.0.0.1:0"}, {Transport: "tcp", Addr: "0.0.0.0:0"}},
		HTTP: "127.0.0.1:0", Metrics: "[::]:0",
	}
	sw, err := cordpair.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer sw.Close()
	text, err := json.Marshal(ensure(t, sw, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"ready":true,"sip":{"udp":"127.0.0.1:`, `"tcp":"127.0.0.1:`, `"domain":"demo.cordpair.test"`, `"realm":"demo.cordpair.test"`,
		`"http":"http://127.0.0.1:`, `"metrics":"http://[::1]:`, `/metrics"`, `"client_id":1`, `/api/ver1.0"`, `/api/ver1.0/client_api_explorer/"`,
		`"token":"`, `"app":{"client_id":"`, `"client_secret":"`, `"data_dir":"` + cfg.DataDir,
		`"extensions":[{"id":1,"name":"101","full_name":"0001*101","user":"101","password":"`, `"type":"phone"}]`,
		`"numbers":{"echo":"*43","music":"*44","whoami":"*45"}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}
