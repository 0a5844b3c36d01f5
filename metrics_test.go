package cordpair_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/cordpair/cordpair"
)

// TestMetrics: names others build on (X6), and /readyz, over real sockets.
func TestMetrics(t *testing.T) {
	cfg := cordpair.DefaultConfig()
	cfg.DataDir, cfg.Log.Level, cfg.DrainTime = t.TempDir(), "error", 0
	cfg.Listen = cordpair.Listen{SIP: []cordpair.SIPListener{{Transport: "udp", Addr: "127.0.0.1:0"}}, Metrics: "127.0.0.1:0", HTTP: "127.0.0.1:0"}
	sw, err := cordpair.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d := ensure(t, sw, 1)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	up := make(chan struct{})
	go func() { done <- sw.RunThen(ctx, func() error { close(up); return nil }) }() // ends with stop
	<-up
	get := func(url string) (int, string) {
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	code, text := get(d.Metrics)
	for _, name := range []string{
		"cordpair_panics_total 0", "cordpair_calls_stuck_total 0", "cordpair_sip_panics_total 0", `cordpair_calls_refused_total{reason="overload"} 0`,
		`cordpair_calls_refused_total{reason="draining"} 0`, "cordpair_calls 0", "cordpair_media_ports_free ", "cordpair_media_ports_used 0",
		"cordpair_store_free_bytes ", "cordpair_records_failed_total 0", "cordpair_records_pending 0", "cordpair_record_events_waiting 0",
		`cordpair_sip_queue_depth{class="invite"} 0`, "go_goroutines ", "cordpair_sip_bindings 0",
	} {
		if !strings.Contains(text, "\n"+name) {
			t.Errorf("no %s", name)
		}
	}
	if code != 200 {
		t.Errorf("metrics: %d", code)
	}
	if code, _ := get(strings.TrimSuffix(d.Metrics, "metrics") + "readyz"); code != 200 {
		t.Errorf("ready: %d", code)
	}
	if code, body := get(d.HTTP + "/metrics"); code != 404 || !strings.Contains(body, `"status":404`) {
		t.Errorf("metrics at the API's address: %d %s", code, body)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
