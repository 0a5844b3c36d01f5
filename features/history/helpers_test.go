package history

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

var (
	alice = call.Party{Extension: 1, Number: "101", Name: "Alice", Domain: "a.test"}
	bob   = call.Party{Extension: 2, Number: "102", Domain: "a.test"}
	carol = call.Party{Extension: 3, Number: "103", Domain: "a.test"}
	world = call.Party{Number: "+15550100"}
)

// teller publishes the events of one call.
type teller struct {
	bus *call.Bus
	id  call.ID
	seq int
	now func() time.Time // nil: time.Now
}

func (c *teller) say(ev call.Event) {
	c.seq++
	ev.Call, ev.Client, ev.Seq, ev.At = c.id, 7, c.seq, time.Now()
	if c.now != nil {
		ev.At = c.now()
	}
	if ev.Trace != nil {
		ev.Trace.Seq, ev.Trace.At = ev.Seq, ev.At
	}
	c.bus.Publish(ev)
}

func (c *teller) start(from call.Party, dialled string) {
	c.say(call.Event{Kind: call.EventStarted, Leg: "a", Party: from, Dialled: dialled})
	c.say(call.Event{Kind: call.EventLegStarted, Leg: "a", Party: from, Direction: call.Inbound})
	c.say(call.Event{Kind: call.EventDecided, Trace: &call.TraceEntry{Kind: call.TraceNumber, Name: dialled}})
}

func (c *teller) ring(leg call.LegID, to call.Party) {
	c.say(call.Event{Kind: call.EventLegStarted, Leg: leg, Party: to, Direction: call.Outbound})
	c.say(call.Event{Kind: call.EventRinging, Leg: leg, Party: to})
}

func (c *teller) answer(leg call.LegID, p call.Party) {
	c.say(call.Event{Kind: call.EventAnswered, Leg: leg, Party: p})
}

func (c *teller) gone(leg call.LegID, p call.Party, cause call.Cause, remote bool) {
	c.say(call.Event{Kind: call.EventLegEnded, Leg: leg, Party: p, Cause: cause, Remote: remote, Stats: &call.MediaStats{PacketsReceived: 50}})
}

func (c *teller) end(cause call.Cause, by call.LegID) {
	c.say(call.Event{Kind: call.EventEnded, Cause: cause, By: by})
}

// bench is a History at work in a synctest bubble.
type bench struct {
	t      *testing.T
	db     *store.DB
	bus    *call.Bus
	h      *History
	cancel context.CancelFunc
	ended  chan error
}

func newBench(t *testing.T, db *store.DB) *bench { return newBenchWith(t, db, func(*Options) {}) }

func newBenchWith(t *testing.T, db *store.DB, change func(*Options)) *bench {
	b := &bench{t: t, db: db, bus: call.NewBus(), ended: make(chan error, 1)}
	opts := Options{
		Logger: slog.New(slog.DiscardHandler),
		Extension: func(client, id int64) Extension {
			return Extension{Name: fmt.Sprintf("%04d*%d@a.test", client, 100+id), Type: "phone", Group: id % 2}
		},
	}
	change(&opts)
	b.h = New(db, b.bus, opts)
	var ctx context.Context
	ctx, b.cancel = context.WithCancel(context.Background())
	go func() { b.ended <- b.h.Run(ctx) }() // ends when stop cancels ctx
	return b
}

// stop ends Run as a switch does that stops in order.
func (b *bench) stop() {
	b.t.Helper()
	b.cancel()
	if err := <-b.ended; err != nil {
		b.t.Error(err)
	}
}

func (b *bench) call(id call.ID) *teller { return &teller{bus: b.bus, id: id} }

func (b *bench) get(id call.ID) Record {
	b.t.Helper()
	rec, err := b.h.Get(id)
	if err != nil {
		b.t.Fatal(err)
	}
	return rec
}

func (b *bench) journal() int {
	b.t.Helper()
	entries := b.snapshot()
	lastSign(entries)
	return len(entries)
}
