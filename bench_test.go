package cordpair_test

import (
	"fmt"
	"testing"

	"github.com/cordpair/cordpair"
)

// BenchmarkOpen is a start with 100,000 phones of 20 clients (L2).
func BenchmarkOpen(b *testing.B) {
	cfg := cordpair.DefaultConfig()
	cfg.DataDir = b.TempDir()
	cfg.Listen = cordpair.Listen{SIP: []cordpair.SIPListener{{Transport: "udp", Addr: "127.0.0.1:0"}}}
	fill(b, cfg)
	for b.Loop() {
		sw, err := cordpair.Open(cfg)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := sw.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func fill(b *testing.B, cfg cordpair.Config) {
	b.Helper()
	sw, err := cordpair.Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	phones := make([]cordpair.NewPhone, 5000)
	for i := range phones {
		phones[i].Number = fmt.Sprint(1000 + i)
	}
	for n := range 20 {
		client, err := sw.AddClient(cordpair.Client{Name: "Client", Domain: fmt.Sprintf("c%d.example", n), ExtensionLen: 4})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := sw.AddPhones(client.ID, phones); err != nil {
			b.Fatal(err)
		}
	}
	if err := sw.Close(); err != nil {
		b.Fatal(err)
	}
}
