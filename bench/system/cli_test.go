//go:build system

package system

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

// columns is the width of a terminal that everything printed for people fits in.
const columns = 100

// command is one way to reach a switch: by its data folder or by its URL.
type command struct {
	dir   string
	where []string
}

// run runs a command to its end and returns its exit code and what it printed.
func (c command) run(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	p := start(t, c.dir, program, append(args, c.where...)...)
	code = p.wait(t, patience)
	return code, p.out.String(), p.err.String()
}

// prints wants exit code 0 and every one of the texts, within the width of a
// terminal unless it is JSON.
func (c command) prints(t *testing.T, args []string, wants ...string) string {
	t.Helper()
	code, out, err := c.run(t, args...)
	if code != 0 {
		t.Errorf("%v: exit code %d: %s", args, code, err)
	}
	for _, want := range wants {
		if !strings.Contains(out, want) {
			t.Errorf("%v: no %q in\n%s", args, want, out)
		}
	}
	for line := range strings.Lines(out) {
		if utf8.RuneCountInString(line) > columns+1 && !strings.HasPrefix(line, "{") && !strings.HasPrefix(line, "[") {
			t.Errorf("%v: wider than %d columns: %s", args, columns, line)
		}
	}
	return out
}

// refuses wants exit code 1 and a text on standard error.
func (c command) refuses(t *testing.T, want string, args ...string) {
	t.Helper()
	if code, out, err := c.run(t, args...); code != 1 || out != "" || !strings.Contains(err, want) {
		t.Errorf("%v: exit code %d, %q, %q; want 1 and %q", args, code, out, err, want)
	}
}

// TestCLI: the commands against a running switch while two softphones talk,
// over the operator's socket and over HTTP with a token.
func TestCLI(t *testing.T) {
	need(t, "baresip")
	d := startDemo(t, 4)
	local := command{d.dir, []string{"--data-dir", d.DataDir}}
	far := command{d.dir, []string{"--url", d.HTTP, "--token", d.Token}}
	local.prints(t, []string{"calls"}, "no calls")
	local.refuses(t, "no call has ended yet", "trace")
	a, b := startBaresip(t, d, "101", "udp"), startBaresip(t, d, "102", "udp")
	tail := start(t, d.dir, program, append([]string{"tail"}, far.where...)...)
	jsonTail := start(t, d.dir, program, append([]string{"tail", "--json", "--types", "call.*"}, local.where...)...)
	a.call(t, "102")
	a.talking(t)
	b.talking(t)
	for _, c := range []command{local, far} {
		c.prints(t, []string{"calls"}, "CALL  ", "101 Phone 101", "talking")
		c.prints(t, []string{"registrations"}, "101        online  127.0.0.1:", "103        offline\n", "baresip")
		c.prints(t, []string{"trace", callUp(t, c)}, "extension 102", "200 OK")
	}
	a.hangup(t)
	a.idle(t)
	b.idle(t)
	until(t, patience, "record of the call", func() bool { return d.metrics(t)["cordpair_records_written_total"] > 0 })
	for _, c := range []command{local, far} {
		t.Log("\n" + c.prints(t, []string{"trace"}, "INVITE", "BYE", "leg ends: normal", "audio of 102", "PCMU"))
		c.prints(t, []string{"trace", "--no-ladder"}, "extension 101")
		c.prints(t, []string{"trace", "--json"}, `"verdict":"taken"`)
		c.prints(t, []string{"explain", "--from", "101", "--to", "102", "--assume", "102=busy"}, "101", "102 busy", "◆")
		c.prints(t, []string{"explain", "--from", "101", "--to", "102", "--json"}, `"would":`)
		c.refuses(t, "no call nonsense", "trace", "nonsense")
		c.refuses(t, "assume", "explain", "--from", "101", "--to", "102", "--assume", "102=asleep")
	}
	jsonTail.says(t, `"event":"call.ended"`)
	tail.says(t, "call.ended")
	for _, p := range []*process{tail, jsonTail} {
		p.signal(t, syscall.SIGINT)
		if code := p.wait(t, patience); code != 0 {
			t.Errorf("tail: exit code %d after Ctrl-C", code)
		}
	}
	people(t, d, local)
	d.stop(t)
	local.refuses(t, "no switch is running over", "calls")
	far.refuses(t, "no answer from "+d.HTTP, "calls")
}

// callUp is the only call that is up.
func callUp(t *testing.T, c command) string {
	t.Helper()
	var answer struct {
		Calls []struct {
			Call string `json:"call_uuid"`
		} `json:"call_list"`
	}
	out := c.prints(t, []string{"calls", "--json"})
	if err := json.Unmarshal([]byte(out), &answer); err != nil || len(answer.Calls) != 2 {
		t.Fatalf("calls --json: %v: %s", err, out)
	}
	return answer.Calls[0].Call
}

// people adds users and a client, whose arrival no phone of the demo notices.
func people(t *testing.T, d *demo, local command) {
	t.Helper()
	local.prints(t, []string{"user", "add", "anna", "--extension", "101"}, "anna password ")
	local.refuses(t, "user anna: ", "user", "add", "anna")
	local.refuses(t, "no extension 999", "user", "add", "otto", "--extension", "999")
	anna := strings.TrimSpace(local.prints(t, []string{"token", "anna"}))
	command{d.dir, []string{"--url", d.HTTP, "--token", anna}}.refuses(t, "Access denied", "calls")
	command{d.dir, []string{"--url", d.HTTP, "--token", "wrong"}}.refuses(t, "does not know this token", "calls")
	command{d.dir, []string{"--url", d.HTTP}}.refuses(t, "needs a --token", "calls")
	local.prints(t, []string{"client", "add", "--name", "Acme", "--domain", "acme.example"}, "client 2 with prefix ")
	local.refuses(t, "which --client? there are 1 (Demo), 2 (Acme)", "calls")
	startBaresip(t, d, "103", "tcp")
	local.prints(t, []string{"registrations", "--client", "1"}, "103        online")
	if code, _, err := local.run(t, "explain", "--from", "101"); code != 80 || !strings.Contains(err, "--to") {
		t.Errorf("half a command: exit code %d, %q", code, err)
	}
}

// TestCLIReload: SIGHUP reads the configuration again; a bad one changes
// nothing (L11).
func TestCLIReload(t *testing.T) {
	b, dir := takeBlock(t), t.TempDir()
	file := dir + "/cordpair.yaml"
	write := func(level string) {
		text := fmt.Sprintf("data_dir: %s/data\nlisten: {sip: [{transport: udp, addr: '%s'}], http: '%s', metrics: ''}\nlog: {level: %s}\n",
			dir, b.addr(atSIP), b.addr(atHTTP), level)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("info")
	p := start(t, dir, program, "serve", "-c", file)
	p.says(t, "Cordpair is up")
	write("loud")
	p.signal(t, syscall.SIGHUP)
	p.says(t, "the old one stays in force")
	write("debug")
	p.signal(t, syscall.SIGHUP)
	p.says(t, "configuration reloaded")
	p.signal(t, syscall.SIGTERM)
	if code := p.wait(t, patience); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
