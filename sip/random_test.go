package sip_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// foretellable are the files that draw from math/rand, which is good enough for what
// nobody gains by guessing (A12).
var foretellable = map[string]string{
	"events.go":           "when a restored subscription speaks",
	"offer.go":            "how long to wait after a 491",
	"refuse.go":           "Retry-After",
	"reliable.go":         "the first RSeq, which RFC 3262 section 3 wants random and nothing trusts",
	"textmessage.go":      "when texts that wait are carried after a restart",
	"update.go":           "Retry-After",
	"../media/pool.go":    "which free port is next: its generator is ChaCha8, seeded by the system",
	"../media/reports.go": "when the next RTCP report goes out (RFC 3550 section 6.3.1)",
}

// TestRandomness: whatever else is drawn comes from crypto/rand.
func TestRandomness(t *testing.T) {
	used := map[string]bool{}
	for _, root := range []string{".", "../media"} {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && strings.HasSuffix(name, "test"), d.IsDir() && d.Name() == "testdata": // siptest and its like
				return filepath.SkipDir
			case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
				return nil
			}
			text, err := os.ReadFile(name)
			if strings.Contains(string(text), `"math/rand`) {
				used[name] = true
				if foretellable[name] == "" {
					t.Errorf("%s draws from math/rand", name)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range foretellable {
		if !used[name] {
			t.Errorf("%s does not", name)
		}
	}
}
