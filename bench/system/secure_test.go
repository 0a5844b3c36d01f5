//go:build system

package system

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// secured starts a baresip that encrypts in a way it has a module for.
func secured(module, way string) starter {
	return func(t *testing.T, d *demo, user, transport string) phone {
		t.Helper()
		folder := d.path("phones", account(user, transport))
		edit(t, filepath.Join(folder, "config"), func(text string) string {
			return strings.Replace(text, "module ", "module "+module+".so\nmodule ", 1)
		})
		edit(t, filepath.Join(folder, "accounts"), func(text string) string {
			return strings.TrimSpace(text) + ";mediaenc=" + way + "\n"
		})
		return startBaresip(t, d, user, transport)
	}
}

// securedLinphone starts a linphonec that wants SRTP.
func securedLinphone(t *testing.T, d *demo, user, transport string) phone {
	t.Helper()
	edit(t, d.path("phones", "linphonerc-"+account(user, transport)), func(text string) string {
		return strings.Replace(text, "[sip]\n", "[sip]\nmedia_encryption=srtp\nmedia_encryption_mandatory=0\n", 1)
	})
	return startLinphone(t, d, user, transport)
}

func edit(t *testing.T, file string, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := change(string(text))
	if changed == string(text) {
		t.Fatalf("%s: nothing to change", file)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestEncryptedTalk: phones that encrypt talk with one that does not, whoever calls
// whom, through hold and resume.
func TestEncryptedTalk(t *testing.T) {
	ways := []struct {
		name    string
		phone   starter
		program string
		must    bool // encrypt
	}{
		{"keys it may decline", secured("srtp", "srtp"), "baresip", false},
		{"keys it must have", secured("srtp", "srtp-mand"), "baresip", true},
		{"DTLS", secured("dtls_srtp", "dtls_srtp"), "baresip", true},
		{"linphonec", securedLinphone, "linphonec", false},
	}
	for _, w := range ways {
		t.Run(w.name+" calls", func(t *testing.T) {
			need(t, w.program, "baresip")
			d := startDemo(t, 4)
			whisper(t, d, w.phone(t, d, "101", "udp"), baresipPhone(t, d, "102", "udp"))
			d.stop(t)
		})
		if w.must { // it takes no offer without encryption, and the demo makes none with
			continue
		}
		t.Run(w.name+" is called", func(t *testing.T) {
			need(t, w.program, "baresip")
			d := startDemo(t, 4)
			whisper(t, d, baresipPhone(t, d, "101", "udp"), w.phone(t, d, "102", "udp"))
			d.stop(t)
		})
	}
}

// whisper makes one call from a (101) to b (102). What an encrypted phone is sent
// tells a listener nothing, so the recordings are judged.
func whisper(t *testing.T, d *demo, a, b phone) {
	t.Helper()
	a.call(t, "102")
	a.talking(t)
	b.talking(t)
	flow := func() {
		t.Helper()
		const sent = "cordpair_media_packets_sent_total"
		before := d.metrics(t)[sent]
		until(t, patience, "packets", func() bool { return d.metrics(t)[sent] > before+300 })
	}
	flow()
	a.hold(t)
	a.resume(t)
	flow()
	a.hangup(t)
	a.idle(t)
	b.idle(t)
	d.awaitMetric(t, "cordpair_sip_legs", 0)
	a.quit(t)
	b.quit(t)
	recorded(t, a, b)
	recorded(t, b, a)
}
