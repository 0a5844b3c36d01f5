//go:build system

package system

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/cordpair/cordpair"
)

// oneCall has one call up, from 101 to 102, and returns its two sides.
func (d *demo) oneCall(t *testing.T) (caller, answering *sipp) {
	t.Helper()
	answering = d.answering(t, 100)
	caller = d.sipp(t, d.sippPort(t), "-sf", d.scenario("call.xml"), "-inf", d.scenario("calls.csv"),
		"-m", "1", "-d", "600000", "-trace_msg", "-message_file", d.path("caller.log"))
	d.awaitMetric(t, "cordpair_sip_legs", 2)
	d.awaitMetric(t, "cordpair_calls", 1)
	return caller, answering
}

// TestTerminate: SIGTERM ends both sides of running calls with BYE and the
// process with 0.
func TestTerminate(t *testing.T) {
	need(t, "sipp")
	d := startDemo(t, 4)
	_, answering := d.oneCall(t)
	d.stop(t)
	if r := answering.end(t); r.success != 1 || r.failed != 0 {
		t.Errorf("the called side counts %+v, want one call that ended with BYE", r)
	}
	until(t, patience, "BYE at the caller", func() bool {
		log, err := os.ReadFile(d.path("caller.log"))
		return err == nil && strings.Contains(string(log), "\nBYE sip:101@")
	})
	for _, r := range records(t, d) {
		if r.HangupTime.IsZero() {
			t.Errorf("record without an end: %+v", r)
		}
	}
}

// TestSecondSignal: while serve lets a call go on, a second SIGTERM ends it.
func TestSecondSignal(t *testing.T) {
	need(t, "sipp")
	d := startDemo(t, 4)
	caller, _ := d.oneCall(t)
	d.stop(t)
	caller.wait(t, patience)
	file := d.path("serve.yaml")
	text := fmt.Sprintf(`data_dir: %q
drain_time: 10m
listen:
  sip:
    - {name: udp, transport: udp, addr: %q}
    - {name: tcp, transport: tcp, addr: %q}
  http: %q
  metrics: %q
`, d.DataDir, d.SIP.UDP, d.SIP.TCP, d.ports.addr(atHTTP), d.ports.addr(atMetrics))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.process = start(t, d.dir, program, "serve", "-c", file)
	until(t, patience, "listening serve", func() bool {
		c, err := net.Dial("tcp", d.ports.addr(atMetrics))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	d.sipp(t, d.sippPort(t), "-sf", d.scenario("call.xml"), "-inf", d.scenario("calls.csv"), "-m", "1", "-d", "600000")
	d.awaitMetric(t, "cordpair_sip_legs", 2)
	d.signal(t, syscall.SIGTERM)
	d.says(t, "waiting for running calls")
	if !d.running() {
		t.Fatal("serve did not wait for the call")
	}
	d.signal(t, syscall.SIGTERM)
	d.wait(t, patience) // far less than the drain time
}

// TestSameFolder: a second process is refused and says why.
func TestSameFolder(t *testing.T) {
	d := startDemo(t, 2)
	p := start(t, d.dir, program, "demo", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--data-dir", d.DataDir)
	if code := p.wait(t, patience); code == 0 {
		t.Error("two processes share a data folder")
	}
	if text := p.err.String(); !strings.Contains(text, "in use") && !strings.Contains(text, "another process") {
		t.Errorf("it says %q", text)
	}
	d.stop(t)
}

// TestTakenPort: the demo takes the next free port and names it.
func TestTakenPort(t *testing.T) {
	b := takeBlock(t)
	taken, err := net.Listen("tcp", b.addr(atSIP))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	p := start(t, dir, program, "demo", "--json", "--sip", b.addr(atSIP), "--http", b.addr(atSIP), "--metrics", b.addr(atSIP), "--data-dir", dir+"/data")
	until(t, patience, "line from the demo", func() bool { return strings.Contains(p.out.String(), "\n") })
	var d cordpair.Demo
	if err := json.Unmarshal([]byte(p.out.String()), &d); err != nil {
		t.Fatal(err)
	}
	if d.SIP.UDP != b.addr(atSIP+1) || d.SIP.TCP != b.addr(atSIP+1) {
		t.Errorf("SIP is at %s and %s, want %s", d.SIP.UDP, d.SIP.TCP, b.addr(atSIP+1))
	}
	if d.HTTP == "" || d.Metrics == "" || strings.Contains(d.HTTP, d.SIP.UDP) {
		t.Errorf("HTTP is at %q, metrics at %q", d.HTTP, d.Metrics)
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.wait(t, patience); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
