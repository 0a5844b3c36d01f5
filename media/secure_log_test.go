package media

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// No log has a key, whatever is logged, and what we describe to nobody has none.
func TestKeysAreNotLogged(t *testing.T) {
	var log bytes.Buffer
	cfg := Config{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))}
	onBoth(t, cfg, func(t *testing.T, r *rig) {
		log.Reset()
		a, b := r.encrypted("1:0", "savp AES_CM_128_HMAC_SHA1_80"), r.encrypted("2:0", "dtls")
		mustCall(t, a.calls())
		mustCall(t, b.calls())
		mustCall(t, Join(a.session, b.session))
		r.settle()
		b.meets()
		talk(t, r, a, b, 5)
		r.engine.log.Error("all of it", "terms", a.session.terms.Load(), "protection", a.session.terms.Load().Protection)
		_, err := a.session.SetOffer([]byte(strings.Replace(string(a.description("")), "inline:", "inline:x", 1)))
		if err == nil {
			t.Error("a key that cannot be read is taken")
		} else {
			r.engine.log.Error("refused", "err", err)
		}
		r.advance(20 * time.Millisecond)
		for _, key := range [][]byte{a.key.Material(), a.open.Key().Material()} {
			numbers := strings.Trim(fmt.Sprint(key[:8]), "[]")
			if text := log.String(); strings.Contains(text, base64.StdEncoding.EncodeToString(key)[:16]) || strings.Contains(text, numbers) {
				t.Errorf("a key is in the log: %s", log.String())
			}
		}
	})
}
