//go:build system

package system

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
)

// linphone is linphonec with sound files in place of a sound card, driven on
// its standard input. Its recording goes on after a hold.
type linphone struct {
	*process
	user      string
	recording string
	low       int
	seen      int // bytes of its output that were waited for
}

// startLinphone starts a phone from the demo's settings; it has registered when
// this returns, and takes calls at once.
func startLinphone(t *testing.T, d *demo, user, transport string) *linphone {
	t.Helper()
	rc := d.path("phones", "linphonerc-"+account(user, transport))
	l := &linphone{user: user, recording: d.path("linphone-" + user + ".wav")}
	l.low, _ = mediaPorts(t, rc, `audio_rtp_port=(\d+)`)
	l.process = start(t, d.dir, "linphonec", "-c", rc, "-d", "0")
	l.await(t, "linphonec>")
	for _, line := range []string{
		"soundcard use files", "ipv6 disable", "autoanswer enable",
		"play " + d.path("phones", "tone-"+user+".wav"), "record " + l.recording,
	} {
		l.command(t, line)
		l.await(t, "linphonec>")
	}
	until(t, patience, "registration of linphonec", func() bool {
		l.command(t, "status register")
		l.await(t, "linphonec>")
		return strings.Contains(l.out.String(), "registered, identity=")
	})
	return l
}

func (l *linphone) command(t *testing.T, line string) {
	t.Helper()
	if _, err := fmt.Fprintln(l.in, line); err != nil {
		t.Fatal(err)
	}
}

// await waits for text that was not there when it was last waited for.
func (l *linphone) await(t *testing.T, text string) {
	t.Helper()
	until(t, patience, "linphonec: "+text, func() bool {
		all := l.out.String()
		i := strings.Index(all[l.seen:], text)
		if i >= 0 {
			l.seen += i + len(text)
		}
		return i >= 0
	})
}

func (l *linphone) call(t *testing.T, number string) { l.command(t, "call "+number) }
func (l *linphone) hangup(t *testing.T)              { l.command(t, "terminate") }
func (l *linphone) talking(t *testing.T)             { l.await(t, "Media streams established") }
func (l *linphone) idle(t *testing.T)                { l.await(t, " ended (") }

// chat sends a text message.
func (l *linphone) chat(t *testing.T, d *demo, number, text string) {
	l.command(t, fmt.Sprintf("chat sip:%s@%s %q", number, d.SIP.Domain, text))
}

func (l *linphone) hold(t *testing.T) {
	l.command(t, "pause")
	l.await(t, "is now paused")
}

func (l *linphone) resume(t *testing.T) {
	l.command(t, "resume")
	l.await(t, "Media streams established")
}

// heard is the recording, whose header linphonec leaves with a wrong length.
func (l *linphone) heard(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(l.recording)
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Index(b, []byte("data"))
	if data < 0 || len(b) < data+8 {
		t.Fatalf("%s has no samples", l.recording)
	}
	binary.LittleEndian.PutUint32(b[data+4:], uint32(len(b)-data-8))
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	fixed := l.recording + ".fixed"
	if err := os.WriteFile(fixed, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return fixed
}

// A second call has the next ports.
func (l *linphone) media() (low, high int) { return l.low, l.low + 18 }
func (l *linphone) tone() float64          { return toneOf(l.user) }

func (l *linphone) quit(t *testing.T) {
	t.Helper()
	l.command(t, "quit")
	if code := l.wait(t, patience); code != 0 {
		t.Errorf("linphonec ended with %d", code)
	}
}
