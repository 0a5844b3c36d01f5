package api

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/cordpair/cordpair/dialplan"
)

// BenchmarkRead is one GET through the whole frame; the goal is 100 µs of CPU.
func BenchmarkRead(b *testing.B) {
	w := newWorld(b, func(c *Config) { c.RateLimit = 1 << 40 })
	for b.Loop() {
		rec := httptest.NewRecorder()
		if w.server.ServeHTTP(rec, request("GET", "/client/@me/extension/11", "client", "")); rec.Code != 200 {
			b.Fatal(rec.Code)
		}
	}
}

// BenchmarkList is the list of 10,000 extensions; the goal is 150 ms.
func BenchmarkList(b *testing.B) {
	for _, encoding := range []string{"plain", "gzip"} {
		b.Run(encoding, func(b *testing.B) {
			w := newWorld(b, func(c *Config) { c.RateLimit = 1 << 40 })
			for i := range 10_000 {
				x := dialplan.DefaultExtension()
				x.ID, x.ClientID, x.Name, x.Label = int64(1000+i), 1, fmt.Sprintf("0001*%04d", i), "Someone"
				w.memory.extensions[x.ID] = dialplan.Row{Extension: x}
			}
			r := request("GET", "/client/1/extension/", "client", "")
			r.Header.Set("Accept-Encoding", encoding)
			for b.Loop() {
				rec := httptest.NewRecorder()
				if w.server.ServeHTTP(rec, r); rec.Code != 200 {
					b.Fatal(rec.Code, rec.Body)
				}
			}
		})
	}
}
