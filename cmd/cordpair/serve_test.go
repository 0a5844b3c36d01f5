package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cordpair/cordpair"
)

// reloaded tells what a switch is given.
type reloaded chan cordpair.Config

func (r reloaded) Reload(cfg cordpair.Config) error {
	r <- cfg
	return nil
}

// TestReload: each SIGHUP reads the file again; a bad one changes nothing.
func TestReload(t *testing.T) {
	for text, want := range map[string]time.Duration{"drain_time: -1s\n": 0, "drain_time: 7s\n": 7 * time.Second} {
		c := serveCmd{Config: filepath.Join(t.TempDir(), "c.yaml")}
		if err := os.WriteFile(c.Config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		got, signals, done := make(reloaded, 1), make(chan os.Signal), make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		go func() { // ends with stop
			defer close(done)
			c.reload(ctx, got, slog.New(slog.NewTextHandler(&log, nil)), signals)
		}()
		signals <- syscall.SIGHUP
		stop()
		<-done
		close(got)
		if cfg := <-got; cfg.DrainTime != want {
			t.Errorf("%s: reloaded with %v", text, cfg.DrainTime)
		}
		if said := strings.Contains(log.String(), "stays in force") && strings.Contains(log.String(), "drain_time"); said != (want == 0) {
			t.Errorf("%s: log %q", text, log.String())
		}
	}
}

func TestWhereabouts(t *testing.T) {
	cfg := cordpair.DefaultConfig()
	if got, want := whereabouts(cfg), "SIP at udp 0.0.0.0:5060, tcp 0.0.0.0:5060; API at 127.0.0.1:8080"; got != want {
		t.Errorf("%q", got)
	}
	cfg.Listen.HTTP = ""
	if got := whereabouts(cfg); strings.Contains(got, "API") {
		t.Errorf("%q", got)
	}
}
