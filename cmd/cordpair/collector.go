package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// roomy is how much garbage the collector lets gather, in bytes, whatever is
// live. The usual percentage would make it run twice a second on a busy switch
// of which little is live, and each time calls wait for it.
const roomy = 128 << 20

// usualPercent is what Go begins with; above roomy it holds.
const usualPercent = 100

// tendCollector keeps the collector's percentage at what roomy asks for until
// ctx ends. Whoever sets GOGC has decided.
func tendCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	look := time.NewTicker(10 * time.Second)
	defer look.Stop()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	was := usualPercent
	for {
		metrics.Read(live)
		// Setting it stops the world for a moment.
		if now := percentFor(live[0].Value.Uint64()); now < was*9/10 || now > was*10/9 {
			debug.SetGCPercent(now)
			was = now
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// leastLive keeps the percentage in reason before the first collection.
const leastLive = 16 << 20

// percentFor is the percentage of live bytes that lets roomy gather.
func percentFor(live uint64) int {
	return max(usualPercent, int(100*roomy/max(live, leastLive)))
}
