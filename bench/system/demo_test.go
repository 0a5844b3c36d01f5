//go:build system

package system

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cordpair/cordpair"
)

// home makes a home directory below dir, as linphonec wants it.
func home(t *testing.T, dir string) string {
	t.Helper()
	h := filepath.Join(dir, "home")
	if err := os.MkdirAll(filepath.Join(h, ".local", "share", "linphone"), 0o700); err != nil {
		t.Fatal(err)
	}
	return h
}

// demo is a running `cordpair demo` in a folder of its own.
type demo struct {
	*process
	cordpair.Demo
	ports block
	dir   string
	args  []string
	sipps int // ports taken by SIPps
	runs  int // SIPps started
}

// startDemo starts a demo with n phones.
func startDemo(t *testing.T, n int) *demo {
	t.Helper()
	d := &demo{ports: takeBlock(t), dir: t.TempDir()}
	d.args = []string{
		"demo", "--json", "--sip", d.ports.addr(atSIP), "--http", d.ports.addr(atHTTP), "--metrics", d.ports.addr(atMetrics),
		"--data-dir", d.path("data"), "--sipp-dir", d.path("sipp"), "--phones-dir", d.path("phones"),
		"--extensions", strconv.Itoa(n),
	}
	d.begin(t)
	return d
}

// begin starts the process, again after it ended, and waits until it is ready.
func (d *demo) begin(t *testing.T) {
	t.Helper()
	d.process = start(t, d.dir, program, d.args...)
	until(t, patience, "line from the demo", func() bool {
		if !d.running() {
			t.Fatalf("the demo ended: %s", d.err.String())
		}
		return strings.Contains(d.out.String(), "\n")
	})
	line, _, _ := strings.Cut(d.out.String(), "\n")
	d.Demo = cordpair.Demo{}
	if err := json.Unmarshal([]byte(line), &d.Demo); err != nil || !d.Ready {
		t.Fatalf("demo --json says %q: %v", line, err)
	}
	if d.SIP.UDP != d.ports.addr(atSIP) {
		t.Fatalf("the demo is at %s, not %s", d.SIP.UDP, d.ports.addr(atSIP))
	}
}

// stop ends the demo and wants exit code 0.
func (d *demo) stop(t *testing.T) {
	t.Helper()
	d.signal(t, syscall.SIGTERM)
	if code := d.wait(t, patience); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// path is a file in the demo's folder.
func (d *demo) path(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

// metrics reads /metrics; values with labels stand under the whole name.
func (d *demo) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	resp, err := http.Get(d.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	values := map[string]float64{}
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		name, text, _ := strings.Cut(s.Text(), " ")
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			values[name] = v
		}
	}
	return values
}

// awaitMetric waits until a metric has a value.
func (d *demo) awaitMetric(t *testing.T, name string, want float64) {
	t.Helper()
	until(t, patience, fmt.Sprintf("%s %v", name, want), func() bool { return d.metrics(t)[name] == want })
}

// holding is what the process held at one moment.
type holding struct {
	goroutines, descriptors int
	rss                     float64 // bytes
	cpu                     float64 // seconds since it started
}

// holds counts what the process holds. Sockets of the media pool are left out,
// for a port that was used once stays bound for good (requirement M6), and the
// files of the store, which are as many as there is to remember.
func (d *demo) holds(t *testing.T) holding {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	m := d.metrics(t)
	return holding{
		goroutines: int(m["go_goroutines"]), rss: m["process_resident_memory_bytes"],
		cpu: m["process_cpu_seconds_total"], descriptors: d.descriptors(t),
	}
}

func (d *demo) descriptors(t *testing.T) int {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d/", d.cmd.Process.Pid)
	pool := mediaSockets(t, proc+"net/udp")
	links, err := os.ReadDir(proc + "fd")
	if err != nil {
		t.Fatal(err)
	}
	n, events := 0, 0
	for _, l := range links {
		target, err := os.Readlink(proc + "fd/" + l.Name())
		switch {
		case err != nil || pool[target] || strings.HasPrefix(target, d.DataDir):
		case target == "anon_inode:[eventfd]":
			events++
		default:
			n++
		}
	}
	// Go's poller and the media loop have one each; the store keeps those it once needed
	// to sync several files at a time, eight at most.
	return n + max(events, 2+8)
}

// mediaSockets reads which sockets are bound to the demo's media ports.
func mediaSockets(t *testing.T, table string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	sockets := map[string]bool{}
	for _, line := range strings.Split(string(text), "\n") {
		f := strings.Fields(line)
		if len(f) < 10 {
			continue
		}
		_, hex, _ := strings.Cut(f[1], ":")
		if port, err := strconv.ParseUint(hex, 16, 16); err == nil && port >= 16384 && port <= 32767 {
			sockets["socket:["+f[9]+"]"] = true
		}
	}
	return sockets
}

// atRest waits until no call is left and the process holds no more than before.
func (d *demo) atRest(t *testing.T, before holding) {
	t.Helper()
	for _, name := range []string{"cordpair_calls", "cordpair_sip_legs", "cordpair_media_ports_used"} {
		until(t, 2*patience, name+" 0", func() bool { return d.metrics(t)[name] == 0 })
	}
	now := d.holds(t)
	for end := time.Now().Add(2 * patience); now.goroutines > before.goroutines || now.descriptors > before.descriptors; now = d.holds(t) {
		if time.Now().After(end) {
			t.Fatalf("holds %+v, and before the load %+v", now, before)
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("at rest: %d goroutines, %d descriptors without media, RSS %.0f MiB, CPU %.1f s; before: %d, %d, %.0f, %.1f",
		now.goroutines, now.descriptors, now.rss/(1<<20), now.cpu,
		before.goroutines, before.descriptors, before.rss/(1<<20), before.cpu)
}
