package cordpair_test

import (
	"net"
	"strings"
	"testing"

	"github.com/cordpair/cordpair"
)

// finding is the one about what.
func finding(t *testing.T, all []cordpair.Finding, what string) cordpair.Finding {
	t.Helper()
	for _, f := range all {
		if f.What == what {
			return f
		}
	}
	t.Fatalf("nothing about %s in %v", what, all)
	return cordpair.Finding{}
}

func quietConfig() cordpair.Config {
	cfg := cordpair.DefaultConfig()
	cfg.Listen = cordpair.Listen{SIP: []cordpair.SIPListener{
		{Transport: "udp", Addr: "127.0.0.1:0"}, {Transport: "tcp", Addr: "127.0.0.1:0"},
	}, HTTP: "127.0.0.1:0"}
	return cfg
}

func TestExamine(t *testing.T) {
	found := cordpair.Examine(quietConfig())
	for what, want := range map[string]cordpair.Verdict{
		"sip udp": cordpair.Good, "sip tcp": cordpair.Good, "http": cordpair.Good, "metrics": cordpair.Note,
		"media address": cordpair.Good, "clock": cordpair.Good, "cores": cordpair.Good,
	} {
		if f := finding(t, found, what); f.Verdict != want || f.Text == "" {
			t.Errorf("%s: %s %q, want %s", what, f.Verdict, f.Text, want)
		}
	}
	for _, what := range []string{"socket buffer", "open files"} {
		if f := finding(t, found, what); f.Verdict == cordpair.Bad || f.Text == "" {
			t.Errorf("%s: %s %q", what, f.Verdict, f.Text)
		}
	}
}

func TestExamineTakenPorts(t *testing.T) {
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	cfg := quietConfig()
	cfg.Listen.SIP[0].Addr, cfg.Listen.SIP[1].Addr = udp.LocalAddr().String(), tcp.Addr().String()
	cfg.Listen.HTTP, cfg.Listen.Metrics = tcp.Addr().String(), tcp.Addr().String()
	found := cordpair.Examine(cfg)
	for _, what := range []string{"sip udp", "sip tcp", "http", "metrics"} {
		if f := finding(t, found, what); f.Verdict != cordpair.Bad || !strings.Contains(f.Text, "in use") {
			t.Errorf("%s: %s %q, want bad", what, f.Verdict, f.Text)
		}
	}
}

// TestExamineBesideItself: the ports of a running switch are no fault, those that
// somebody else has are.
func TestExamineBesideItself(t *testing.T) {
	cfg := quietConfig()
	cfg.DataDir = t.TempDir()
	sw, err := cordpair.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sw.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg.Listen.HTTP = sw.WebAddr("http")
	f := finding(t, cordpair.Examine(cfg), "http")
	if f.Verdict != cordpair.Note || !strings.Contains(f.Text, "is running") {
		t.Errorf("%s %q, want a note", f.Verdict, f.Text)
	}
	cfg.DataDir = t.TempDir()
	if f := finding(t, cordpair.Examine(cfg), "http"); f.Verdict != cordpair.Bad {
		t.Errorf("over another folder: %s %q, want bad", f.Verdict, f.Text)
	}
}

func TestExamineOddConfigs(t *testing.T) {
	cfg := quietConfig()
	cfg.Listen.SIP[0].Addr = "nonsense"
	cfg.RTP.Addresses = []string{"192.0.2.1"} // documentation's, no machine has it
	cfg.RTP.Ports = "nonsense"
	found := cordpair.Examine(cfg)
	for _, what := range []string{"sip udp", "media address"} {
		if f := finding(t, found, what); f.Verdict != cordpair.Bad {
			t.Errorf("%s: %s %q, want bad", what, f.Verdict, f.Text)
		}
	}
}
