//go:build system

package system

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// phone is a softphone that a test drives.
type phone interface {
	// call dials, hangup ends the one call, hold and resume change it.
	call(t *testing.T, number string)
	hangup(t *testing.T)
	hold(t *testing.T)
	resume(t *testing.T)
	// talking and idle wait for the call to be up, or gone.
	talking(t *testing.T)
	idle(t *testing.T)
	// media is the range of ports it hears on, tone the frequency it sends.
	media() (low, high int)
	tone() float64
	quit(t *testing.T)
}

// baresip is a headless baresip, driven over its ctrl_tcp.
type baresip struct {
	*process
	folder    string
	user      string
	low, high int
	conn      net.Conn

	mu     sync.Mutex
	events []string // types, in order
	seen   int      // events that were waited for
	answer chan bool
}

// account names the settings of a phone: 101, or 101-tcp.
func account(user, transport string) string {
	if transport == "udp" {
		return user
	}
	return user + "-" + transport
}

// startBaresip starts a phone from the demo's folder; it has registered when
// this returns.
func startBaresip(t *testing.T, d *demo, user, transport string) *baresip {
	t.Helper()
	b := &baresip{folder: d.path("phones", account(user, transport)), user: user, answer: make(chan bool, 1)}
	b.low, b.high = mediaPorts(t, filepath.Join(b.folder, "config"), `rtp_ports (\d+)-(\d+)`)
	b.process = start(t, d.dir, "baresip", "-f", b.folder, "-t", "300")
	b.says(t, " 200 OK ")
	control := find(t, filepath.Join(b.folder, "config"), `ctrl_tcp_listen (\S+)`)[1]
	until(t, patience, "ctrl_tcp of baresip", func() bool {
		var err error
		b.conn, err = net.DialTimeout("tcp", control, time.Second)
		return err == nil
	})
	t.Cleanup(func() { _ = b.conn.Close() })
	go b.listen() // until the connection is closed
	return b
}

// find matches a pattern in a file.
func find(t *testing.T, file, pattern string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(pattern).FindStringSubmatch(string(text))
	if found == nil {
		t.Fatalf("%s: no %s", file, pattern)
	}
	return found
}

// mediaPorts reads a range of ports from a phone's settings.
func mediaPorts(t *testing.T, file, pattern string) (low, high int) {
	t.Helper()
	m := find(t, file, pattern)
	low, _ = strconv.Atoi(m[1]) // the pattern takes digits only
	high, _ = strconv.Atoi(m[len(m)-1])
	return low, high
}

// listen reads netstrings of JSON.
func (b *baresip) listen() {
	r := bufio.NewReader(b.conn)
	for {
		size, err := r.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil {
			return
		}
		text := make([]byte, n+1) // and a comma
		if _, err := io.ReadFull(r, text); err != nil {
			return
		}
		var m struct {
			Response, OK bool
			Type         string
		}
		if json.Unmarshal(text[:n], &m) != nil {
			continue
		}
		if m.Response {
			b.answer <- m.OK
			continue
		}
		b.mu.Lock()
		b.events = append(b.events, m.Type)
		b.mu.Unlock()
	}
}

// command gives an order and waits until it was taken.
func (b *baresip) command(t *testing.T, name, params string) {
	t.Helper()
	text, err := json.Marshal(map[string]string{"command": name, "params": params, "token": "t"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(b.conn, "%d:%s,", len(text), text); err != nil {
		t.Fatal(err)
	}
	select {
	case ok := <-b.answer:
		if !ok {
			t.Fatalf("baresip refuses %s", name)
		}
	case <-time.After(patience):
		t.Fatalf("baresip does not answer to %s", name)
	}
}

// event waits for the next event of a type.
func (b *baresip) event(t *testing.T, kind string) {
	t.Helper()
	until(t, patience, "event "+kind+" of "+b.user, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		i := slices.Index(b.events[b.seen:], kind)
		if i >= 0 {
			b.seen += i + 1
		}
		return i >= 0
	})
}

func (b *baresip) call(t *testing.T, number string) { b.command(t, "dial", number) }
func (b *baresip) hangup(t *testing.T)              { b.command(t, "hangup", "") }
func (b *baresip) talking(t *testing.T)             { b.event(t, "CALL_ESTABLISHED") }
func (b *baresip) idle(t *testing.T)                { b.event(t, "CALL_CLOSED") }

func (b *baresip) hold(t *testing.T) {
	b.command(t, "hold", "")
	b.event(t, "CALL_REMOTE_SDP")
}

func (b *baresip) resume(t *testing.T) {
	b.command(t, "resume", "")
	b.event(t, "CALL_REMOTE_SDP")
}

func (b *baresip) media() (low, high int) { return b.low, b.high }
func (b *baresip) tone() float64          { return toneOf(b.user) }

// toneOf is the frequency the demo gives to a user: 101 sends 440 Hz.
func toneOf(user string) float64 {
	n, _ := strconv.Atoi(user) // the demo's users are numbers
	return 440 + 110*float64(n-101)
}

func (b *baresip) quit(t *testing.T) {
	t.Helper()
	b.signal(t, syscall.SIGINT)
	if code := b.wait(t, patience); code != 0 {
		t.Errorf("baresip ended with %d", code)
	}
}

// heard is the newest recording of what it heard; it ends at a first hold.
func (b *baresip) heard(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(b.folder, "heard", "dump-*-dec.wav"))
	if err != nil || len(files) == 0 {
		t.Fatalf("baresip recorded nothing: %v", err)
	}
	slices.Sort(files)
	return files[len(files)-1]
}
