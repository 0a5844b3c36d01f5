package cordpair_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/sip/siptest"
)

// sent gives the datagrams a tap saw that begin so and go to a phone.
func sent(tap *siptest.Tap, to *siptest.Phone, begins string) (out []string) {
	for _, d := range tap.Datagrams() {
		if d.To == to.Addr() && strings.HasPrefix(string(d.Data), begins) {
			out = append(out, string(d.Data))
		}
	}
	return out
}

// TestEncryptionPolicies: what rtp.encryption says reaches the calls. The phones do
// not encrypt.
func TestEncryptionPolicies(t *testing.T) {
	for policy, keys := range map[string]bool{"never": false, "offered": false, "preferred": true, "required": false} {
		t.Run(policy, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a, b, tap := w.phone("101"), w.phone("102"), w.net.Tap()
				if policy == "required" {
					w.refused(w.call(a, "102"), 488)
					no := sent(tap, a, "SIP/2.0 488")
					if len(no) == 0 || !strings.Contains(no[0], `304 cordpair "no common encryption of media"`) {
						t.Errorf("refused with %q", no)
					}
					return
				}
				out, in := w.talk(a, b)
				w.hearEachOther(out, in)
				rang := sent(tap, b, "INVITE ")
				if len(rang) != 1 || strings.Contains(rang[0], "a=crypto:") != keys || !strings.Contains(rang[0], " RTP/AVP ") {
					t.Errorf("102 was rung with %q", rang)
				}
				w.must(out.Hangup(w.ctx))
			}, func(c *cordpair.Config) { c.RTP.Encryption = policy })
		})
	}
}

// TestPhoneThatMustEncrypt: one that refuses what it may decline is rung once more,
// with RTP/SAVP, under the policy that has keys; it may refuse that too.
func TestPhoneThatMustEncrypt(t *testing.T) {
	for policy, want := range map[string][]string{"offered": {" RTP/AVP "}, "preferred": {" RTP/AVP ", " RTP/SAVP "}} {
		inWorld(t, func(w *world) {
			a, b, tap := w.phone("101"), w.phone("102"), w.net.Tap()
			out := w.call(a, "102")
			for range want {
				w.must(w.incoming(b).Reject(488))
			}
			w.refused(out, 488)
			rang := sent(tap, b, "INVITE ")
			if len(rang) != len(want) {
				t.Fatalf("%s: rung %d times, want %d", policy, len(rang), len(want))
			}
			for i, profile := range want {
				if !strings.Contains(rang[i], profile) {
					t.Errorf("%s: %q has no %q", policy, rang[i], profile)
				}
			}
		}, func(c *cordpair.Config) { c.RTP.Encryption = policy })
	}
}

var (
	inline   = regexp.MustCompile(`inline:([A-Za-z0-9+/=]{16,})`)
	callUUID = regexp.MustCompile(`"call_uuid":"([^"]+)"`)
)

// unhurried is a recorder that any deadline may be set for.
type unhurried struct{ *httptest.ResponseRecorder }

func (unhurried) SetWriteDeadline(time.Time) error { return nil }

// TestKeysAreNowhere: the keys of a call are on the wire and in nothing that the switch
// writes, keeps or tells, not even in a capture of the call.
func TestKeysAreNowhere(t *testing.T) {
	chatty := &logBuffer{}
	inWorld(t, func(w *world) {
		a, b, tap := w.phone("101"), w.phone("102"), w.net.Tap()
		out := w.call(a, "102")
		in := w.incoming(b)
		synctest.Wait()
		id := callUUID.FindStringSubmatch(w.operate(200, "GET", "/client/1/current_calls/", ""))[1]
		ctx, stop := context.WithCancel(w.ctx)
		file, done := httptest.NewRecorder(), make(chan struct{})
		go func() { // ends with the call
			defer close(done)
			w.sw.OperatorAPI().ServeHTTP(unhurried{file}, httptest.NewRequestWithContext(ctx, "GET", apiBase+"/client/1/pcap/"+id, nil))
		}()
		time.Sleep(time.Second) // virtual
		w.must(in.Reject(488))  // the second INVITE is in the capture
		in = w.incoming(b)
		w.must(in.Reject(488))
		_, err := out.WaitEnded(w.ctx)
		w.must(err)
		time.Sleep(5 * time.Second) // virtual
		stop()
		<-done
		texts := map[string]string{
			"log": chatty.String(), "capture": file.Body.String(), "record": w.operate(200, "GET", "/client/1/call_history/"+id, ""),
			"trace": w.operate(200, "GET", "/client/1/call_history/"+id+"/trace/", ""), "ladder": w.operate(200, "GET", "/client/1/call_history/"+id+"/ladder/", ""),
		}
		keys := 0
		for _, invite := range sent(tap, b, "INVITE ") {
			for _, m := range inline.FindAllStringSubmatch(invite, -1) {
				keys++
				for name, text := range texts {
					if strings.Contains(text, m[1][:12]) {
						t.Errorf("a key is in the %s: %s", name, text)
					}
				}
			}
		}
		if keys < 8 || !strings.Contains(texts["capture"], "a=masked:") || !strings.Contains(texts["ladder"], "INVITE") {
			t.Errorf("%d keys, a capture of %d bytes and %s prove nothing", keys, file.Body.Len(), texts["ladder"])
		}
	}, func(c *cordpair.Config) {
		c.RTP.Encryption = "preferred"
		c.Logger = slog.New(slog.NewTextHandler(chatty, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
	})
}
