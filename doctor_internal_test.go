package cordpair

import (
	"strings"
	"testing"
)

// TestJudgeFiles: media may not leave the store without files.
func TestJudgeFiles(t *testing.T) {
	for _, c := range []struct {
		limit uint64
		ports int
		want  Verdict
		says  string
	}{
		{1 << 20, 16384, Good, "media can take 16384"},
		{24576, 16384, Good, "limit 24576"},
		{20000, 16384, Warn, "ulimit -n 24576"},
		{24576, 2 * 16384, Warn, "ulimit -n 40960"},
		{1024, 100, Warn, "ulimit -n 8292"},
	} {
		if f := judgeFiles(c.limit, c.ports); f.Verdict != c.want || !strings.Contains(f.Text, c.says) {
			t.Errorf("%d of %d: %s %s", c.ports, c.limit, f.Verdict, f.Text)
		}
	}
	cfg := DefaultConfig()
	cfg.RTP.Addresses = []string{"127.0.0.1", "127.0.0.2"}
	if n := portsOf(cfg); n != 2*16384 {
		t.Errorf("two addresses have %d ports", n)
	}
}
