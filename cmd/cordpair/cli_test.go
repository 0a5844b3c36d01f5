package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/cordpair/cordpair"
)

// parse reads a command line as main does.
func parse(t *testing.T, args ...string) (*kong.Context, commands) {
	t.Helper()
	var cli commands
	k, err := kong.New(&cli, kong.BindTo(t.Context(), (*context.Context)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := k.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	return ctx, cli
}

// TestDemoFlags: the defaults are those of spec/shapes.md.
func TestDemoFlags(t *testing.T) {
	_, cli := parse(t, "demo")
	want := demoCmd{
		SIP: "127.0.0.1:5060", HTTP: "127.0.0.1:8080", Metrics: "127.0.0.1:9090", DataDir: "cordpair-demo",
		RTPPorts: "16384-32767", Extensions: 4,
	}
	if cli.Demo != want {
		t.Errorf("%+v", cli.Demo)
	}
	_, cli = parse(t, "demo", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--data-dir", "D",
		"--sipp-dir", "S", "--phones-dir", "P", "--rtp-ports", "20000-20099", "--json")
	if cli.Demo.SippDir != "S" || cli.Demo.PhonesDir != "P" || !cli.Demo.JSON {
		t.Errorf("%+v", cli.Demo)
	}
	cfg, err := cli.Demo.config()
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Validate(); err != nil || !cfg.Demo || cfg.DataDir != "D" || cfg.RTP.Ports != "20000-20099" ||
		len(cfg.Listen.SIP) != 2 || cfg.Listen.SIP[0].Addr != cfg.Listen.SIP[1].Addr {
		t.Errorf("%v: %+v", err, cfg)
	}
}

func TestSay(t *testing.T) {
	var text bytes.Buffer
	d := fake(12)
	if err := (demoCmd{}).say(&text, d); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"127.0.0.1:5070", "demo.test", "101    secret-101", "110    secret-110", "and 2 more", "*43", "Ctrl-C",
		"http://127.0.0.1:8080/explorer/", "client id      APP", "client secret  SECRET", "cordpair token demo --data-dir D\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "secret-111") {
		t.Error("more than ten passwords on the screen")
	}
	text.Reset()
	if err := (demoCmd{JSON: true}).say(&text, d); err != nil {
		t.Fatal(err)
	}
	var back cordpair.Demo
	if err := json.Unmarshal(text.Bytes(), &back); err != nil || strings.Count(text.String(), "\n") != 1 || len(back.Extensions) != 12 {
		t.Errorf("%v in\n%s", err, text.String())
	}
	if err := (demoCmd{}).say(brokenPipe{}, d); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("closed output: %v", err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestConfigCommands: check-config, serve and doctor refuse a bad file alike.
func TestConfigCommands(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	for file, text := range map[string]string{good: "drain_time: 5s\n", bad: "drain_time: -5s\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"check-config", bad}, {"serve", "-c", bad}, {"doctor", "-c", bad}} {
		ctx, _ := parse(t, args...)
		if err := ctx.Run(); !errors.Is(err, cordpair.ErrConfig) || !strings.Contains(err.Error(), "drain_time") {
			t.Errorf("%s: %v", args[0], err)
		}
	}
	ctx, _ := parse(t, "check-config", good)
	if err := ctx.Run(); err != nil {
		t.Error(err)
	}
}

// TestDoctorFailsWhenSomethingIsBad: its exit status is for scripts.
func TestDoctorFailsWhenSomethingIsBad(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "c.yaml")
	for addr, want := range map[string]error{"127.0.0.1:0": nil, taken.Addr().String(): errUnwell} {
		text := "listen: {sip: [{transport: udp, addr: '127.0.0.1:0'}], http: '" + addr + "', metrics: ''}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := (doctorCmd{Config: file}).Run(); !errors.Is(err, want) {
			t.Errorf("http at %s: %v, want %v", addr, err, want)
		}
	}
}
