//go:build system

package system

import (
	"fmt"
	"hash/crc32"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cordpair/cordpair"
)

// readme is a newcomer who follows README.md in a copy of the checkout.
type readme struct {
	dir     string
	sip     string // where the demo is
	metrics string
	run     *process
	set     string   // variables and functions of the lines so far
	printed []string // what README.md says and what the demo has, in turn
}

// TestReadme runs every command line of README.md in its order.
func TestReadme(t *testing.T) {
	text := readmeText(t)
	r := &readme{dir: t.TempDir()}
	copyCheckout(t, r.dir)
	block := takeBlock(t)
	sample := fenced(text, "yaml")
	if len(sample) != 1 {
		t.Fatalf("%d samples of a configuration", len(sample))
	}
	config := sample[0]
	for from, to := range map[string]string{":5060": ":" + fmt.Sprint(int(block)), ":8080": ":" + fmt.Sprint(int(block)+1), ":9090": ":" + fmt.Sprint(int(block)+2)} {
		config = strings.ReplaceAll(config, from, to)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "cordpair.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, b := range fenced(text, "sh") {
		lines = append(lines, strings.Split(strings.TrimSpace(b), "\n")...)
	}
	if len(lines) < 8 {
		t.Fatalf("README.md has only %d command lines", len(lines))
	}
	for _, line := range lines {
		t.Run(strings.ReplaceAll(line, "/", " "), func(t2 *testing.T) {
			// What it starts runs on while the next lines are tried.
			r.follow(t2, t, line)
		})
	}
}

// TestReadmeLibrary: the library's example is the one that runs as a test.
func TestReadmeLibrary(t *testing.T) {
	blocks := fenced(readmeText(t), "go")
	example, err := os.ReadFile(filepath.Join(root(), "example_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) != 1 || !strings.Contains(string(example), blocks[0]) {
		t.Error("the Go code in README.md is not that of example_test.go")
	}
}

func readmeText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced returns the blocks of one language.
func fenced(text, language string) []string {
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// copyCheckout copies what a clone would have, so that nothing is left behind.
func copyCheckout(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command("git", "-C", root(), "ls-files", "-co", "--exclude-standard").Output()
	if err != nil {
		t.Skipf("no git checkout: %v", err)
	}
	for _, name := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		b, err := os.ReadFile(filepath.Join(root(), name))
		if os.IsNotExist(err) {
			continue // removed and not committed
		}
		to := filepath.Join(dir, name)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o700)
		}
		mode := fs.FileMode(0o600)
		if filepath.Dir(name) == ".ci" {
			mode = 0o700
		}
		if err == nil {
			err = os.WriteFile(to, b, mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// start runs a line in a shell, as a newcomer would.
func (r *readme) start(t *testing.T, line string) *process {
	t.Helper()
	return start(t, r.dir, "sh", "-c", "exec "+line)
}

// follow runs one line: within a test that skips and fails by itself, but what
// goes on running belongs to all.
func (r *readme) follow(t, all *testing.T, line string) {
	t.Helper()
	name, _, _ := strings.Cut(line, " ")
	switch {
	case name == "api" || setting.MatchString(line):
		need(t, "curl")
	case name != "make" && !strings.HasPrefix(name, "./"):
		need(t, name)
	}
	line = strings.NewReplacer(r.printed...).Replace(line)
	if name == "sipp" {
		line += " -nostdin -trace_err -error_file " + r.sippErrors(t)
	}
	switch {
	case line == "make run":
		r.demo(all)
	case strings.HasPrefix(line, "baresip") && strings.Contains(line, "/dial"):
		r.start(t, line).says(t, "Call established")
	case strings.HasPrefix(line, "baresip"):
		r.start(all, line).says(t, " 200 OK ")
	case name == "linphonec":
		p := r.start(t, line)
		p.says(t, "linphonec>")
		for _, typed := range []string{"soundcard use files", "ipv6 disable", "call 102"} {
			fmt.Fprintln(p.in, typed)
		}
		p.says(t, "Media streams established")
		fmt.Fprintln(p.in, "quit")
		p.wait(t, patience)
	case strings.Contains(line, "-oocsf"):
		before := r.registered(t)
		r.start(all, line)
		until(t, patience, "phones that SIPp registered", func() bool { return r.registered(t) >= before+4 })
	case strings.HasPrefix(line, "./bin/cordpair serve"):
		p := r.start(t, line)
		p.says(t, "Cordpair is up")
		p.signal(t, syscall.SIGTERM)
		r.wants(t, p, line)
	case setting.MatchString(line):
		r.set += line + "\n"
	case name == "api", name == "curl":
		r.ask(t, line)
	case line == "./bin/cordpair tail":
		r.tail(t, line)
	case line == "./bin/cordpair trace":
		need(t, "sipp") // made the calls
		p := r.start(t, line)
		r.wants(t, p, line)
		p.says(t, "INVITE")
	case name == "sipp", name == "./bin/cordpair":
		r.wants(t, r.start(t, line), line)
	default:
		t.Errorf("nobody tries %q", line)
	}
}

// setting is a line that the lines after it need.
var setting = regexp.MustCompile(`^[A-Za-z]+(=|\(\) )`)

// ask runs a line of curl after what was set before, and wants no problem.
func (r *readme) ask(t *testing.T, line string) {
	t.Helper()
	if strings.Contains(line, "CALL") {
		need(t, "sipp") // made the calls
		line = strings.ReplaceAll(line, "CALL", r.lastCall(t))
	}
	p := start(t, r.dir, "sh", "-c", r.set+line)
	if strings.Contains(line, "/events/stream/") {
		p.says(t, "retry:") // and goes on
		return
	}
	r.wants(t, p, line)
	if said := p.out.String(); said == "" || strings.Contains(said, `"http_status"`) || strings.Contains(said, `"error"`) {
		t.Errorf("%s: %s%s", line, said, p.err.String())
	}
}

// lastCall is the call_uuid of the last call in the history.
func (r *readme) lastCall(t *testing.T) string {
	t.Helper()
	p := start(t, r.dir, "sh", "-c", r.set+"api '/client/@me/call_history/?page=1&per_page=1'")
	r.wants(t, p, "call_history")
	id := regexp.MustCompile(`"call_uuid":"([^"]+)"`).FindStringSubmatch(p.out.String())
	if id == nil {
		t.Fatalf("no call in %s", p.out.String())
	}
	return id[1]
}

// tail sees a change made while it runs, and ends at Ctrl-C.
func (r *readme) tail(t *testing.T, line string) {
	t.Helper()
	p := r.start(t, line)
	operator := cordpair.Operator(filepath.Join(r.dir, "demo", "data"))
	until(t, patience, "event", func() bool {
		req, err := http.NewRequest(http.MethodPut, "http://operator/api/ver1.0/client/1/extension/1", strings.NewReader(`{"label":"Phone 101"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := operator.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return strings.Contains(p.out.String(), "config.changed")
	})
	p.signal(t, syscall.SIGINT)
	r.wants(t, p, line)
}

// sippErrors is where the SIPp of a line says what went wrong.
func (r *readme) sippErrors(t *testing.T) string {
	return filepath.Join(r.dir, fmt.Sprintf("errors-%x.log", crc32.ChecksumIEEE([]byte(t.Name()))))
}

// registered is how many REGISTER requests the demo granted.
func (r *readme) registered(t *testing.T) float64 {
	t.Helper()
	d := demo{}
	d.Metrics = r.metrics
	return d.metrics(t)["cordpair_sip_registrations_total"]
}

// wants exit code 0.
func (r *readme) wants(t *testing.T, p *process, line string) {
	t.Helper()
	if code := p.wait(t, time.Minute); code != 0 {
		log, _ := os.ReadFile(r.sippErrors(t)) // of SIPp, if it failed
		t.Errorf("%s: exit code %d\n%s", line, code, tail(string(log)))
	}
}

// demo runs the first line and reads what it says.
func (r *readme) demo(t *testing.T) {
	t.Helper()
	r.run = start(t, r.dir, "make", "run")
	until(t, 5*time.Minute, "demo", func() bool { return strings.Contains(r.run.out.String(), "Ctrl-C") || !r.run.running() })
	says := r.run.out.String()
	found := map[string]string{}
	for name, pattern := range map[string]string{
		"sip": `SIP server\s+(\S+)`, "http": `API browser\s+http://([^/]+)`, "metrics": `metrics at (http://[^;]+);`,
		"ID": `client id\s+(\S+)`, "SECRET": `client secret\s+(\S+)`,
	} {
		m := regexp.MustCompile(pattern).FindStringSubmatch(says)
		if m == nil {
			t.Fatalf("make run says nothing of %s: %q", name, says)
		}
		found[name] = m[1]
	}
	r.sip, r.metrics = found["sip"], found["metrics"]
	r.printed = []string{
		"127.0.0.1:5060", r.sip, "127.0.0.1:8080", found["http"],
		"127.0.0.1:9090", strings.TrimSuffix(strings.TrimPrefix(r.metrics, "http://"), "/metrics"),
		"=ID ", "=" + found["ID"] + " ", "=SECRET", "=" + found["SECRET"],
	}
}
