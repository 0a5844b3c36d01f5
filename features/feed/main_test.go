package feed

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	alice = call.Party{Extension: 1, Number: "101", Name: "Alice"}
	bob   = call.Party{Extension: 2, Number: "102", Name: "Bob"}
	carol = call.Party{Extension: 3, Number: "103"}
)

// bench is a Feed at work in a synctest bubble.
type bench struct {
	t      testing.TB
	db     *store.DB
	bus    *call.Bus
	f      *Feed
	cancel context.CancelFunc
	ended  chan struct{}
}

func newBench(t testing.TB, opts Options) *bench {
	return startBench(t, storetest.Open(t), opts)
}

func startBench(t testing.TB, db *store.DB, opts Options) *bench {
	t.Helper()
	b := &bench{t: t, db: db, bus: call.NewBus(), ended: make(chan struct{})}
	var err error
	if b.f, err = New(db, b.bus, opts); err != nil {
		t.Fatal(err)
	}
	b.run()
	return b
}

func (b *bench) run() {
	var ctx context.Context
	ctx, b.cancel = context.WithCancel(context.Background())
	go func() { b.f.Run(ctx); close(b.ended) }() // ends when stop cancels ctx
	b.t.Cleanup(b.stop)
}

func (b *bench) stop() {
	b.cancel()
	<-b.ended
}

// note puts n events of the configuration into a client's ring; their ids in the
// data are 1, 2, 3 … after the one given.
func (b *bench) note(client int64, after, n int) {
	for i := range n {
		b.f.Changed(client, "number", int64(after+i+1), 1)
	}
}

// last is the id of the last event of a client.
func (b *bench) last(client int64) ID {
	r := b.f.ring(client)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next - 1
}

// room is how many events the ring of a client has memory for.
func (b *bench) room(client int64) int {
	r := b.f.ring(client)
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.buf)
}

// next is one Next of a reader that must succeed.
func next(t testing.TB, r *Reader) []Event {
	t.Helper()
	events, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// quiet fails if the reader has anything to say within a second of the bubble.
func quiet(t testing.TB, r *Reader) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if events, err := r.Next(ctx); err != context.DeadlineExceeded {
		t.Fatalf("reader got %v, %v; want nothing", kindsOf(events), err)
	}
}

func kindsOf(events []Event) []Kind {
	list := make([]Kind, 0, len(events))
	for _, ev := range events {
		list = append(list, ev.Kind)
	}
	return list
}

// bounds are the ids that a gap names.
func bounds(t testing.TB, ev Event) (from, to ID) {
	t.Helper()
	var gap struct{ From, To ID }
	if err := json.Unmarshal(ev.Data, &gap); err != nil || ev.Kind != KindGap || ev.ID != gap.To {
		t.Fatalf("%d %s %s (%v): want a gap", ev.ID, ev.Kind, ev.Data, err)
	}
	return gap.From, gap.To
}

// counted is the number that note gave an event.
func counted(t testing.TB, ev Event) int {
	t.Helper()
	var data struct {
		ID int `json:"id"`
	}
	if err := json.Unmarshal(ev.Data, &data); err != nil {
		t.Fatal(err)
	}
	return data.ID
}

func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}
