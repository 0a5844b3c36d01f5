package cordpair_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cordpair/cordpair"
)

func files(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(pattern)
	if err != nil || len(list) == 0 {
		t.Fatalf("%s: %v, %v", pattern, list, err)
	}
	return list
}

// TestGoodConfigs: what each file of testdata/config/*.good.yaml means.
func TestGoodConfigs(t *testing.T) {
	want := map[string]func(*cordpair.Config){
		"empty":    func(*cordpair.Config) {},
		"comments": func(*cordpair.Config) {},
		"listener": func(c *cordpair.Config) {
			c.Listen.SIP = []cordpair.SIPListener{{Transport: "tcp", Addr: "127.0.0.1:5060"}}
		},
		"all": func(c *cordpair.Config) {
			*c = cordpair.Config{
				DataDir: "/var/lib/cordpair", SecretKey: "/etc/cordpair/secret.key",
				Listen: cordpair.Listen{SIP: []cordpair.SIPListener{
					{Name: "office", Transport: "udp", Addr: "10.0.0.1:5060", Advertise: "198.51.100.7:5060"},
					{Transport: "tcp", Addr: "[fd00::1]:5060"},
				}, HTTP: "127.0.0.1:8088"},
				RTP:       cordpair.RTP{Ports: "20000-20999", Addresses: []string{"10.0.0.1", "fd00::1"}, Encryption: "required"},
				API:       cordpair.API{ConnectionsPerSource: 20, RequestsPerHour: 1000, Origins: []string{"https://crm.example.org"}},
				Log:       cordpair.Log{Level: "warn", Format: "json"},
				DrainTime: 2 * time.Minute, MaxCalls: 500,
			}
		},
	}
	for _, file := range files(t, "testdata/config/*.good.yaml") {
		change, ok := want[strings.TrimSuffix(filepath.Base(file), ".good.yaml")]
		if !ok {
			t.Errorf("%s: nothing is known about it", file)
			continue
		}
		cfg := cordpair.DefaultConfig()
		change(&cfg)
		got, err := cordpair.LoadConfig(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if d := cmp.Diff(cfg, got); d != "" {
			t.Errorf("%s:\n%s", file, d)
		}
	}
}

// TestBadConfigs: each file of testdata/config/*.bad.yaml begins with what its
// error must say on its first line, after the file's name.
func TestBadConfigs(t *testing.T) {
	for _, file := range files(t, "testdata/config/*.bad.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		want, ok := strings.CutPrefix(first, "# error: ")
		if !ok {
			t.Errorf("%s: no error in its first line", file)
		}
		if _, err = cordpair.LoadConfig(file); err == nil || !strings.HasPrefix(err.Error(), file+": "+want) {
			t.Errorf("%s: %v; want %q", file, err, want)
		}
	}
	if _, err := cordpair.LoadConfig("testdata/config/none.yaml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestValidate(t *testing.T) {
	if err := cordpair.DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	sip := func(l cordpair.SIPListener) func(*cordpair.Config) {
		return func(c *cordpair.Config) { c.Listen.SIP[1] = l }
	}
	ports := func(p string) func(*cordpair.Config) { return func(c *cordpair.Config) { c.RTP.Ports = p } }
	media := func(a string) func(*cordpair.Config) {
		return func(c *cordpair.Config) { c.RTP.Addresses = []string{"10.0.0.1", a} }
	}
	for _, tt := range []struct {
		field string
		spoil func(*cordpair.Config)
	}{
		{"data_dir", func(c *cordpair.Config) { c.DataDir = "" }},
		{"listen.sip", func(c *cordpair.Config) { c.Listen.SIP = nil }},
		{"listen.sip[1].transport", sip(cordpair.SIPListener{Transport: "tls", Addr: "10.0.0.1:5061"})},
		{"listen.sip[1].transport", sip(cordpair.SIPListener{Addr: "10.0.0.1:5061"})},
		{"listen.sip[1].addr", sip(cordpair.SIPListener{Transport: "tcp", Addr: "10.0.0.1"})},
		{"listen.sip[1].addr", sip(cordpair.SIPListener{Transport: "tcp", Addr: "pbx.example:5060"})},
		{"listen.sip[1].name", sip(cordpair.SIPListener{Transport: "udp", Addr: "10.0.0.1:5062"})}, // "udp" as the first
		{"listen.sip[1].name", sip(cordpair.SIPListener{Name: "udp", Transport: "tcp", Addr: "10.0.0.1:5062"})},
		{"listen.sip[1].advertise", sip(cordpair.SIPListener{Transport: "tcp", Addr: "10.0.0.1:5060", Advertise: "10.0.0.1"})},
		{"listen.sip[1].advertise", sip(cordpair.SIPListener{Transport: "tcp", Addr: "10.0.0.1:5060", Advertise: "0.0.0.0:5060"})},
		{"listen.sip[1].advertise", sip(cordpair.SIPListener{Transport: "tcp", Addr: "10.0.0.1:5060", Advertise: "10.0.0.1:0"})},
		{"listen.http", func(c *cordpair.Config) { c.Listen.HTTP = "8080" }},
		{"listen.http", func(c *cordpair.Config) { c.Listen.HTTP = "127.0.0.1:http" }},
		{"listen.metrics", func(c *cordpair.Config) { c.Listen.Metrics = "127.0.0.1:99999" }},
		{"rtp.ports", ports("")},
		{"rtp.ports", ports("16384")},
		{"rtp.ports", ports("16384-")},
		{"rtp.ports", ports("a-b")},
		{"rtp.ports", ports("1000-2000")},
		{"rtp.ports", ports("60000-70000")},
		{"rtp.ports", ports("20000-10000")},
		{"rtp.ports", ports("16384-16386")},
		{"rtp.ports", ports("16385-16388")}, // one pair, 16386
		{"rtp.encryption", func(c *cordpair.Config) { c.RTP.Encryption = "" }},
		{"rtp.encryption", func(c *cordpair.Config) { c.RTP.Encryption = "always" }},
		{"rtp.addresses[1]", media("eth0")},
		{"rtp.addresses[1]", media("0.0.0.0")},
		{"rtp.addresses[1]", media("239.0.0.1")},
		{"rtp.addresses[1]", media("fe80::1%eth0")},
		{"log.level", func(c *cordpair.Config) { c.Log.Level = "loud" }},
		{"log.format", func(c *cordpair.Config) { c.Log.Format = "xml" }},
		{"drain_time", func(c *cordpair.Config) { c.DrainTime = -1 }},
		{"max_calls", func(c *cordpair.Config) { c.MaxCalls = 0 }},
	} {
		cfg := cordpair.DefaultConfig()
		tt.spoil(&cfg)
		err := cfg.Validate()
		if !errors.Is(err, cordpair.ErrConfig) || !strings.HasPrefix(err.Error(), "bad configuration: "+tt.field+": ") ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", tt.field, err)
		}
		if _, err := cordpair.Open(cfg); !errors.Is(err, cordpair.ErrConfig) {
			t.Errorf("%s: Open: %v", tt.field, err)
		}
	}
}

// TestValidateTellsEverything: all mistakes at once, a line each.
func TestValidateTellsEverything(t *testing.T) {
	var none cordpair.Config
	err := none.Validate()
	for _, field := range []string{"data_dir", "listen.sip", "rtp.ports", "log.format", "log.level", "max_calls"} {
		if err == nil || !strings.Contains(err.Error(), " "+field+": ") {
			t.Errorf("%s is missing in %v", field, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	for key, value := range map[string]string{
		"DATA_DIR": "/elsewhere", "SECRET_KEY": "/key", "LISTEN_HTTP": "127.0.0.1:1", "LISTEN_METRICS": "127.0.0.1:2",
		"RTP_PORTS": "30000-30099", "RTP_ADDRESSES": "10.0.0.1,10.0.0.2", "RTP_ENCRYPTION": "required", "LOG_LEVEL": "debug", "LOG_FORMAT": "json",
		"DRAIN_TIME": "5s", "MAX_CALLS": "7",
	} {
		t.Setenv("CORDPAIR_"+key, value)
	}
	want := cordpair.DefaultConfig()
	want.DataDir, want.SecretKey, want.Listen.HTTP, want.Listen.Metrics = "/elsewhere", "/key", "127.0.0.1:1", "127.0.0.1:2"
	want.RTP = cordpair.RTP{Ports: "30000-30099", Addresses: []string{"10.0.0.1", "10.0.0.2"}, Encryption: "required"}
	want.Log = cordpair.Log{Level: "debug", Format: "json"}
	want.DrainTime, want.MaxCalls = 5*time.Second, 7
	got, err := cordpair.LoadConfig("testdata/config/empty.good.yaml")
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
	got, err = cordpair.LoadConfig("testdata/config/all.good.yaml")
	if got.DrainTime != 5*time.Second || got.Log.Level != "debug" || got.Listen.SIP[0].Name != "office" || err != nil {
		t.Errorf("over a file: %+v, %v", got, err)
	}
	t.Setenv("CORDPAIR_DRAIN_TIME", "soon")
	if _, err := cordpair.LoadConfig("testdata/config/empty.good.yaml"); err == nil || !strings.Contains(err.Error(), "environment") {
		t.Errorf("a bad variable: %v", err)
	}
	t.Setenv("CORDPAIR_DRAIN_TIME", "-5s")
	if _, err := cordpair.LoadConfig("testdata/config/empty.good.yaml"); !errors.Is(err, cordpair.ErrConfig) {
		t.Errorf("a variable out of range: %v", err)
	}
}
